import csv
import io
import json

import pyarrow.parquet as pq
import pytest

from madeby.errors import MadebyError
from madeby.scanning.pipeline import failed
from madeby.scanning.sinks.csv import CsvSink
from madeby.scanning.sinks.flat import COLUMNS
from madeby.scanning.sinks.jsonl import JsonLinesSink
from madeby.scanning.sinks.parquet import ParquetSink
from madeby.schema import ModelInfo, PictureFacts, Result, Signal, Verdict

FACTS = PictureFacts(format="JPEG", width=4, height=3, bytes=99, sha256="0" * 64, jpeg_quality=88)
GOOD = Result(
    source="a.jpg",
    picture=FACTS,
    verdict=Verdict.AI,
    probability=0.25,
    reason="because",
    signals=(Signal(name="detector", detail={"logit": 1.5}),),
    warnings=("careful",),
    model=ModelInfo(name="m", version="1", sha256="f" * 64),
)
BAD = failed("=cmd|' /C calc'!A0.jpg", "unreadable", 'broken, "quoted"\nand two lines')


def csv_rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_hold_every_result_with_the_same_columns(tmp_path, kind):
    path = tmp_path / f"results.{kind}"
    sink = CsvSink(path) if kind == "csv" else ParquetSink(path)
    for result in (GOOD, BAD):
        sink.write(result)
    sink.close()
    rows = csv_rows(path) if kind == "csv" else pq.read_table(path).to_pylist()
    assert [list(row) for row in rows] == [list(COLUMNS)] * 2
    assert float(rows[0]["probability"]) == 0.25
    assert int(rows[0]["width"]) == 4
    assert json.loads(rows[0]["signals"])[0]["detail"] == {"logit": 1.5}
    assert json.loads(rows[0]["warnings"]) == ["careful"]
    assert rows[1]["error_code"] == "unreadable"
    assert rows[1]["error_message"] == BAD.error.message


def test_csv_text_is_never_a_formula(tmp_path):
    sink = CsvSink(tmp_path / "r.csv")
    sink.write(BAD)
    sink.close()
    (row,) = csv_rows(tmp_path / "r.csv")
    assert row["source"] == "'" + BAD.source


def test_a_parquet_file_appears_only_when_it_is_whole(tmp_path):
    path = tmp_path / "r.parquet"
    sink = ParquetSink(path)
    sink.write(GOOD)
    assert not path.exists()
    sink.close()
    assert pq.read_table(path).num_rows == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_off_scan_leaves_an_older_parquet_file_as_it_was(tmp_path):
    path = tmp_path / "r.parquet"
    path.write_bytes(b"older")
    sink = ParquetSink(path)
    sink.write(GOOD)
    sink.abort()
    assert path.read_bytes() == b"older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_device_or_folder_is_no_place_for_a_table(tmp_path):
    with pytest.raises(MadebyError, match="not a file"):
        ParquetSink(tmp_path)
    with pytest.raises(MadebyError, match="cannot write"):
        CsvSink(tmp_path)


def test_json_lines_are_one_result_a_line():
    stream = io.StringIO()
    sink = JsonLinesSink(stream)
    sink.write(GOOD)
    sink.write(BAD)
    sink.close()
    assert [Result.from_json(line) for line in stream.getvalue().splitlines()] == [GOOD, BAD]


def test_a_table_takes_columns_of_its_callers_ahead_of_its_own(tmp_path):
    stream = io.StringIO()
    sink = CsvSink(stream, ahead=("id", "note"), columns=("source", "verdict"))
    sink.write(GOOD, {"id": "7", "note": "=1+1"})
    sink.close()
    assert stream.getvalue().splitlines() == ["id,note,source,verdict", "7,'=1+1,a.jpg,ai"]
    parquet = ParquetSink(tmp_path / "r.parquet", ahead={"id": str})
    parquet.write(GOOD, {"id": "7"})
    parquet.close()
    table = pq.read_table(tmp_path / "r.parquet")
    assert table.column_names == ["id", *COLUMNS]
    assert table["id"].to_pylist() == ["7"]
