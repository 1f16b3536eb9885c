"""Bringing pictures to the page and reading what it says of them."""

import re
from pathlib import Path

import pytest
from page_server import drop, noise
from playwright.sync_api import Locator, Page, expect


def card(page: Page, name: str) -> Locator:
    return page.locator("#cards .card").filter(has=page.get_by_role("heading", name=name))


def drop_all(page: Page, pictures: list[Path]) -> None:
    drop(page, pictures)
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(len(pictures))


def test_five_mixed_pictures_dropped_each_get_their_answer(page, mixed_pictures):
    drop_all(page, mixed_pictures)
    verdicts = {path.name: card(page, path.name).get_attribute("data-verdict") for path in mixed_pictures}
    assert verdicts == {
        "bright.jpg": "ai",
        "tall-dark.png": "human",
        "between.heic": "uncertain",
        "parameters.png": "ai",
        "broken.jpg": "error",
    }
    expect(page.locator("#progress-text")).to_have_text("5 pictures checked")
    bright = card(page, "bright.jpg")
    expect(bright).to_contain_text("AI-made")
    expect(bright).to_contain_text("About 98 of 100 pictures that score like this one are AI-made")
    expect(bright).to_contain_text("JPEG · 96 × 64")
    expect(bright.get_by_role("img")).to_be_visible()
    expect(card(page, "between.heic").locator(".placeholder")).to_contain_text("HEI")
    expect(card(page, "parameters.png")).to_contain_text("generation parameters")
    expect(card(page, "broken.jpg")).to_contain_text("Not read")
    expect(page.locator("#said")).to_contain_text(re.compile("AI-made|Human-made|Uncertain|Not read"))


def test_a_folder_is_searched_for_pictures_and_the_rest_left_out(page, tmp_path):
    inner = tmp_path / "assignment" / "day two"
    inner.mkdir(parents=True)
    noise(30, 30, low=250).save(tmp_path / "assignment" / "one.png")
    noise(30, 30, high=5).save(inner / "two.jpg")
    (inner / "notes.txt").write_text("no picture")
    drop(page, [tmp_path / "assignment"])
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(2)
    expect(page.locator("#left-out")).to_have_text("1 other file left out.")
    expect(page.get_by_role("heading", name="two.jpg")).to_have_attribute("title", "assignment/day two/two.jpg")


def test_files_and_folders_can_be_picked(page, mixed_pictures):
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose pictures").click()
    chooser.value.set_files(mixed_pictures[:2])
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(2)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a folder").click()
    chooser.value.set_files(mixed_pictures[0].parent)
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(7)


def test_an_address_is_checked_whether_typed_or_pasted(open_page, page_address, pictures_on_the_web):
    page, _ = open_page(page_address, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Or the address of a picture").fill("harbour")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#url-problem")).to_contain_text("no web address")
    page.get_by_label("Or the address of a picture").fill(f"{pictures_on_the_web}/bright.jpg")
    page.keyboard.press("Enter")
    expect(card(page, "bright.jpg")).to_have_attribute("data-verdict", "ai")
    page.evaluate(f"navigator.clipboard.writeText('{pictures_on_the_web}/tall-dark.png')")
    page.locator("#check-title").focus()
    page.keyboard.press("Control+v")
    expect(card(page, "tall-dark.png")).to_have_attribute("data-verdict", "human")
    page.get_by_label("Or the address of a picture").fill(f"{pictures_on_the_web}/nothing.jpg")
    page.keyboard.press("Enter")
    expect(card(page, "nothing.jpg").locator(".reason")).to_contain_text(
        f"{pictures_on_the_web}/nothing.jpg answered 404"
    )


def test_a_copied_picture_can_be_pasted(open_page, page_address):
    page, _ = open_page(page_address, permissions=["clipboard-read", "clipboard-write"])
    page.evaluate(
        """async () => {
          const canvas = new OffscreenCanvas(50, 40);
          const brush = canvas.getContext("2d");
          brush.fillStyle = "white";
          brush.fillRect(0, 0, 50, 40);
          const picture = await canvas.convertToBlob({ type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }"""
    )
    page.locator("#check-title").focus()
    page.keyboard.press("Control+v")
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(1)


def test_filters_and_sorting(page, mixed_pictures):
    drop_all(page, mixed_pictures)
    shown = page.locator("#cards .card:visible h3")
    page.get_by_role("radio", name="AI-made").check(force=True)
    expect(shown).to_have_text(["bright.jpg", "parameters.png"])
    page.get_by_role("radio", name="Not read").check(force=True)
    expect(shown).to_have_text(["broken.jpg"])
    page.get_by_role("radio", name="All").check(force=True)
    page.get_by_label("Sort").first.select_option("most likely AI first")
    assert shown.first.inner_text() == "bright.jpg"
    page.get_by_label("Sort").first.select_option("by name")
    expect(shown).to_have_text(["between.heic", "bright.jpg", "broken.jpg", "parameters.png", "tall-dark.png"])


def test_evidence_opens_with_signals_facts_and_a_map_under_a_slider(page, mixed_pictures):
    drop_all(page, mixed_pictures)
    card(page, "parameters.png").get_by_role("button", name="Evidence").click()
    dialog = page.get_by_role("dialog", name="parameters.png")
    expect(dialog.get_by_role("heading", name="Generator’s own metadata")).to_be_visible()
    expect(dialog).to_contain_text("strong, points to AI-made")
    dialog.locator("summary[aria-label='What was found: Generator’s own metadata']").click()
    expect(dialog.get_by_text("a harbour at dawn")).to_be_visible()
    expect(dialog).to_contain_text("64 × 64 pixels")
    expect(dialog).to_contain_text(re.compile("[0-9a-f]{64}"))
    expect(dialog.get_by_role("list", name="Things to know")).to_contain_text("Conflict")
    dialog.get_by_role("button", name="Show the evidence map").click()
    slider = dialog.get_by_role("slider", name="Evidence map")
    expect(slider).to_be_focused()
    box, picture = dialog.locator(".map").bounding_box(), dialog.locator(".frame img").first.bounding_box()
    assert box == pytest.approx(picture)
    page.keyboard.press("Home")
    assert dialog.locator(".map").evaluate("map => getComputedStyle(map).opacity") == "0"
    page.keyboard.press("End")
    assert dialog.locator(".map").evaluate("map => getComputedStyle(map).opacity") == "1"
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_a_picture_that_the_browser_cannot_show_has_its_map_from_the_server(page, mixed_pictures):
    drop_all(page, mixed_pictures)
    card(page, "between.heic").get_by_role("button", name="Evidence").click()
    dialog = page.get_by_role("dialog", name="between.heic")
    dialog.get_by_role("button", name="Show the evidence map").click()
    expect(dialog.get_by_role("img", name="Picture with its evidence map")).to_be_visible()


def test_feedback_is_given_and_withdrawn(page, mixed_pictures):
    drop_all(page, mixed_pictures[:1])
    bright = card(page, "bright.jpg")
    bright.get_by_text("Wrong?").click()
    bright.get_by_role("button", name="Wrong: a human made it").click()
    expect(bright).to_contain_text("You said: made by a human.")
    bright.get_by_role("button", name="Evidence").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Undo").click()
    dialog.get_by_label("How do you know?").fill("I stood beside the photographer")
    dialog.get_by_role("button", name="Right: it is AI-made").click()
    expect(dialog.get_by_text("I stood beside the photographer")).to_be_visible()
    page.keyboard.press("Escape")
    expect(bright).to_contain_text("You said: AI-made.")
    bright.get_by_role("button", name="Undo").click()
    expect(bright.get_by_text("Wrong?")).to_be_visible()


def test_two_pictures_are_compared(page, mixed_pictures):
    drop_all(page, mixed_pictures)
    card(page, "bright.jpg").get_by_label("Compare").check()
    expect(page.locator("#compare-names")).to_contain_text("choose one more")
    card(page, "tall-dark.png").get_by_label("Compare").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    dialog = page.get_by_role("dialog", name="Side by side")
    expect(dialog.get_by_role("columnheader")).to_have_count(2)
    expect(dialog.get_by_role("row", name="Verdict")).to_contain_text("AI-made")
    expect(dialog.get_by_role("row", name="Verdict")).to_contain_text("Human-made")
    expect(dialog.get_by_role("row", name="Format")).to_contain_text("JPEG")
    expect(dialog).to_contain_text("Two different files")
    page.keyboard.press("Escape")
    card(page, "parameters.png").get_by_label("Compare").check()
    expect(card(page, "bright.jpg").get_by_label("Compare")).not_to_be_checked()


def test_names_from_files_stay_text(page, tmp_path):
    name = "<img src=x onerror=alert(1)>.png"
    noise(20, 20, low=250).save(tmp_path / name)
    drop_all(page, [tmp_path / name])
    expect(card(page, name)).to_be_visible()
    assert page.locator("img[src=x]").count() == 0


def test_a_busy_server_is_waited_for(open_page, page_address, mixed_pictures):
    page, watch = open_page(page_address)
    watch.expected.append("429")
    refusals = iter([True, True])

    def refuse_twice(route):
        if next(refusals, False):
            route.fulfill(status=429, headers={"Retry-After": "2"}, json={"error": {"code": "busy", "message": "busy"}})
        else:
            route.continue_()

    page.route("**/api/v1/scan", refuse_twice)
    drop(page, mixed_pictures[:2])
    expect(page.locator("#progress-text")).to_contain_text("the server is busy; going on in")
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(2)


def test_a_lost_server_is_told_and_the_picture_can_be_sent_again(open_page, page_address, mixed_pictures):
    page, watch = open_page(page_address)
    watch.expected.append("ERR_FAILED")
    page.route("**/api/v1/scan", lambda route: route.abort())
    drop(page, mixed_pictures[:2])
    expect(card(page, "bright.jpg")).to_contain_text("The server cannot be reached")
    expect(page.locator("#progress-text")).to_contain_text("2 not sent")
    page.unroute("**/api/v1/scan")
    card(page, "bright.jpg").get_by_role("button", name="Try again").click()
    expect(card(page, "bright.jpg")).to_have_attribute("data-verdict", "ai")
    page.get_by_role("button", name="Try those not sent again").click()
    expect(card(page, "tall-dark.png")).to_have_attribute("data-verdict", "human")


def test_checking_can_be_cancelled(page, mixed_pictures):
    held = []
    page.route("**/api/v1/scan", lambda route: held.append(route))  # noqa: PLW0108  playwright needs a plain function
    drop(page, mixed_pictures)
    card(page, "bright.jpg").get_by_role("button", name="Cancel").click()
    expect(card(page, "bright.jpg")).to_contain_text("Cancelled")
    page.get_by_role("button", name="Cancel the rest").click()
    expect(page.locator("#cards .card[data-state=cancelled]")).to_have_count(5)
    card(page, "bright.jpg").get_by_role("button", name="Remove").click()
    expect(page.locator("#cards .card")).to_have_count(4)
    page.get_by_role("button", name="Clear the list").click()
    expect(page.locator("#cards .card")).to_have_count(0)
    for route in held:
        route.abort()
