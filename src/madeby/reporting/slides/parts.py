"""The slides that one run and several have in common."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

from madeby.plots.style import LIGHT
from madeby.reporting.charts import Chart
from madeby.reporting.gallery import Gallery, Shown
from madeby.reporting.judging.conclusions import learnt, limits, next_steps
from madeby.reporting.judging.data import generators, judge_audit, judge_data
from madeby.reporting.judging.judgement import Judgement
from madeby.reporting.judging.results import best_epoch
from madeby.reporting.judging.training import judge_training
from madeby.reporting.material import RunMaterial
from madeby.reporting.slides.layout import LEFT, RIGHT, TOP, WHOLE, Box, Deck, picture, tell, write
from madeby.reporting.slides.native import bars, lines, stacked
from madeby.reporting.words import capital, count, listed, lower, percent

MOST_FINDINGS = 5
ACROSS = 8
"""Pictures of a gallery beside each other."""


def problem(deck: Deck) -> None:
    """What the detector is asked, and why the answer is hard."""
    slide = deck.slide("Who made this picture: a person or a generative model?")
    write(
        slide,
        [
            "Generated pictures have become hard to tell from photographs by eye; readers, editors and platforms need "
            "a second opinion that says how sure it is.",
            "A detector reads traces of the making in the pixels and gives the probability that a picture is AI-made.",
            "It may say uncertain: calling a photograph fake does harm, so false alarms are held at a promised rate.",
            "Data sets mislead: sizes, formats and subjects often differ between the classes and give them away. What "
            "a detector has learnt shows only on pictures that differ in nothing but their making.",
        ],
        WHOLE,
        tones=["plain"] * 4,
    )


def data(deck: Deck, run: RunMaterial) -> None:
    """How many pictures there are and where they are from."""
    train, val = (run.counts.get(split, {}) for split in ("train", "val"))
    name = Path(run.data).stem if run.data else "unknown data"
    slide = deck.slide(
        f"{capital(run.name)} learnt from {count(sum(train.values()))} pictures of {name} and was chosen on "
        f"{count(sum(val.values()))} others"
    )
    rows = [(split, counts.get("human", 0), counts.get("ai", 0)) for split, counts in run.counts.items()]
    rows += [(one.title, one.metrics.n_human, one.metrics.n_ai) for one in run.evaluations[:3]]
    told = judge_data(run)
    told += [
        Judgement(
            f"Measured on {one.title}: {count(one.metrics.n_human)} human and {count(one.metrics.n_ai)} AI pictures."
        )
        for one in run.evaluations[:3]
    ]
    if run.main and (named := generators(run.main)):
        told.append(Judgement(f"AI pictures measured come from {listed(named, 4)}."))
    tell(slide, told, LEFT)
    if rows:
        names, human, ai = (list(column) for column in zip(*rows, strict=True))
        stacked(slide, names, human, ai, RIGHT, title="Pictures by split and class")


def audit(deck: Deck, run: RunMaterial, of: str = "") -> None:
    """What the audit found, or that there was none; ``of`` goes before titles where there are several runs."""
    if not run.audits:
        slide = deck.slide(f"{of}The data was not audited, so leaks and shortcuts are not known")
        write(
            slide,
            [
                "Pictures that stand in train and test alike, and file formats, sizes or subjects that differ between "
                "the classes, can make figures look better than they are.",
                "madeby data audit MANIFEST --json audit.json looks for both.",
            ],
            WHOLE,
            tones=["open", "plain"],
        )
        return
    told = judge_audit(run.audits[0], run)
    slide = deck.slide(of + _audit_title(told, bool(run.audits[0].record.leaks)))
    tests = [one for one in run.audits[0].record.shortcuts if one.auroc is not None]
    fine = [one for one in told if one.tone == "good"]
    grave = [one for one in told if one.tone != "good"][:MOST_FINDINGS]
    if fine:
        grave.append(Judgement(f"{len(fine)} other checks found nothing.", "good"))
    tell(slide, grave, LEFT if tests else WHOLE, 18)
    if tests:
        bars(
            slide,
            [f"{one.name} alone" for one in tests],
            [one.auroc or 0.0 for one in tests],
            Box(RIGHT.left, RIGHT.top, RIGHT.width, 3.9),
            title="AUROC without a look at traces of the making (0.5 is chance)",
            low=0.4,
            form="0.00",
        )


def training(deck: Deck, run: RunMaterial, of: str = "") -> None:
    """The curves, native."""
    best = best_epoch(run)
    if best is None:
        deck.slide(f"{of}No epoch of the training is recorded")
        return
    slide = deck.slide(
        f"{of}The best of {len(run.epochs)} epochs is epoch {best.epoch}, with {percent(best.val_accuracy)} of the "
        "validation pictures right"
    )
    tell(slide, judge_training(run), LEFT)
    lines(
        slide,
        [row.epoch for row in run.epochs],
        [
            ("training accuracy", [row.train_accuracy for row in run.epochs], LIGHT.muted),
            ("validation accuracy", [row.val_accuracy for row in run.epochs], LIGHT.accent),
            ("validation AUROC", [row.val_auroc for row in run.epochs], LIGHT.ai),
        ],
        RIGHT,
        title="Accuracy and AUROC by epoch",
    )


def errors(deck: Deck, run: RunMaterial, galleries: Sequence[Gallery]) -> None:
    """The surest mistakes."""
    shown = [gallery for gallery in galleries if gallery.shown]
    if not shown:
        return
    said = [f"{count(one.count)} {_who(one.label)} pictures taken for {one.taken_for}" for one in galleries]
    slide = deck.slide(f"The surest mistakes of {run.name}: {' and '.join(said)}")
    height = (WHOLE.height - 0.25) / 2
    for place, gallery in enumerate(shown):
        top = TOP + place * (height + 0.1)
        write(slide, [f"{capital(_who(gallery.label))} pictures taken for {gallery.taken_for}, with their P(ai)"],
              Box(WHOLE.left, top, WHOLE.width, 0.35), largest=15)  # fmt: skip
        side = WHOLE.width / ACROSS
        for column, one in enumerate(gallery.shown[:ACROSS]):
            left = WHOLE.left + column * side
            tile = min(side - 0.14, height - 0.85)
            picture(slide, enlarged(one), Box(left, top + 0.4, tile, tile), f"{gallery.label} picture {one.name}")
            write(slide, [f"{one.probability:.3f}"], Box(left, top + 0.43 + tile, tile, 0.25), largest=12)


def conclusions(deck: Deck, runs: Sequence[RunMaterial], told: Sequence[Judgement] = ()) -> None:
    """What was learnt."""
    title = "What was learnt" if len(runs) > 1 else f"What was learnt about {runs[0].name}"
    slide = deck.slide(title)
    each = learnt(runs[0]) if len(runs) == 1 else [one for run in runs for one in _foremost(run)]
    tell(slide, [*told, *each], WHOLE)


def _foremost(run: RunMaterial) -> list[Judgement]:
    """What must be said of a run beside others: its headline, and what is to be taken care of."""
    first, *others = learnt(run)
    return [
        replace(one, text=f"{run.name}: {one.text}") for one in (first, *[x for x in others if x.tone == "bad"][:3])
    ]


def future(deck: Deck, runs: Sequence[RunMaterial]) -> None:
    """Limits, and what would settle them."""
    slide = deck.slide("What the figures do not say, and what would settle it")
    tell(slide, list(dict.fromkeys(one for run in runs for one in limits(run))), LEFT, 17)
    right = Box(RIGHT.left + 0.2, RIGHT.top, RIGHT.width - 0.2, RIGHT.height)
    write(slide, ["Next steps"], Box(right.left, right.top, right.width, 0.4), largest=17)
    steps = list(dict.fromkeys(step for run in runs for step in next_steps(run)))
    below = Box(right.left, right.top + 0.5, right.width, right.height - 0.5)
    write(slide, steps, below, largest=17, tones=["plain"] * len(steps))


def enlarged(one: Shown) -> bytes:
    """A picture of few pixels, its pixels kept visible, since presentations smooth what they enlarge."""
    if not one.pixelated:
        return one.data
    with Image.open(io.BytesIO(one.data)) as small:
        factor = max(1, 256 // max(small.size))
        large = small.resize((small.width * factor, small.height * factor), Image.Resampling.NEAREST)
    out = io.BytesIO()
    large.save(out, "PNG", optimize=True)
    return out.getvalue()


def show(slide: Any, chart: Chart, box: Box) -> None:
    """A plot."""
    picture(slide, chart.light, box, chart.alt)


def _audit_title(told: Sequence[Judgement], leaks: bool) -> str:
    worst = next((one for one in told if one.tone == "bad"), None)
    if worst:
        return _headed(worst.text)
    noted = next((one for one in told if one.tone == "plain"), None)
    known = "Nothing grave was found" if leaks else "No leak was found"
    return (
        f"{known}, but {lower(_headed(noted.text))}"
        if noted
        else "The audit found nothing that would flatter the figures"
    )


def _headed(text: str) -> str:
    """A finding as a title: its first clause, without the full stop."""
    return text.partition(": ")[0].rstrip(".")


def _who(label: str) -> str:
    return "AI" if label == "ai" else "human"
