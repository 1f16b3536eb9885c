import csv
import io
import json

import polars as pl
import pyarrow.parquet as pq
import pytest
from answers import record
from PIL import Image

import madeby
from madeby.schema import Label, Signal
from madeby.web.history.exports import RECORD_COLUMNS, ExportFormat, exported, learning_table
from madeby.web.record import Feedback


def written(pieces):
    return b"".join(pieces)


def csv_rows(pieces):
    return list(csv.DictReader(io.StringIO(written(pieces).decode(), newline="")))


def test_a_table_has_what_was_said_ahead_of_what_scan_writes(tmp_path):
    plain = record("=cmd()", 0.25)
    said = record("b.jpg").model_copy(update={"feedback": Feedback(label=Label.AI, note="six, fingers")})
    rows = csv_rows(exported([plain, said], ExportFormat.CSV))
    scan = madeby.CsvSink(tmp_path / "scan.csv")
    scan.close()
    usual = (tmp_path / "scan.csv").read_text().strip().split(",")
    assert list(rows[0]) == [*RECORD_COLUMNS, *usual]
    assert (rows[0]["id"], rows[0]["source"], rows[0]["feedback"]) == (plain.id, "'=cmd()", "")
    assert (rows[1]["feedback"], rows[1]["feedback_note"]) == ("ai", "six, fingers")
    (tmp_path / "x.parquet").write_bytes(written(exported([plain, said], ExportFormat.PARQUET)))
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.column_names == list(rows[0])
    assert table["source"].to_pylist() == ["=cmd()", "b.jpg"]
    assert table["feedback"].to_pylist() == [None, "ai"]


def test_json_lines_hold_whole_records():
    records = [record("a\nb.jpg"), record("é.jpg")]
    lines = written(exported(records, ExportFormat.JSONL)).decode().splitlines()
    assert [type(records[0]).model_validate_json(line) for line in lines] == records
    assert json.loads(lines[0])["result"] == json.loads(records[0].result.to_json())


@pytest.mark.parametrize("form", list(ExportFormat))
def test_an_export_of_nothing_is_a_file_all_the_same(form, tmp_path):
    data = written(exported([], form))
    (tmp_path / "x").write_bytes(data)
    if form == ExportFormat.PARQUET:
        assert pq.read_table(tmp_path / "x").num_rows == 0
    else:
        assert len(data.splitlines()) == (1 if form == ExportFormat.CSV else 0)


@pytest.mark.parametrize("form", [ExportFormat.CSV, ExportFormat.JSONL])
def test_an_export_starts_before_its_last_record_is_read(form):
    taken = []

    def many():
        for i in range(2000):
            taken.append(i)
            yield record(f"{i}.jpg")

    pieces = exported(many(), form)
    assert next(pieces)
    assert len(taken) < 500
    pieces.close()


def png(colour, size=(40, 30)):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def test_feedback_becomes_a_manifest_with_the_right_labels(open_history, tmp_path):
    history = open_history()
    pictures = {name: png((i * 40, 90, 200)) for i, name in enumerate(["fake", "real", "both", "gone", "silent"])}
    tool = Signal(name="generator", detail={"tool": "ComfyUI"})
    kept = {name: record(f"{name}.png", data=data, signals=(tool,)) for name, data in pictures.items()}
    again, lost = record("both again.png", data=pictures["both"]), record("lost.png", data=b"never kept")
    files = {k.id: pictures[name] for name, k in kept.items()} | {again.id: pictures["both"]}
    history.add([*kept.values(), again, lost], files)
    history.set_feedback(kept["fake"].id, Label.AI, '=note, with "quotes"\nand lines')
    history.set_feedback(kept["real"].id, Label.HUMAN)
    history.set_feedback(kept["both"].id, Label.HUMAN)
    history.set_feedback(again.id, Label.AI)
    history.set_feedback(kept["gone"].id, Label.AI)
    history.set_feedback(lost.id, Label.AI)
    history.picture(kept["gone"].id).path.unlink()
    labelled = list(history.labelled())
    assert sum(picture is None for _, picture in labelled) == 2
    table = tmp_path / "feedback.csv"
    table.write_bytes(written(learning_table((r, p) for r, p in labelled if p is not None)))
    summary = madeby.data_import("table", table, output=tmp_path / "m.parquet", validation=0.0, test=0.0)
    assert (summary.counts.human, summary.counts.ai, summary.counts.problems) == (1, 2, 0)
    manifest = {row["source"]: row for row in pl.read_parquet(tmp_path / "m.parquet").iter_rows(named=True)}
    assert {source: row["label"] for source, row in manifest.items()} == {
        "fake.png": "ai",
        "real.png": "human",
        "both again.png": "ai",
    }
    assert manifest["fake.png"]["generator"] == "ComfyUI"
    assert manifest["real.png"]["generator"] is None
    assert manifest["fake.png"]["sha256"] == kept["fake"].result.picture.sha256
    assert manifest["fake.png"]["note"] == '\'=note, with "quotes"\nand lines'
    assert manifest["fake.png"]["id"] == kept["fake"].id


def test_paths_may_be_relative_for_a_folder_that_was_copied(open_history, tmp_path):
    history = open_history()
    kept = [record(f"{i}.png", data=png((i, 0, 0))) for i in range(2)]
    history.add(kept, {k.id: png((i, 0, 0)) for i, k in enumerate(kept)})
    for k, label in zip(kept, Label, strict=True):
        history.set_feedback(k.id, label)
    pieces = written(learning_table(list(history.labelled()), root=tmp_path / "pictures"))
    (tmp_path / "f.csv").write_bytes(pieces)
    copied = (tmp_path / "pictures").rename(tmp_path / "copied")
    summary = madeby.data_import(
        "table", tmp_path / "f.csv", root=copied, output=tmp_path / "m.parquet", validation=0.0, test=0.0
    )
    assert (summary.counts.human, summary.counts.ai) == (1, 1)
