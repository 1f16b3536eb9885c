"""The routes of the history, over HTTP in one process."""

import csv
import io

import pyarrow.parquet as pq
import pytest
from answers import START, record
from fastapi import FastAPI
from fastapi.testclient import TestClient
from PIL import Image

from madeby.schema import Verdict
from madeby.web.record import Record
from madeby.web.refusal import add_refusals
from madeby.web.routes import feedback, results


def png(colour):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def history(open_history):
    return open_history()


@pytest.fixture
def client(history):
    app = FastAPI()
    app.state.history = history
    add_refusals(app)
    for router in (results.router, feedback.router):
        app.include_router(router, prefix="/api/v1")
    with TestClient(app, base_url="http://testserver/api/v1") as client:
        yield client


def test_results_are_listed_filtered_and_paged(client, history):
    history.add([record(f"{i}.jpg", i / 10, minutes=i, verdict=Verdict.AI if i > 7 else None) for i in range(10)])
    first = client.get("results", params={"limit": 4}).json()
    assert [found["result"]["source"] for found in first["results"]] == ["9.jpg", "8.jpg", "7.jpg", "6.jpg"]
    assert first["total"] == 10
    second = client.get("results", params={"limit": 4, "cursor": first["next"]}).json()
    assert [found["result"]["source"] for found in second["results"]] == ["5.jpg", "4.jpg", "3.jpg", "2.jpg"]
    asked = {"verdict": "ai", "min_probability": 0.85, "text": "jpg", "since": START.isoformat(), "feedback": "none"}
    assert [found["index"] for found in client.get("results", params=asked).json()["results"]] == [0]


def test_a_result_is_the_record_that_was_kept(client, history):
    kept = record("späte Ernte.jpg")
    history.add([kept])
    answer = client.get(f"results/{kept.id}")
    assert Record.model_validate_json(answer.content) == kept
    assert answer.json()["result"]["schema"] == 1
    assert client.delete(f"results/{kept.id}").status_code == 204
    assert client.get(f"results/{kept.id}").status_code == 404
    assert client.delete(f"results/{kept.id}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "results?limit=0",
        "results?limit=100000",
        "results?cursor=nonsense",
        "results?sort=random",
        "results?min_probability=nan",
        "results?since=yesterday",
        "results?since=0001-01-01T00:00:00%2B14:00",
        "results?unknown=1",
        "results?text=" + "x" * 201,
        "results/not-an-id",
        "results/..%2f..%2fetc",
        "results/export?format=xlsx",
        "feedback/export?paths=/etc",
    ],
)
def test_what_means_nothing_is_refused_by_name(client, path):
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["message"]


def test_searching_is_safe_with_anything(client, history):
    history.add([record("a%b.jpg"), record("aXb.jpg")])
    for text in ("%", "a%b", "_", "\\", "'", '"', "\x00a", "a' OR '1'='1", "\U0001f33e", "ﬃ"):
        found = client.get("results", params={"text": text})
        assert found.status_code == 200
        assert found.json()["total"] <= (2 if text == "\x00a" else 1)


def test_feedback_is_given_and_withdrawn(client, history):
    kept = record()
    history.add([kept])
    said = client.post(f"results/{kept.id}/feedback", json={"label": "human", "note": "I took it"})
    assert (said.json()["feedback"]["label"], said.json()["feedback"]["note"]) == ("human", "I took it")
    assert client.get("results?feedback=human").json()["total"] == 1
    assert client.delete(f"results/{kept.id}/feedback").json()["feedback"] is None
    assert client.post(f"results/{kept.id}/feedback", json={"label": "real"}).status_code == 422
    assert client.post(f"results/{kept.id}/feedback", json={"label": "ai", "note": "x" * 2001}).status_code == 422
    assert client.post(f"results/{'0' * 32}/feedback", json={"label": "ai"}).status_code == 404
    assert client.delete(f"results/{'0' * 32}/feedback").status_code == 404


def test_a_kept_picture_is_served_as_what_it_is_and_runs_nothing(client, history):
    kept, other = record("<script>.html", data=png("red")), record()
    history.add([kept, other], {kept.id: png("red")})
    answer = client.get(f"results/{kept.id}/picture")
    assert answer.content == png("red")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == f'inline; filename="{kept.id}.png"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert client.get(f"results/{other.id}/picture").status_code == 404
    history.picture(kept.id).path.unlink()
    assert client.get(f"results/{kept.id}/picture").status_code == 404


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
def test_an_export_is_a_file_with_what_the_filter_lets_pass(client, history, form, tmp_path):
    history.add([record(f"{i}.jpg", i / 10, minutes=i) for i in range(10)])
    asked = {"format": form, "min_probability": 0.75, "sort": "created"}
    answer = client.get("results/export", params=asked)
    assert answer.headers["content-disposition"].startswith('attachment; filename="madeby-results-20')
    assert answer.headers["content-disposition"].endswith(f'.{form}"')
    if form == "csv":
        sources = [row["source"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))]
    elif form == "jsonl":
        sources = [Record.model_validate_json(line).result.source for line in answer.text.splitlines()]
    else:
        sources = pq.read_table(io.BytesIO(answer.content))["source"].to_pylist()
    assert sources == ["8.jpg", "9.jpg"]


def test_a_history_that_fails_is_an_answer_without_paths_and_the_log_says_why(client, history, tmp_path, caplog):
    kept = record()
    history.add([kept])
    from sqlalchemy import text

    with history._engine.begin() as connection:
        connection.execute(text("ALTER TABLE madeby_records RENAME TO gone"))
    for path in ("results", f"results/{kept.id}"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "history_unavailable")
        assert str(tmp_path) not in answer.text
        assert "madeby_records" not in answer.text
    assert "madeby_records" in caplog.text
    assert kept.id not in caplog.text


def test_feedback_is_exported_as_a_table_and_what_cannot_be_learnt_from_is_counted(client, history):
    kept, lost = record("kept.png", data=png("blue")), record("lost.png")
    history.add([kept, lost], {kept.id: png("blue")})
    for id_ in (kept.id, lost.id):
        client.post(f"results/{id_}/feedback", json={"label": "ai"})
    answer = client.get("feedback/export")
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    assert (row["path"], row["label"]) == (str(history.picture(kept.id).path), "ai")
    assert answer.headers["x-madeby-left-out"] == "1"
    (row,) = csv.DictReader(io.StringIO(client.get("feedback/export?paths=relative").text, newline=""))
    assert history.pictures_folder / row["path"] == history.picture(kept.id).path
