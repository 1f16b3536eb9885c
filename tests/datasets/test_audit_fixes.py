import json

import polars as pl
import pytest
from PIL import Image
from planted import Planted, scene, softened
from typer.testing import CliRunner

from madeby import data_align, data_audit, data_clean
from madeby.cli.app import app
from madeby.datasets.manifest import read_manifest
from madeby.errors import DataError


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path / "set")


@pytest.fixture
def faulty(planted):
    """20 good pictures and one fault of every kind."""
    planted.fill(10)
    planted.add("train.png", scene(500), "ai", "train")
    planted.add("test.png", scene(500), "ai", "test")
    planted.add("twice_a.png", scene(501), "human", "train")
    planted.add("twice_b.png", scene(501), "human", "train")
    planted.add("both_a.png", scene(502), "human", "test")
    planted.add("both_b.png", scene(502), "ai", "train")
    planted.add("like_train.png", scene(503), "human", "train")
    planted.add("like_val.png", softened(scene(503)), "human", "val")
    planted.add("like_too.png", scene(504), "human", "train")
    planted.add("like_kept.png", softened(scene(504)), "human", "train")
    planted.add("broken.png", b"\x89PNG\r\n\x1a\n broken", "human")
    return planted.manifest()


def run(*arguments):
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def names(rows):
    return {path.rpartition("/")[2] for path in rows}


def test_clean_drops_what_it_says_and_nothing_else(faulty, tmp_path):
    untouched = faulty.read_bytes()
    summary = data_clean(faulty, tmp_path / "clean.parquet")
    assert {row.path.rpartition("/")[2]: row.reason.partition(":")[0] for row in summary.dropped} == {
        "train.png": "repeated",
        "twice_b.png": "repeated",
        "both_a.png": "both labels",
        "both_b.png": "both labels",
        "like_train.png": "look-alike",
        "broken.png": "unreadable",
    }
    kept = {row.path.rpartition("/")[2]: row.kept for row in summary.dropped}
    assert kept["train.png"].endswith("test.png") and kept["like_train.png"].endswith("like_val.png")
    before, after = read_manifest(faulty), read_manifest(tmp_path / "clean.parquet")
    assert names(before["path"]) - names(after["path"]) == set(kept)
    assert after.equals(before.filter(pl.col("path").is_in(after["path"].to_list())))
    assert faulty.read_bytes() == untouched
    audit = data_audit(tmp_path / "clean.parquet")
    assert audit.leaks == () and audit.conflicts.clusters == 0 and audit.problems.unreadable == 0


def test_cleaning_a_clean_set_changes_nothing(planted, tmp_path):
    manifest = planted.fill(5).manifest()
    assert data_clean(manifest, tmp_path / "clean.parquet").dropped == ()
    assert read_manifest(tmp_path / "clean.parquet").equals(read_manifest(manifest))


def test_a_manifest_is_never_overwritten_by_its_clean_copy(planted):
    manifest = planted.fill(3).manifest()
    with pytest.raises(DataError, match="overwritten"):
        data_clean(manifest, manifest.parent / "." / manifest.name)


def test_aligned_pictures_have_one_size_one_encoding_and_no_metadata(planted, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Camera works"
    planted.fill(5)
    source = planted.add("exif.jpg", scene(1, 128, 96), "human", "train", exif=exif, quality=75)
    planted.add("small.png", scene(2, 40, 30), "ai", "train")
    manifest, before = planted.manifest(), source.read_bytes()
    summary = data_align(manifest, tmp_path / "aligned", size=48, quality=85, subsampling="4:4:4")
    assert [left.path.rpartition("/")[2] for left in summary.left_out] == ["small.png"]
    assert summary.counts.total == 11
    table = read_manifest(summary.manifest)
    assert set(table["width"]) == set(table["height"]) == {48}
    assert set(table["format"]) == {"JPEG"} and set(table["jpeg_quality"]) == {85}
    for path, label in table.select("path", "label").iter_rows():
        with Image.open(path) as image:
            assert not image.getexif() and image.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        assert path.startswith(str(tmp_path / "aligned" / label))
    assert str(source) in table["original_path"].to_list()
    assert table["split"].to_list() == read_manifest(manifest)["split"].to_list()[:11]
    assert source.read_bytes() == before


def test_crops_start_on_whole_blocks_and_keep_pixels(planted, tmp_path):
    planted.add("a.png", scene(1, 120, 90), "human", "train")
    planted.add("b.png", scene(2, 120, 90), "ai", "train")
    planted.fill(3)
    summary = data_align(planted.manifest(), tmp_path / "aligned", size=64, quality=100, subsampling="4:4:4")
    copy = read_manifest(summary.manifest).filter(pl.col("original_path").str.ends_with("a.png"))["path"][0]
    with Image.open(copy) as image:
        expected = scene(1, 120, 90).crop((24, 8, 88, 72))  # (28, 13) would be the middle; 24 and 8 are whole blocks
        difference = [abs(a - b) for a, b in zip(image.tobytes(), expected.tobytes(), strict=True)]
    assert sum(difference) / len(difference) < 2


def test_resizing_takes_pictures_of_every_size(planted, tmp_path):
    planted.fill(3)
    planted.add("small.png", scene(2, 40, 30), "ai", "train")
    summary = data_align(planted.manifest(), tmp_path / "aligned", size=64, view="resize")
    assert summary.left_out == () and set(read_manifest(summary.manifest)["width"]) == {64}


def test_align_refuses_folders_with_anything_in_them_and_impossible_settings(planted, tmp_path):
    manifest = planted.fill(3).manifest()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="not an empty folder"):
        data_align(manifest, tmp_path / "full")
    with pytest.raises(DataError, match="multiple of 8"):
        data_align(manifest, tmp_path / "new", size=100)
    with pytest.raises(DataError, match="quality"):
        data_align(manifest, tmp_path / "new", quality=0)
    with pytest.raises(DataError, match=r"none of the 6 pictures.*too small"):
        data_align(manifest, tmp_path / "new", size=512)
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine.txt"]


def test_audit_clean_and_align_from_the_command_line(faulty, tmp_path):
    shown = run("audit", faulty, "--json", tmp_path / "audit.json")
    for words in (
        "serious",
        "also stand in train",
        "shortcut test",
        "both labels",
        "broken.png",
        "identical, 3 clusters",
    ):
        assert words in " ".join(shown.split()), words
    assert json.loads((tmp_path / "audit.json").read_text())["audit_version"] == 1
    shown = run("clean", faulty, "-o", tmp_path / "clean.parquet")
    assert "dropped 2: both labels" in shown and "kept: " in shown
    shown = run("align", tmp_path / "clean.parquet", "-o", tmp_path / "aligned", "--size", "40")
    assert "human" in shown and (tmp_path / "aligned" / "manifest.parquet").is_file()
