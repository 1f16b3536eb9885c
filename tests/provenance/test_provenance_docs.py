"""The tables in the documentation are the data that decide."""

from policy_tables import PAGE, with_tables


def test_the_tables_of_the_page_are_written_from_the_data():
    page = PAGE.read_text(encoding="utf-8")
    assert page == with_tables(page), "run: python tests/provenance/policy_tables.py"
