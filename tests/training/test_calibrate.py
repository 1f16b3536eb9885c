"""Calibration recovers what made the logits; thresholds keep their promise on fresh pictures."""

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from madeby.detector.bundle import BundleSpec, Calibration, Preprocessing, Profile, Thresholds
from madeby.detector.calibration import probability_of
from madeby.detector.thresholds import conformal_bound, fewest_for, stricter
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.training.card import promises
from madeby.training.figures import auroc, figures_of, mean_by_picture
from madeby.training.schedule import schedule_factor


def scores(human, ai):
    return Scores(np.concatenate([human, ai]), np.repeat(np.array([0, 1], np.int8), [len(human), len(ai)]))


def fit_thresholds(fitted_on, calibration, profile=Profile.BALANCED):
    return fit_profiles(fitted_on, calibration, "synthetic")[profile]


def logits_with(slope, intercept, rng, n=20000):
    """Logits z whose labels follow sigmoid(slope * z + intercept)."""
    z = rng.normal(0, 2, n)
    is_ai = rng.random(n) < 1 / (1 + np.exp(-(slope * z + intercept)))
    return z, is_ai


@pytest.mark.parametrize(("slope", "intercept"), [(1.0, 0.0), (0.4, 0.7), (2.5, -1.0)])
def test_platt_recovers_slope_and_even_point(slope, intercept):
    z, is_ai = logits_with(slope, intercept, np.random.default_rng(0))
    fitted = fit_calibration(scores(z[~is_ai], z[is_ai]), "synthetic")
    assert fitted.method == "platt"
    assert fitted.slope == pytest.approx(slope, rel=0.06)
    prior = np.log(is_ai.sum() / (~is_ai).sum())  # equal weights take the mix of labels out
    assert fitted.intercept == pytest.approx(intercept - prior, abs=0.08)


def test_backward_scores_and_tiny_sets_are_not_fitted():
    rng = np.random.default_rng(0)
    assert fit_calibration(scores(rng.normal(2, 1, 50), rng.normal(-2, 1, 50)), "x").method == "none"
    assert fit_calibration(scores(rng.normal(0, 1, 5), rng.normal(2, 1, 50)), "x").method == "none"
    assert fit_calibration(scores(np.array([np.nan] * 20), rng.normal(2, 1, 50)), "x").method == "none"


def test_perfectly_separated_scores_stay_finite():
    fitted = fit_calibration(scores(np.full(100, -30.0), np.full(100, 30.0)), "x")
    thresholds = fit_thresholds(scores(np.full(100, -30.0), np.full(100, 30.0)), fitted)
    assert np.isfinite([fitted.slope, fitted.intercept]).all()
    assert (thresholds.ai, thresholds.human) == (0.5, 0.5)


def test_false_alarms_stay_below_the_promise_on_fresh_pictures():
    rng = np.random.default_rng(1)
    alarms, misses = [], []
    for _ in range(400):
        fitted_on = scores(rng.normal(-1, 1.5, 250), rng.normal(1, 1.5, 200))
        thresholds = fit_thresholds(fitted_on, Calibration())
        fresh_human = [probability_of(value, Calibration()) for value in rng.normal(-1, 1.5, 200)]
        fresh_ai = [probability_of(value, Calibration()) for value in rng.normal(1, 1.5, 200)]
        alarms.append(np.mean(np.array(fresh_human) >= thresholds.ai))
        misses.append(np.mean(np.array(fresh_ai) <= thresholds.human))
    assert 0.005 < np.mean(alarms) < 0.0115
    assert 0.035 < np.mean(misses) < 0.0525


def test_the_stricter_of_two_keeps_both_promises():
    rng = np.random.default_rng(4)
    one = scores(rng.normal(-2, 1, 400), rng.normal(0, 1, 400))
    other = scores(rng.normal(-1, 1, 300), rng.normal(2, 1, 300))
    both = stricter(*(fit_profiles(each, Calibration(), name) for each, name in ((one, "one"), (other, "other"))))
    assert both[Profile.BALANCED].set_on == "one; other"
    for promise in both.values():
        for each in (one, other):
            human, ai = (1 / (1 + np.exp(-logits)) for logits in (each.human, each.ai))
            assert (human >= promise.ai).mean() <= promise.false_alarm_target
            assert (ai <= promise.human).mean() <= promise.miss_target
        assert (promise.n_human, promise.n_ai) == (300, 400)


def test_on_its_own_pictures_the_promise_holds_exactly():
    rng = np.random.default_rng(2)
    fitted_on = scores(rng.normal(0, 1, 300), rng.normal(0.5, 1, 300))
    thresholds = fit_thresholds(fitted_on, Calibration())
    human = np.array([probability_of(value, Calibration()) for value in fitted_on.human])
    ai = np.array([probability_of(value, Calibration()) for value in fitted_on.ai])
    assert (human >= thresholds.ai).mean() <= 0.01
    assert (ai <= thresholds.human).mean() <= 0.05


def test_ties_at_the_threshold_are_spared():
    saturated = scores(np.full(200, 800.0), np.full(200, 900.0))
    thresholds = fit_thresholds(saturated, Calibration())
    assert probability_of(800.0, Calibration()) < thresholds.ai <= 1.1


@pytest.mark.parametrize(("n", "never"), [(98, True), (99, False)])
def test_too_few_photographs_mean_never(n, never):
    thresholds = fit_thresholds(scores(np.linspace(-3, 0, n), np.linspace(0, 3, n)), Calibration())
    assert (thresholds.ai == 1.1) is never
    assert isinstance(thresholds, Thresholds)


def test_each_collection_of_photographs_keeps_the_promise():
    rng = np.random.default_rng(3)
    easy, hard, few = rng.normal(-3, 1, 900), rng.normal(1, 1, 150), rng.normal(6, 1, 40)
    human = np.concatenate([easy, hard, few])
    names = ("easy",) * 900 + ("hard",) * 150 + ("few",) * 40
    fitted_on = Scores(
        np.concatenate([human, rng.normal(3, 1, 300)]),
        np.repeat(np.array([0, 1], np.int8), [len(human), 300]),
        names + (None,) * 300,
    )
    pooled = fit_thresholds(scores(np.concatenate([easy, hard]), rng.normal(3, 1, 300)), Calibration())
    hard_alone = fit_thresholds(scores(hard, rng.normal(3, 1, 300)), Calibration())
    assert pooled.ai < hard_alone.ai
    assert fit_thresholds(fitted_on, Calibration()).ai >= hard_alone.ai


def test_profiles_differ_in_what_they_dare():
    rng = np.random.default_rng(4)
    fitted_on = scores(rng.normal(-1, 1.5, 1000), rng.normal(1, 1.5, 1000))
    cautious, balanced, eager = (fit_thresholds(fitted_on, Calibration(), profile) for profile in Profile)
    assert cautious.ai > balanced.ai > eager.ai
    assert cautious.human < balanced.human < eager.human


def test_no_profile_that_promises_more_dares_more():
    rng = np.random.default_rng(6)
    human = np.concatenate([rng.normal(-3, 1, 400), rng.normal(2, 0.5, 30)])  # 30 are enough for eager's 5% alone
    fitted_on = Scores(
        np.concatenate([human, rng.normal(4, 1, 100)]),
        np.repeat(np.array([0, 1], np.int8), [430, 100]),
        ("many",) * 400 + ("few",) * 30 + (None,) * 100,
    )
    cautious, balanced, eager = (fit_thresholds(fitted_on, Calibration(), profile) for profile in Profile)
    assert eager.ai > probability_of(float(human[400:].max()), Calibration())
    assert cautious.ai >= balanced.ai >= eager.ai
    assert cautious.human <= balanced.human <= eager.human


@pytest.mark.parametrize("alpha", [0.005, 0.01, 0.05, 0.1, 1 / 3])
def test_how_many_pictures_a_promise_takes(alpha):
    fewest = fewest_for(alpha)
    assert conformal_bound(np.arange(float(fewest)), alpha) is not None
    assert conformal_bound(np.arange(float(fewest - 1)), alpha) is None


def test_conformal_bound_is_the_order_statistic():
    assert conformal_bound(np.arange(1, 100.0), 0.01) == 99
    assert conformal_bound(np.arange(1, 200.0), 0.05) == 190
    assert conformal_bound(np.arange(1, 19.0), 0.05) is None
    assert conformal_bound(np.array([]), 0.05) is None


def test_auroc_agrees_with_scikit_learn_ties_included():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500).astype(float)
    logits = np.round(rng.normal(labels, 1), 1)
    assert auroc(logits, labels) == pytest.approx(roc_auc_score(labels, logits))
    assert np.isnan(auroc(logits[:3], np.ones(3)))
    assert figures_of(np.array([1000.0, -1000.0]), np.array([1.0, 0.0])).loss == 0


def test_a_pictures_logit_is_the_mean_of_its_views():
    assert mean_by_picture(np.array([1.0, 3.0, 5.0]), np.array([0, 0, 1])).tolist() == [2.0, 5.0]


@pytest.mark.parametrize("schedule", ["constant", "cosine", "one_cycle", "plateau"])
def test_schedules_stay_within_bounds_and_reach_the_full_rate(schedule):
    factors = [schedule_factor(schedule, step, 100, 10) for step in range(101)]
    assert all(0 < factor <= 1 for factor in factors)
    assert max(factors) == pytest.approx(1, abs=1e-3)
    assert factors[0] < 0.1
    if schedule in {"cosine", "one_cycle"}:
        assert factors[-1] < 0.01


@pytest.mark.parametrize(
    ("ai", "n_human", "told"),
    [
        (1.1, 98, "`ai` is never called: the 98 human pictures validated on are too few"),
        (
            math.nextafter(1.0, 2.0),
            99,
            "`ai` is never called: the 99 human pictures validated on look AI-made too often",
        ),
        (
            0.9,
            99,
            "`ai` is called from probability 0.9000, so that at most 1% of human pictures like the 99 validated on",
        ),
    ],
)
def test_a_card_says_why_a_verdict_is_never_given(ai, n_human, told):
    spec = BundleSpec(
        name="model",
        network="residual",
        onnx_opset=18,
        model_sha256="0" * 64,
        preprocessing=Preprocessing(view="resize", size=32),
        thresholds=Thresholds(ai=ai, human=-0.1, n_human=n_human, n_ai=18),
    )
    assert told in promises(spec)
    assert "`human` is never called: the 18 AI pictures kept are too few." in promises(spec, "kept")
