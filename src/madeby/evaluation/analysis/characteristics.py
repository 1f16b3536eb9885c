"""What pictures can have in common: ranges of measured numbers, and values of categories."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.evaluation.analysis.record import Condition

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]

NUMBERS = {
    "shorter_side": ("shorter side", " px"),
    "megapixels": ("size", " megapixels"),
    "aspect": ("width over height", ""),
    "bytes": ("file size", " bytes"),
    "bytes_per_pixel": ("bytes per pixel", ""),
    "jpeg_quality": ("JPEG quality", ""),
    "brightness": ("brightness", " of 255"),
    "contrast": ("contrast", " of 255"),
    "saturation": ("colour saturation", " of 255"),
    "warmth": ("warmth (red over blue)", ""),
    "clipped": ("share of black and white pixels", ""),
    "flat": ("share of one flat colour", ""),
    "entropy": ("entropy", " bits"),
    "sharpness": ("sharpness", ""),
    "noise": ("noise", " levels"),
    "high_frequencies": ("share of high frequencies", ""),
    "spectrum_slope": ("slope of the spectrum", ""),
    "confidence_1": ("confidence in the content", ""),
}
"""Columns of numbers to the name and unit that people read."""

CATEGORIES = {
    "format": "format",
    "subsampling": "chroma subsampling",
    "metadata": "metadata",
    "content": "content",
    "generator": "generator",
    "collection": "collection",
}
"""Columns of categories to the name that people read; other shared columns go by their own name."""

FEW_VALUES = 6
"""A number with at most so many different values is treated as a category."""

PARTS = {2: "half", 3: "third", 5: "fifth", 20: "twentieth"}


@dataclass(frozen=True, eq=False)
class Candidate:
    """A condition and the (n,) pictures that meet it."""

    condition: Condition
    inside: Booleans


def candidates(table: pl.DataFrame, shared: Sequence[str], least: int) -> list[Candidate]:
    """All conditions that at least ``least`` pictures meet and at least ``least`` do not.

    Numbers are cut into halves, thirds or fifths, whatever their count allows, and from 1,000 pictures also into the
    lowest and highest twentieth. A range that holds the same pictures as an earlier one of its column is left out.

    Args:
        table: pictures of one outcome's population, with traits, ``content`` and the shared columns.
        shared: further columns of text.
        least: pictures that make a slice worth testing.
    """
    found: list[Candidate] = []
    for column, (name, unit) in NUMBERS.items():
        if column in table.columns:
            found += _of_number(table[column].cast(pl.Float64).to_numpy(), name, unit, least)
    for column in dict.fromkeys((*CATEGORIES, *shared)):
        if column in table.columns:
            found += _of_category(table[column].cast(pl.String).to_list(), CATEGORIES.get(column, column), least)
    return found


def _of_number(values: Floats, name: str, unit: str, least: int) -> list[Candidate]:
    known = values[~np.isnan(values)]
    different = np.unique(known)
    if len(different) < 2:
        return []
    if len(different) <= FEW_VALUES:
        ranges = [(f"{name} {_number(value)}{unit}", value, value) for value in different.tolist()]
    else:
        ranges = list(_ranges(known, name, unit))
    conditions = (
        Condition(
            characteristic=name,
            words=words,
            low=None if np.isinf(low) else low,
            high=None if np.isinf(high) else high,
        )
        for words, low, high in ranges
    )
    met = (Candidate(one, _within(values, one)) for one in conditions)
    return _distinct(met, least)


def _ranges(known: Floats, name: str, unit: str) -> Iterable[tuple[str, float, float]]:
    """Words, low and high end of the parts of a number's spread."""
    n = len(known)
    parts = 2 if n < 100 else 3 if n < 250 else 5
    edges = np.quantile(known, np.linspace(0, 1, parts + 1)).tolist()
    part = PARTS[parts]
    for at in range(parts):
        low, high = edges[at], edges[at + 1]
        if at == 0:
            yield f"{name} in the lowest {part} (up to {_number(high)}{unit})", -np.inf, high
        elif at == parts - 1:
            yield f"{name} in the highest {part} (from {_number(low)}{unit})", low, np.inf
        else:
            yield f"{name} from {_number(low)} to {_number(high)}{unit}", low, high
    if n >= 1000:
        low, high = np.quantile(known, [0.05, 0.95]).tolist()
        yield f"{name} in the lowest twentieth (up to {_number(low)}{unit})", -np.inf, low
        yield f"{name} in the highest twentieth (from {_number(high)}{unit})", high, np.inf


def _within(values: Floats, condition: Condition) -> Booleans:
    low = -np.inf if condition.low is None else condition.low
    high = np.inf if condition.high is None else condition.high
    return (values >= low) & (values <= high)


def _of_category(values: list[str | None], name: str, least: int) -> list[Candidate]:
    cells = np.asarray(["" if value is None else value for value in values])
    met = (
        Candidate(Condition(characteristic=name, words=f"{name} {value}", value=value), cells == value)
        for value in sorted(set(cells.tolist()) - {""})
    )
    return _distinct(met, least)


def _distinct(met: Iterable[Candidate], least: int) -> list[Candidate]:
    """Those with enough pictures inside and outside, without repeats."""
    kept: dict[bytes, Candidate] = {}
    for candidate in met:
        count = int(candidate.inside.sum())
        if count >= least and len(candidate.inside) - count >= least:
            kept.setdefault(candidate.inside.tobytes(), candidate)
    return list(kept.values())


def _number(value: float) -> str:
    """Three figures, thousands apart, never in powers of ten."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return np.format_float_positional(value, precision=3, fractional=False, trim="-")
