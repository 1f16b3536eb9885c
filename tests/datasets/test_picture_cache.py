from pathlib import Path

import numpy as np
import polars as pl
import pytest

from madeby.datasets import cache as cache_module
from madeby.datasets.cache import build_cache
from madeby.datasets.importing import data_import
from madeby.datasets.manifest import read_manifest, usable
from madeby.detector.bundle import Preprocessing
from madeby.detector.views import views_of
from madeby.errors import DataError
from madeby.pictures.decode import decode


@pytest.fixture
def table(save_picture, tmp_path):
    sizes = [(40, 24), (24, 40), (100, 64), (16, 16)]
    for at, (width, height) in enumerate(sizes):
        save_picture(f"set/{('real', 'fake')[at % 2]}/{at}.png", width, height, seed=at)
    data_import("folders", tmp_path / "set", output=tmp_path / "m.parquet", validation=0, test=0)
    return usable(read_manifest(tmp_path / "m.parquet"))


def expected(table, preprocessing):
    views = [views_of(decode(Path(path).read_bytes()).pixels, preprocessing) for path in table["path"]]
    rows = [row for row, of_row in enumerate(views) for _ in of_row]
    return np.concatenate(views), np.array(rows)


@pytest.mark.parametrize("stored", [False, True])
@pytest.mark.parametrize(("view", "tiles"), [("resize", 1), ("crops", 1), ("crops", 4)])
def test_entries_are_the_views_that_a_detector_sees(table, tmp_path, view, tiles, stored):
    cache = build_cache(table, view, 32, tiles, folder=tmp_path / "cache" if stored else None)
    pixels, rows = expected(table, Preprocessing(view=view, size=32, crops=tiles))
    assert np.array_equal(cache.pixels, pixels)
    assert np.array_equal(cache.row, rows)
    assert cache.failures == () and len(cache) == len(rows)
    assert cache.pixels.dtype == np.uint8 and not cache.pixels.flags.writeable


def test_a_stored_cache_is_used_again_for_the_same_pictures_and_settings_only(table, tmp_path):
    folder = tmp_path / "cache"
    first = build_cache(table, "resize", 32, folder=folder)
    again = build_cache(table, "resize", 32, folder=folder)
    assert (first.reused, again.reused) == (False, True)
    assert np.array_equal(first.pixels, again.pixels) and np.array_equal(first.row, again.row)
    assert not build_cache(table, "resize", 16, folder=folder).reused
    assert not build_cache(table, "crops", 32, folder=folder).reused
    assert not build_cache(table.reverse(), "resize", 32, folder=folder).reused


def test_a_damaged_stored_cache_is_built_again(table, tmp_path):
    folder = tmp_path / "cache"
    build_cache(table, "resize", 32, folder=folder)
    stored = next(folder.glob("*.pixels"))
    stored.write_bytes(stored.read_bytes()[:-1])
    assert not build_cache(table, "resize", 32, folder=folder).reused
    next(folder.glob("*.json")).write_text("{")
    assert not build_cache(table, "resize", 32, folder=folder).reused


@pytest.mark.parametrize("stored", [False, True])
def test_pictures_that_vanished_or_changed_are_listed_and_have_no_entry(table, tmp_path, save_picture, stored):
    Path(table["path"][0]).unlink()
    changed = Path(table["path"][2])
    save_picture(str(changed), 40, 40, seed=99)
    folder = tmp_path / "cache" if stored else None
    cache = build_cache(table, "resize", 32, folder=folder)
    assert [(failure.row, failure.path) for failure in cache.failures] == [(0, table["path"][0]), (2, str(changed))]
    assert "cannot be read any more" in cache.failures[0].reason
    assert "has changed since it was imported" in cache.failures[1].reason
    assert cache.row.tolist() == [1, 3]
    assert cache.pixels.shape == (2, 32, 32, 3)
    assert not build_cache(table, "resize", 32, folder=folder).reused


def test_when_every_picture_is_gone_the_first_is_named(table, tmp_path):
    for path in table["path"]:
        Path(path).unlink()
    with pytest.raises(DataError, match=r"none of the 4 pictures could be decoded: .*\.png: cannot be read"):
        build_cache(table, "resize", 32, folder=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_disk_without_room_is_refused_before_the_work(table, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "SPARE_BYTES", 1 << 62)
    with pytest.raises(DataError, match="GB are free: choose a folder on a larger disk"):
        build_cache(table, "resize", 32, folder=tmp_path / "cache")


def test_progress_counts_pictures_and_an_unhashed_table_works(table):
    seen = []
    unhashed = table.with_columns(pl.lit(None, pl.String).alias("sha256"))
    cache = build_cache(unhashed, "crops", 32, 4, progress=lambda *at: seen.append(at))
    assert seen == [(done, 4) for done in range(1, 5)] and len(cache) > 4
