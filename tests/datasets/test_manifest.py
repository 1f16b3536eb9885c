import polars as pl
import pytest

from madeby.datasets.manifest import (
    COLUMNS,
    SplitCount,
    check_files,
    manifest_counts,
    manifest_sha256,
    read_manifest,
    usable,
    write_manifest,
)
from madeby.errors import DataError


def table(**columns):
    count = len(next(iter(columns.values())))
    return pl.DataFrame({name: columns.get(name, [None] * count) for name in COLUMNS}, schema=COLUMNS).with_columns(
        pl.Series(name, values) for name, values in columns.items() if name not in COLUMNS
    )


def small():
    return table(
        path=["/a.jpg", "/b.jpg", "/c.jpg"],
        label=["human", "ai", "ai"],
        split=["train", "val", None],
        group=["007", None, None],
        sha256=["1" * 64, "2" * 64, None],
        problem=[None, None, "unreadable: cut short"],
        kind=["photo", None, None],
    )


@pytest.mark.parametrize("name", ["m.parquet", "m.csv"])
def test_a_manifest_is_read_back_as_written_with_its_extra_columns(tmp_path, name):
    write_manifest(small(), tmp_path / "new" / name)
    assert read_manifest(tmp_path / "new" / name).equals(small())
    assert [file.name for file in (tmp_path / "new").iterdir()] == [name]


def test_counts_and_usable_leave_out_problems():
    counts = manifest_counts(small())
    assert counts.splits == (SplitCount("train", 1, 0), SplitCount("val", 0, 1))
    assert (counts.human, counts.ai, counts.total, counts.problems) == (1, 1, 2, 1)
    assert usable(small())["path"].to_list() == ["/a.jpg", "/b.jpg"]


def test_the_fingerprint_follows_contents_labels_and_splits_only():
    first = manifest_sha256(small())
    moved = small().with_columns(("/elsewhere" + pl.col("path")).alias("path")).reverse()
    assert manifest_sha256(moved) == first
    assert manifest_sha256(small().with_columns(pl.lit("human").alias("label"))) != first
    assert manifest_sha256(small().with_columns(pl.lit("test").alias("split"))) != first


def test_missing_files_are_counted_and_the_first_is_named(tmp_path):
    here = tmp_path / "here.jpg"
    here.touch()
    check_files(table(path=[str(here)], label=["ai"]))
    with pytest.raises(DataError, match=r"2 of 3 pictures.*the first is /gone/1\.jpg"):
        check_files(table(path=[str(here), "/gone/1.jpg", "/gone/2.jpg"], label=["ai"] * 3))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"path": ["/a"], "label": ["fake"]}, "column label holds 'fake'; allowed are human, ai"),
        ({"path": ["/a"], "label": [None]}, "column label holds None"),
        ({"path": ["/a"], "label": ["ai"], "split": ["validation"]}, "column split holds 'validation'"),
        ({"path": [None], "label": ["ai"]}, "a row without a path"),
        ({"path": ["/a"], "label": ["ai"], "width": ["wide"]}, "wrong type"),
    ],
)
def test_wrong_values_are_named(tmp_path, columns, message):
    full = pl.DataFrame({name: columns.get(name, [None]) for name in COLUMNS})
    full.write_parquet(tmp_path / "m.parquet")
    with pytest.raises(DataError, match=message):
        read_manifest(tmp_path / "m.parquet")


def test_a_file_that_is_no_manifest_says_what_to_do(tmp_path):
    with pytest.raises(DataError, match=r"no manifest at .*data import"):
        read_manifest(tmp_path / "absent.parquet")
    (tmp_path / "text.parquet").write_text("hello")
    with pytest.raises(DataError, match=r"text\.parquet cannot be read as a manifest"):
        read_manifest(tmp_path / "text.parquet")
    for name in ("empty.csv", "empty.parquet"):
        (tmp_path / name).touch()
        with pytest.raises(DataError, match="cannot be read as a manifest"):
            read_manifest(tmp_path / name)
    (tmp_path / "plain.csv").write_text("file_name,label\na.jpg,1\n")
    with pytest.raises(DataError, match=r"it lacks path, split.*data import table"):
        read_manifest(tmp_path / "plain.csv")


def test_a_failed_write_leaves_the_old_manifest_and_nothing_else(tmp_path):
    path = tmp_path / "m.csv"
    write_manifest(small(), path)
    nested = small().with_columns(pl.Series("boxes", [[1], [2], [3]]))
    with pytest.raises(pl.exceptions.PolarsError):
        write_manifest(nested, path)
    assert read_manifest(path).equals(small())
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(DataError, match="it is a folder"):
        write_manifest(small(), tmp_path)
