"""The slides about several runs side by side."""

from __future__ import annotations

from collections.abc import Sequence

from madeby.reporting.charts import comparison_charts, result_charts
from madeby.reporting.gallery import galleries
from madeby.reporting.judging.comparison import judge_pairs
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.material import RunMaterial
from madeby.reporting.slides import parts
from madeby.reporting.slides.layout import LEFT, RIGHT, WHOLE, Box, Deck, tell
from madeby.reporting.slides.native import table
from madeby.reporting.slides.single import results
from madeby.reporting.words import ABSENT, NAMES, capital, count, interval, listed, number

SHOWN = ("accuracy", "auroc", "tpr_at_fpr_1", "ece")
MOST_SLIDES = 14
MOST_RUNS = 6
"""Runs whose own slides fit beside the comparison."""


def tell_several(deck: Deck, runs: Sequence[RunMaterial], cover_lines: list[str]) -> None:
    """All slides of several runs, at most 14: the more runs, the fewer slides each."""
    names = listed([run.name for run in runs], 3)
    deck.cover(f"{names} side by side", cover_lines)
    parts.problem(deck)
    pairs = judge_pairs(runs)
    _figures(deck, runs, pairs)
    _curves(deck, runs, pairs)
    left = (MOST_SLIDES - 6) // min(len(runs), MOST_RUNS)
    for run in runs[:MOST_RUNS]:
        if left > 3:
            parts.audit(deck, run, f"{run.name}: ")
        if left > 2:
            parts.training(deck, run, f"{run.name}: ")
        if run.main is not None:
            results(deck, run, run.main, result_charts(run.main), f"{run.name}: ")
            if left > 1:
                parts.errors(deck, run, galleries(run.main, parts.ACROSS))
        elif left <= 2:
            parts.data(deck, run)
    parts.conclusions(deck, runs, pairs if len(runs) < 4 else ())
    parts.future(deck, runs)


def _figures(deck: Deck, runs: Sequence[RunMaterial], pairs: Sequence[Judgement]) -> None:
    clear = [one for one in pairs if one.tone == "good"]
    title = "The figures side by side"
    if len(pairs) == 1:
        different = "different pictures" in pairs[0].text
        title = (
            "Measured on different pictures, the figures do not say which is better"
            if different
            else (
                "One is better on the same pictures"
                if clear
                else "The two cannot be told apart"
                if "cannot be told apart" in pairs[0].text
                else "The figures side by side"
            )
        )
    slide = deck.slide(title)
    rows = [["figure", *(run.name for run in runs)]]
    rows.append(["pictures", *(_measured(run) for run in runs)])
    for name in SHOWN:
        rows.append([capital(NAMES[name]), *(_cell(run, name) for run in runs)])
    rows.append(["parameters", *(count(run.spec.parameters) if run.spec else ABSENT for run in runs)])
    table(slide, rows, Box(WHOLE.left, WHOLE.top, WHOLE.width, 3.4), widths=(1.6, *[2.2] * len(runs)), size=15)
    tell(slide, pairs, Box(WHOLE.left, WHOLE.top + 3.65, WHOLE.width, 1.45), 16)


def _curves(deck: Deck, runs: Sequence[RunMaterial], pairs: Sequence[Judgement]) -> None:
    charts = comparison_charts(runs)
    if not charts:
        return
    ranked = [run for run in runs if run.main and run.main.metrics.auroc is not None]
    best = max(ranked, key=lambda run: run.main.metrics.auroc or 0.0 if run.main else 0.0, default=None)
    title = "The curves of all runs"
    if len({run.main.pictures for run in ranked if run.main}) > 1:
        title = "The curves stand for different pictures: each tells of its own set"
    elif best and best.main and len(ranked) > 1:
        title = f"The highest AUROC, {best.main.metrics.auroc or 0:.3f}, is that of {best.name} on {best.main.data}"
    slide = deck.slide(title)
    for one, box in zip(charts, (LEFT, RIGHT), strict=False):
        parts.show(slide, one, Box(box.left, box.top, 5.9, box.height))


def _measured(run: RunMaterial) -> str:
    return f"{count(run.main.metrics.n)} of {run.main.title}" if run.main else "not evaluated"


def _cell(run: RunMaterial, name: str) -> str:
    if run.main is None:
        return ABSENT
    ends = interval(name, run.main.metrics.intervals.get(name))
    return number(name, getattr(run.main.metrics, name)) + (f"  ({ends})" if ends else "")
