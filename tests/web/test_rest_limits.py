"""What the server refuses, and how: too much, too fast, without a key, from another site, for another host."""

import asyncio
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from rest_server import files, picture, serving

import madeby
from madeby.errors import MadebyError
from madeby.web.admission import Admission
from madeby.web.logs import JsonFormatter
from madeby.web.refusal import RefusalError
from madeby.web.server import Server
from madeby.web.settings import Settings
from madeby.web.workers import Workers


@pytest.fixture
def model(brightness_bundle):
    return str(brightness_bundle.folder)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_request_over_the_limit_is_refused_and_a_file_over_its_limit_is_its_own_error(tmp_path, model):
    with serving(tmp_path, model=model, max_body_bytes=100_000, max_file_bytes=30_000, max_pictures=3) as client:
        big = b"\x89PNG\r\n\x1a\n" + b"\0" * 50_000
        answer = client.post("scan", files=files(("big.png", big), ("a.png", picture())))
        got = [record["result"] for record in answer.json()["results"]]
        assert [result["status"] for result in got] == ["error", "ok"]
        assert got[0]["error"]["code"] == "too_large"
        assert code(client.post("scan", files=files(("a.png", b"\xff\xd8\xff" * 50_000)))) == (413, "too_large")
        assert code(client.post("scan", files=files(*[("a.png", picture())] * 4))) == (413, "too_many")
        assert client.app.state.server.admission.bytes == 0
        assert client.app.state.server.admission.requests == 0


def test_a_body_of_unknown_length_is_stopped_at_the_limit(tmp_path, model):
    sent = 0

    def endless():
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n'
        while True:
            sent += 65_536
            yield b"\0" * 65_536

    with serving(tmp_path, model=model, max_body_bytes=1_000_000) as client:
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        try:
            answer = client.post("scan", content=endless(), headers=kind)
            assert code(answer) == (413, "too_large")
        except httpx.TransportError:
            pass  # closed while we still sent, as it must be with a client that never ends
        assert client.app.state.server.admission.bytes == 0
        assert client.get("healthz").is_success
        assert client.head("healthz").is_success
        assert client.head("readyz").is_success
    assert sent > 1_000_000


def test_pixels_are_limited_before_they_are_decoded(tmp_path, model):
    with serving(tmp_path, model=model, max_pixels=1000) as client:
        (record,) = client.post("scan", files=files(("a.png", picture()))).json()["results"]
    assert record["result"]["error"]["code"] == "too_large"


def test_what_is_no_picture_is_dropped_while_it_streams(tmp_path, model):
    with serving(tmp_path, model=model, max_bytes_under_way=100_000) as client:
        answer = client.post("scan", files=files(("film.mov", b"no picture " * 100_000)))
    assert answer.json()["results"][0]["result"]["error"]["code"] == "unsupported"


def test_a_full_server_says_when_to_come_back(tmp_path, model):
    with serving(tmp_path, model=model, max_requests=1, max_bytes_under_way=200_000) as client:
        host, port = client.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(
                f"POST /api/v1/scan HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
            )
            until(lambda: client.app.state.server.admission.requests == 1)
            answer = client.post("scan", files=files(("a.png", picture())))
            assert code(answer) == (429, "busy")
            assert int(answer.headers["retry-after"]) >= 1
            assert client.get("healthz").is_success
        until(lambda: client.app.state.server.admission.requests == 0)
        assert client.post("scan", files=files(("a.png", picture()))).is_success
        too_much = files(("a.png", b"\xff\xd8\xff" * 100_000))
        assert code(client.post("scan", files=too_much)) == (429, "busy")


def until(happened) -> None:
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_client_that_stops_sending_does_not_hold_its_place(tmp_path, model):
    with serving(tmp_path, model=model, idle_seconds=0.2) as client:
        host, port = client.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=30) as slow:
            slow.sendall(
                f"POST /api/v1/scan HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
            )
            assert b" 408 " in slow.recv(1000)
        until(lambda: client.app.state.server.admission.requests == 0)


def test_headers_that_do_not_end_are_not_waited_for(tmp_path, model, monkeypatch):
    monkeypatch.setattr("madeby.web.connections.HEADER_SECONDS", 0.3)
    with serving(tmp_path, model=model) as client:
        host, port = client.address.removeprefix("http://").split(":")
        for begun in (b"", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: "):
            with socket.create_connection((host, int(port)), timeout=30) as slow:
                slow.sendall(begun)
                assert slow.recv(1000) == b""
        assert client.get("healthz").is_success
        time.sleep(0.5)
        assert client.get("healthz").is_success  # a connection between requests is left open


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"", "multipart/form-data", 400),
        (b"no form", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"--x--\r\n", "multipart/form-data; boundary=x", 422),
    ],
)
def test_malformed_forms_are_refused(tmp_path, model, content, kind, status):
    with serving(tmp_path, model=model) as client:
        answer = client.post("scan", content=content, headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text
        assert set(answer.json()["error"]) == {"code", "message"}


def test_keys_are_wanted_and_take_effect_at_once(tmp_path, model):
    made = madeby.keys_create("newsroom", tmp_path)
    given = "a-key-from-the-environment"
    with serving(tmp_path, model=model, auth=True, api_keys=(given,)) as client:
        assert code(client.get("models")) == (401, "unauthorized")
        assert client.get("models").headers["www-authenticate"] == "Bearer"
        assert code(client.get("results", headers={"Authorization": "Bearer wrong"})) == (401, "unauthorized")
        assert httpx.get(f"{client.address}/metrics").status_code == 401
        for path in ("/", "/meaning", "/healthz", "/readyz", "/static/favicon.svg", "/api/v1/openapi.json"):
            assert httpx.get(client.address + path).is_success, path
        for headers in ({"Authorization": f"Bearer {made.key}"}, {"X-API-Key": made.key}, {"X-API-Key": given}):
            assert client.get("models", headers=headers).is_success
        madeby.keys_revoke(made.entry.id, tmp_path)
        assert client.get("models", headers={"X-API-Key": made.key}).status_code == 401


def test_a_server_that_others_reach_does_not_start_without_keys(tmp_path, model):
    with pytest.raises(MadebyError, match="keys create"):
        Server(Settings(host="0.0.0.0", data_folder=tmp_path, model=model))
    assert not Settings(host="127.0.0.1").wants_keys
    assert not Settings(host="::1").wants_keys
    assert Settings(host="192.168.1.5").wants_keys
    assert not Settings(host="0.0.0.0", auth=False).wants_keys
    assert Settings(host="127.0.0.1", api_keys=("a-key-of-its-environment",)).wants_keys


def test_behind_a_proxy_a_server_must_be_told_whether_keys_are_wanted(tmp_path, model):
    through_proxy = {"X-Forwarded-For": "203.0.113.7"}
    with serving(tmp_path, model=model) as client:
        assert code(client.get("models", headers=through_proxy)) == (403, "behind_a_proxy")
    with serving(tmp_path, model=model, auth=False) as client:
        assert client.get("models", headers=through_proxy | {"Host": "madeby.example"}).is_success


def test_an_upload_that_is_broken_off_is_no_defect(tmp_path, model, caplog):
    with caplog.at_level(logging.INFO, "madeby.web"), serving(tmp_path, model=model) as client:
        host, port = client.address.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as gone:
            gone.sendall(
                f"POST /api/v1/scan HTTP/1.1\r\nHost: {host}:{port}\r\nContent-Length: 1000\r\n"
                "Content-Type: multipart/form-data; boundary=x\r\n\r\n--x\r\n".encode()
            )
            until(lambda: client.app.state.server.admission.requests == 1)
        until(lambda: client.app.state.server.admission.requests == 0)
        until(lambda: any(record.message == "request" for record in caplog.records))
    assert all(record.levelno < logging.ERROR for record in caplog.records)


def test_each_key_has_its_own_rate(tmp_path, model):
    keys = [madeby.keys_create(name, tmp_path).key for name in ("a", "b")]
    with serving(tmp_path, model=model, auth=True, rate_per_minute=4) as client:
        first, second = ({"X-API-Key": key} for key in keys)
        three = files(*[("a.png", picture())] * 3)
        assert client.post("scan", files=three, headers=first).is_success
        answer = client.post("scan", files=three, headers=first)
        assert code(answer) == (429, "rate_limited")
        assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert client.post("scan", files=three, headers=second).is_success


def test_every_answer_carries_safe_headers(tmp_path, model):
    with serving(tmp_path, model=model) as client:
        answers = [client.get("models"), client.get("nothing"), client.post("scan"), httpx.get(client.address)]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
        assert "access-control-allow-origin" not in answer.headers
        assert "server" not in answer.headers
    assert code(answers[1]) == (404, "not_found")


def test_other_sites_and_other_names_are_turned_away(tmp_path, model):
    with serving(tmp_path, model=model) as client:
        form = files(("a.png", picture()))
        assert code(client.post("scan", files=form, headers={"Origin": "https://evil.example"})) == (403, "cross_site")
        assert client.post("scan", files=form, headers={"Origin": client.address}).is_success
        assert code(client.get("results", headers={"Host": "evil.example"})) == (403, "unknown_host")
        assert client.get("results", headers={"Host": "localhost:8000"}).is_success


def test_an_origin_that_is_named_may_use_the_api(tmp_path, model):
    with serving(tmp_path, model=model, cors_origins=("https://news.example",)) as client:
        form, origin = files(("a.png", picture())), {"Origin": "https://news.example"}
        answer = client.post("scan", files=form, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://news.example"
        asked = client.options("scan", headers=origin | {"Access-Control-Request-Method": "POST"})
        assert asked.headers["access-control-allow-origin"] == "https://news.example"
        other = client.get("models", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_figures_count_pictures_and_name_no_identifiers(tmp_path, model):
    with serving(tmp_path, model=model) as client:
        (record,) = client.post("scan", files=files(("a.png", picture(250)))).json()["results"]
        client.get(f"results/{record['id']}")
        text = httpx.get(f"{client.address}/metrics").text
    assert 'madeby_pictures_total{verdict="ai"} 1.0' in text
    assert record["id"] not in text
    assert 'route="/results/{id}"' in text or 'route="/api/v1/results/{id}"' in text


def test_logs_tell_of_requests_and_not_of_pictures(tmp_path, model, caplog):
    with caplog.at_level(logging.INFO, "madeby.web"), serving(tmp_path, model=model) as client:
        client.post("scan?secret=1", files=files(("private name.png", picture())))
    lines = [json.loads(JsonFormatter().format(record)) for record in caplog.records if record.message == "request"]
    (line,) = [line for line in lines if line["method"] == "POST"]
    assert (line["status"], line["pictures"]) == (200, 1)
    assert "private name" not in json.dumps(lines)
    assert "secret" not in json.dumps(lines)


def test_stuck_work_keeps_its_place_and_others_go_on():
    async def scene() -> None:
        workers, release = Workers(2, "test"), threading.Event()
        with pytest.raises(TimeoutError):
            await workers.run(release.wait, 0.05)
        assert workers.busy == 1
        assert await workers.run(lambda: 7, 5) == 7
        release.set()
        while workers.busy:
            await asyncio.sleep(0.01)
        workers.close()

    # In a thread of its own: where browser tests ran before, the main thread has a running event loop already.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(scene())).result()


def test_admission_gives_back_what_it_took():
    admission = Admission(max_requests=2, max_bytes=100)
    with pytest.raises(RefusalError), admission.request() as first:
        first.take(60)
        with admission.request() as second:
            second.take(41)
    assert (admission.requests, admission.bytes) == (0, 0)
