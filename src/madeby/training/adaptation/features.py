"""What a bundle's head sees of each picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madeby.datasets.parallel import in_order
from madeby.detector.bundle import Bundle
from madeby.detector.detector import PIXELS_AT_ONCE
from madeby.detector.providers import load_onnxruntime
from madeby.detector.runtime import INPUT_NAME, LOGIT_NAME
from madeby.detector.views import normalised, views_of
from madeby.errors import BundleError, PictureError
from madeby.pictures.decode import decode
from madeby.training.adaptation.head import Floats, Head
from madeby.training.progress import Progress

MOST_DIFFERENCE = 1e-2
"""Of a logit computed from the features and the model's own: beyond it the head is not what we take it for."""


@dataclass(frozen=True)
class Seen:
    """Features (n, d) of the pictures that could be read, in the order of ``kept``, and why others could not."""

    features: Floats
    kept: tuple[int, ...]
    unread: tuple[tuple[str, str], ...]


def features_of(bundle: Bundle, head: Head, paths: Sequence[str], progress: Progress) -> Seen:
    """Read pictures as ``scan`` does, and keep the mean of what the head sees over all views and places.

    Raises:
        BundleError: the model's logit is not what its head makes of these features.
    """
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        head.showing_features(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    spec = bundle.spec.preprocessing
    at_once = max(1, PIXELS_AT_ONCE // spec.size**2)

    def read(path: str) -> Floats | tuple[str, str]:
        try:
            pixels = decode(Path(path).read_bytes(), perceptual_hash=False).pixels
        except PictureError as problem:
            return path, problem.message
        except OSError as problem:
            return path, problem.strerror or str(problem)
        views = views_of(pixels, spec)
        features, logits = [], []
        for start in range(0, len(views), at_once):
            part = normalised(views[start : start + at_once], spec)
            logit, *values = session.run([LOGIT_NAME, *(tap.value for tap in head.taps)], {INPUT_NAME: part})
            seen = [tap.seen(value) for tap, value in zip(head.taps, values, strict=True)]
            features.append(np.concatenate(seen, axis=1))
            logits.append(np.asarray(logit, np.float64))
        mean = np.concatenate(features).mean(0)
        if not abs(mean @ head.weight + head.bias - np.concatenate(logits).mean()) <= MOST_DIFFERENCE:
            raise BundleError(f"{bundle.spec.name} is not linear in its last step, so that it cannot be adapted")
        return np.asarray(mean)

    kept: list[int] = []
    features: list[Floats] = []
    unread: list[tuple[str, str]] = []
    for number, seen in enumerate(in_order(read, list(paths))):
        if isinstance(seen, tuple):
            unread.append(seen)
        else:
            kept.append(number)
            features.append(seen)
        progress.stage("reading", number + 1, len(paths))
    return Seen(np.array(features).reshape(len(features), len(head.weight)), tuple(kept), tuple(unread))
