"""What a benchmark's figures mean, and what they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from madeby.evaluation.benchmarking.record import UNCHANGED, Benchmark, DataInfo, Figure, Row
from madeby.reporting.judging.judgement import Judgement, Tone
from madeby.reporting.words import listed, percent

LEAST = 20
"""Pictures of a label below which a set is not judged."""

MOST_FALSE_ALARMS = 0.05
TOLD_DROP = 0.02
"""AUROC below which a drop is not worth a sentence."""


def judge_data_set(found: Benchmark, data: DataInfo) -> list[Judgement]:
    """What can be said of one data set, most important first."""
    rows = [row for row in found.rows if row.data == data.name]
    if data.human < LEAST or data.ai < LEAST:
        few = f"{data.human} human and {data.ai} AI pictures are too few to judge by."
        return [Judgement(few, "open")]
    real = [one.name for one in found.detectors if one.kind != "baseline"]
    unchanged = [row for row in rows if row.degradation == UNCHANGED]
    return [
        *_about_chance(unchanged, real),
        *_about_baselines(found, unchanged, real),
        *_about_false_alarms(unchanged, real),
        *_about_drops(rows, real),
    ]


def judge_failures(found: Benchmark) -> list[Judgement]:
    """Who could not answer, and why."""
    told = []
    for one in found.failures:
        when = "" if one.degradation is None else f" on pictures {after(one.degradation)}"
        told.append(Judgement(f"{one.detector} did not answer{when}: {one.reason}.", "open"))
    return told


def after(degradation: str) -> str:
    """A degradation in a sentence."""
    return f"after {degradation}" if degradation else "as they are"


def _about_chance(rows: Sequence[Row], real: Sequence[str]) -> Iterator[Judgement]:
    judged = [row for row in rows if row.detector in real and row.scope != "generator" and _is_judged(row)]
    for name in real:
        own = [row for row in judged if row.detector == name and row.auroc and row.auroc.low is not None]
        if not own:
            if judged or any(row.detector == name for row in rows):
                yield Judgement(
                    f"{name}: whether it does better than guessing cannot be told without intervals.", "open"
                )
            continue
        better = [row for row in own if row.auroc and row.auroc.low is not None and row.auroc.low > 0.5]
        reverse = [row for row in own if row.auroc and row.auroc.high is not None and row.auroc.high < 0.5]
        guessing = [row for row in own if row not in better and row not in reverse]
        parts = [
            f"{words} on {_sets(part, own)}{_span(part)}"
            for words, part in (
                ("does better than guessing", better),
                ("cannot be told from guessing", guessing),
                ("takes AI pictures for more human than human ones", reverse),
            )
            if part
        ]
        yield Judgement(f"{name} {'; it '.join(parts)}.", "good" if len(better) == len(own) else _tone(better))


def _tone(better: Sequence[Row]) -> Tone:
    return "plain" if better else "bad"


def _sets(part: Sequence[Row], own: Sequence[Row]) -> str:
    if len(part) == len(own) and len(own) > 1:
        return "both sets" if len(own) == 2 else f"all {len(own)} sets"
    return listed([_called(row) for row in part], 3)


def _span(part: Sequence[Row]) -> str:
    low, high = (pick(map(_auroc, part)) for pick in (min, max))
    return f" (AUROC {low:.2f})" if f"{low:.2f}" == f"{high:.2f}" else f" (AUROC {low:.2f} to {high:.2f})"


def _about_baselines(found: Benchmark, rows: Sequence[Row], real: Sequence[str]) -> Iterator[Judgement]:
    whole = {row.detector: row for row in rows if row.n_human and row.n_ai and row.scope != "generator"
             and row.n_human + row.n_ai == max(one.n_human + one.n_ai for one in rows)}  # fmt: skip
    for baseline in (one.name for one in found.detectors if one.kind == "baseline"):
        row = whole.get(baseline)
        if row is None or row.auroc is None or row.auroc.low is None or row.auroc.low <= 0.5:
            continue
        matched = [name for name in real if name in whole and _auroc(whole[name]) <= _auroc(row)]
        means = f"{baseline.capitalize()} alone, with no look at how a picture was made, reach" + "es" * (
            baseline == "content"
        )
        if matched:
            yield Judgement(
                f"{means} AUROC {_auroc(row):.2f} here, at least as much as {listed(matched)}: a detector may have "
                "learnt no more than that.",
                "bad",
            )
        else:
            yield Judgement(f"{means} AUROC {_auroc(row):.2f} here: figures near it are no detection.", "plain")


def _about_false_alarms(rows: Sequence[Row], real: Sequence[str]) -> Iterator[Judgement]:
    judged = [row for row in rows if row.scope == "collection" and row.n_human >= LEAST and row.real_accuracy]
    for name in real:
        own = [row for row in judged if row.detector == name]
        if not own:
            continue
        worst = min(own, key=lambda row: row.real_accuracy.value if row.real_accuracy else 1.0)
        assert worst.real_accuracy is not None
        alarms = percent(1 - worst.real_accuracy.value)
        where = f"of the {worst.n_human:,} human pictures of {worst.value}"
        ends = worst.real_accuracy
        spread = (
            f" ({percent(1 - (ends.high or 0))} to {percent(1 - (ends.low or 0))})" if ends.high is not None else ""
        )
        if 1 - (ends.high or 0) > MOST_FALSE_ALARMS:
            yield Judgement(f"{name} calls {alarms}{spread} {where} ai.", "bad")
        else:
            among = f", its most among {len(own)} collections" if len(own) > 1 else ""
            yield Judgement(f"{name} calls {alarms}{spread} {where} ai{among}.", "plain")


def _about_drops(rows: Sequence[Row], real: Sequence[str]) -> Iterator[Judgement]:
    for name in real:
        whole = [row for row in rows if row.detector == name and row.scope != "generator" and row.auroc_drop]
        most = max((row.n_human + row.n_ai for row in whole), default=0)
        drops = [(row.auroc_drop, row) for row in whole if row.n_human + row.n_ai == most and row.auroc_drop]
        sure = [(drop, row) for drop, row in drops if drop.low is not None and drop.low > 0 and drop.value > TOLD_DROP]
        if not drops:
            continue
        if sure:
            told = sorted(sure, key=lambda pair: -pair[0].value)
            costs = [f"{row.degradation} ({_points(drop)})" for drop, row in told]
            yield Judgement(f"{name} loses AUROC to {listed(costs, 4)}.", "bad")
        else:
            tried = listed([row.degradation for _, row in drops], 5)
            yield Judgement(f"{name} loses nothing that could be told from chance to {tried}.", "plain")


def _points(drop: Figure) -> str:
    spread = (
        f", {100 * drop.low:.1f} to {100 * drop.high:.1f}" if drop.low is not None and drop.high is not None else ""
    )
    return f"{100 * drop.value:.1f} points{spread}"


def _auroc(row: Row) -> float:
    return row.auroc.value if row.auroc else 0.0


def _is_judged(row: Row) -> bool:
    """Whether a set has enough pictures of each label that it has."""
    return all(n >= LEAST for n in (row.n_human, row.n_ai) if n)


def _called(row: Row) -> str:
    return "all pictures" if row.scope == "all" else row.value
