"""What an evaluation's figures mean, and what they do not."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from madeby.evaluation.metrics import Figures
from madeby.reporting.judging.judgement import Judgement, chance_ece, difference, wilson
from madeby.reporting.material import Measured, RunMaterial
from madeby.reporting.words import capital, count, listed, number, percent, with_interval
from madeby.training.run import EpochFigures, best_of

LEAST_IN_GROUP = 20
"""Pictures of a label below which a group is not judged."""

TOO_COARSE = 0.03
"""Calibration error by chance alone above which a set of pictures is too small to judge calibration by."""

FALSE_ALARM_PROMISE = 0.01


def judge_results(measured: Measured, run: RunMaterial) -> list[Judgement]:
    """All about how well pictures are told apart, most important first."""
    return [
        headline(measured),
        *_about_ranking(measured),
        *_about_validation(measured, run),
        *(_about_repeats(measured) if run.own(measured) else ()),
        *_about_few(measured),
    ]


def headline(measured: Measured) -> Judgement:
    """The one sentence to remember."""
    metrics = measured.metrics
    if metrics.accuracy is None or not (metrics.n_human and metrics.n_ai):
        only = "human" if metrics.n_human else "AI"
        right = "" if metrics.accuracy is None else f"; {percent(metrics.accuracy)} are told right"
        return Judgement(
            f"Only {only} pictures were measured, {count(metrics.n)} of {measured.title}{right}. How well the two are "
            "told apart cannot be said.",
            "open",
        )
    return Judgement(
        f"Of {count(metrics.n)} pictures of {measured.title}, {with_interval(metrics, 'accuracy')} are told right at "
        f"probability 0.5; the area under the ROC curve is {with_interval(metrics, 'auroc')}.",
        "plain",
    )


def _about_ranking(measured: Measured) -> Iterator[Judgement]:
    metrics = measured.metrics
    ends = metrics.intervals.get("auroc")
    if metrics.auroc is None:
        return
    if ends is None:
        yield Judgement("The evaluation was made without intervals, so differences cannot be judged.", "open")
    elif few(metrics):
        pass  # said elsewhere; resamples of so few pictures know too little of chance
    elif ends[0] <= 0.5 <= ends[1]:
        yield Judgement(
            f"Here the detector cannot be told from guessing: the interval of the AUROC, {number('auroc', ends[0])} to "
            f"{number('auroc', ends[1])}, reaches 0.5.",
            "bad",
        )
    elif ends[1] < 0.5:
        yield Judgement("Here the detector is worse than guessing: it ranks human pictures above AI ones.", "bad")
    least = round(1 / FALSE_ALARM_PROMISE)
    if metrics.n_human < least:
        yield Judgement(
            f"What is found at 1% false alarms cannot be measured on {count(metrics.n_human)} human pictures: 1% of "
            "them is less than one.",
            "open",
        )
    else:
        yield Judgement(
            f"A threshold that 1% of human pictures reach finds {with_interval(metrics, 'tpr_at_fpr_1')} of AI ones."
        )


def _about_validation(measured: Measured, run: RunMaterial) -> Iterator[Judgement]:
    metrics = measured.metrics
    if not run.own(measured):
        yield Judgement("These pictures are not of the data the run learnt from: they show how far it carries.")
        return
    if metrics.split in {"val", "train", "all"}:
        part = {"val": "The best epoch and the thresholds were chosen", "train": "The network was trained"}
        said = part.get(metrics.split, "The network was trained on a part of these pictures, or its epoch was chosen")
        yield Judgement(f"{said} on these very pictures, so the figures flatter.", "bad")
        return
    best, n_val = best_epoch(run), sum(run.counts.get("val", {}).values())
    if best is None or metrics.accuracy is None or not n_val or metrics.split != "test":
        return
    validation = best.val_accuracy
    low, high = difference(round(metrics.accuracy * metrics.n), metrics.n, round(validation * n_val), n_val)
    if low <= 0 <= high:
        yield Judgement(
            f"Test accuracy differs from that of validation, {percent(validation)}, by no more than chance explains: "
            "no sign that the choices made on the validation pictures flatter.",
            "good",
        )
    else:
        way = "below" if metrics.accuracy < validation else "above"
        yield Judgement(
            f"Test accuracy, {percent(metrics.accuracy)}, lies {way} that of validation, {percent(validation)}, by "
            "more than chance explains.",
            "bad" if way == "below" else "plain",
        )


def _about_repeats(measured: Measured) -> Iterator[Judgement]:
    metrics = measured.metrics
    if metrics.repeats is None:
        return
    if not metrics.repeats:
        yield Judgement("None of the pictures stands in train or val as well, pixel for pixel.", "good")
        return
    text = (
        f"{count(metrics.repeats)} of the pictures ({percent(metrics.repeats / metrics.n)}) stand in train or val too"
    )
    rest = metrics.without_repeats
    if rest is None:
        yield Judgement(f"{text}.", "bad")
    else:
        yield Judgement(f"{text}; without them the accuracy is {with_interval(rest, 'accuracy')}.")


def _about_few(measured: Measured) -> Iterator[Judgement]:
    metrics = measured.metrics
    if metrics.accuracy == 1:
        yield Judgement(
            f"No mistake was seen, which gives intervals by resampling no width: among {count(metrics.n)} pictures up "
            f"to {percent(1 - wilson(metrics.n, metrics.n)[0])} of mistakes can hide (Wilson's interval).",
            "open",
        )
    fewest = min(metrics.n_human, metrics.n_ai)
    if 0 < fewest < 100:
        yield Judgement(
            f"With {count(metrics.n_human)} human and {count(metrics.n_ai)} AI pictures only large differences can be "
            "seen: read the intervals, not the figures.",
            "open",
        )
    if metrics.unreadable:
        yield Judgement(f"{count(metrics.unreadable)} pictures could not be read and were left out.", "bad")


def best_epoch(run: RunMaterial) -> EpochFigures | None:
    """The kept epoch's figures."""
    return best_of(run.epochs, run.recipe) if run.epochs else None


def judge_calibration(measured: Measured, run: RunMaterial) -> list[Judgement]:
    """Whether probabilities mean what they say."""
    metrics = measured.metrics
    if metrics.ece is None or not (metrics.n_human and metrics.n_ai):
        return [Judgement("With one kind of picture alone, calibration cannot be judged.", "open")]
    points = f"Probabilities are off by {100 * metrics.ece:.1f} points on average (ECE {metrics.ece:.4f})"
    if measured.predictions.is_empty():
        return [Judgement(f"{points}; predictions.parquet is missing, so chance's part in it cannot be told.", "open")]
    floor = chance_ece(measured.predictions["probability"].to_numpy())
    by_chance = f"perfect ones would show about {100 * floor:.1f} points on so many pictures by chance"
    if run.own(measured) and metrics.split in {"val", "all"}:
        return [
            Judgement(f"{points}; {by_chance}. The calibration was fitted on these pictures, so it flatters.", "open")
        ]
    if floor > TOO_COARSE and metrics.ece <= 2 * floor:
        return [Judgement(f"{points}; {by_chance}: too few pictures to tell more.", "open")]
    if metrics.ece <= 1.5 * floor:
        return [Judgement(f"{points}; {by_chance}: no sign of miscalibration.", "good")]
    if metrics.ece <= 0.02:
        return [Judgement(f"{points}; {by_chance}: a small miscalibration that matters little in use.", "good")]
    lean = _lean(measured)
    return [Judgement(f"{points}; {by_chance}: {lean} on these pictures.", "bad")]


def _lean(measured: Measured) -> str:
    table = measured.predictions
    probability = table["probability"].to_numpy()
    is_ai = (table["label"] == "ai").to_numpy()
    said, were = float(probability.mean()), float(is_ai.mean())
    sure = np.abs(probability - 0.5)
    right = (probability >= 0.5) == is_ai
    if abs(said - were) > 0.5 * (measured.metrics.ece or 0.0):
        return f"they lean towards {'ai' if said > were else 'human'} (mean {said:.2f}, share of ai {were:.2f})"
    return "they are too sure" if float((sure + 0.5).mean()) > float(right.mean()) else "they are too cautious"


def judge_verdicts(measured: Measured, run: RunMaterial) -> list[Judgement]:
    """What the thresholds make of the probabilities, and whether their promise holds."""
    metrics, abstention = measured.metrics, measured.metrics.abstention
    told: list[Judgement] = []
    if abstention.coverage is not None:
        right = (
            f"; {percent(abstention.accuracy_decided)} of those are right"
            if abstention.accuracy_decided is not None
            else ""
        )
        told.append(
            Judgement(f"{percent(abstention.coverage)} of the pictures get a verdict, the others are uncertain{right}.")
        )
    if abstention.false_alarm_rate is not None and metrics.n_human and abstention.threshold_ai <= 1:
        promise = run.spec.thresholds.false_alarm_target if run.spec else FALSE_ALARM_PROMISE
        hits = round(abstention.false_alarm_rate * metrics.n_human)
        low, high = wilson(hits, metrics.n_human)
        share = f"{percent(hits / metrics.n_human)} ({percent(low)} to {percent(high)})"
        rate = f"{count(hits)} of {count(metrics.n_human)} human pictures are called ai: {share}"
        if low > promise:
            told.append(
                Judgement(f"{rate}. The promise of at most {promise:.0%} does not hold on these pictures.", "bad")
            )
        elif high <= promise:
            told.append(Judgement(f"{rate}. The promise of at most {promise:.0%} holds.", "good"))
        else:
            told.append(
                Judgement(f"{rate}. That agrees with the promise of at most {promise:.0%}, without proving it.", "open")
            )
    if abstention.threshold_ai > 1:
        told.append(Judgement("ai is never called: its human pictures allow no promise of a false-alarm rate.", "bad"))
    if abstention.detection_rate is not None and abstention.threshold_ai <= 1:
        told.append(
            Judgement(
                f"{percent(abstention.detection_rate)} of the AI pictures are called ai, "
                f"{percent(abstention.miss_rate or 0.0)} are called human."
            )
        )
    return told


def judge_groups(measured: Measured) -> list[Judgement]:
    """Groups of pictures whose figures stand apart from the whole's."""
    told = []
    for column, blocks in measured.metrics.by.items():
        weak = [(value, block) for value, block in judged(blocks) if _below(block, measured.metrics)]
        weak.sort(key=lambda item: item[1].auroc or 0.0)
        if weak:
            named = [f"{value} with AUROC {with_interval(block, 'auroc')}" for value, block in weak]
            told.append(Judgement(f"Weaker than the whole, by {column.replace('_', ' ')}: {listed(named, 3)}.", "bad"))
    if (
        not told
        and measured.metrics.intervals.get("auroc")
        and any(len(judged(blocks)) > 1 for blocks in measured.metrics.by.values())
    ):
        told.append(Judgement("No group's interval lies below that of the whole.", "good"))
    return told


def judged(blocks: dict[str, Figures]) -> list[tuple[str, Figures]]:
    """The groups with both labels and enough pictures of each."""
    return [(value, block) for value, block in blocks.items() if block.auroc is not None and not few(block)]


def few(figures: Figures) -> bool:
    """Whether there are too few pictures of a label for a bootstrap interval of a ranking to mean much."""
    return min(figures.n_human, figures.n_ai) < LEAST_IN_GROUP


def _below(block: Figures, whole: Figures) -> bool:
    mine, all_of_it = block.intervals.get("auroc"), whole.intervals.get("auroc")
    return bool(mine and all_of_it and mine[1] < all_of_it[0])


def finding(measured: Measured) -> str:
    """A title that states the result."""
    metrics = measured.metrics
    ends = metrics.intervals.get("auroc")
    if metrics.auroc is None:
        return capital(f"{'human' if metrics.n_human else 'ai'} pictures alone: no figure of telling apart")
    if ends and ends[0] <= 0.5 <= ends[1]:
        return f"On {measured.data} the detector cannot be told from guessing"
    which = "" if metrics.split == "all" else f"{metrics.split} "
    right = percent(metrics.accuracy or 0.0)
    return f"{right} of the {which}pictures of {measured.data} are told right, AUROC {metrics.auroc:.3f}"
