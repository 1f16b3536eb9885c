"""Numbers as people read them."""

from __future__ import annotations

from collections.abc import Sequence

from madeby.evaluation.metrics import Figures

NAMES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "auroc": "AUROC",
    "average_precision": "average precision",
    "tpr_at_fpr_1": "AI found at 1% false alarms",
    "tpr_at_fpr_5": "AI found at 5% false alarms",
    "precision_ai": "precision of ai",
    "recall_ai": "recall of ai",
    "f1_ai": "F1 of ai",
    "precision_macro": "precision, mean of both",
    "recall_macro": "recall, mean of both",
    "f1_macro": "F1, mean of both",
    "ece": "calibration error (ECE)",
    "brier": "Brier score",
    "nll": "cross-entropy, nats",
}
SHARES = {name for name in NAMES if name not in {"auroc", "average_precision", "ece", "brier", "nll"}}
"""Figures that are read as percentages; the others as numbers of four decimals."""

LOWER_IS_BETTER = {"ece", "brier", "nll"}
ABSENT = "–"


def number(name: str, value: float | None) -> str:
    """A figure as tables show it."""
    if value is None:
        return ABSENT
    return percent(value) if name in SHARES else f"{value:.4f}"


def setting(value: object) -> str:
    """A value of a recipe's field as tables show it, to four significant digits."""
    if value is None:
        return ABSENT
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def interval(name: str, ends: tuple[float, float] | None) -> str:
    """The 95% interval of a figure."""
    return "" if ends is None else f"{number(name, ends[0])} to {number(name, ends[1])}"


def with_interval(figures: Figures, name: str) -> str:
    """``91.0% (90.4% to 91.5%)``."""
    ends = figures.intervals.get(name)
    spread = f" ({interval(name, ends)})" if ends else ""
    return number(name, getattr(figures, name)) + spread


def percent(share: float) -> str:
    """A share with as many decimals as it deserves near 0 and 1."""
    edge = min(abs(share), abs(1 - share))
    if 0 < edge < 0.0001:  # never 100% where something is missing, nor 0% of something
        return f"{share:.4%}"
    return f"{share:.2%}" if 0 < edge < 0.02 else f"{share:.1%}"


def count(value: int) -> str:
    """With thousands' separators."""
    return f"{value:,}"


def listed(words: Sequence[str], most: int = 6) -> str:
    """``a, b and c``, or the first and how many more."""
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def capital(text: str) -> str:
    """With a capital first letter, the rest untouched."""
    return text[:1].upper() + text[1:]


def lower(text: str) -> str:
    """With a small first letter, but for abbreviations."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def duration(seconds: float) -> str:
    """``4 min 44 s``, ``2 h 10 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
