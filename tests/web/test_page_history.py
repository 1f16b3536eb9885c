"""The page's history: found again, exported, paged, deleted."""

import csv
import io
import json

import pyarrow.parquet as pq
import pytest
from page_server import drop, noise
from playwright.sync_api import Page, expect


@pytest.fixture
def history(page, tmp_path) -> Page:
    """Two pictures with names that no other test has, and the history opened."""
    stem = tmp_path.name
    noise(60, 40, low=250).save(tmp_path / f"{stem}-bright.png")
    noise(60, 40, high=5).save(tmp_path / f"{stem}-dark.png")
    drop(page, sorted(tmp_path.glob("*.png")))
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(2)
    page.get_by_role("link", name="History").click()
    page.get_by_label("Search names and reasons").fill(stem)
    expect(page.locator("#found")).to_have_text("2 pictures")
    return page


def test_earlier_answers_are_found_again_with_their_pictures(history):
    names = history.locator("#past h3")
    expect(names).to_have_count(2)
    expect(history.locator("#past img")).to_have_count(2)
    history.get_by_label("Verdict").select_option("human-made")
    expect(names).to_have_count(1)
    expect(names).to_contain_text("-dark.png")
    history.get_by_label("From").fill("2999-01-01")
    expect(history.locator("#found")).to_have_text("No pictures found")
    history.get_by_role("button", name="Reset").click()
    expect(history.locator("#found")).not_to_have_text("No pictures found")


def test_feedback_shows_in_the_history_and_can_be_searched(history):
    first = history.locator("#past .card").filter(has_text="-dark.png")
    first.get_by_text("Wrong?").click()
    first.get_by_role("button", name="Wrong: it is AI-made").click()
    expect(first).to_contain_text("You said: AI-made.")
    history.get_by_label("What people said").select_option("AI-made")
    expect(history.locator("#found")).to_have_text("1 picture")
    first.get_by_role("button", name="Undo").click()
    expect(first.get_by_text("Wrong?")).to_be_visible()


@pytest.mark.parametrize("form", ["CSV", "JSON lines", "Parquet"])
def test_what_was_found_is_exported(history, form, tmp_path):
    with history.expect_download() as download:
        history.get_by_role("button", name=f"Export as {form}").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    if form == "CSV":
        verdicts = [row["verdict"] for row in csv.DictReader(io.StringIO(path.read_text()))]
    elif form == "JSON lines":
        verdicts = [json.loads(line)["result"]["verdict"] for line in path.read_text().splitlines()]
    else:
        verdicts = pq.read_table(path)["verdict"].to_pylist()
    assert sorted(verdicts) == ["ai", "human"]


def test_a_result_is_deleted_for_good(history):
    history.locator("#past .card").filter(has_text="-dark.png").get_by_role("button", name="Evidence").click()
    dialog = history.get_by_role("dialog")
    dialog.get_by_text("Delete from the history").click()
    dialog.get_by_role("button", name="Delete for good").click()
    expect(dialog).to_have_count(0)
    expect(history.locator("#found")).to_have_text("1 picture")


def test_a_long_history_is_turned_page_by_page(page, tmp_path):
    stem = tmp_path.name
    for number in range(26):
        noise(24, 24, low=250 - number).save(tmp_path / f"{stem}-{number:02}.png")
    drop(page, sorted(tmp_path.glob("*.png")))
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(26, timeout=30_000)
    page.get_by_role("link", name="History").click()
    page.get_by_label("Search names and reasons").fill(stem)
    expect(page.locator("#found")).to_have_text("1 to 24 of 26 pictures")
    page.get_by_role("button", name="Next").click()
    expect(page.locator("#found")).to_have_text("25 to 26 of 26 pictures")
    expect(page.locator("#past .card")).to_have_count(2)
    expect(page.locator("#found")).to_be_focused()
    page.get_by_role("button", name="Previous").click()
    expect(page.locator("#found")).to_have_text("1 to 24 of 26 pictures")
