"""What every provenance finding is worth: the table of strengths.

Readers name a finding; this table, and nothing else, says what it points to and how strongly. The principles:
only a trusted signature is conclusive; what anyone can write is at most strong, and strong only towards ``ai``;
broken, foreign or missing data is evidence of nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from madeby.schema import Label, Signal, Strength


@dataclass(frozen=True)
class Weight:
    """What one finding points to, how strongly, and why, in words for the documentation."""

    points_to: Label | None
    strength: Strength
    why: str


_AI, _HUMAN = Label.AI, Label.HUMAN
_CONCLUSIVE, _STRONG, _WEAK, _NONE = Strength.CONCLUSIVE, Strength.STRONG, Strength.WEAK, Strength.NONE

EVIDENCE: dict[str, dict[str, Weight]] = {
    "c2pa": {
        "trusted, generated": Weight(_AI, _CONCLUSIVE, "a trusted signer declares a trained model's work"),
        "trusted, composite": Weight(_AI, _CONCLUSIVE, "a trusted signer declares parts made by a trained model"),
        "trusted, synthetic": Weight(_AI, _STRONG, "a trusted signer declares synthetic parts of some kind"),
        "trusted, captured": Weight(_HUMAN, _CONCLUSIVE, "a trusted signer declares a camera's work"),
        "trusted, created": Weight(_HUMAN, _WEAK, "a trusted signer declares a person's work, which it cannot see"),
        "trusted, other": Weight(None, _NONE, "trusted, but silent about who made the picture"),
        "untrusted, generated": Weight(_AI, _STRONG, "intact, but signed by nobody the trust list knows"),
        "untrusted, composite": Weight(_AI, _STRONG, "intact, but signed by nobody the trust list knows"),
        "untrusted, synthetic": Weight(_AI, _WEAK, "intact, untrusted, and vague"),
        "untrusted, captured": Weight(_HUMAN, _WEAK, "anyone can sign as a camera; never clears a picture"),
        "untrusted, created": Weight(_HUMAN, _WEAK, "anyone can sign as a person; never clears a picture"),
        "untrusted, other": Weight(None, _NONE, "silent about who made the picture"),
        "tampered": Weight(None, _NONE, "the picture or the manifest changed after signing"),
        "invalid": Weight(None, _NONE, "the manifest breaks the standard's rules"),
        "unreadable": Weight(None, _NONE, "a manifest is there but cannot be parsed"),
        "remote": Weight(None, _NONE, "the manifest lies on a server and was not fetched"),
        "removed": Weight(None, _NONE, "XMP points to a manifest that the file no longer holds"),
        "absent": Weight(None, _NONE, "no manifest; says nothing"),
    },
    "iptc": {
        "generated": Weight(_AI, _STRONG, "unsigned metadata declares a trained model's work"),
        "composite": Weight(_AI, _STRONG, "unsigned metadata declares parts made by a trained model"),
        "labelled": Weight(_AI, _STRONG, "a label that law or a service puts on AI pictures (TC260 AIGC, credit)"),
        "synthetic": Weight(_AI, _WEAK, "unsigned metadata declares synthetic parts of some kind"),
        "captured": Weight(_HUMAN, _WEAK, "unsigned metadata declares a camera's work; never clears a picture"),
        "created": Weight(_HUMAN, _WEAK, "unsigned metadata declares a person's work; never clears a picture"),
        "other": Weight(None, _NONE, "metadata that does not say who made the picture"),
        "unreadable": Weight(None, _NONE, "metadata is there but is malformed or hostile"),
        "absent": Weight(None, _NONE, "no such metadata; says nothing"),
    },
    "generator": {
        "parameters": Weight(_AI, _STRONG, "a generator's own parameters; text that anyone could add"),
        "named": Weight(_AI, _STRONG, "a generator or AI service is named as the maker"),
        "processing": Weight(_AI, _WEAK, "a generator's workflow without a sampling step, as for upscaling"),
        "unreadable": Weight(None, _NONE, "generator text is there but is malformed"),
        "absent": Weight(None, _NONE, "no generator metadata; says nothing"),
    },
    "camera": {
        "consistent": Weight(_HUMAN, _WEAK, "camera metadata without contradictions; easily copied"),
        "contradictory": Weight(None, _NONE, "camera metadata that does not fit the picture or itself"),
        "partial": Weight(None, _NONE, "no camera named, or no exposure recorded"),
        "unreadable": Weight(None, _NONE, "an EXIF block is there but is malformed"),
        "absent": Weight(None, _NONE, "no camera metadata; says nothing"),
    },
    "watermark": {
        "found": Weight(_AI, _STRONG, "a known generator's open watermark; its message is public"),
        "absent": Weight(None, _NONE, "no known watermark; most pictures have lost theirs"),
        "not examined": Weight(None, _NONE, "too small to carry one, or no pixels at hand"),
    },
    "container": {
        "clean": Weight(None, _NONE, "the file ends where the picture ends"),
        "trailing": Weight(None, _NONE, "bytes after the picture's end, ignored as evidence"),
        "appended": Weight(None, _NONE, "a known companion after the picture's end (film clip, second picture)"),
        "damaged": Weight(None, _NONE, "the file's structure is broken; read up to the break"),
    },
}


def signal(name: str, finding: str, reason: str, **detail: Any) -> Signal:
    """A signal whose weight is looked up in :data:`EVIDENCE`; its ``detail`` starts with the state.

    The state is the finding without what is declared: ``"trusted, generated"`` has the state ``trusted``.
    """
    weight = EVIDENCE[name][finding]
    state = finding.partition(",")[0]
    kept = {key: _clean(value) for key, value in detail.items() if value not in (None, "", [], {}, ())}
    return Signal(
        name=name,
        points_to=weight.points_to,
        strength=weight.strength,
        reason=_clean_text(reason),
        detail={"state": state, **kept},
    )


def _clean(value: Any) -> Any:
    """A value of a file's own making, fit for JSON and for a terminal."""
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return [_clean(part) for part in value] if isinstance(value, list | tuple) else value


def _clean_text(text: str) -> str:
    """Text without control characters (which move a terminal's cursor) and without halves of characters."""
    if text.isprintable():  # which halves of characters are not
        return text
    whole = text.encode("utf-8", "replace").decode("utf-8")
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in whole)
