"""A real server for the REST tests: uvicorn in a thread, on a free loopback port, with its own data folder."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import numpy as np
import uvicorn
from PIL import Image

from madeby.web.app import create_app
from madeby.web.connections import PunctualProtocol
from madeby.web.settings import Settings


@contextmanager
def serving(folder: Path, **settings: object) -> Iterator[httpx.Client]:
    """A client of a server with these settings; the application is ``client.app``."""
    app = create_app(Settings(data_folder=folder, workers=2, **settings))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        how = {"http": PunctualProtocol, "log_config": None, "access_log": False, "server_header": False}
        server = uvicorn.Server(uvicorn.Config(app, **how))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            while not server.started:
                assert thread.is_alive()
                time.sleep(0.01)
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            with httpx.Client(base_url=f"{address}/api/v1", timeout=60, trust_env=False) as client:
                client.app, client.address = app, address
                yield client
        finally:
            server.should_exit = True
            thread.join()


@contextmanager
def answering_web(answers: dict[str, tuple[int, dict[str, str], bytes]]) -> Iterator[str]:
    """A web server that answers each path with status, headers and body; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, headers, body = answers.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def picture(
    low: int = 0, high: int = 256, width: int = 64, height: int = 48, seed: int = 0, form: str = "PNG"
) -> bytes:
    """A seeded noise picture's file; how bright it is decides what the shared bundle says."""
    file = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(low, high, (height, width, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def files(*named: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", (name, data)) for name, data in named]
