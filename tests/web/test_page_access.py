"""The page for everyone: keyboard alone, screen readers, light and dark, phones, slow lines, keys."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from page_server import drop, running_server
from playwright.sync_api import Page, expect

import madeby

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
FIRST_PAINT_BYTES = 100_000


def check_all(page: Page, pictures) -> None:
    drop(page, pictures)
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(len(pictures))


def grave_findings(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [
        f"{finding['id']}: {node['html'][:160]}"
        for finding in found
        if finding["impact"] in {"serious", "critical"}
        for node in finding["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_anywhere(open_page, page_address, mixed_pictures, scheme):
    page, _ = open_page(page_address, color_scheme=scheme)
    found = {"empty": grave_findings(page)}
    check_all(page, mixed_pictures)
    page.locator(".feedback summary").first.click()
    for name in ("bright.jpg", "parameters.png"):
        page.get_by_label(f"Compare {name}").check()
    found["cards"] = grave_findings(page)
    page.get_by_role("button", name="Evidence: parameters.png").click()
    page.get_by_role("button", name="Show the evidence map").click()
    expect(page.get_by_role("slider")).to_be_visible()
    for summary in page.locator("dialog summary").all():
        summary.click()
    found["evidence"] = grave_findings(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("dialog", name="Side by side")).to_be_visible()
    found["compare"] = grave_findings(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="History").click()
    expect(page.locator("#past .card").first).to_be_visible()
    found["history"] = grave_findings(page)
    page.get_by_role("link", name="What verdicts mean").click()
    page.get_by_text("Read its card").click()
    expect(page.locator("#model-card h3")).to_be_visible()
    found["meaning"] = grave_findings(page)
    assert {place: findings for place, findings in found.items() if findings} == {}


def test_everything_is_reached_with_the_keyboard(open_page, page_address, pictures_on_the_web):
    page, _ = open_page(page_address)
    focus = page.locator(":focus")

    def tab_to(name: str, most: int = 40) -> None:
        for _ in range(most):
            page.keyboard.press("Tab")
            if focus.count() and name in (focus.get_attribute("aria-label") or focus.inner_text() or ""):
                return
        raise AssertionError(f"{name} is not reached with Tab")

    page.keyboard.press("Tab")
    expect(focus).to_have_text("Skip to the content")
    expect(focus).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to("Choose pictures")
    assert focus.evaluate("element => getComputedStyle(element).outlineStyle") != "none"
    tab_to("Choose a folder")
    page.keyboard.press("Tab")
    page.keyboard.type(f"{pictures_on_the_web}/bright.jpg")
    page.keyboard.press("Enter")
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(1)
    tab_to("Evidence: bright.jpg")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_role("heading", name="bright.jpg")).to_be_focused()
    tab_to("Show the evidence map")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").locator("img").first).to_be_visible()
    tab_to("Right: it is AI-made")
    page.keyboard.press("Enter")
    expect(focus).to_have_text("Undo")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(focus).to_have_attribute("aria-label", "Evidence: bright.jpg")
    tab_to("Who made bright.jpg")
    page.keyboard.press("Enter")
    tab_to("Compare bright.jpg")
    page.keyboard.press("Space")
    expect(page.get_by_label("Compare bright.jpg")).to_be_checked()
    tab_to("Take bright.jpg off this list")
    page.keyboard.press("Enter")
    expect(page.locator("#cards .card")).to_have_count(0)
    expect(focus).to_have_text("Choose pictures")


def test_the_theme_follows_the_system_until_chosen_and_is_remembered(open_page, page_address):
    page, _ = open_page(page_address, color_scheme="light")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(ground)
    assert dark != light
    page.get_by_role("button", name="Dark colours").click()
    assert page.evaluate(ground) == light
    page.reload()
    assert page.evaluate(ground) == light
    expect(page.get_by_role("button", name="Dark colours")).to_have_attribute("aria-pressed", "false")


def test_a_phone_never_scrolls_sideways(open_page, page_address, mixed_pictures):
    page, _ = open_page(page_address, **PHONE)

    def overflow(selector: str) -> int:
        return page.locator(selector).evaluate("element => element.scrollWidth - element.clientWidth")

    assert overflow("html") <= 0
    page.locator("#files").set_input_files(mixed_pictures)
    expect(page.locator("#cards .card[data-state=done]")).to_have_count(5)
    assert overflow("html") <= 0
    page.get_by_role("button", name="Evidence: parameters.png").click()
    for summary in page.locator("dialog summary").all():
        summary.click()
    assert overflow("dialog") <= 0
    page.get_by_role("button", name="Close").click()
    for name in ("bright.jpg", "tall-dark.png"):
        page.get_by_label(f"Compare {name}").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    assert overflow("dialog") <= 0
    page.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="History").click()
    expect(page.locator("#past .card").first).to_be_visible()
    assert overflow("html") <= 0
    page.get_by_role("link", name="What verdicts mean").click()
    page.get_by_text("Read its card").click()
    assert overflow("html") <= 0


def test_little_is_transferred_before_the_page_stands(open_page, page_address):
    page, _ = open_page(page_address, "/meaning")
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(page_address, wait_until="networkidle")
    assert len(received) > 5
    assert sum(received) <= FIRST_PAINT_BYTES


def test_the_meaning_of_verdicts_is_plain_and_the_models_card_is_there(open_page, page_address):
    page, _ = open_page(page_address, "/meaning")
    expect(page.get_by_role("main")).to_contain_text("No provenance is evidence of nothing.")
    expect(page.get_by_role("main")).to_contain_text("This is an answer")
    expect(page.get_by_role("main")).to_contain_text("no proof")
    expect(page.locator("#model-facts")).to_contain_text("It calls a picture AI-made from 90 % on")
    page.get_by_text("Read its card").click()
    expect(page.locator("#model-card")).to_contain_text("Calls bright pictures ai.")


def test_the_meaning_of_verdicts_tells_of_the_profile_that_the_server_answers_by(
    open_page, brightness_bundle, tmp_path, free_port
):
    options = ("--model", str(brightness_bundle.folder), "--threshold-profile", "eager")
    with running_server(tmp_path / "data", free_port, *options) as address:
        page, _ = open_page(address, "/meaning")
        expect(page.locator("#model-facts")).to_contain_text("It calls a picture AI-made from 60 % on")
        expect(page.locator("#model-facts")).to_contain_text("at most 5 % of human-made pictures")


def test_on_paper_the_answers_stand_without_the_controls(page, mixed_pictures):
    check_all(page, mixed_pictures)
    page.emulate_media(media="print")
    expect(page.locator("#cards .verdict").first).to_be_visible()
    expect(page.get_by_role("button", name="Choose pictures")).to_be_hidden()


def test_a_server_with_keys_asks_for_one(open_page, brightness_bundle, mixed_pictures, tmp_path, free_port):
    key = madeby.keys_create("newsroom", tmp_path / "data").key
    with running_server(tmp_path / "data", free_port, "--model", str(brightness_bundle.folder), "--auth") as address:
        page, watch = open_page(address)
        watch.expected.append("401")
        dialog = page.get_by_role("dialog", name="A key is needed")
        dialog.get_by_label("API key").fill("not-the-key")
        page.keyboard.press("Enter")
        expect(dialog).to_contain_text("did not accept that key")
        assert grave_findings(page) == []
        dialog.get_by_label("API key").fill(key)
        page.keyboard.press("Enter")
        expect(page.locator("#model-name")).to_contain_text("brightness")
        check_all(page, mixed_pictures[:2])
        page.reload()
        expect(page.locator("#model-name")).to_contain_text("brightness")
        expect(page.get_by_role("dialog")).to_have_count(0)
        page.context.close()
