"""Shortcut one: the file alone, no pixel seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence

import numpy as np
import numpy.typing as npt

from madeby.datasets.audit.container_facts import ContainerFacts
from madeby.datasets.audit.shortcuts.features import Features, features_of

SEES = "the container alone: format, size, JPEG settings, bytes per pixel, which metadata is there"

_COMMON = 16


def file_features(facts: Sequence[ContainerFacts]) -> Features:
    """Numbers for what a file says of itself; sizes as the file gives them, no pixel's value."""
    width = np.asarray([fact.width for fact in facts], np.float64)
    height = np.asarray([fact.height for fact in facts], np.float64)
    size = np.asarray([fact.bytes for fact in facts], np.float64)
    quality = [np.nan if fact.jpeg_quality is None else fact.jpeg_quality for fact in facts]
    metadata = [(fact.has_exif, fact.has_profile, fact.has_xmp, fact.has_text, fact.has_c2pa) for fact in facts]
    return features_of(
        {
            "format": _one_hot([fact.format for fact in facts]),
            "width and height": np.stack([width, height, np.minimum(width, height)], axis=1),
            "aspect ratio": np.stack([width / height, np.abs(np.log(width / height))], axis=1),
            "megapixels": width * height / 1e6,
            "JPEG quality": quality,
            "chroma subsampling": _one_hot([fact.subsampling for fact in facts]),
            "quantisation tables": _one_hot([(fact.tables, fact.scans > 1) for fact in facts]),
            "bytes per pixel": size / (width * height),
            "metadata": np.asarray(metadata, np.float32),
        }
    )


def _one_hot(values: Sequence[Hashable]) -> npt.NDArray[np.float32]:
    """(n, k): one column for each of the most common values, others share none."""
    common = [value for value, _ in Counter(values).most_common(_COMMON)]
    return np.asarray([[value == one for one in common] for value in values], np.float32)
