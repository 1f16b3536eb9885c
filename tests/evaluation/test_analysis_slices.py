"""Slices of mistakes: what is planted is found, and chance is not mistaken for a find."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from madeby.evaluation.analysis.characteristics import NUMBERS, candidates
from madeby.evaluation.analysis.estimates import (
    corrected,
    mean,
    more_often,
    rank_correlation,
    rate,
    rate_difference,
)
from madeby.evaluation.analysis.slices import search_slices


def pictures(n, seed):
    """Traits that go together, as real ones do, and two categories."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 4))
    columns = {name: common @ rng.normal(size=4) + 0.5 * rng.normal(size=n) for name in NUMBERS}
    columns["content"] = rng.choice(["cat", "dog", "ship", "tree"], n)
    columns["generator"] = rng.choice(["one", "two", "three"], n)
    return pl.DataFrame(columns), rng


def test_a_planted_range_is_found_and_named():
    table, rng = pictures(1500, 0)
    planted = (table["noise"] <= table["noise"].quantile(0.2)).to_numpy()
    hit = rng.random(1500) < np.where(planted, 0.35, 0.05)
    search = search_slices(table, hit, "false positive").search
    first = search.slices[0]
    assert first.conditions[0].characteristic == "noise"
    assert first.words.startswith("noise in the lowest fifth (up to")
    assert first.inside.low > first.outside.high
    assert first.difference.low > 0
    assert first.ratio == pytest.approx(first.inside.value / first.outside.value)
    assert first.hits <= search.hits
    assert first.pictures == pytest.approx(300, abs=2)


def test_a_planted_pair_is_found_as_a_pair():
    table, rng = pictures(2000, 1)
    planted = ((table["content"] == "cat") & (table["generator"] == "two")).to_numpy()
    hit = rng.random(2000) < np.where(planted, 0.6, 0.05)
    first = search_slices(table, hit, "false negative").search.slices[0]
    assert {condition.value for condition in first.conditions} == {"cat", "two"}
    assert first.words == "content cat and generator two"


def test_the_rows_of_a_slice_are_those_it_counts():
    table, rng = pictures(1000, 2)
    hit = rng.random(1000) < np.where((table["content"] == "dog").to_numpy(), 0.4, 0.1)
    found = search_slices(table, hit, "false positive")
    assert found.search.slices
    for one, inside in zip(found.search.slices, found.inside, strict=True):
        assert (int(inside.sum()), int((inside & hit).sum())) == (one.pictures, one.hits)


def test_slices_of_mostly_the_same_pictures_point_at_the_clearest():
    table, rng = pictures(1000, 3)
    table = table.with_columns((pl.col("noise") * 2 + 1).alias("sharpness"))
    hit = rng.random(1000) < np.where((table["noise"] > table["noise"].quantile(0.8)).to_numpy(), 0.5, 0.05)
    slices = search_slices(table, hit, "false positive").search.slices
    leading = [one for one in slices if one.resembles is None]
    assert len(leading) < len(slices)
    assert all(slices[one.resembles].resembles is None for one in slices if one.resembles is not None)


def test_chance_alone_gives_finds_no_more_often_than_the_level_allows():
    runs = 60
    false_finds = 0
    for seed in range(runs):
        table, rng = pictures(400, 100 + seed)
        false_finds += search_slices(table, rng.random(400) < 0.15, "false positive").search.found > 0
    # 60 runs at the level of 5%: more than 7 would be a 1% event.
    assert false_finds <= stats.binom.ppf(0.99, runs, 0.05)


def test_false_finds_stay_a_small_share_where_something_is_planted():
    false, finds = [], 0
    for seed in range(25):
        table, rng = pictures(1200, 500 + seed)
        # Only content and generator matter, and they are independent of all numbers.
        cat = (table["content"] == "cat").to_numpy()
        hit = rng.random(1200) < np.where(cat, 0.35, 0.08)
        slices = search_slices(table, hit, "false positive").search.slices
        wrong = sum(all(part.value != "cat" for part in one.conditions) for one in slices)
        false.append(wrong / max(len(slices), 1))
        finds += any(one.words == "content cat" for one in slices)
    assert finds == 25
    assert np.mean(false) < 0.05


@pytest.mark.parametrize(
    ("n", "hits", "reason"),
    [(3, 1, "too few to compare"), (100, 2, "too few to have something in common"), (100, 98, "nothing to compare")],
)
def test_where_nothing_can_be_told_the_reason_is_said(n, hits, reason):
    table, _ = pictures(n, 0)
    search = search_slices(table, np.arange(n) < hits, "false positive").search
    assert reason in search.not_run
    assert not search.slices
    assert (search.pictures, search.hits) == (n, hits)


def test_unknown_values_are_in_no_slice_and_few_values_are_named():
    table = pl.DataFrame({"jpeg_quality": [75] * 30 + [90] * 30 + [None] * 30, "noise": [1.0] * 90})
    found = candidates(table, (), 10)
    assert [one.condition.words for one in found] == ["JPEG quality 75", "JPEG quality 90"]
    assert [int(one.inside.sum()) for one in found] == [30, 30]


@pytest.mark.parametrize(("hits", "n"), [(0, 12), (3, 12), (12, 12), (461, 5000)])
def test_rates_have_wilson_s_interval(hits, n):
    estimate = rate(hits, n)
    expected = stats.binomtest(hits, n).proportion_ci(method="wilson")
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert estimate.low <= estimate.value <= estimate.high


def test_a_difference_of_rates_has_newcombe_s_interval():
    # Newcombe (1998), example a: 56/70 against 48/80, method 10.
    estimate = rate_difference(56, 70, 48, 80)
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def test_tests_and_their_correction_equal_scipy_s():
    for hits, n, all_hits, all_n in ((9, 20, 30, 200), (0, 10, 5, 50), (10, 10, 12, 40)):
        outside = (all_hits - hits, all_n - n - all_hits + hits)
        expected = stats.fisher_exact([[hits, n - hits], outside], alternative="greater").pvalue
        assert float(more_often(hits, n, all_hits, all_n)) == pytest.approx(expected)
    p = np.random.default_rng(0).random(50) ** 2
    assert corrected(p) == pytest.approx(stats.false_discovery_control(p))


def test_means_and_correlations_have_intervals_only_where_they_can():
    rng = np.random.default_rng(0)
    values = rng.normal(0.4, 0.1, 400)
    estimate = mean(values, rng)
    half = 1.96 * values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.003)
    assert mean(values[:3], rng).low is None
    assert mean(values[:0], rng) is None
    rho = rank_correlation(values, values + rng.normal(0, 0.1, 400))
    assert 0.6 < rho.low < rho.value < rho.high < 0.8
    assert rank_correlation(values, np.ones(400)) is None
