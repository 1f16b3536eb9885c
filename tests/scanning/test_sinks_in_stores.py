"""Results written into an object store: in parts that can be gone on with, or as one object that appears whole."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import madeby
from madeby import (
    CsvFolderSink,
    CsvSink,
    JsonLinesFile,
    JsonLinesFolderSink,
    MadebyError,
    ObjectSink,
    ParquetFolderSink,
)
from madeby.schema import Result

BUCKET = "results-of-ours"
FOLDERS = {".jsonl": JsonLinesFolderSink, ".csv": CsvFolderSink, ".parquet": ParquetFolderSink}
NAMES = ["a.jpg", "=odd.jpg", "b\nc.jpg", 'q"uote.jpg', "a.jpg"]


@pytest.fixture
def s3(s3):
    s3.create_bucket(Bucket=BUCKET)
    return s3


def keys(s3, prefix: str) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", ())
    return [each["Key"] for each in found]


def sources(suffix: str, data: bytes) -> list[str]:
    if suffix == ".jsonl":
        return [json.loads(line)["source"] for line in data.splitlines()]
    if suffix == ".csv":
        rows = csv.DictReader(io.StringIO(data.decode(), newline=""))
        return [row["source"].removeprefix("'") for row in rows]
    return pq.read_table(io.BytesIO(data))["source"].to_pylist()


def read_back(s3, suffix: str, prefix: str) -> list[str]:
    bodies = (s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys(s3, prefix))
    return [source for body in bodies for source in sources(suffix, body)]


@pytest.mark.parametrize("suffix", FOLDERS)
def test_parts_are_gone_on_with(s3, suffix):
    place = f"s3://{BUCKET}/deep/results/"
    sink = FOLDERS[suffix](place, resume=True, rows_a_part=2)  # nothing to go on with yet
    for name in NAMES[:3]:
        sink.write(Result(source=name, reason="two\nlines"))
    assert keys(s3, "deep/") == [f"deep/results/part-00000{suffix}"]
    sink.close()
    with pytest.raises(MadebyError, match="--resume"):
        FOLDERS[suffix](place)
    again = FOLDERS[suffix](place, resume=True, rows_a_part=2)
    assert len(again.answered) == 3
    for name in [name for name in NAMES if not again.answered.take(name)]:
        again.write(Result(source=name, reason="two\nlines"))
    again.close()
    assert len(keys(s3, "deep/")) == 3
    assert read_back(s3, suffix, "deep/") == NAMES


@pytest.mark.parametrize("suffix", FOLDERS)
def test_folders_on_this_machine_are_written_alike_and_show_whole_parts_only(tmp_path, suffix):
    sink = FOLDERS[suffix](tmp_path / "r", rows_a_part=2)
    for name in NAMES[:3]:
        sink.write(Result(source=name))
    assert [path.name for path in sorted((tmp_path / "r").iterdir()) if not path.name.startswith(".")] == [
        f"part-00000{suffix}"
    ]
    sink.abort()
    parts = sorted((tmp_path / "r").iterdir())
    assert [path.name for path in parts] == [f"part-00000{suffix}", f"part-00001{suffix}"]
    assert [source for part in parts for source in sources(suffix, part.read_bytes())] == NAMES[:3]
    parts[1].write_bytes(b'{"my own": 1}\n')
    with pytest.raises(MadebyError, match=f"part-00001{suffix}"):
        FOLDERS[suffix](tmp_path / "r", resume=True)


@pytest.mark.parametrize(("suffix", "begin"), [(".jsonl", JsonLinesFile), (".csv", CsvSink)])
def test_one_object_appears_when_the_scan_is_over_or_broken_off(s3, suffix, begin):
    for end in ("close", "abort"):
        sink = ObjectSink(f"s3://{BUCKET}/{end}/r{suffix}", begin)
        for name in NAMES:
            sink.write(Result(source=name))
        assert keys(s3, end) == []
        getattr(sink, end)()
        assert keys(s3, end) == [f"{end}/r{suffix}"]
        assert read_back(s3, suffix, end) == NAMES


def test_a_broken_off_scan_leaves_an_older_parquet_object_as_it_was(s3):
    s3.put_object(Bucket=BUCKET, Key="r.parquet", Body=b"older")
    sink = ObjectSink(f"s3://{BUCKET}/r.parquet", madeby.ParquetSink)
    sink.write(Result(source="a"))
    sink.abort()
    assert s3.get_object(Bucket=BUCKET, Key="r.parquet")["Body"].read() == b"older"


def test_what_cannot_be_sent_is_not_lost(s3):
    sink = ObjectSink(f"s3://{BUCKET}/r.jsonl", JsonLinesFile)
    sink.write(Result(source="a.jpg"))
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(MadebyError, match="were left in") as caught:
        sink.close()
    left = Path(str(caught.value).rpartition(" ")[2])
    assert json.loads(left.read_text())["source"] == "a.jpg"


def test_one_sink_that_fails_in_the_end_does_not_take_the_others_along(s3):
    s3.create_bucket(Bucket="gone-by-then")
    sinks = madeby.SeveralSinks(
        [ObjectSink("s3://gone-by-then/r.jsonl", JsonLinesFile), ObjectSink(f"s3://{BUCKET}/r.csv", CsvSink)]
    )
    sinks.write(Result(source="a.jpg"))
    s3.delete_bucket(Bucket="gone-by-then")
    with pytest.raises(MadebyError, match="gone-by-then"):
        sinks.close()
    assert read_back(s3, ".csv", "r") == ["a.jpg"]


@pytest.mark.parametrize("name", ["results.jsonl", "results/"])
def test_a_place_that_cannot_be_is_refused_before_the_scan(s3, name):
    begin = {"results/": JsonLinesFolderSink}.get(name, lambda url: ObjectSink(url, JsonLinesFile))
    with pytest.raises(MadebyError, match=f"s3://nothing-there/{name.rstrip('/')}.*no such bucket"):
        begin(f"s3://nothing-there/{name}")
    with pytest.raises(MadebyError, match="object store"):
        begin(f"https://example.org/{name}")


def test_the_command_writes_to_a_store_by_how_the_place_is_written(s3, save_picture):
    picture = str(save_picture("a.png"))
    command = [sys.executable, "-m", "madeby", "scan", picture, "--no-detector", "--jsonl"]
    places = [
        *("--jsonl-to", f"s3://{BUCKET}/one.jsonl"),
        *("--csv", f"s3://{BUCKET}/parts/"),
        *("--parquet", f"s3://{BUCKET}/parts"),
    ]

    def run(*more):
        return subprocess.run([*command, *more], capture_output=True, text=True, timeout=120, env=os.environ)

    done = run(*places)
    assert done.returncode == 0, done.stderr
    assert keys(s3, "") == ["one.jsonl", "parts/part-00000.csv", "parts/part-00000.parquet"]
    assert read_back(s3, ".jsonl", "one") == [picture]
    assert "name a folder, as s3://" in run("--resume", *places[:2]).stderr
    again = run("--resume", *places[2:])
    assert (again.returncode, again.stdout) == (0, ""), again.stderr
    assert len(keys(s3, "parts/")) == 2


SCAN = """
import sys
import madeby
folder, place = sys.argv[1:]
sinks = madeby.SeveralSinks([
    kind(place, resume=True, rows_a_part=rows)
    for kind, rows in ((madeby.JsonLinesFolderSink, 4), (madeby.CsvFolderSink, 5), (madeby.ParquetFolderSink, 3))
])
print("ready", flush=True)
for result in madeby.scan([folder, folder], detector=False, answered=sinks.answered):
    sinks.write(result)
sinks.close()
"""


def test_kills_at_any_moment_lose_and_double_nothing(s3, save_picture, tmp_path):
    for number in range(40):
        save_picture(f"shots/{number:02}.jpg", 400, 300, seed=number)
    chance = random.Random(2)
    command = [sys.executable, "-c", SCAN, str(tmp_path / "shots"), f"s3://{BUCKET}/r"]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as scan:
            scan.stdout.readline()
            time.sleep(chance.uniform(0, 0.6))
            scan.send_signal(signal.SIGKILL)
    subprocess.run(command, check=True, capture_output=True, timeout=120, env=os.environ)
    wanted = Counter({str(path): 2 for path in (tmp_path / "shots").iterdir()})
    for suffix in FOLDERS:
        assert (
            Counter(
                source
                for key in keys(s3, "r/")
                if key.endswith(suffix)
                for source in sources(suffix, s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())
            )
            == wanted
        )
