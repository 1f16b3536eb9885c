from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madeby.datasets.manifest import COLUMNS, PUBLISHED, manifest_counts, read_manifest, write_manifest
from madeby.datasets.split import assign_splits, data_split
from madeby.errors import DataError


def pictures(count, **columns):
    """A manifest of ``count`` different pictures, alternately human and ai."""
    made = {
        "path": [f"/set/{number}.jpg" for number in range(count)],
        "label": [("human", "ai")[number % 2] for number in range(count)],
        "sha256": [f"{number:064x}" for number in range(count)],
    } | columns
    return pl.DataFrame({name: made.get(name, [None] * count) for name in COLUMNS}, schema=COLUMNS)


def counts(table):
    return {split.split: (split.human, split.ai) for split in manifest_counts(table).splits}


def test_published_train_and_test_stay_and_validation_is_cut_exactly():
    table = pictures(600, split=["train"] * 500 + ["test"] * 100)
    result = assign_splits(table, validation=0.2)
    assert counts(result) == {"train": (200, 200), "val": (50, 50), "test": (50, 50)}
    assert result["split"].to_list()[500:] == ["test"] * 100


def test_a_published_validation_split_is_kept():
    table = pictures(100, split=["train"] * 90 + ["val"] * 10)
    assert assign_splits(table, validation=0.5)["split"].equals(table["split"])


def test_without_published_splits_all_three_are_cut():
    assert counts(assign_splits(pictures(200))) == {"train": (80, 80), "val": (10, 10), "test": (10, 10)}
    assert counts(assign_splits(pictures(200), validation=0, test=1)) == {"test": (100, 100)}
    assert counts(assign_splits(pictures(200), validation=0.25, test=0)) == {"train": (75, 75), "val": (25, 25)}


def test_the_order_of_rows_does_not_matter_but_the_seed_does():
    table = pictures(300)
    first = assign_splits(table, seed=1)
    shuffled = assign_splits(table.sample(fraction=1, shuffle=True, seed=5), seed=1)
    assert shuffled.sort("path")["split"].equals(first.sort("path")["split"])
    assert not assign_splits(table, seed=2)["split"].equals(first["split"])


def test_generators_and_collections_are_spread_in_proportion():
    generators = [None if number % 2 == 0 else ("flux", "sdxl")[number % 20 == 1] for number in range(400)]
    result = assign_splits(pictures(400, generator=generators), validation=0.1, test=0)
    of_val = result.filter(pl.col("split") == "val")["generator"]
    assert Counter(of_val) == {None: 20, "flux": 18, "sdxl": 2}


def test_rows_with_a_problem_get_no_split():
    table = pictures(40, problem=["unreadable: empty"] * 4 + [None] * 36)
    result = assign_splits(table)
    assert result["split"].to_list()[:4] == [None] * 4
    assert result["split"].null_count() == 4


def test_pictures_identical_to_test_pictures_are_not_drawn_for_validation():
    hashes = [f"{number:064x}" for number in range(100)]
    hashes[:20] = hashes[80:]  # 20 training pictures are also test pictures
    table = pictures(100, sha256=hashes, split=["train"] * 80 + ["test"] * 20)
    result = assign_splits(table, validation=0.25)
    assert result["split"].to_list()[:20] == ["train"] * 20
    assert counts(result)["val"] == (10, 10)


@settings(max_examples=60, deadline=None)
@given(
    groups=st.lists(st.sampled_from([None, *"abcdefghijkl"]), min_size=40, max_size=120),
    share=st.floats(0.05, 0.4),
    seed=st.integers(0, 5),
)
def test_no_group_straddles_and_no_split_exceeds_its_share_by_more_than_a_group(groups, share, seed):
    table = pictures(len(groups), group=groups)
    try:
        result = assign_splits(table, validation=share, test=share, seed=seed)
    except DataError as error:
        assert "no" in str(error) and "split can be cut" in str(error)
        return
    splits_of_group = result.drop_nulls("group").group_by("group").agg(pl.col("split").n_unique())
    assert splits_of_group["split"].max() in (None, 1)
    largest = max(Counter(groups).values())
    for split in ("val", "test"):
        held = result.filter(pl.col("split") == split)
        assert set(held["label"]) == {"human", "ai"}
        assert len(held) <= round(share * len(groups)) + 2 * largest + 2


def test_a_label_in_a_single_group_cannot_be_split():
    table = pictures(40, group=["all of one shoot"] * 40)
    with pytest.raises(DataError, match=r"no test split can be cut: .* all of one group"):
        assign_splits(table)
    assert counts(assign_splits(table, validation=0, test=0)) == {"train": (20, 20)}


@pytest.mark.parametrize(("validation", "test"), [(-0.1, 0), (1.5, 0), (0.6, 0.6), (float("nan"), 0)])
def test_impossible_shares_are_refused(validation, test):
    with pytest.raises(DataError, match=r"share must lie|together more"):
        assign_splits(pictures(10), validation=validation, test=test)


def test_data_split_cuts_again_from_what_was_published(tmp_path):
    table = pictures(200, split=["train"] * 160 + ["test"] * 40).with_columns(pl.col("split").alias(PUBLISHED))
    path = tmp_path / "m.parquet"
    write_manifest(assign_splits(table, validation=0.1), path)
    data_split(path, path, validation=0.25)
    assert counts(read_manifest(path)) == {"train": (60, 60), "val": (20, 20), "test": (20, 20)}
    data_split(path, tmp_path / "own.parquet", validation=0.1, test=0.5, keep_published=False)
    own = read_manifest(tmp_path / "own.parquet")
    assert counts(own) == {"train": (40, 40), "val": (10, 10), "test": (50, 50)}
    assert own[PUBLISHED].equals(table[PUBLISHED])
