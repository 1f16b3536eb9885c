"""The interactive map: one HTML file with everything inside, thumbnails included."""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from importlib import resources
from pathlib import Path, PurePath

import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.evaluation.analysis.drawing.map import PALETTE, named_contents
from madeby.evaluation.analysis.embedding import Placed
from madeby.evaluation.analysis.thumbnails import SPRITE_COLUMNS, SPRITE_SIDE, sprite_sheet
from madeby.schema import Label

TEMPLATE = "map_page.html"
LABELS = tuple(label.value for label in Label)
MOST_CHOICES = 100
"""Contents offered as a filter, the most frequent first."""


def write_map_page(table: pl.DataFrame, placed: Placed, out: Path, *, threads: int | None = None) -> Path:
    """Write the map. File names are shown, the folders they lie in are not.

    Args:
        table: pictures with ``path``, ``label``, ``probability``, ``content`` and ``confidence_1``.
        placed: where each stands.
        out: the HTML file.
        threads: pictures decoded at a time for the thumbnails.
    """
    contents = table["content"].to_list()
    names = [name for name, _ in Counter(contents).most_common()]
    index = {name: place for place, name in enumerate(names)}
    data = {
        "method": placed.method,
        "x": [round(x * 10_000) for x in placed.places[:, 0].tolist()],
        "y": [round((1 - y) * 10_000) for y in placed.places[:, 1].tolist()],
        "label": [LABELS.index(label) if label else len(LABELS) for label in table["label"]],
        "probability": [_rounded(value) for value in table["probability"]],
        "confidence": [_rounded(value) for value in table["confidence_1"]],
        "content": [index[name] for name in contents],
        "contents": names,
        "frequent": sorted(names[:MOST_CHOICES]),
        "named": list(named_contents(contents)),
        "palette": list(PALETTE),
        "name": [PurePath(path).name for path in table["path"]],
        "side": SPRITE_SIDE,
        "columns": SPRITE_COLUMNS,
        "sprite": base64.b64encode(sprite_sheet(table["path"].to_list(), threads)).decode(),
    }
    template = (resources.files("madeby.evaluation.analysis") / TEMPLATE).read_text(encoding="utf-8")
    # Inside a script element nothing may look like the end of it.
    packed = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    with written_atomically(out) as temporary:
        temporary.write_text(template.replace("/*DATA*/", packed), encoding="utf-8")
    return out


def _rounded(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else round(value, 4)
