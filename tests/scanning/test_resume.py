"""An interrupted scan goes on where it stopped: nothing is lost, nothing doubled, whenever it was killed."""

from __future__ import annotations

import csv
import json
import random
import signal
import subprocess
import sys
import time
import uuid
from collections import Counter

import fsspec
import pyarrow.parquet as pq
import pytest

import madeby
from madeby import Answered, CsvSink, JsonLinesFile, MadebyError, ObjectSink, ParquetFolderSink, SeveralSinks
from madeby.scanning.pipeline import failed
from madeby.schema import ModelInfo, Result

NAMES = ["a.jpg", "=odd.jpg", "b\nc.jpg", 'q"uote.jpg', "a.jpg"]


def result(name: str, model: str | None = None) -> Result:
    info = ModelInfo(name="m", version="1", sha256=model) if model else None
    return Result(source=name, reason="two\nlines", model=info)


def read_back(path) -> list[str]:
    if path.suffix == ".jsonl":
        return [json.loads(line)["source"] for line in path.read_text().splitlines()]
    if path.suffix == ".csv":
        with path.open(newline="") as file:
            return [row["source"].removeprefix("'") for row in csv.DictReader(file)]
    return [name for part in sorted(path.glob("*.parquet")) for name in pq.read_table(part)["source"].to_pylist()]


def open_sink(path, resume: bool):
    if path.suffix == ".jsonl":
        return JsonLinesFile(path, resume=resume)
    if path.suffix == ".csv":
        return CsvSink(path, resume=resume)
    return ParquetFolderSink(path, resume=resume, rows_a_part=2)


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r"])
def test_a_sink_goes_on_behind_what_it_holds(tmp_path, name):
    path = tmp_path / name
    sink = open_sink(path, resume=True)  # nothing to go on with yet
    assert len(sink.answered) == 0
    for source in NAMES[:3]:
        sink.write(result(source))
    sink.close()
    again = open_sink(path, resume=True)
    assert len(again.answered) == 3
    for source in [source for source in NAMES if not again.answered.take(source)]:
        again.write(result(source))
    again.close()
    assert read_back(path) == NAMES


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv"])
def test_a_torn_end_is_cut_wherever_it_is_torn(tmp_path, name):
    path = tmp_path / name
    sink = open_sink(path, resume=False)
    for source in NAMES:
        sink.write(result(source))
    sink.close()
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        sink = open_sink(path, resume=True)
        for source in NAMES[len(sink.answered) :]:
            sink.write(result(source))
        sink.close()
        assert path.read_bytes() == whole


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv"])
def test_something_else_is_not_gone_on_with(tmp_path, name):
    for text in ("source,verdict\nmy own,table\n", "my own", '{"my own": 1}'):
        (tmp_path / name).write_text(text)
        with pytest.raises(MadebyError, match="cannot resume"):
            open_sink(tmp_path / name, resume=True)
        assert (tmp_path / name).read_text() == text


def test_a_folder_of_results_is_not_written_into_by_mistake(tmp_path):
    sink = ParquetFolderSink(tmp_path / "r")
    sink.write(result("a.jpg"))
    sink.abort()
    with pytest.raises(MadebyError, match="--resume"):
        ParquetFolderSink(tmp_path / "r")
    (tmp_path / "r" / "part-00001.parquet").write_bytes(b"no")
    with pytest.raises(MadebyError, match="part-00001"):
        ParquetFolderSink(tmp_path / "r", resume=True)


def test_parts_go_to_an_object_store_and_are_gone_on_with_there():
    place = f"memory://results-{uuid.uuid4().hex}/deep"
    sink = ParquetFolderSink(place, rows_a_part=2)
    for source in NAMES[:3]:
        sink.write(result(source))
    sink.close()
    with pytest.raises(MadebyError, match="--resume"):
        ParquetFolderSink(place)
    again = ParquetFolderSink(place, resume=True, rows_a_part=2)
    for source in [source for source in NAMES if not again.answered.take(source)]:
        again.write(result(source))
    again.close()
    files = fsspec.filesystem("memory")
    parts = sorted(files.ls(place.removeprefix("memory://"), detail=False))
    assert [name for part in parts for name in pq.read_table(files.open(part))["source"].to_pylist()] == NAMES
    with pytest.raises(MadebyError, match="nosuch"):
        ParquetFolderSink("nosuch://bucket/x")


def test_sinks_that_were_killed_apart_are_brought_level(tmp_path):
    long, short = tmp_path / "r.jsonl", tmp_path / "r.csv"
    for path, count in ((long, 4), (short, 2)):
        sink = open_sink(path, resume=False)
        for source in NAMES[:count]:
            sink.write(result(source))
        sink.close()
    sinks = SeveralSinks([open_sink(long, resume=True), open_sink(short, resume=True)])
    assert len(sinks.answered) == 2
    for source in [source for source in NAMES if not sinks.answered.take(source)]:
        sinks.write(result(source))
    sinks.close()
    assert read_back(long) == read_back(short) == NAMES


def test_answers_of_another_model_are_not_mixed_in(save_picture, make_bundle, tmp_path):
    sink = JsonLinesFile(tmp_path / "r.jsonl")
    sink.write(failed("gone.png", "not_found", "gone"))
    sink.write(result("a.jpg", model="0" * 64))
    sink.close()
    again = JsonLinesFile(tmp_path / "r.jsonl", resume=True)
    again.close()
    with pytest.raises(MadebyError, match="name the same model"):
        madeby.scan(save_picture("1.png"), model=make_bundle().folder, answered=again.answered)
    Answered([("gone.png", None)]).check_model("1" * 64)


@pytest.mark.parametrize("name", ["r.jsonl", "r.csv", "r"])
def test_verdicts_by_other_thresholds_are_not_mixed_in(save_picture, make_bundle, tmp_path, name):
    one, folder = save_picture("1.png"), make_bundle().folder
    sink = open_sink(tmp_path / name, resume=False)
    sink.write(failed("gone.png", "not_found", "gone"))
    for answer in madeby.scan(one, model=folder, threshold_profile="eager"):
        sink.write(answer)
    sink.close()
    again = open_sink(tmp_path / name, resume=True)
    again.close()
    with pytest.raises(MadebyError, match="the same model and --threshold-profile"):
        madeby.scan(one, model=folder, answered=again.answered)
    assert not list(madeby.scan(one, model=folder, threshold_profile="eager", answered=again.answered))


def test_pictures_with_results_at_hand_are_passed_over(save_picture):
    one, two = str(save_picture("1.png")), str(save_picture("2.png"))
    answered = Answered([(one, ""), (one, "")])
    found = [r.source for r in madeby.scan([one, two, one, one], detector=False, answered=answered)]
    assert found == [two, one]


SCAN = """
import sys
from pathlib import Path
import madeby
folder, out = sys.argv[1:]
out = Path(out)
sinks = madeby.SeveralSinks([
    madeby.JsonLinesFile(out / "r.jsonl", resume=True),
    madeby.CsvSink(out / "r.csv", resume=True),
    madeby.ParquetFolderSink(out / "r", resume=True, rows_a_part=4),
])
print("ready", flush=True)
for result in madeby.scan([folder, folder], detector=False, answered=sinks.answered):
    sinks.write(result)
sinks.close()
"""


def test_kills_at_any_moment_lose_and_double_nothing(save_picture, tmp_path):
    for number in range(40):
        save_picture(f"shots/{number:02}.jpg", 400, 300, seed=number)
    out, chance = tmp_path / "out", random.Random(8)
    out.mkdir()
    command = [sys.executable, "-c", SCAN, str(tmp_path / "shots"), str(out)]
    for _ in range(5):
        with subprocess.Popen(command, stdout=subprocess.PIPE) as scan:
            scan.stdout.readline()
            time.sleep(chance.uniform(0, 0.4))
            scan.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    wanted = Counter({str(path): 2 for path in (tmp_path / "shots").iterdir()})
    for name in ("r.jsonl", "r.csv", "r"):
        assert Counter(read_back(out / name)) == wanted


def test_an_object_that_cannot_be_begun_leaves_no_file_on_this_machine(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    def missing(path):
        raise MadebyError("not installed")

    with pytest.raises(MadebyError, match="not installed"):
        ObjectSink(f"memory://results-{uuid.uuid4().hex}/r.parquet", missing)
    assert not list(tmp_path.iterdir())
