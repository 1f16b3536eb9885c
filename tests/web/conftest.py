"""One server, one browser and one set of pictures for all of the page's tests."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from page_server import Watch, five_mixed_pictures, running_server
from playwright.sync_api import Browser, Page, expect, sync_playwright

from madeby.detector.bundle import Bundle

QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"]
PATIENCE_MS = 45_000  # for a busy machine; nothing here waits so long where there is time

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def free_port() -> int:
    return _free_port()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def mixed_pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return five_mixed_pictures(tmp_path_factory.mktemp("dropped") / "pictures")


@pytest.fixture(scope="session")
def page_address(tmp_path_factory: pytest.TempPathFactory, brightness_bundle: Bundle) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("page") / "data"
    options = ("--model", str(brightness_bundle.folder), "--keep-pictures", "--allow-private", "--rate-per-minute", "0")
    with running_server(folder, _free_port(), *options) as address:
        yield address


@pytest.fixture(scope="session")
def pictures_on_the_web(mixed_pictures: list[Path]) -> Iterator[str]:
    """The same pictures behind a web address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=mixed_pictures[0].parent)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("the page's tests need chromium: apt-get install chromium, or brew install --cask chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", *QUIET])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., tuple[Page, Watch]]]:
    """Opens an address in a fresh profile; afterwards nothing may have gone wrong in any of them."""
    watches = []

    def open_one(address: str, path: str = "/", **context: Any) -> tuple[Page, Watch]:
        page = browser.new_context(**context).new_page()
        page.set_default_timeout(PATIENCE_MS)
        watch = Watch(page, address)
        watches.append(watch)
        page.goto(address + path)
        return page, watch

    yield open_one
    for context in browser.contexts:
        context.close()
    for watch in watches:
        assert watch.elsewhere == [], "the page asked another host"
        assert watch.unexpected() == [], "the browser complained"


@pytest.fixture
def page(open_page: Callable[..., tuple[Page, Watch]], page_address: str) -> Page:
    """The page, opened on a screen."""
    return open_page(page_address)[0]
