import os
from datetime import timedelta
from pathlib import Path

import pytest
from answers import START, record, result
from hypothesis import given
from hypothesis import strategies as st

from madeby.errors import MadebyError
from madeby.schema import ErrorInfo, Label, Verdict
from madeby.web.history.database import HistoryUnavailableError, database_url
from madeby.web.history.filters import Cursor, CursorError, Filter, Sort
from madeby.web.history.store import History
from madeby.web.record import Record, now


def sources(history, **wanted):
    return [found.result.source for found in history.find(Filter(**wanted), limit=100).results]


def files_in(folder: Path):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_record_comes_back_as_it_was_given(open_history):
    given_ = record("späte Ernte 🌾.jpg", 0.123456789012345678, warnings=("small",))
    open_history().add([given_])
    assert open_history().get(given_.id) == given_
    assert open_history().get("0" * 32) is None


def test_a_result_without_verdict_is_kept_too(open_history):
    broken = Record(
        result=result("x", None, status="error", picture=None, verdict=None, model=None, signals=()).model_copy(
            update={"error": ErrorInfo(code="unreadable", message="cut off\0 after 3 bytes")}
        )
    )
    history = open_history()
    history.add([broken])
    assert history.get(broken.id) == broken
    assert sources(history, status="error") == ["x"]
    assert sources(history, text="cut OFF") == ["x"]


def test_filters_narrow_and_all_must_hold(open_history):
    history = open_history()
    history.add(
        [
            record("cat.jpg", 0.9, 0, verdict=Verdict.AI),
            record("dog.jpg", 0.2, 1, verdict=Verdict.HUMAN),
            record("fox.jpg", None, 2, verdict=Verdict.AI),
        ]
    )
    assert sources(history) == ["fox.jpg", "dog.jpg", "cat.jpg"]
    assert sources(history, verdict="ai") == ["fox.jpg", "cat.jpg"]
    assert sources(history, verdict="ai", min_probability=0.5) == ["cat.jpg"]
    assert sources(history, max_probability=0.5) == ["dog.jpg"]
    assert sources(history, since=START + timedelta(minutes=1)) == ["fox.jpg", "dog.jpg"]
    assert sources(history, until=START + timedelta(minutes=1)) == ["cat.jpg"]
    assert sources(history, since="2026-01-01T03:01:00+03:00") == ["fox.jpg", "dog.jpg"]
    assert sources(history, since="2026-01-01T00:02:00") == ["fox.jpg"]


def test_a_search_takes_wildcards_quotes_and_every_script_as_they_are(open_history):
    history = open_history()
    names = ["100%.jpg", "1000.jpg", "a_b.jpg", "axb.jpg", "it's.jpg", "back\\slash.jpg", "ÉCOLE.jpg", "Straße.jpg"]
    history.add([record(name, minutes=place) for place, name in enumerate(names)])
    assert sources(history, text="100%") == ["100%.jpg"]
    assert sources(history, text="a_b") == ["a_b.jpg"]
    assert sources(history, text="'") == ["it's.jpg"]
    assert sources(history, text="\\") == ["back\\slash.jpg"]
    assert sources(history, text="école") == ["ÉCOLE.jpg"]
    assert sources(history, text="STRASSE") == ["Straße.jpg"]
    assert sources(history, text="'; DROP TABLE madeby_records; --") == []
    assert sources(history, text="thresholds jpg 1000") == ["1000.jpg"]
    assert sources(history, text="\0") == sources(history)


def test_a_search_finds_a_picture_by_its_whole_sha256_only(open_history):
    history = open_history()
    kept = record("a.jpg", data=b"1")
    history.add([kept, record("b.jpg", data=b"2")])
    assert sources(history, text=kept.result.picture.sha256.upper()) == ["a.jpg"]
    assert sources(history, text=kept.result.picture.sha256[:4]) == []


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_show_every_record_once_in_order_while_others_come_and_go(open_history, sort):
    history = open_history()
    probabilities = [0.5, None, 0.1, 0.5, 0.5, None, 0.9, 0.0, 1.0, None, 0.5]
    history.add([record(f"{i}", p, minutes=i // 3) for i, p in enumerate(probabilities)])
    seen, cursor, wanted = [], None, Filter(sort=sort)
    while True:
        page = history.find(wanted, limit=3, cursor=cursor)
        seen += page.results
        cursor = page.next
        if cursor is None:
            break
        late = record("late", 0.05 if sort == Sort.LIKELIEST_AI else 0.95, minutes=0 if sort == Sort.NEWEST else 99)
        history.add([late])
        history.delete(late.id)
        history.delete(page.results[-1].id)
    assert sorted(found.result.source for found in seen) == sorted(map(str, range(11)))
    if sort.by_time:
        keys = [found.created for found in seen]
    else:
        assert [found.result.probability for found in seen][-3:] == [None] * 3
        keys = [found.result.probability for found in seen][:-3]
    assert keys == sorted(keys, reverse=sort.descending)


def test_the_total_counts_what_matches_not_what_is_shown(open_history):
    history = open_history()
    history.add([record(f"{i}.jpg", i / 10) for i in range(10)])
    page = history.find(Filter(min_probability=0.5), limit=2)
    assert (len(page.results), page.total) == (2, 5)
    assert history.find(Filter(min_probability=0.5), limit=5).next is None


def test_an_export_holds_all_that_match_however_many(open_history, monkeypatch):
    monkeypatch.setattr("madeby.web.history.store.ROWS_AT_A_TIME", 3)
    history = open_history()
    history.add([record(f"{i}", minutes=i) for i in range(9)])
    exported = [found.result.source for found in history.export(Filter(sort="created"))]
    assert exported == [str(i) for i in range(9)]
    assert [found.result.source for found in history.export(Filter(text="7"))] == ["7"]


@pytest.mark.parametrize("text", ["", "x", "e30=", "é", "A" * 300, "eyJzb3J0IjoiY3JlYXRlZCJ9"])
def test_a_cursor_of_nobody_is_refused(text):
    with pytest.raises(CursorError, match="without it"):
        Cursor.read(text, Sort.CREATED)


@given(st.text(max_size=100))
def test_any_text_for_a_cursor_is_refused_plainly(text):
    with pytest.raises(CursorError):
        Cursor.read(text, Sort.CREATED)


def test_a_cursor_of_another_order_is_refused(open_history):
    history = open_history()
    history.add([record(), record()])
    cursor = history.find(Filter(sort="probability"), limit=1).next
    with pytest.raises(CursorError, match="order"):
        history.find(Filter(sort="created"), cursor=cursor)


@pytest.mark.parametrize("bad", [{"since": "0001-01-01T00:00:00+14:00"}, {"min_probability": float("nan")}, {"no": 1}])
def test_a_filter_that_means_nothing_is_refused(bad):
    with pytest.raises(ValueError):
        Filter(**bad)


def test_feedback_is_said_replaced_and_withdrawn(open_history):
    history = open_history()
    (kept,) = history.add([record()])
    said = history.set_feedback(kept.id, Label.AI, "a hand with six fingers")
    assert said.feedback.label == Label.AI
    assert history.get(kept.id) == said
    assert history.set_feedback(kept.id, Label.HUMAN).feedback.note == ""
    assert sources(history, feedback="human") == sources(history, feedback="any") == ["a.jpg"]
    assert sources(history, feedback="ai") == sources(history, feedback="none") == []
    assert history.clear_feedback(kept.id).feedback is None
    assert sources(history, feedback="none") == ["a.jpg"]
    assert history.set_feedback("0" * 32, Label.AI) is None
    assert history.clear_feedback("0" * 32) is None


def test_a_kept_picture_goes_with_the_last_record_about_it(open_history, tmp_path):
    history = open_history()
    data = b"the same bytes twice"
    first, second = record(data=data), record(data=data)
    kept = history.add([first, second], {first.id: data, second.id: data})
    assert [found.picture_kept for found in kept] == [True, True]
    picture = history.picture(first.id)
    assert (picture.path.read_bytes(), picture.media_type) == (data, "image/png")
    assert len(files_in(tmp_path / "pictures")) == 1
    assert history.delete(first.id)
    assert history.picture(second.id).path.read_bytes() == data
    assert history.delete(second.id)
    assert files_in(tmp_path / "pictures") == []
    assert not history.delete(second.id)


def test_pictures_are_kept_only_where_asked_and_only_as_what_was_decoded(open_history, tmp_path):
    data = b"pixels"
    unread = Record(result=result("x", None, picture=None))
    swapped, plain = record(data=b"others"), record(data=data)
    history = open_history()
    kept = history.add([unread, swapped, plain], {unread.id: data, swapped.id: data})
    assert [found.picture_kept for found in kept] == [False] * 3
    assert files_in(tmp_path / "pictures") == []
    assert history.picture(plain.id) is None
    without = open_history(keep_pictures=False)
    again = record(data=data)
    assert not without.add([again], {again.id: data})[0].picture_kept


def test_a_picture_that_somebody_removed_is_not_served(open_history, tmp_path):
    history = open_history()
    kept = record(data=b"1")
    history.add([kept], {kept.id: b"1"})
    files_in(tmp_path / "pictures")[0].unlink()
    assert history.picture(kept.id) is None
    assert history.delete(kept.id)


def test_records_that_cannot_be_written_leave_no_picture(open_history, tmp_path):
    history = open_history()
    kept = record(data=b"1")
    history.add([kept], {kept.id: b"1"})
    other = record(data=b"2")
    with pytest.raises(HistoryUnavailableError):
        history.add([other, kept], {other.id: b"2", kept.id: b"1"})
    assert history.get(other.id) is None
    history.prune()
    assert [path.read_bytes() for path in files_in(tmp_path / "pictures")] == [b"1"]


def test_pruning_removes_what_is_too_old_with_its_picture(open_history, tmp_path, monkeypatch):
    monkeypatch.setattr("madeby.web.history.store.ROWS_AT_A_TIME", 2)
    history = open_history(retention_days=30)
    age = {0: "0", 29: "29", 31: "31", 400: "400"}
    for days, name in age.items():
        old = Record(created=now() - timedelta(days=days), result=result(name, data=name.encode()))
        history.add([old], {old.id: name.encode()})
    assert history.prune() == 2
    assert sources(history) == ["0", "29"]
    assert {path.read_bytes() for path in files_in(tmp_path / "pictures")} == {b"0", b"29"}
    assert history.prune() == 0


def test_pruning_leaves_the_newest_of_too_many(open_history, monkeypatch):
    monkeypatch.setattr("madeby.web.history.store.ROWS_AT_A_TIME", 2)
    history = open_history(retention_count=3)
    history.add([record(f"{i}", minutes=10 - i) for i in range(9)])
    assert history.prune() == 6
    assert sources(history) == ["0", "1", "2"]
    assert history.prune() == 0


def test_nothing_is_pruned_unless_asked(open_history):
    history = open_history()
    history.add([record(minutes=-10_000_000)])
    assert history.prune() == 0


def test_a_history_says_whether_it_is_ready(open_history, tmp_path):
    history = open_history()
    history.add([record()])
    assert history.ready()
    assert len(sources(history)) == 1


def test_a_newer_or_unknown_database_is_refused(open_history, database):
    from sqlalchemy import create_engine, text

    open_history()
    engine = create_engine(database_url(database))
    with engine.begin() as connection:
        connection.execute(text("UPDATE madeby_version SET version = 99"))
    with pytest.raises(MadebyError, match=r"version 99 .* version 1: update madeby"):
        open_history()
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE madeby_version"))
    with pytest.raises(MadebyError, match="no history of madeby"):
        open_history()
    engine.dispose()


def test_a_file_that_is_no_history_stays_as_it_is(tmp_path):
    import sqlite3

    other = tmp_path / "other.sqlite"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE songs (name TEXT)")
    connection.close()
    with pytest.raises(MadebyError, match=r"other\.sqlite holds other tables"):
        History.open(other)
    text_file = tmp_path / "notes.txt"
    text_file.write_text("no database at all, but long enough to be looked at " * 40)
    before = text_file.read_bytes()
    with pytest.raises(MadebyError, match=r"notes\.txt: file is not a database"):
        History.open(text_file)
    assert text_file.read_bytes() == before
    with pytest.raises(MadebyError, match="cannot open the history"):
        History.open(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_new_file_is_for_its_owner_alone(tmp_path):
    history = History.open(tmp_path / "history.sqlite", tmp_path / "pictures")
    kept = record(data=b"1")
    history.add([kept], {kept.id: b"1"})
    modes = {path.name: path.stat().st_mode & 0o077 for path in tmp_path.rglob("*") if path.is_file()}
    assert len(modes) == 4
    assert set(modes.values()) == {0}
    history.close()


@pytest.mark.parametrize(
    ("given_", "driver"),
    [
        ("history.sqlite", "sqlite"),
        ("sqlite:///data/history.sqlite", "sqlite"),
        ("postgres://u:p@h/n", "postgresql+psycopg"),
        ("postgresql://u:p@h:5432/n", "postgresql+psycopg"),
    ],
)
def test_a_path_or_the_url_of_a_hosting_platform_will_do(given_, driver):
    assert database_url(given_).drivername == driver


@pytest.mark.parametrize("bad", ["sqlite://", "sqlite:///:memory:", "mysql://h/n", "://", "http://example.org/x"])
def test_a_database_that_cannot_be_used_is_refused(bad):
    with pytest.raises(MadebyError):
        database_url(bad)


def test_a_server_that_is_not_there_is_named_without_its_password():
    with pytest.raises(MadebyError, match="cannot open the history") as refused:
        History.open("postgresql://someone:s3cret@127.0.0.1:1/nothing")
    assert "s3cret" not in str(refused.value)
    assert "127.0.0.1:1" in str(refused.value)
