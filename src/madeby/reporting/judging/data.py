"""What the data can and cannot teach."""

from __future__ import annotations

from pathlib import Path

from madeby.datasets.audit.findings import Audit, Severity
from madeby.reporting.judging.judgement import Judgement, Tone
from madeby.reporting.material import Measured, Placed, RunMaterial
from madeby.reporting.words import capital, count

TONES: dict[Severity, Tone] = {
    Severity.FINE: "good",
    Severity.NOTE: "plain",
    Severity.WARNING: "bad",
    Severity.SERIOUS: "bad",
}


def judge_data(run: RunMaterial) -> list[Judgement]:
    """Counts and balance."""
    told = []
    for split, counts in run.counts.items():
        human, ai = counts.get("human", 0), counts.get("ai", 0)
        if human and ai:
            ratio = max(human, ai) / min(human, ai)
            uneven = f": {ratio:.1f} times as many {'human' if human > ai else 'AI'} ones" if ratio >= 1.5 else ""
            told.append(Judgement(f"{capital(split)}: {count(human)} human and {count(ai)} AI pictures{uneven}."))
    return told


def judge_audit(placed: Placed[Audit], run: RunMaterial) -> list[Judgement]:
    """The audit's own lines, gravest first, and whether it is about this run's data at all."""
    audit = placed.record
    told = []
    name = Path(audit.manifest).name
    if run.data is None or run.data.name != name:
        of = run.data.name if run.data else "unknown data"
        told.append(
            Judgement(
                f"The audit is of {name}, the run learnt from {of}: it applies as far as they share pictures.", "open"
            )
        )
    told += [Judgement(f"{capital(one.line)}.", TONES[one.severity]) for one in audit.findings]
    return told


def generators(measured: Measured) -> list[str]:
    """The generators that an evaluation's AI pictures come from; empty unless every one of them names its own."""
    named = measured.metrics.by.get("generator", {})
    return sorted(named) if sum(one.n_ai for one in named.values()) == measured.metrics.n_ai else []
