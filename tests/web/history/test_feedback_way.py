"""The whole way of a wrong answer: uploaded, contradicted, exported, imported with the right label."""

import csv
import io

import numpy as np
import polars as pl
import pytest
from fastapi.testclient import TestClient
from PIL import Image

import madeby
from madeby.web.app import create_app
from madeby.web.settings import Settings


def png(brightness, seed):
    pixels = np.random.default_rng(seed).integers(brightness - 20, brightness + 20, (64, 96, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def client(tmp_path, make_bundle):
    settings = Settings(
        model=str(make_bundle().folder), data_folder=tmp_path / "data", keep_pictures=True, workers=1, auth=False
    )
    with TestClient(create_app(settings), base_url="http://localhost/api/v1/") as client:
        yield client


def test_what_people_said_on_the_server_is_what_a_manifest_holds(client, tmp_path):
    pictures = {"bright.png": png(230, 1), "dark.png": png(30, 2), "../../etc/passwd": b"no picture"}
    answer = client.post("scan", files=[("files", (name, data)) for name, data in pictures.items()])
    records = {record["result"]["source"]: record for record in answer.json()["results"]}
    assert [record["picture_kept"] for record in records.values()] == [True, True, False]
    bright, dark = records["bright.png"], records["dark.png"]
    assert (bright["result"]["verdict"], dark["result"]["verdict"]) == ("ai", "human")
    for record, label in ((bright, "human"), (dark, "ai")):
        assert client.post(f"results/{record['id']}/feedback", json={"label": label}).status_code == 200
        assert client.get(f"results/{record['id']}/picture").content == pictures[record["result"]["source"]]
    exported = client.get("feedback/export")
    assert exported.headers["x-madeby-left-out"] == "0"
    table = tmp_path / "feedback.csv"
    table.write_bytes(exported.content)
    summary = madeby.data_import("table", table, output=tmp_path / "m.parquet", validation=0.0, test=0.0)
    assert (summary.counts.human, summary.counts.ai, summary.counts.problems) == (1, 1, 0)
    manifest = pl.read_parquet(tmp_path / "m.parquet")
    assert dict(zip(manifest["source"], manifest["label"], strict=True)) == {"bright.png": "human", "dark.png": "ai"}
    assert set(manifest["sha256"]) == {record["result"]["picture"]["sha256"] for record in (bright, dark)}


def test_a_kept_picture_is_served_so_that_nothing_in_it_can_run(client):
    (record,) = client.post("scan", files=[("files", ("x.html", png(200, 3)))]).json()["results"]
    headers = client.get(f"results/{record['id']}/picture").headers
    assert (headers["content-type"], headers["x-content-type-options"]) == ("image/png", "nosniff")
    assert headers["content-security-policy"] == "default-src 'none'; sandbox"


def test_the_history_survives_the_server(tmp_path, make_bundle):
    settings = Settings(model=str(make_bundle().folder), data_folder=tmp_path / "data", workers=1, auth=False)
    with TestClient(create_app(settings), base_url="http://localhost/api/v1/") as client:
        (record,) = client.post("scan", files=[("files", ("a.png", png(100, 4)))]).json()["results"]
    with TestClient(create_app(settings), base_url="http://localhost/api/v1/") as client:
        assert client.get(f"results/{record['id']}").json() == record
        rows = list(csv.DictReader(io.StringIO(client.get("results/export?format=csv").text, newline="")))
        assert [row["id"] for row in rows] == [record["id"]]


def test_pictures_that_were_kept_before_still_go_with_their_results(tmp_path, make_bundle):
    folder = tmp_path / "data"
    settings = Settings(model=str(make_bundle().folder), data_folder=folder, workers=1, auth=False, keep_pictures=True)
    with TestClient(create_app(settings), base_url="http://localhost/api/v1/") as client:
        (kept,) = client.post("scan", files=[("files", ("a.png", png(100, 5)))]).json()["results"]
    later = settings.model_copy(update={"keep_pictures": False})
    with TestClient(create_app(later), base_url="http://localhost/api/v1/") as client:
        (plain,) = client.post("scan", files=[("files", ("b.png", png(100, 6)))]).json()["results"]
        assert (kept["picture_kept"], plain["picture_kept"]) == (True, False)
        assert client.delete(f"results/{kept['id']}").status_code == 204
    assert [path for path in (folder / "pictures").rglob("*") if path.is_file()] == []
