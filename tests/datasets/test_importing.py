import sys
import threading
import time

import polars as pl
import pytest

from madeby.datasets.importing import data_import
from madeby.datasets.manifest import PUBLISHED, read_manifest
from madeby.datasets.parallel import in_order
from madeby.errors import DataError


@pytest.fixture
def make_set(save_picture, tmp_path):
    def make(count=10, splits=("train", "test")):
        for at, folder in enumerate(f"{split}/{label}" for split in splits for label in ("REAL", "FAKE")):
            for number in range(count):
                save_picture(f"set/{folder}/{number:03}.jpg", 32, 24, seed=1000 * at + number)
        return tmp_path / "set"

    return make


def names(table, split, label):
    rows = table.filter(pl.col(PUBLISHED) == split, pl.col("label") == label)
    return [path.rpartition("/")[2] for path in rows["path"]]


def test_facts_are_measured(make_set, tmp_path):
    summary = data_import("folders", make_set(), output=tmp_path / "m.parquet", validation=0.2)
    row = read_manifest(summary.manifest).row(0, named=True)
    assert (row["width"], row["height"], row["format"], row["jpeg_quality"]) == (32, 24, "JPEG", 75)
    assert len(row["sha256"]) == 64 and len(row["perceptual_hash"]) == 16 and row["bytes"] > 300
    splits = {split.split: (split.human, split.ai) for split in summary.counts.splits}
    assert splits == {"train": (8, 8), "val": (2, 2), "test": (10, 10)}


def test_half_of_each_folders_listing_as_the_notebook_took_it(make_set, tmp_path):
    path = make_set(10)
    data_import("folders", path, output=tmp_path / "m.parquet", fraction=0.5, take="first")
    table = read_manifest(tmp_path / "m.parquet")
    for split in ("train", "test"):
        for label in ("human", "ai"):
            assert names(table, split, label) == [f"{number:03}.jpg" for number in range(5)]


def test_a_random_part_is_seeded_and_does_not_depend_on_where_the_set_lies(make_set, tmp_path):
    path = make_set(12)

    def drawn(where, seed):
        output = tmp_path / "m.parquet"
        data_import("folders", where, output=output, per_class=4, seed=seed)
        table = read_manifest(output)
        assert len(table) == 16
        return [names(table, split, label) for split in ("train", "test") for label in ("human", "ai")]

    first = drawn(path, 0)
    assert drawn(path, 0) == first
    assert drawn(path, 1) != first
    moved = path.rename(tmp_path / "moved elsewhere")
    assert drawn(moved, 0) == first


def test_fraction_and_limit_go_together(make_set, tmp_path):
    summary = data_import(
        "folders", make_set(12), output=tmp_path / "m.parquet", fraction=0.5, per_class=5, take="first", validation=0
    )
    assert (summary.counts.human, summary.counts.ai) == (10, 10)


def test_broken_files_are_listed_with_the_reason_and_get_no_split(make_set, tmp_path):
    path = make_set()
    whole = (path / "train/REAL/000.jpg").read_bytes()
    (path / "train/REAL/cut.jpg").write_bytes(whole[: len(whole) // 2])
    (path / "train/REAL/empty.png").touch()
    (path / "train/FAKE/text.jpg").write_text("this is no picture")
    (path / "train/FAKE/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    summary = data_import("folders", path, output=tmp_path / "m.parquet")
    reasons = {problem.path.rpartition("/")[2]: problem.reason.partition(":")[0] for problem in summary.problems}
    assert reasons == {
        "cut.jpg": "unreadable",
        "empty.png": "unreadable",
        "text.jpg": "unsupported",
        "gone.jpg": "not_found",
    }
    assert summary.counts.total == 40 and summary.counts.problems == 4
    table = read_manifest(summary.manifest)
    assert table.filter(pl.col("problem").is_not_null())["split"].null_count() == 4


@pytest.mark.skipif(sys.platform != "linux", reason="other systems allow no such names")
def test_a_name_that_is_not_text_is_listed_and_stops_nothing(make_set, tmp_path):
    path = make_set()
    (path / "train/FAKE/odd\udcff.jpg").write_bytes((path / "train/REAL/000.jpg").read_bytes())
    summary = data_import("folders", path, output=tmp_path / "m.parquet")
    assert [problem.path.rpartition("/")[2] for problem in summary.problems] == ["odd\\xff.jpg"]
    assert summary.counts.total == 40


def test_a_set_without_one_readable_picture_is_refused(tmp_path):
    (tmp_path / "set" / "ai").mkdir(parents=True)
    (tmp_path / "set" / "ai" / "a.jpg").touch()
    with pytest.raises(DataError, match=r"none of the 1 files can be read; the first, .*a\.jpg: unreadable"):
        data_import("folders", tmp_path / "set", output=tmp_path / "m.parquet")
    assert not (tmp_path / "m.parquet").exists()


@pytest.mark.parametrize("wrong", [{"fraction": 0}, {"fraction": 1.1}, {"per_class": 0}, {"validation": 2}])
def test_impossible_parts_are_refused(make_set, tmp_path, wrong):
    with pytest.raises(DataError, match=r"must lie|at least 1"):
        data_import("folders", make_set(2), output=tmp_path / "m.parquet", **wrong)


def test_a_place_that_cannot_be_written_is_found_before_reading(make_set, tmp_path):
    read = []
    with pytest.raises(DataError, match="it is a folder"):
        data_import("folders", make_set(2), output=tmp_path, progress=lambda *at: read.append(at))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write .*file/m\.parquet"):
        data_import("folders", make_set(2), output=tmp_path / "file" / "m.parquet")
    assert not read


def test_progress_counts_every_file(make_set, tmp_path):
    seen = []
    data_import("folders", make_set(3), output=tmp_path / "m.parquet", progress=lambda *at: seen.append(at))
    assert seen == [(done, 12) for done in range(1, 13)]


@pytest.mark.parametrize("threads", [1, 3])
def test_slow_work_is_shared_between_threads_in_order(threads):
    workers = set()

    def slow(number):
        time.sleep(0.0015)
        workers.add(threading.get_ident())
        return number * 2

    assert list(in_order(slow, range(400), threads)) == list(range(0, 800, 2))
    assert (len(workers) > 1) == (threads > 1)


def test_an_error_in_the_work_reaches_the_caller():
    def fails_at_300(number):
        time.sleep(0.001)
        if number == 300:
            raise ValueError("300")
        return number

    with pytest.raises(ValueError, match="300"):
        list(in_order(fails_at_300, range(400), 2))
