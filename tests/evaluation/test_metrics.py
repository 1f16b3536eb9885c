import numpy as np
import pytest
from sklearn import metrics as reference

from madeby.detector.bundle import Thresholds
from madeby.evaluation.figures import FIGURES
from madeby.evaluation.metrics import abstention_of, measure, measure_by

THRESHOLDS = Thresholds(ai=0.8, human=0.2)


def scores(n=600, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    is_ai = rng.random(n) < 0.4
    probability = np.clip(0.35 + 0.3 * is_ai + rng.normal(0, 0.2, n), 0.001, 0.999)
    return (probability.round(1) if ties else probability), is_ai


@pytest.mark.parametrize("ties", [False, True])
def test_figures_equal_scikit_learn_s(ties):
    probability, is_ai = scores(ties=ties)
    probability = np.clip(probability, 1e-6, 1 - 1e-6)
    figures = measure(probability, is_ai, THRESHOLDS, bootstrap=0)
    called = probability >= 0.5
    expected = {
        "accuracy": reference.accuracy_score(is_ai, called),
        "balanced_accuracy": reference.balanced_accuracy_score(is_ai, called),
        "precision_macro": reference.precision_score(is_ai, called, average="macro"),
        "recall_macro": reference.recall_score(is_ai, called, average="macro"),
        "f1_macro": reference.f1_score(is_ai, called, average="macro"),
        "precision_ai": reference.precision_score(is_ai, called),
        "recall_ai": reference.recall_score(is_ai, called),
        "f1_ai": reference.f1_score(is_ai, called),
        "auroc": reference.roc_auc_score(is_ai, probability),
        "average_precision": reference.average_precision_score(is_ai, probability),
        "brier": reference.brier_score_loss(is_ai, probability),
        "nll": reference.log_loss(is_ai, probability),
    }
    assert {name: getattr(figures, name) for name in expected} == pytest.approx(expected, abs=1e-9)
    assert np.array_equal(figures.confusion, reference.confusion_matrix(is_ai, called))


def test_detection_at_few_false_alarms_is_the_best_threshold_that_holds_the_rate():
    probability, is_ai = scores()
    figures = measure(probability, is_ai, THRESHOLDS, bootstrap=0)
    for rate, name in ((0.01, "tpr_at_fpr_1"), (0.05, "tpr_at_fpr_5")):
        held = [t for t in np.append(probability, 2) if (probability[~is_ai] >= t).mean() <= rate]
        best = max((probability[is_ai] >= t).mean() for t in held)
        assert getattr(figures, name) == pytest.approx(best)


def test_calibration_error_is_0_when_probabilities_are_right_and_large_when_they_boast():
    rng = np.random.default_rng(1)
    probability = rng.random(200_000)
    is_ai = rng.random(200_000) < probability
    assert measure(probability, is_ai, THRESHOLDS, bootstrap=0).ece < 0.01
    boasting = np.where(probability > 0.5, 0.99, 0.01)
    assert measure(boasting, is_ai, THRESHOLDS, bootstrap=0).ece == pytest.approx(0.24, abs=0.01)


def test_the_interval_of_the_auroc_covers_the_truth_about_95_times_in_100():
    truth = measure(*scores(200_000, seed=99), THRESHOLDS, bootstrap=0).auroc
    covered = 0
    for seed in range(100):
        low, high = measure(*scores(300, seed), THRESHOLDS, bootstrap=200).intervals["auroc"]
        covered += low <= truth <= high
    assert 85 <= covered <= 100


def test_every_figure_has_an_interval_that_holds_it():
    figures = measure(*scores(), THRESHOLDS, bootstrap=300)
    assert tuple(figures.intervals) == FIGURES
    for name in set(FIGURES) - {"ece"}:  # resampling adds noise to the bins, which only ever raises the error
        low, high = figures.intervals[name]
        assert low <= getattr(figures, name) <= high


@pytest.mark.parametrize("label", [True, False])
def test_one_class_alone_gives_nulls_where_two_are_needed(label):
    figures = measure(np.array([0.9, 0.2, 0.7]), np.full(3, label), THRESHOLDS, bootstrap=50)
    assert figures.auroc is None
    assert figures.intervals["auroc"] is None
    assert figures.balanced_accuracy is None
    assert figures.tpr_at_fpr_1 is None
    assert figures.accuracy == pytest.approx(2 / 3 if label else 1 / 3)
    assert (figures.recall_ai is None) is not label


def test_a_generator_is_measured_beside_all_human_pictures_and_a_collection_alone():
    probability = np.array([0.1, 0.2, 0.9, 0.3])
    is_ai = np.array([False, False, True, True])
    columns = {"generator": [None, None, "x", "y"], "collection": ["a", "b", "a", "a"]}
    by = measure_by(probability, is_ai, columns, THRESHOLDS, bootstrap=0)
    assert set(by["generator"]) == {"x", "y"}
    assert (by["generator"]["x"].n_human, by["generator"]["x"].n_ai) == (2, 1)
    assert by["generator"]["x"].beside == "all human pictures"
    assert by["generator"]["y"].auroc == 1.0
    assert (by["collection"]["b"].n, by["collection"]["b"].auroc) == (1, None)
    assert by["collection"]["a"].beside is None


def test_abstention_counts_what_the_thresholds_decide():
    probability = np.array([0.9, 0.5, 0.1, 0.85, 0.05])
    is_ai = np.array([True, True, True, False, False])
    abstention = abstention_of(probability, is_ai, THRESHOLDS)
    assert abstention.coverage == pytest.approx(4 / 5)
    assert abstention.accuracy_decided == pytest.approx(2 / 4)
    assert abstention.false_alarm_rate == pytest.approx(1 / 2)
    assert abstention.detection_rate == pytest.approx(1 / 3)
    assert abstention.miss_rate == pytest.approx(1 / 3)
