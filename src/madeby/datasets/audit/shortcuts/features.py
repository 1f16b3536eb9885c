"""What a shortcut test sees: a table of numbers whose columns belong to named facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Features:
    """Numbers about pictures.

    ``values`` is (n, d) float32, NaN where a fact has no meaning. ``facts`` maps each fact's name to its
    columns; every column belongs to one fact.
    """

    values: npt.NDArray[np.float32]
    facts: dict[str, list[int]]


def features_of(columns: Mapping[str, npt.ArrayLike]) -> Features:
    """Put facts side by side.

    Args:
        columns: for each fact (n,) or (n, k) numbers.
    """
    parts = [np.asarray(values, np.float32) for values in columns.values()]
    parts = [part[:, None] if part.ndim == 1 else part for part in parts]
    ends = np.cumsum([part.shape[1] for part in parts]).tolist()
    facts = {name: list(range(end - part.shape[1], end)) for name, part, end in zip(columns, parts, ends, strict=True)}
    return Features(np.concatenate(parts, axis=1), facts)
