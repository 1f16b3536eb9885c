"""A seeded part of the pictures, with the labels' shares kept."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl


def drawn(table: pl.DataFrame, limit: int | None, seed: int) -> npt.NDArray[np.bool_]:
    """Which rows belong to a draw of at most ``limit``, spread over the labels as the table is.

    Args:
        table: rows with ``label``.
        limit: how many; None for all.
        seed: another seed draws others.

    Returns:
        (n,) true for the rows drawn.
    """
    n = len(table)
    if limit is None or limit >= n:
        return np.ones(n, np.bool_)
    rng = np.random.default_rng(seed)
    labels = table["label"].fill_null("").to_numpy().astype(np.str_)
    # Every row's place in a shuffled line of its label, as a share of that line: the smallest are drawn.
    place = np.empty(n)
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        place[rng.permutation(rows)] = (np.arange(len(rows)) + 0.5) / len(rows)
    chosen = np.zeros(n, np.bool_)
    chosen[np.argsort(place, kind="stable")[:limit]] = True
    return chosen
