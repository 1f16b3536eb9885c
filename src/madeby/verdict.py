"""From signals to a verdict: the fusion policy, as data.

:data:`POLICY` is the whole policy: a table read from the top, the first matching row decides. What each
provenance finding is worth stands in :data:`madeby.provenance.evidence.EVIDENCE`. Both tables are printed in
``docs/provenance.md`` and a test holds them equal. :func:`decide` only looks the row up, words the reason and
names the conflicts.

The principles behind the rows: a trusted signature decides; what anyone can write (unsigned metadata,
untrusted signatures, open watermarks) decides only towards ``ai``, because few gain from calling a photograph
AI-made; nothing unsigned clears a picture; the absence of provenance is evidence of nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from madeby.detector.bundle import Thresholds
from madeby.schema import Label, Signal, Strength, Verdict

DETECTOR = "detector"
"""Name of the pixel detector's own signal; all others are provenance."""

MARKS = frozenset({"c2pa", "iptc", "generator"})
"""Signals that read what others wrote about a picture; one that is there may still not say who made it."""

ALARMS = frozenset({"invalid", "tampered", "unreadable", "trailing", "damaged"})
"""States of a provenance signal that are evidence of nothing but that the reader of the verdict should know."""


class Provenance(StrEnum):
    """What the provenance signals amount to together."""

    CONTRADICTORY = "contradictory"  # trusted signatures for a capture beside conclusive or strong AI evidence
    CONCLUSIVE_AI = "conclusive ai"
    CONCLUSIVE_HUMAN = "conclusive human"
    STRONG_AI = "strong ai"
    WEAK_AI = "weak ai"
    CAMERA_ONLY = "unsigned human"  # untrusted signatures or metadata that speak for a camera or a person
    NONE = "none"


class Pixels(StrEnum):
    """What the pixel detector amounts to."""

    AI = "ai"
    HUMAN = "human"
    BETWEEN = "between"
    OUTSIDE = "outside"  # the picture lies outside what the bundle was validated on
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Rule:
    """One row of the policy; ``None`` matches anything.

    ``reason`` is filled with ``{provenance}`` (the strongest signal's own reason), ``{pixels}`` (the detector's
    side in words) and ``{context}`` (what the provenance leaves open).
    """

    provenance: Provenance | None
    pixels: Pixels | None
    verdict: Verdict
    reason: str


POLICY: tuple[Rule, ...] = (
    Rule(Provenance.CONTRADICTORY, None, Verdict.UNCERTAIN, "the provenance contradicts itself: {provenance}"),
    Rule(Provenance.CONCLUSIVE_AI, None, Verdict.AI, "{provenance}"),
    Rule(Provenance.CONCLUSIVE_HUMAN, None, Verdict.HUMAN, "{provenance}"),
    Rule(Provenance.STRONG_AI, None, Verdict.AI, "{provenance}; strong evidence, though it could be forged"),
    Rule(None, Pixels.OUTSIDE, Verdict.UNCERTAIN, "{pixels}; {context}"),
    Rule(None, Pixels.AI, Verdict.AI, "{pixels}; {context}"),
    Rule(Provenance.WEAK_AI, Pixels.HUMAN, Verdict.UNCERTAIN, "{pixels}, but {provenance}"),
    Rule(None, Pixels.HUMAN, Verdict.HUMAN, "{pixels}; {context}"),
    Rule(None, Pixels.BETWEEN, Verdict.UNCERTAIN, "{pixels}; {context}"),
    Rule(None, Pixels.NOT_RUN, Verdict.UNCERTAIN, "the pixels were not examined; {context}"),
)

CONFLICTS: tuple[tuple[Strength, Strength, str], ...] = (
    # (human side at least, AI side at least, what to make of it); the first matching row words the conflict
    (Strength.CONCLUSIVE, Strength.STRONG, "a trusted signature and AI marks cannot both be right"),
    (Strength.CONCLUSIVE, Strength.WEAK, "the trusted signature counts for more"),
    (Strength.WEAK, Strength.CONCLUSIVE, "the trusted signature counts for more"),
    (Strength.WEAK, Strength.WEAK, "unsigned marks can be copied onto any picture and clear none"),
)

PIXEL_CONFLICTS: dict[tuple[Provenance, Pixels], str] = {
    (Provenance.CONCLUSIVE_AI, Pixels.HUMAN): "the pixels alone look like a photograph",
    (
        Provenance.STRONG_AI,
        Pixels.HUMAN,
    ): "the pixels alone look like a photograph; the AI mark may be forged",
    (Provenance.CONCLUSIVE_HUMAN, Pixels.AI): "the pixels alone look AI-made; the signed camera may have "
    "photographed a screen or print",
    (
        Provenance.CAMERA_ONLY,
        Pixels.AI,
    ): "the pixels look AI-made; unsigned marks can be copied onto any picture",
    (Provenance.WEAK_AI, Pixels.HUMAN): "the pixels look like a photograph",
}


@dataclass(frozen=True)
class Decision:
    """A verdict, its reason in one plain sentence, and what else the reader should know."""

    verdict: Verdict
    reason: str
    warnings: tuple[str, ...] = ()


def decide(
    signals: Sequence[Signal],
    probability: float | None = None,
    thresholds: Thresholds | None = None,
    out_of_domain: Sequence[str] = (),
) -> Decision:
    """Weigh all signals about one picture.

    Args:
        signals: everything found; the detector's own signal, if among them, is named ``detector`` and counts
            through ``probability`` only.
        probability: the detector's calibrated P(ai), 0..1; ``None`` where no detector ran.
        thresholds: where the verdict leaves ``uncertain``, from the bundle; without them the pixels never decide.
        out_of_domain: why the picture lies outside what the bundle was validated on, if it does; each a short
            clause such as ``"shorter side of 31 pixels"``.

    Returns:
        The verdict with its reason and named conflicts.
    """
    readings = [signal for signal in signals if signal.name != DETECTOR]
    provenance, speaker = _provenance_of(readings)
    pixels = _pixels_of(probability, thresholds, out_of_domain)
    rule = next(rule for rule in POLICY if rule.provenance in (None, provenance) and rule.pixels in (None, pixels))
    reason = rule.reason.format(
        provenance=_clause(speaker),
        pixels=_pixel_clause(pixels, probability, thresholds, out_of_domain),
        context=_context(readings, provenance, speaker),
    )
    return Decision(rule.verdict, reason, (*_conflicts(readings, provenance, pixels), *_alarms(readings)))


def _provenance_of(readings: Sequence[Signal]) -> tuple[Provenance, Signal | None]:
    """What the readings amount to, and the signal that says so best."""
    ai, human = _strongest(readings, Label.AI), _strongest(readings, Label.HUMAN)
    ai_strength = ai.strength if ai else Strength.NONE
    if human and human.strength is Strength.CONCLUSIVE:
        if ai and _at_least(ai_strength, Strength.STRONG):
            both = f"{_clause(human)}, but {_clause(ai)}"
            return Provenance.CONTRADICTORY, ai.model_copy(update={"reason": both})
        return Provenance.CONCLUSIVE_HUMAN, human
    for strength, provenance in (
        (Strength.CONCLUSIVE, Provenance.CONCLUSIVE_AI),
        (Strength.STRONG, Provenance.STRONG_AI),
        (Strength.WEAK, Provenance.WEAK_AI),
    ):
        if ai_strength is strength:
            return provenance, ai
    return (Provenance.CAMERA_ONLY, human) if human else (Provenance.NONE, None)


def _pixels_of(probability: float | None, thresholds: Thresholds | None, out_of_domain: Sequence[str]) -> Pixels:
    if probability is None:
        return Pixels.NOT_RUN
    if out_of_domain:
        return Pixels.OUTSIDE
    if thresholds is None:
        return Pixels.BETWEEN
    if probability >= thresholds.ai:
        return Pixels.AI
    return Pixels.HUMAN if probability <= thresholds.human else Pixels.BETWEEN


def _pixel_clause(
    pixels: Pixels, probability: float | None, thresholds: Thresholds | None, out_of_domain: Sequence[str]
) -> str:
    if probability is None:
        return "the pixels were not examined"
    if pixels is Pixels.OUTSIDE:
        return f"the picture lies outside what the detector was validated on ({', '.join(out_of_domain)})"
    if thresholds is None:
        return "the detector comes without thresholds, so its probability decides nothing"
    if pixels is Pixels.AI:
        distance = "well above" if _logit(probability) - _logit(thresholds.ai) >= 1.0 else "above"
        reached = f"{100 * thresholds.false_alarm_target:.3g}% of photographs reach"
        return f"pixel evidence {distance} the threshold that {reached}"
    if pixels is Pixels.HUMAN:
        distance = "well below" if _logit(thresholds.human) - _logit(probability) >= 1.0 else "below"
        stayed_under = f"{100 * thresholds.miss_target:.3g}% of AI pictures stay under"
        return f"pixel evidence {distance} the threshold that {stayed_under}"
    return "pixel evidence between the thresholds for AI and for human"


def _context(readings: Sequence[Signal], provenance: Provenance, speaker: Signal | None) -> str:
    """What the provenance leaves open where the pixels decide."""
    if not readings:
        return "provenance was not read"
    if provenance is Provenance.CAMERA_ONLY:
        return f"{_clause(speaker)}, which is unsigned or untrusted and clears nothing"
    if provenance is Provenance.WEAK_AI:
        return f"{_clause(speaker)}, which is weak evidence"
    if any(signal.name in MARKS and signal.detail.get("state") not in (None, "absent") for signal in readings):
        return "no provenance that says who made it"
    return "no provenance"


def _conflicts(readings: Sequence[Signal], provenance: Provenance, pixels: Pixels) -> list[str]:
    named = []
    ai, human = _strongest(readings, Label.AI), _strongest(readings, Label.HUMAN)
    if ai and human:
        meaning = next(
            text
            for least_human, least_ai, text in CONFLICTS
            if _at_least(human.strength, least_human) and _at_least(ai.strength, least_ai)
        )
        named.append(f"conflict: {_clause(human)}, but {_clause(ai)}; {meaning}")
    speaker = human if provenance in (Provenance.CONCLUSIVE_HUMAN, Provenance.CAMERA_ONLY) else ai
    if meaning := PIXEL_CONFLICTS.get((provenance, pixels), ""):
        named.append(f"conflict: {_clause(speaker)}, but {meaning}")
    return named


def _alarms(readings: Sequence[Signal]) -> list[str]:
    return [f"{signal.name}: {_clause(signal)}" for signal in readings if signal.detail.get("state") in ALARMS]


def _strongest(readings: Sequence[Signal], label: Label) -> Signal | None:
    speaking = [s for s in readings if s.points_to is label and s.strength is not Strength.NONE]
    return min(speaking, key=lambda signal: _rank(signal.strength), default=None)


def _at_least(strength: Strength, least: Strength) -> bool:
    return _rank(strength) <= _rank(least)


def _rank(strength: Strength) -> int:
    return list(Strength).index(strength)


def _clause(signal: Signal | None) -> str:
    if signal is None:
        return "no provenance"
    return signal.reason or f"{signal.name} evidence"


def _logit(probability: float) -> float:
    bounded = min(max(probability, 1e-9), 1 - 1e-9)
    return math.log(bounded / (1 - bounded))
