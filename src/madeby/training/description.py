"""What a bundle's description takes from the run that made it."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl


def bundle_name(folder: Path) -> str:
    """The run folder's name with anything that a bundle's name may not hold replaced."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name).lstrip("._-")
    return name or "model"


def collections_in(column: pl.Series) -> dict[str, int]:
    """Pictures by collection, the largest first; rows of no named collection are left out."""
    counted = column.drop_nulls().rename("collection").value_counts()
    return dict(counted.sort("count", "collection", descending=[True, False]).iter_rows())
