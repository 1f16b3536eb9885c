"""What REST answers about pictures: as the command line does, in order or as ready, kept before it is told."""

import io
import json
import os
import signal
import subprocess
import sys
import time

import httpx
import pytest
from PIL import Image
from rest_server import answering_web, files, picture, serving

import madeby
from madeby.web.record import Record

BROKEN = b"\xff\xd8\xff\xe0 no more"


@pytest.fixture(scope="module")
def client(tmp_path_factory, brightness_bundle):
    folder = tmp_path_factory.mktemp("rest")
    with serving(folder, model=str(brightness_bundle.folder), keep_pictures=True) as client:
        yield client


def records(answer: httpx.Response) -> list[Record]:
    assert answer.status_code == 200, answer.text
    return [Record.model_validate(record) for record in answer.json()["results"]]


def untimed(result: madeby.Result) -> madeby.Result:
    return result.model_copy(update={"timing_ms": madeby.Timing()})


def test_one_result_on_the_command_line_in_python_and_over_rest(client, save_picture, brightness_bundle):
    path = save_picture("bright.png", low=240)
    model = brightness_bundle.folder
    command = [sys.executable, "-m", "madeby", "scan", path.name, "--jsonl", "--model", str(model)]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120)
    (by_python,) = madeby.scan(path, model=model)
    (by_rest,) = records(client.post("scan", files=files((path.name, path.read_bytes()))))
    by_command = madeby.Result.from_json(done.stdout)
    assert untimed(by_rest.result) == untimed(by_command)
    assert untimed(by_rest.result) == untimed(by_python.model_copy(update={"source": path.name}))


def test_a_threshold_profile_means_the_same_everywhere(client, save_picture, brightness_bundle):
    path = save_picture("greyish.png", low=150, high=190)
    model = brightness_bundle.folder
    command = [sys.executable, "-m", "madeby", "scan", path.name, "--jsonl", "--model", str(model)]
    command += ["--threshold-profile", "eager"]
    done = subprocess.run(command, cwd=path.parent, capture_output=True, text=True, timeout=120)
    (by_python,) = madeby.scan(path, model=model, threshold_profile="eager")
    sent = files((path.name, path.read_bytes()))
    (by_rest,) = records(client.post("scan", files=sent, data={"threshold_profile": "eager"}))
    (balanced,) = records(client.post("scan", files=sent))
    by_command = madeby.Result.from_json(done.stdout)
    assert untimed(by_rest.result) == untimed(by_command)
    assert untimed(by_rest.result) == untimed(by_python.model_copy(update={"source": path.name}))
    assert (by_rest.result.verdict, balanced.result.verdict) == ("ai", "uncertain")
    for unknown in ("cautious", "bold"):  # the model has no thresholds for the first; the second is no profile
        refused = client.post("scan", files=sent, data={"threshold_profile": unknown})
        assert refused.status_code == 422
        assert unknown in refused.text


def test_results_keep_the_requests_order_and_a_broken_picture_is_only_its_own_error(client):
    sent = files(
        ("a.png", picture(250)), ("broken.jpg", BROKEN), ("notes.txt", b"text " * 1000), ("d.png", picture(0, 5))
    )
    got = records(client.post("scan", files=sent))
    assert [record.index for record in got] == [0, 1, 2, 3]
    assert [record.result.source for record in got] == ["a.png", "broken.jpg", "notes.txt", "d.png"]
    assert [record.result.verdict for record in got] == ["ai", None, None, "human"]
    assert [record.result.error and record.result.error.code for record in got] == [
        None, "unreadable", "unsupported", None,
    ]  # fmt: skip


def test_lines_come_as_pictures_are_ready_and_name_their_place(client):
    sent = files(*((f"{seed}.png", picture(seed=seed)) for seed in range(8)), ("broken.jpg", BROKEN))
    with client.stream("POST", "scan", files=sent, headers={"Accept": "application/x-ndjson"}) as answer:
        assert answer.headers["content-type"].startswith("application/x-ndjson")
        lines = [Record.model_validate_json(line) for line in answer.iter_lines()]
    assert sorted(record.index for record in lines) == list(range(9))
    for record in lines:
        expected = "broken.jpg" if record.index == 8 else f"{record.index}.png"
        assert record.result.source == expected
        assert Record.model_validate_json(client.get(f"results/{record.id}").content) == record


def test_what_was_answered_can_be_had_again_with_its_picture(client):
    data = picture(seed=77)
    (record,) = records(client.post("scan", files=files(("kept.png", data))))
    assert record.picture_kept
    again = client.get(f"results/{record.id}")
    assert Record.model_validate_json(again.content) == record
    kept = client.get(f"results/{record.id}/picture")
    assert kept.content == data
    assert kept.headers["x-content-type-options"] == "nosniff"


def test_names_of_files_survive_in_any_alphabet_and_without_one(client):
    names = ["späte Ernte ünd 漢字.png", 'quo"te.png', "folder/inner.png"]
    got = records(client.post("scan", files=files(*((name, picture()) for name in names))))
    assert [record.result.source for record in got] == names


def test_parts_can_be_left_out(client):
    only_marks, only_pixels = (
        records(client.post("scan", files=files(("a.png", picture())), data={part: "false"}))[0].result
        for part in ("detector", "provenance")
    )
    assert only_marks.probability is None and len(only_marks.signals) > 1
    assert [signal.name for signal in only_pixels.signals] == ["detector"]
    (by_verb,) = records(client.post("provenance", files=files(("a.png", picture()))))
    assert untimed(by_verb.result) == untimed(only_marks)


def test_the_evidence_map_has_the_overlays_size(client):
    data = picture(width=90, height=70)
    drawn = [
        client.post("explain", files={"file": ("a.png", data)}, data={"kind": kind}) for kind in ("overlay", "map")
    ]
    overlay, alone = (Image.open(io.BytesIO(answer.content)) for answer in drawn)
    assert overlay.size == alone.size == (90, 70)
    assert alone.mode == "RGBA"
    (record,) = records(client.post("scan", files=files(("a.png", data))))
    assert drawn[0].headers["x-madeby-verdict"] == record.result.verdict
    assert float(drawn[0].headers["x-madeby-probability"]) == pytest.approx(record.result.probability, abs=1e-5)
    of_kept = client.post("explain", files={"id": (None, record.id)})
    assert of_kept.content == drawn[0].content


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"files": {"file": ("b.jpg", BROKEN)}}, 422, "unreadable"),
        ({"files": {"file": ("a.png", picture())}, "data": {"kind": "heat"}}, 422, "invalid"),
        ({"files": {"file": ("a.png", picture())}, "data": {"id": "0" * 32}}, 422, "invalid"),
        ({"files": {"other": ("a.png", picture())}}, 422, "invalid"),
        ({"files": {"file": ("a.png", picture())}, "data": {"model": "none such"}}, 422, "unknown_model"),
        ({"files": [("id", (None, "0" * 32))]}, 404, "not_kept"),
    ],
)
def test_wishes_that_cannot_be_met_are_refused_in_one_shape(client, form, status, code):
    answer = client.post("explain", **form)
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["code"] == code
    assert set(answer.json()) == {"error"}


def test_models_and_their_cards(client):
    models = client.get("models").json()["models"]
    assert (models[0]["name"], models[0]["default"]) == ("brightness", True)
    assert "wild-lite" in [model["name"] for model in models]
    shown = client.get("models/brightness").json()
    assert shown["spec"]["schema"] == 1
    assert shown["threshold_profile"] == "balanced"
    assert "bright" in shown["card"]
    assert client.get("models/none").json()["error"]["code"] == "unknown_model"
    other = records(
        client.post("scan", files=files(("a.png", picture(width=200, height=200))), data={"model": "wild-lite"})
    )
    assert other[0].result.model.name == "wild-lite"


def test_addresses_of_the_private_network_are_not_asked(client):
    redirect = {"/there": (302, {"Location": "http://127.0.0.1:9/secret"}, b""), "/a.png": (200, {}, picture())}
    with answering_web(redirect) as private:
        urls = [
            f"{private}/a.png",
            "http://169.254.169.254/latest",
            "file:///etc/passwd",
            "http://u:p@[::1]/a.png",
            "x",
        ]
        got = records(client.post("scan", files=[("urls", (None, url)) for url in urls]))
    assert [record.result.error.code for record in got] == ["forbidden_address"] * 5
    assert "u:p" not in got[3].model_dump_json()
    assert "--allow-private" not in got[0].result.reason


def test_addresses_are_fetched_and_redirects_checked(tmp_path, brightness_bundle):
    answers = {"/a.png": (200, {}, picture(250)), "/missing.png": (404, {}, b""), "/big.png": (200, {}, b"x" * 70_000)}
    answers["/away"] = (302, {"Location": "ftp://127.0.0.1/a.png"}, b"")
    answers["/to"] = (302, {"Location": "/a.png"}, b"")
    settings = {"model": str(brightness_bundle.folder), "allow_private": True, "max_file_bytes": 60_000}
    with answering_web(answers) as web, serving(tmp_path, **settings) as client:
        urls = [f"{web}{path}" for path in ("/a.png", "/to", "/missing.png", "/big.png", "/away")]
        got = records(
            client.post("scan", files=[*files(("own.png", picture(0, 5))), *(("urls", (None, u)) for u in urls)])
        )
        drawn = client.post("explain", files={"url": (None, urls[0])})
    assert [record.result.verdict for record in got[:3]] == ["human", "ai", "ai"]
    assert [r.result.error.code for r in got[3:]] == ["not_found", "too_large", "forbidden_address"]
    assert drawn.headers["content-type"] == "image/png"


def test_an_answer_is_kept_at_once_and_what_was_fetched_let_go(tmp_path, brightness_bundle):
    class Patient(dict):
        """Answers about the second picture once the first one's answer is in the history."""

        def get(self, path, default=None):
            deadline = time.monotonic() + 20
            while path == "/second.png" and time.monotonic() < deadline and not client.get("results").json()["total"]:
                time.sleep(0.05)
            return super().get(path, default) if time.monotonic() < deadline else (404, {}, b"")

    answers = Patient({"/first.png": (200, {}, picture()), "/second.png": (200, {}, picture(250))})
    settings = {"model": str(brightness_bundle.folder), "allow_private": True, "fetch_seconds": 40}
    with serving(tmp_path, **settings) as client, answering_web(answers) as web:
        urls = [f"{web}/first.png", f"{web}/second.png"]
        got = records(client.post("scan", files=[("urls", (None, url)) for url in urls]))
    assert [record.result.status for record in got] == ["ok", "ok"]


def test_a_killed_server_has_kept_all_that_it_told(tmp_path, brightness_bundle, free_port):
    command = [sys.executable, "-m", "madeby", "serve", "--port", str(free_port), "--data-folder", str(tmp_path)]
    command += ["--model", str(brightness_bundle.folder)]
    told: list[str] = []
    address = f"http://127.0.0.1:{free_port}"
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stderr=log)
        try:
            wait_until_ready(address, process)
            sent = files(*((f"{seed}.png", picture(seed=seed)) for seed in range(90)))
            lines = {"Accept": "application/x-ndjson"}
            with httpx.stream("POST", f"{address}/api/v1/scan", files=sent, headers=lines, timeout=60) as answer:
                for line in answer.iter_lines():
                    told.append(json.loads(line)["id"])
                    if len(told) == 20:
                        os.kill(process.pid, signal.SIGKILL)
        except httpx.TransportError:
            pass
        finally:
            process.kill()
            process.wait()
    assert len(told) >= 20
    with serving(tmp_path, model=str(brightness_bundle.folder)) as client:
        assert [client.get(f"results/{id}").status_code for id in told] == [200] * len(told)


def wait_until_ready(address: str, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{address}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not become ready")
