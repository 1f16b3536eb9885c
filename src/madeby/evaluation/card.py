"""Puts an evaluation's figures into a bundle's card and ``metrics.json``: the only way figures get there."""

from __future__ import annotations

import json
from pathlib import Path

from madeby.datasets.atomic import written_atomically
from madeby.detector.bundle import CARD_FILE, METRICS_FILE, Bundle
from madeby.errors import BundleError
from madeby.evaluation.metrics import Figures, Metrics

BEGIN, END = "<!-- measured {name} -->", "<!-- end of {name} -->"


def record_in_card(bundle: Bundle, metrics: Metrics, name: str, command: str) -> None:
    """Write the section ``name`` of the card, replacing an earlier one, and the same figures into ``metrics.json``.

    Args:
        bundle: the bundle that was evaluated.
        metrics: what it reached.
        name: what the data is called, such as ``wild val``.
        command: how to repeat the evaluation.

    Raises:
        BundleError: the bundle's ``metrics.json`` cannot be read.
    """
    _into_metrics(bundle.folder / METRICS_FILE, metrics, name)
    begin, end = BEGIN.format(name=name), END.format(name=name)
    section = f"{begin}\n{_section(metrics, name, command)}{end}\n"
    card = bundle.card
    before, found, rest = card.partition(begin)
    text = before + section + rest.partition(end)[2].removeprefix("\n") if found else f"{card.rstrip()}\n\n{section}"
    with written_atomically(bundle.folder / CARD_FILE) as path:
        path.write_text(text, encoding="utf-8")


def _into_metrics(path: Path, metrics: Metrics, name: str) -> None:
    try:
        known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except json.JSONDecodeError as error:
        raise BundleError(f"{path} is not valid JSON ({error}); delete it and evaluate again") from None
    known[name] = metrics.model_dump(mode="json")
    with written_atomically(path) as temporary:
        temporary.write_text(json.dumps(known, indent=2) + "\n", encoding="utf-8")


def _section(metrics: Metrics, name: str, command: str) -> str:
    rows: list[tuple[str, Figures]] = [("all", metrics)]
    if metrics.without_repeats is not None:
        rows.append((f"without the {metrics.repeats:,} that stand in train or val too", metrics.without_repeats))
    for column in ("collection", "generator"):
        rows += [(f"{column}: {value}", figures) for value, figures in metrics.by.get(column, {}).items()]
    beside = any(figures.beside for _, figures in rows)
    lines = [
        f"## Measured on {name}",
        "",
        f"`{command}` ({metrics.n:,} pictures, split {metrics.split}, 95% intervals by bootstrap"
        f"{', each read with its mirror image' * metrics.flips}"
        f"{f', changed by {metrics.degradation}' if metrics.degradation else ''})",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        "|---" * len(_COLUMNS) + "|",
        *(_row(title, figures) for title, figures in rows),
        "",
    ]
    chance = [title for title, figures in rows if _no_better_than_chance(figures)]
    if chance:
        named = "; ".join(chance)
        lines += [f"**Not shown to be better than chance here** (the interval of the AUROC reaches 0.5): {named}.", ""]
    if beside:
        lines += ["A generator's row puts all human pictures beside the generator's own.", ""]
    return "\n".join(lines)


_COLUMNS = (
    "pictures",
    "human",
    "ai",
    "AUROC",
    "accuracy",
    "ECE",
    "ai found at 1% false alarms",
    "human called ai",
    "ai called ai",
    "uncertain",
)


def _no_better_than_chance(figures: Figures) -> bool:
    interval = figures.intervals["auroc"]
    return interval is not None and interval[0] <= 0.5


def _row(title: str, figures: Figures) -> str:
    abstention, coverage = figures.abstention, figures.abstention.coverage
    cells = (
        title.replace("|", "\\|"),
        f"{figures.n_human:,}",
        f"{figures.n_ai:,}",
        _with_interval(figures, "auroc", "{:.3f}"),
        _with_interval(figures, "accuracy", "{:.2%}"),
        _with_interval(figures, "ece", "{:.2%}"),
        _with_interval(figures, "tpr_at_fpr_1", "{:.1%}"),
        _share(abstention.false_alarm_rate),
        _share(abstention.detection_rate),
        _share(None if coverage is None else 1 - coverage),
    )
    return f"| {' | '.join(cells)} |"


def _with_interval(figures: Figures, name: str, form: str) -> str:
    value, interval = getattr(figures, name), figures.intervals[name]
    if value is None:
        return "–"
    spread = f" ({form.format(interval[0])} to {form.format(interval[1])})" if interval else ""
    return form.format(value) + spread


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"
