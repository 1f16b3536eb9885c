"""Archives, shards, tables and lists on the web are read as local ones are, within the rules for addresses."""

from __future__ import annotations

import gzip
import io
import tarfile
import tempfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import madeby
from madeby.errors import ErrorCode, PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.sources import expand
from madeby.pictures.web_files import open_web

PNG = b"\x89PNG\r\n\x1a\n and so on"
OPEN = FetchPolicy(allow_private=True, timeout_seconds=5)


class Files(BaseHTTPRequestHandler):
    """Serves what the test has put up, and some of it badly."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append(self.path)
        self.close_connection = True
        path = self.path.partition("?")[0]
        kind, _, rest = path.removeprefix("/").partition("/")
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", rest)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = self.server.files.get(path.rpartition("/")[2])
        self.send_response(200 if data is not None else 404)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        try:
            match kind:
                case "cut":
                    self.wfile.write(data[: len(data) * 3 // 5])
                case "drip":
                    for place in range(0, len(data), 10):
                        self.wfile.write(data[place : place + 10])
                        self.wfile.flush()
                        time.sleep(0.05)
                case _:
                    self.wfile.write(data or b"")
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.fixture
def web():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Files)
    server.daemon_threads, server.block_on_close = True, False
    server.files, server.seen = {}, []
    server.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return file.getvalue()


def tarred(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def found(*sources: str, policy: FetchPolicy = OPEN, **options) -> list[tuple[str, bytes | ErrorCode | None]]:
    units = expand(sources, policy=policy, **options)
    return [(unit.name, unit.problem.code if unit.problem else unit.data) for unit in units]


MEMBERS = {"a.png": PNG, "inner/b.png": PNG + b"2", "notes.txt": b"x"}


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("p.zip", zipped(MEMBERS)),
        ("p.tar", tarred(MEMBERS)),
        ("P.TAR.GZ", gzip.compress(tarred(MEMBERS))),
        ("p.zip?token=a.b", zipped(MEMBERS)),
    ],
)
def test_archives_give_their_pictures(web, name, data):
    web.files[name.partition("?")[0]] = data
    url = f"{web.url}/{name}"
    assert found(url) == [(f"{url}/a.png", PNG), (f"{url}/inner/b.png", PNG + b"2")]
    assert found(f"{web.url}/to//{name}")[0][1] == PNG


def test_shards_by_number_and_lists_of_addresses(web):
    for number in range(3):
        web.files[f"shard-{number}.tar"] = tarred({f"{number}.png": PNG})
    web.files["list.txt"] = f"{web.url}/shard-2.tar\n{web.url}/x.png\n".encode()
    names = [name for name, _ in found(f"{web.url}/shard-{{0..1}}.tar", f"@{web.url}/list.txt")]
    assert [name.removeprefix(f"{web.url}/") for name in names] == [
        *("shard-0.tar/0.png", "shard-1.tar/1.png", "shard-2.tar/2.png", "x.png")
    ]


def test_tables_give_addresses_beside_them_and_never_files_of_this_machine(web):
    web.files["t.csv"] = b"path\nb.png\n/etc/passwd\n../up.png\nhttps://example.org/c.png\n"
    assert [name for name, _ in found(f"{web.url}/set/t.csv?x=1")] == [
        f"{web.url}/set/b.png",
        f"{web.url}/etc/passwd",
        f"{web.url}/up.png",
        "https://example.org/c.png",
    ]
    sink = io.BytesIO()
    pq.write_table(pa.table({"image": [PNG, PNG]}), sink)
    web.files["t.parquet"] = sink.getvalue()
    assert found(f"{web.url}/t.parquet") == [(f"{web.url}/t.parquet#{row}", PNG) for row in range(2)]


@pytest.mark.parametrize("name", ["p.zip", "p.tar", "t.csv"])
def test_private_addresses_are_refused_and_redirects_checked(web, name):
    web.files["p.zip"], web.files["p.tar"], web.files["t.csv"] = zipped(MEMBERS), tarred(MEMBERS), b"path\na.png\n"
    assert found(f"{web.url}/{name}", policy=FetchPolicy()) == [(f"{web.url}/{name}", ErrorCode.FORBIDDEN_ADDRESS)]
    assert web.seen == []
    policy = FetchPolicy(allow_networks=("127.0.0.1/32",))
    elsewhere = f"{web.url}/to/http://169.254.169.254/{name}"
    assert found(elsewhere, policy=policy) == [(elsewhere, ErrorCode.FORBIDDEN_ADDRESS)]


def test_a_list_from_a_private_address_is_refused(web):
    assert found(f"@{web.url}/list.txt", policy=FetchPolicy())[0][1] is ErrorCode.FORBIDDEN_ADDRESS


def test_what_is_not_there_or_no_archive(web):
    web.files["page.zip"] = b"<html>sorry</html>"
    assert [code for _, code in found(f"{web.url}/no.zip", f"{web.url}/no.tar")] == [ErrorCode.NOT_FOUND] * 2
    assert found(f"{web.url}/page.zip")[0][1] is ErrorCode.UNREADABLE


def test_sizes_are_limited(web):
    web.files["p.zip"], web.files["p.tar"] = zipped(MEMBERS), tarred(MEMBERS)
    small = FetchPolicy(allow_private=True, max_spooled_bytes=100, max_streamed_bytes=100)
    for name in ("p.zip", "p.tar"):
        assert found(f"{web.url}/{name}", policy=small) == [(f"{web.url}/{name}", ErrorCode.TOO_LARGE)]
    # Neither limit is that of one picture.
    assert len(found(f"{web.url}/p.zip", policy=FetchPolicy(allow_private=True, max_bytes=100))) == 2


def test_a_connection_that_breaks_off_loses_nothing_that_had_come(web):
    web.files["p.tar"] = tarred({f"{number}.png": PNG + bytes(200_000) for number in range(9)})
    results = found(f"{web.url}/cut/p.tar")
    whole = [name for name, data in results if isinstance(data, bytes)]
    assert len(whole) == 5
    assert results[-1] == (f"{web.url}/cut/p.tar", ErrorCode.UNREACHABLE)


def test_a_server_that_drips_is_cut_off_and_a_slow_reader_is_not(web):
    web.files["p.tar"] = tarred(MEMBERS)
    hasty = FetchPolicy(allow_private=True, timeout_seconds=0.4)
    start = time.monotonic()
    assert found(f"{web.url}/drip/p.tar", policy=hasty)[-1][1] is ErrorCode.TIMEOUT
    assert time.monotonic() - start < 20
    web.files["p.tar"] = tarred({f"{number}.png": PNG + bytes(1_000_000) for number in range(3)})
    slow = []
    for unit in expand([f"{web.url}/p.tar"], policy=hasty):
        time.sleep(0.5)
        slow.append(unit.problem)
    assert slow == [None] * 3


def test_a_stream_that_failed_goes_on_failing(web):
    web.files["a.tar"] = bytes(300_000)
    with open_web(f"{web.url}/cut/a.tar", OPEN) as file:
        for _ in range(2):
            with pytest.raises(PictureError):
                file.read()


def test_a_full_disk_is_told(web, monkeypatch):
    web.files["p.zip"] = zipped({"a.png": PNG + bytes(100_000)})

    class Full(io.BytesIO):
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Full())
    (unit,) = expand([f"{web.url}/p.zip"], policy=OPEN)
    assert unit.problem.code is ErrorCode.TOO_LARGE
    assert "TMPDIR" in unit.problem.message


def test_scan_answers_as_it_does_for_the_file(web, save_picture, make_bundle, tmp_path):
    data = save_picture("a.png", low=240).read_bytes()
    web.files["p.tar"] = tarred({"a.png": data, "b.png": data})
    web.files["p.zip"] = zipped({"a.png": data})
    model = make_bundle().folder
    local = next(madeby.scan(tmp_path / "a.png", model=model))
    secret = web.url.replace("http://", "http://ann:secret@")
    results = list(madeby.scan([f"{secret}/p.tar", f"{secret}/p.zip"], model=model, allow_private=True))
    assert [result.source for result in results] == [
        *(f"{web.url}/{name}" for name in ("p.tar/a.png", "p.tar/b.png", "p.zip/a.png"))
    ]
    assert {result.probability for result in results} == {local.probability}
    (refused,) = madeby.scan(f"{web.url}/p.zip", model=model)
    assert refused.error.code is ErrorCode.FORBIDDEN_ADDRESS
    drawn = list(madeby.explain(f"{web.url}/p.tar", model=model, allow_private=True))
    assert len(drawn) == 2
