"""The slides about one run."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from madeby.evaluation.analysis.findings import WHO
from madeby.evaluation.analysis.record import Slice
from madeby.evaluation.metrics import Figures
from madeby.reporting.charts import Chart, result_charts, roc_of
from madeby.reporting.gallery import galleries
from madeby.reporting.judging.conclusions import ROBUSTNESS, ROBUSTNESS_HOW, elsewhere, is_robustness_known, robustness
from madeby.reporting.judging.judgement import Judgement, Tone
from madeby.reporting.judging.results import (
    finding,
    headline,
    judge_calibration,
    judge_groups,
    judge_results,
    judge_verdicts,
    judged,
)
from madeby.reporting.judging.training import judge_tuning, network_words
from madeby.reporting.material import Measured, RunMaterial
from madeby.reporting.slides import parts
from madeby.reporting.slides.layout import LEFT, RIGHT, WHOLE, Box, Deck, tell, write
from madeby.reporting.slides.native import bars, table, verdicts
from madeby.reporting.words import (
    LOWER_IS_BETTER,
    NAMES,
    capital,
    count,
    interval,
    listed,
    number,
    percent,
    setting,
    with_interval,
)

SHOWN = ("accuracy", "auroc", "average_precision", "tpr_at_fpr_1", "tpr_at_fpr_5", "precision_ai", "recall_ai", "ece")
MOST_BARS = 12


def tell_one(deck: Deck, run: RunMaterial, cover_lines: list[str]) -> None:
    """All slides of one run, 10 to 14."""
    deck.cover(f"{capital(run.name)}: telling AI-made pictures from human ones", cover_lines)
    parts.problem(deck)
    parts.data(deck, run)
    parts.audit(deck, run)
    _model(deck, run)
    parts.training(deck, run)
    if run.tunings:
        _search(deck, run)
    if run.main is None:
        _not_evaluated(deck, run)
    else:
        charts = result_charts(run.main)
        results(deck, run, run.main, charts)
        _calibration(deck, run, run.main, charts)
        slices = [one for placed in run.analyses for search in placed.record.searches for one in search.slices]
        if slices:
            _slices(deck, run, [one for one in slices if one.resembles is None])
        else:
            _kinds(deck, run.main)
        parts.errors(deck, run, galleries(run.main, parts.ACROSS))
    _elsewhere(deck, run)
    parts.conclusions(deck, [run])
    parts.future(deck, [run])


def results(deck: Deck, run: RunMaterial, main: Measured, charts: dict[str, Chart], of: str = "") -> None:
    """The figures with their intervals, and the ROC curve."""
    slide = deck.slide(of + finding(main))
    rows = [["figure", "value", "95% interval"]]
    for name in SHOWN:
        better = " (lower is better)" if name in LOWER_IS_BETTER else ""
        ends = interval(name, main.metrics.intervals.get(name))
        rows.append([f"{capital(NAMES[name])}{better}", number(name, getattr(main.metrics, name)), ends])
    table(slide, rows, Box(LEFT.left, LEFT.top, 6.3, 3.7), widths=(2.9, 1.2, 2.2), strong=1)
    told = [one for one in judge_results(main, run)[1:] if one.tone != "plain"] or [headline(main)]
    tell(slide, told, Box(LEFT.left, LEFT.top + 3.85, 6.3, 1.3), 15)
    curve = roc_of(main)
    right = Box(7.35, RIGHT.top - 0.15, 5.3, 3.75)
    if curve is None:
        parts.show(slide, charts["confusion"], right)
        return
    parts.show(slide, curve, right)
    (human_human, human_ai), (ai_human, ai_ai) = main.metrics.confusion
    rows = [["", "called human", "called ai"], ["human", count(human_human), count(human_ai)]]
    rows.append(["ai", count(ai_human), count(ai_ai)])
    table(slide, rows, Box(7.6, right.top + 3.85, 4.8, 1.2), widths=(1, 1.4, 1.4), numbers_from=1)


def _model(deck: Deck, run: RunMaterial) -> None:
    recipe = run.recipe
    size = f" with {count(run.spec.parameters)} parameters" if run.spec and run.spec.parameters else ""
    slide = deck.slide(f"The network {recipe.network}{size} learns from {recipe.preprocessing.size}-pixel views")
    write(
        slide,
        [
            f"{capital(network_words(run))}; the mean logit becomes a calibrated probability.",
            "Two thresholds make verdicts of it: at most "
            f"{run.spec.thresholds.false_alarm_target if run.spec else 0.01:.0%} of human pictures like those "
            "validated on are to be called ai; in between the answer is uncertain.",
            "Released as ONNX with its preprocessing, calibration, thresholds, checksum and card.",
        ],
        LEFT,
        tones=["plain"] * 3,
    )
    augment = ", ".join(recipe.augment) or "none"
    rows = [
        ["recipe", ""],
        ["optimiser", recipe.optimizer],
        ["learning rate, schedule", f"{recipe.learning_rate:g}, {recipe.schedule.replace('_', ' ')}"],
        ["batch size", str(recipe.batch_size)],
        ["epochs at most", f"{recipe.epochs}{f', patience {recipe.patience}' if recipe.patience else ''}"],
        [
            "changes of pictures",
            augment if len(augment) < 60 else f"{len(recipe.augment)} kinds, {recipe.augment[0]} first",
        ],
        ["weight decay", f"{recipe.weight_decay:g}"],
        ["learnt beside the label", recipe.auxiliary],
        ["average of weights", f"{recipe.ema:g}" if recipe.ema else "none"],
        ["chosen by", recipe.monitor],
    ]
    table(slide, rows, Box(RIGHT.left, RIGHT.top, RIGHT.width, 4.4), widths=(2.2, 3.6))


def _search(deck: Deck, run: RunMaterial) -> None:
    placed = run.tunings[0]
    tuning, best = placed.record, placed.record.best
    named = ", ".join(f"{name} {setting(value)}" for name, value in best.parameters.items()) if best else ""
    title = (
        f"Of {len(tuning.trials)} configurations, {named} did best" if best else "The search has no complete trial yet"
    )
    slide = deck.slide(title)
    tell(slide, judge_tuning(placed, run), LEFT)
    rows = [row for row in tuning.trials if row.value is not None and row.state == "complete"]
    rows.sort(key=lambda row: (row.value or 0.0) * (1 if tuning.plan.mode == "min" else -1))
    if rows:
        names = [", ".join(setting(value) for value in row.parameters.values()) for row in rows[:MOST_BARS]]
        values = [row.value or 0.0 for row in rows[:MOST_BARS]]
        of = ", ".join(tuning.plan.space.dimensions)
        bars(
            slide, names, values, RIGHT, title=f"{tuning.plan.monitor} by {of}", high=max(values) * 1.12, form="0.0000"
        )


def _not_evaluated(deck: Deck, run: RunMaterial) -> None:
    slide = deck.slide("How good it is on unseen pictures is not known: it was not evaluated")
    write(
        slide,
        [
            "Validation figures chose the epoch and the thresholds, so they flatter.",
            f"madeby evaluate {run.folder.name} --data MANIFEST --split test -o {run.folder.name}/test",
        ],
        WHOLE,
        tones=["open", "plain"],
    )


def _calibration(deck: Deck, run: RunMaterial, main: Measured, charts: dict[str, Chart]) -> None:
    calibration, decided = judge_calibration(main, run), judge_verdicts(main, run)
    tone = calibration[0].tone
    said = {
        "good": "Probabilities mean what they say",
        "bad": "Probabilities do not mean what they say here",
    }.get(tone, "Whether probabilities mean what they say cannot be told")
    coverage = main.metrics.abstention.coverage
    covered = f"; {percent(coverage)} of the pictures get a verdict" if coverage is not None else ""
    slide = deck.slide(f"{said}{covered}")
    if main.predictions.is_empty():
        tell(slide, [*calibration, *decided], WHOLE)
        return
    tell(slide, [*calibration, *decided], Box(LEFT.left, LEFT.top, 6.4, 2.75), 16)
    verdicts(slide, _verdict_shares(main), Box(LEFT.left, LEFT.top + 2.85, 6.4, 2.3))
    parts.show(slide, charts["reliability"], Box(7.4, RIGHT.top - 0.1, 5.25, WHOLE.height))


def _verdict_shares(main: Measured) -> dict[str, tuple[float, float, float]]:
    """Shares called human, uncertain and ai, of the pictures of each label that is there."""
    abstention, shares = main.metrics.abstention, {}
    for label in ("human", "ai"):
        probability = main.predictions.filter(pl.col("label") == label)["probability"].to_numpy()
        if len(probability):
            called_ai = probability >= abstention.threshold_ai
            called_human = ~called_ai & (probability <= abstention.threshold_human)
            human, ai = float(called_human.mean()), float(called_ai.mean())
            shares[label] = (human, 1 - human - ai, ai)
    return shares


def _kinds(deck: Deck, main: Measured) -> None:
    columns: list[tuple[str, list[tuple[str, Figures]]]] = [
        (column, rows) for column, blocks in main.metrics.by.items() if len(rows := judged(blocks)) > 1
    ]
    if not columns:
        return
    column, rows = max(columns, key=lambda item: (item[0] in {"generator", "cifar_class", "collection"}, len(item[1])))
    rows.sort(key=lambda item: item[1].auroc or 0.0)
    name = column.replace("_", " ")
    weakest, strongest = rows[0], rows[-1]
    slide = deck.slide(
        f"By {name}, AUROC runs from {weakest[1].auroc or 0:.3f} ({weakest[0]}) to {strongest[1].auroc or 0:.3f} "
        f"({strongest[0]})"
    )
    told = [*judge_groups(main), Judgement(f"The whole: AUROC {with_interval(main.metrics, 'auroc')}.")]
    beside = next((figures.beside for _, figures in rows if figures.beside), None)
    if beside:
        told.append(Judgement(f"Beside each {name} stand {beside}."))
    tell(slide, told, LEFT)
    lowest = min(0.5, *(figures.auroc or 0.5 for _, figures in rows))
    least = lowest if lowest < 0.5 else 0.5
    bars(
        slide,
        [value for value, _ in rows[:MOST_BARS]],
        [figures.auroc or 0.0 for _, figures in rows[:MOST_BARS]],
        RIGHT,
        title=f"AUROC by {name}",
        low=int(10 * least) / 10,
    )


def _slices(deck: Deck, run: RunMaterial, slices: list[Slice]) -> None:
    first = slices[0]
    times = f"{first.ratio:.1f} times as often" if first.ratio else "more often than others"
    who, taken = WHO[first.outcome]
    slide = deck.slide(f"{capital(who)} with {first.words} are {taken} {times}")
    told = []
    for outcome in dict.fromkeys(one.outcome for one in slices):
        worst = next(one for one in slices if one.outcome == outcome)
        who, taken = WHO[outcome]
        told.append(
            Judgement(
                f"{capital(who)} with {worst.words}: {percent(worst.inside.value)} {taken}, against "
                f"{percent(worst.outside.value)} of the others; {worst.hit_share:.0%} of all such mistakes."
            )
        )
    looks = sum(one.tested + one.tested_pairs for placed in run.analyses for one in placed.record.searches)
    told.append(
        Judgement(f"Found among {count(looks)} slices, corrected for so many looks; shared traits are no causes.")
    )
    tell(slide, told, LEFT, 17)
    rows = slices[:8]
    bars(
        slide,
        [f"{WHO[one.outcome][0].removesuffix(' pictures')}: {one.words}" for one in rows],
        [one.inside.value for one in rows],
        RIGHT,
        title="Share of the pictures in a slice that is taken wrong",
        high=min(1.0, 1.2 * max(one.inside.value for one in rows)),
        form="0%",
        longest=52,
    )


def _elsewhere(deck: Deck, run: RunMaterial) -> None:
    others = run.elsewhere
    if not others or run.main is None:
        slide = deck.slide("How far it carries is not known: other pictures and changed copies were not measured")
        write(slide, [ROBUSTNESS, ROBUSTNESS_HOW], WHOLE, tones=["open", "plain"])
        return
    told = [elsewhere(run, one) for one in others]
    guessed = [one.title for one, said in zip(others, told, strict=True) if "guessing" in said.text]
    worse = [one.title for one, said in zip(others, told, strict=True) if said.tone == "bad"]
    if guessed:
        title = f"It cannot be told from guessing on {listed(guessed, 2)}"
    elif worse:
        title = f"It does worse on {listed(worse, 2)}"
    elif all(said.tone == "open" for said in told):
        title = "How far it carries cannot be told from the other pictures measured"
    else:
        title = "On other pictures it does as well, as far as can be told"
    slide = deck.slide(title)
    tone: Tone = "plain" if is_robustness_known(run) else "open"
    tell(slide, [*told, *(Judgement(text, tone) for text in robustness(run)[:2])], LEFT)
    sets = [one for one in run.evaluations if one.metrics.auroc is not None]
    if sets:
        lowest = min(one.metrics.auroc or 0.0 for one in sets)
        bars(
            slide,
            [Path(one.metrics.data).stem + f" ({one.metrics.split})" for one in sets],
            [one.metrics.auroc or 0.0 for one in sets],
            Box(RIGHT.left, RIGHT.top, RIGHT.width, 3.9),
            title="AUROC by set of pictures (0.5 is chance)",
            low=min(0.4, int(10 * lowest) / 10),
        )
