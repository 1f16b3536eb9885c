"""What the page's tests share: a real server in its own process, a real browser, and pictures to bring."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pillow_heif
from PIL import Image, PngImagePlugin
from playwright.sync_api import Page, Request

PARAMETERS = (
    "a harbour at dawn\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 64x64"
)


@contextmanager
def running_server(folder: Path, port: int, *options: str) -> Iterator[str]:
    """``madeby serve`` with its data in a folder; its address once it is ready."""
    command = [sys.executable, "-m", "madeby", "serve", "--port", str(port), "--data-folder", str(folder), *options]
    log = folder.parent / f"{folder.name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            if process.poll() is not None:
                break
            try:
                if httpx.get(f"{address}/readyz").is_success:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        else:
            raise TimeoutError(f"the server was not ready within 30 s:\n{log.read_text()}")
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}:\n{log.read_text()}")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=20)


def noise(width: int, height: int, low: int = 0, high: int = 256) -> Image.Image:
    """Seeded noise between two grey levels: how bright it is decides what the shared bundle says."""
    pixels = np.random.default_rng(0).integers(low, high, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def five_mixed_pictures(folder: Path) -> list[Path]:
    """A bright JPEG (ai), a tall dark PNG (human), a HEIC between, a PNG with a generator's text, a broken one."""
    folder.mkdir()
    bright, tall, heic, drawn, broken = (
        folder / name for name in ("bright.jpg", "tall-dark.png", "between.heic", "parameters.png", "broken.jpg")
    )
    noise(96, 64, low=250).save(bright, quality=92)
    noise(40, 300, high=5).save(tall)
    pillow_heif.from_pillow(noise(80, 60)).save(heic, quality=90)
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", PARAMETERS)
    noise(64, 64, high=5).save(drawn, pnginfo=text)
    broken.write_bytes(b"\xff\xd8\xff\xe0 no more")
    return [bright, tall, heic, drawn, broken]


class Watch:
    """Everything a page must not do while a test uses it: complain, fail, or ask another host."""

    def __init__(self, page: Page, address: str) -> None:
        self.address = address
        self.expected: list[str] = []
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self._note("error", str(error)))
        page.on("request", self._seen)

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _seen(self, request: Request) -> None:
        if not request.url.startswith((self.address, "blob:", "data:")):
            self.elsewhere.append(request.url)

    def unexpected(self) -> list[str]:
        """Complaints (CSP violations are among them) but for those that hold a text named as expected."""
        return [text for text in self.complaints if not any(part in text for part in self.expected)]


def drop(page: Page, paths: list[Path]) -> None:
    """Drop files or folders onto the middle of the page as a hand does."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 400, "y": 300, "data": data})
    session.detach()
