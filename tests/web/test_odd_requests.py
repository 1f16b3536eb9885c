"""Requests that no well-meaning client sends are refused plainly, and hold no memory beyond what is counted."""

import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from madeby.web.app import create_app
from madeby.web.history.database import HistoryUnavailableError
from madeby.web.settings import Settings


def png(side):
    buffer = io.BytesIO()
    Image.effect_noise((side, side), 50).convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def serving(tmp_path, make_bundle):
    bundle = str(make_bundle().folder)

    def serve(**more):
        settings = Settings(model=bundle, data_folder=tmp_path / "data", workers=1, **more)
        return TestClient(create_app(settings), base_url="http://localhost/api/v1/")

    return serve


@pytest.mark.parametrize("origin", ["http://[", "http://[::1", "null", "http://\u2100.com".encode(), "//", "x"])
def test_an_origin_that_is_none_is_another_site(serving, origin):
    with serving() as client:
        answer = client.post("scan", files=[("files", ("a.png", png(8)))], headers={"Origin": origin})
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross_site")


@pytest.mark.parametrize("host", ["[", "", "localhost:x", "evil.example", "127.0.0.1.evil.example", "\u2100".encode()])
def test_a_host_that_is_none_of_ours_is_refused(serving, host):
    with serving() as client:
        answer = client.get("results", headers={"Host": host})
        assert answer.status_code in ((200,) if host == "localhost:x" else (400, 403))


def test_kept_pictures_count_among_the_bytes_that_are_held(serving):
    data = png(256)
    with serving(keep_pictures=True) as client:
        (record,) = client.post("scan", files=[("files", ("a.png", data))]).json()["results"]
        assert client.post("explain", files={"id": (None, record["id"])}).status_code == 200
    with serving(keep_pictures=True, max_bytes_under_way=len(data) - 1) as client:
        answer = client.post("explain", files={"id": (None, record["id"])})
        assert (answer.status_code, answer.json()["error"]["code"]) == (429, "busy")


def test_the_header_of_a_part_is_bounded(serving):
    head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="' + b"a" * 100_000
    with serving() as client:
        answer = client.post("scan", content=head, headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "malformed")


def test_a_body_that_is_no_form_is_bounded_too(serving):
    sent = 0

    def endless():
        nonlocal sent
        while sent < 50_000_000:
            sent += 65_536
            yield b" " * 65_536

    with serving() as client:
        answer = client.post(f"results/{'0' * 32}/feedback", content=endless())
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
        longest = {"label": "ai", "note": "\N{GRINNING FACE}" * 2000}
        assert client.post(f"results/{'0' * 32}/feedback", json=longest).status_code == 404


def test_a_defect_is_told_under_an_id_that_the_log_has(serving, tmp_path, caplog):
    with serving(auth=True, api_keys=("0123456789abcdef",)) as client:
        (tmp_path / "data" / "keys.json").write_text("[{}]")
        answer = client.get("results")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    told = [record.fields for record in caplog.records if hasattr(record, "fields")]
    assert {line["request"] for line in told} == {answer.headers["x-request-id"]}
    assert told[-1]["status"] == 500
    assert str(tmp_path) not in answer.text


def test_pages_that_may_use_the_api_can_read_its_refusals(serving):
    with serving(auth=True, api_keys=("0123456789abcdef",), cors_origins=("https://news.example",)) as client:
        answer = client.get("results", headers={"Origin": "https://news.example"})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == "https://news.example"


def test_the_pages_files_are_asked_for_anew_and_sent_only_where_they_changed(serving):
    with serving() as client:
        first = client.get("http://localhost/static/style/base.css")
        again = client.get("http://localhost/static/style/base.css", headers={"If-None-Match": first.headers["etag"]})
    assert [(first.status_code, first.headers["cache-control"]), again.status_code] == [(200, "no-cache"), 304]


def test_a_defect_in_explaining_is_a_defect_and_logged(serving, monkeypatch, caplog):
    def broken(*_):
        raise RuntimeError("/srv/secret")

    monkeypatch.setattr("madeby.scanning.pipeline.decode", broken)
    with serving() as client:
        answer = client.post("explain", files={"file": ("a.png", png(64))})
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "/srv/secret" not in answer.text
    assert "/srv/secret" in caplog.text


def test_a_page_behind_a_proxy_that_renames_the_host_may_send(serving):
    form, origin = [("files", ("a.png", png(8)))], {"Origin": "https://news.example"}
    with serving(auth=False) as client:
        assert client.post("scan", files=form, headers=origin).status_code == 403
        assert client.post("scan", files=form, headers=origin | {"Sec-Fetch-Site": "same-origin"}).status_code == 200
        assert client.post("scan", files=form, headers=origin | {"Sec-Fetch-Site": "same-site"}).status_code == 403


def test_an_ipv6_client_has_one_rate_for_all_its_addresses(serving):
    with serving(host="::", auth=False, rate_per_minute=1) as client:
        status = []
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1", "192.0.2.1", "::ffff:192.0.2.1"):
            one = TestClient(client.app, base_url="http://localhost/api/v1/", client=(address, 1))
            status.append(one.get("results").status_code)
    assert status == [200, 429, 200, 200, 429]


def test_a_history_that_cannot_be_written_is_told_by_status_however_the_answer_is_wanted(serving, monkeypatch):
    def full(*_):
        raise HistoryUnavailableError("the history cannot be written at the moment; try again")

    monkeypatch.setattr("madeby.web.history.store.History.add", full)
    with serving() as client:
        for accept in ("application/json", "application/x-ndjson"):
            answer = client.post("scan", files=[("files", ("a.png", png(8)))], headers={"Accept": accept})
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert client.app.state.server.admission.requests == 0
