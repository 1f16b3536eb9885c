"""A cache of one's own, a bundle with a large file, a web server with ranges, and an S3 service."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

import madeby
from madeby.detector.bundle import Bundle

BIG_FILE = "weights.bin"
BIG_BYTES = 2_000_000


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MADEBY_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("MADEBY_OFFLINE", raising=False)
    return tmp_path / "home"


@pytest.fixture
def big_bundle(make_bundle: Callable[..., Bundle]) -> Bundle:
    bundle = make_bundle("big")
    data = np.random.default_rng(1).integers(0, 256, BIG_BYTES, dtype=np.uint8)
    (bundle.folder / BIG_FILE).write_bytes(data.tobytes())
    return bundle


@pytest.fixture
def store(big_bundle: Bundle, tmp_path: Path) -> Path:
    """A folder store with two versions of ``big``, 0.1.0 and 0.2.0."""
    folder = tmp_path / "store"
    madeby.models_push(big_bundle.folder, str(folder))
    madeby.models_push(big_bundle.folder, str(folder), version="0.2.0")
    return folder


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder, well or badly, and notes what was asked."""

    daemon_threads = True

    def __init__(self, root: Path) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.root = root
        self.asked: list[tuple[str, str]] = []
        self.ranges = True
        self.pause = 0.0  # seconds between pieces of 50,000 bytes
        self.breaks = 0  # answers still to be broken off in the middle
        self.status = 0  # answered to everything instead
        self.only_for = ""  # how programs name themselves that are answered; others are refused

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def asked_for(self, name: str) -> list[str]:
        return [wanted for path, wanted in self.asked if path.endswith(name)]

    def handle_error(self, request, client_address) -> None:
        """Readers that are killed break off; that is no news."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        server, wanted = self.server, self.headers.get("Range", "")
        server.asked.append((self.path, wanted))
        path = server.root / self.path.lstrip("/")
        status = server.status or (0 if path.is_file() else 404)
        if not self.headers.get("User-Agent", "").startswith(server.only_for):
            status = 403
        if status:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = path.read_bytes()
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        rest = data[start:]
        self.send_header("Content-Length", str(len(rest)))
        if path.suffix == ".html":
            self.send_header("Content-Type", "text/html")
        self.end_headers()
        breaks = server.breaks > 0 and len(rest) > 100_000
        server.breaks -= breaks
        for place in range(0, len(rest), 50_000):
            if breaks and place > len(rest) // 3:
                self.close_connection = True
                return
            self.wfile.write(rest[place : place + 50_000])
            time.sleep(server.pause)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def web(store: Path) -> Iterator[Server]:
    server = Server(store)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
