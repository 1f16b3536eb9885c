"""Pictures come from the web, within limits, and never from inside the private network."""

from __future__ import annotations

import base64
import gzip
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeby.errors import ErrorCode, PictureError
from madeby.pictures.addresses import is_public
from madeby.pictures.fetch import FetchPolicy, fetch

OPEN = FetchPolicy(allow_private=True, timeout_seconds=5)


class Pages(BaseHTTPRequestHandler):
    """A few well-behaved and many ill-behaved pages; remembers the requests it saw."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, body=b"", status=200, **headers):
        self.send_response(status)
        headers.setdefault("Content_Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, prefix: bytes):
        self.wfile.write(prefix)
        for _ in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.05)

    def do_GET(self):
        self.server.seen.append((self.path, dict(self.headers)))
        kind, _, rest = self.path.removeprefix("/").partition("/")
        self.close_connection = True
        try:
            match kind:
                case "picture":
                    self.answer(b"picture bytes")
                case "status":
                    self.answer(b"sorry", int(rest))
                case "to":
                    self.answer(b"", 302, Location=rest)
                case "loop":
                    self.answer(b"", 302, Location="/loop")
                case "drip":
                    self.drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
                case "drip-header":
                    self.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                case "endless":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    while True:
                        self.wfile.write(b"x" * 65536)
                case "declared":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nabc")
                case "gzip":
                    self.answer(gzip.compress(b"picture bytes"), Content_Encoding="gzip")
                case "deflate":
                    self.answer(zlib.compress(b"picture bytes"), Content_Encoding="deflate")
                case "bomb":
                    self.answer(gzip.compress(b"\0" * 20_000_000), Content_Encoding="gzip")
                case "damaged":
                    self.answer(b"no gzip", Content_Encoding="gzip")
                case "brotli":
                    self.answer(b"?", Content_Encoding="br")
                case "short":
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc")
                case "rubbish":
                    self.wfile.write(b"this is no web server\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass


@pytest.fixture
def server():
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    httpd.daemon_threads = True
    httpd.block_on_close = False
    httpd.seen = []
    httpd.url = f"http://127.0.0.1:{httpd.server_address[1]}"
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield httpd
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def refusal(url, policy=OPEN, **options) -> PictureError:
    with pytest.raises(PictureError) as refused:
        fetch(url, policy, **options)
    return refused.value


def test_a_picture_is_fetched(server):
    assert fetch(f"{server.url}/picture", OPEN) == b"picture bytes"
    _, headers = server.seen[0]
    assert headers["User-Agent"].startswith("madeby/")
    assert headers["Accept-Encoding"] == "identity"


def test_proxies_of_the_environment_are_not_used(server, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert fetch(f"{server.url}/picture", OPEN) == b"picture bytes"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0.0.0.0", "[::1]", "[::ffff:127.0.0.1]"]
)
def test_private_addresses_are_refused_in_every_spelling(server, host):
    error = refusal(f"http://{host}:{server.server_address[1]}/picture", FetchPolicy(timeout_seconds=5))
    assert error.code in (ErrorCode.FORBIDDEN_ADDRESS, ErrorCode.UNREACHABLE)
    assert server.seen == []


def test_the_refusal_names_the_address_and_the_way_out(server):
    error = refusal(f"{server.url}/picture", FetchPolicy())
    assert error.code is ErrorCode.FORBIDDEN_ADDRESS
    assert "127.0.0.1" in error.message
    assert "--allow-private" in error.message


@pytest.mark.parametrize(
    "address",
    [
        *("10.0.0.1", "172.16.5.4", "192.168.1.1", "127.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "192.0.0.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1", "2001:db8::1"),
        *("::ffff:10.0.0.1", "::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:a00:1::1"),
        *("64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2001:0:7f00:1::", "100::1"),
    ],
)
def test_addresses_that_are_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"],
)
def test_addresses_that_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2/x", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data"]
)
def test_a_redirect_into_the_private_network_is_refused(server, target):
    policy = FetchPolicy(allow_networks=("127.0.0.1/32",), timeout_seconds=5)
    assert fetch(f"{server.url}/to//picture", policy) == b"picture bytes"
    error = refusal(f"{server.url}/to/{target}", policy)
    assert error.code is ErrorCode.FORBIDDEN_ADDRESS
    assert target.split("/")[2] in error.message


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,x"])
def test_a_redirect_to_another_scheme_is_refused(server, target):
    assert refusal(f"{server.url}/to/{target}").code is ErrorCode.FORBIDDEN_ADDRESS


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    error = refusal("http://mixed.example/", FetchPolicy(), resolve=lambda *_: ["93.184.216.34", "10.0.0.1"])
    assert error.code is ErrorCode.FORBIDDEN_ADDRESS


def test_a_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to(server):
    answers = [["127.0.0.1"], ["10.9.9.9"], ["10.9.9.9"]]
    url = f"http://rebinding.example:{server.server_address[1]}/picture"
    policy = FetchPolicy(allow_networks=("127.0.0.1",), timeout_seconds=5)
    assert fetch(url, policy, resolve=lambda *_: answers.pop(0)) == b"picture bytes"
    assert len(answers) == 2
    assert server.seen[0][1]["Host"] == f"rebinding.example:{server.server_address[1]}"


def test_a_name_that_changes_its_address_on_the_way_is_checked_again(server):
    answers = [["127.0.0.1"], ["10.9.9.9"]]
    url = f"http://rebinding.example:{server.server_address[1]}/loop"
    policy = FetchPolicy(allow_networks=("127.0.0.1",), timeout_seconds=5)
    error = refusal(url, policy, resolve=lambda *_: answers.pop(0))
    assert error.code is ErrorCode.FORBIDDEN_ADDRESS


def test_the_next_address_is_tried_when_one_does_not_answer(server):
    url = f"http://two.example:{server.server_address[1]}/picture"
    assert fetch(url, OPEN, resolve=lambda *_: ["127.0.0.9", "127.0.0.1"]) == b"picture bytes"


def test_credentials_go_to_their_own_origin_only(server):
    other = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    other.daemon_threads, other.block_on_close, other.seen = True, False, []
    threading.Thread(target=other.serve_forever, args=(0.01,), daemon=True).start()
    with_password = server.url.replace("http://", "http://ann:s%20cret@")
    try:
        fetch(f"{with_password}/to//picture", OPEN)
        fetch(f"{with_password}/to/http://127.0.0.1:{other.server_address[1]}/picture", OPEN)
        expected = "Basic " + base64.b64encode(b"ann:s cret").decode()
        assert [headers.get("Authorization") for _, headers in server.seen] == [expected] * 3
        assert [headers.get("Authorization") for _, headers in other.seen] == [None]
    finally:
        other.shutdown()
        other.server_close()


def test_messages_do_not_repeat_a_password(server):
    error = refusal(server.url.replace("http://", "http://ann:secret@") + "/status/500")
    assert "secret" not in error.message


def test_too_many_redirects(server):
    error = refusal(f"{server.url}/loop")
    assert error.code is ErrorCode.UNREACHABLE
    assert len(server.seen) == OPEN.max_redirects + 1


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, ErrorCode.NOT_FOUND),
        (410, ErrorCode.NOT_FOUND),
        (403, ErrorCode.UNREACHABLE),
        (500, ErrorCode.UNREACHABLE),
        (599, ErrorCode.UNREACHABLE),
    ],
)
def test_statuses(server, status, code):
    error = refusal(f"{server.url}/status/{status}")
    assert error.code is code
    assert str(status) in error.message


@pytest.mark.parametrize("page", ["endless", "declared", "bomb"])
def test_bodies_beyond_the_limit_are_cut_off(server, page):
    start = time.monotonic()
    policy = FetchPolicy(allow_private=True, max_bytes=1_000_000)
    assert refusal(f"{server.url}/{page}", policy).code is ErrorCode.TOO_LARGE
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("page", ["drip", "drip-header"])
def test_a_server_that_drips_is_cut_off_in_time(server, page):
    start = time.monotonic()
    policy = FetchPolicy(allow_private=True, timeout_seconds=0.4)
    assert refusal(f"{server.url}/{page}", policy).code is ErrorCode.TIMEOUT
    assert time.monotonic() - start < 15


def test_a_name_server_that_never_answers_is_cut_off_in_time(monkeypatch):
    monkeypatch.setattr("socket.getaddrinfo", lambda *_, **__: time.sleep(10))
    start = time.monotonic()
    error = refusal("http://slow.example/", FetchPolicy(timeout_seconds=0.2))
    assert error.code is ErrorCode.TIMEOUT
    assert time.monotonic() - start < 8


@pytest.mark.parametrize("page", ["gzip", "deflate"])
def test_bodies_compressed_unasked_are_decompressed(server, page):
    assert fetch(f"{server.url}/{page}", OPEN) == b"picture bytes"


@pytest.mark.parametrize(
    ("page", "code"),
    [
        ("damaged", ErrorCode.UNREADABLE),
        ("brotli", ErrorCode.UNREACHABLE),
        ("short", ErrorCode.UNREACHABLE),
        ("rubbish", ErrorCode.UNREACHABLE),
    ],
)
def test_servers_that_answer_wrongly(server, page, code):
    assert refusal(f"{server.url}/{page}").code is code


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://127.0.0.1:1/", ErrorCode.UNREACHABLE),
        ("http://", ErrorCode.FORBIDDEN_ADDRESS),
        ("http:///picture.jpg", ErrorCode.FORBIDDEN_ADDRESS),
        ("http://127.0.0.1:99999/", ErrorCode.UNREACHABLE),
        ("http://a b/", ErrorCode.UNREACHABLE),
        ("http://\udcff/", ErrorCode.UNREACHABLE),
        ("http://" + "a" * 300 + "/", ErrorCode.UNREACHABLE),
        ("http://[::1/", ErrorCode.UNREACHABLE),
        ("https://127.0.0.1:1/", ErrorCode.UNREACHABLE),
    ],
)
def test_addresses_that_cannot_be_used(url, code):
    error = refusal(url)
    assert error.code is code
    error.message.encode()


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["http://", "https://", "http:", ""]))
def test_any_text_for_an_address_gives_a_code(text, scheme):
    error = refusal(scheme + text, FetchPolicy(), resolve=lambda *_: ["10.0.0.1"])
    assert error.code in (ErrorCode.FORBIDDEN_ADDRESS, ErrorCode.UNREACHABLE)
    error.message.encode()


def test_a_policy_with_a_network_that_is_none_is_refused():
    with pytest.raises(ValueError, match="intranet"):
        FetchPolicy(allow_networks=("intranet",))


def test_a_server_without_a_trusted_certificate_is_unreachable(server):
    assert refusal(server.url.replace("http:", "https:") + "/picture").code is ErrorCode.UNREACHABLE
