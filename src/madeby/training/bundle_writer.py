"""Assembles a bundle folder from a trained network: export, parity, calibration, thresholds, card."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from torch import nn

from madeby.detector.bundle import (
    CARD_FILE,
    METRICS_FILE,
    MODEL_FILE,
    Bundle,
    BundleSpec,
    Calibration,
    Domain,
    Training,
    sha256_of,
)
from madeby.detector.detector import Detector
from madeby.detector.views import Pixels
from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.training.card import card_text
from madeby.training.export import OPSET, export_onnx, parity
from madeby.training.figures import figures_of
from madeby.training.recipe import Recipe
from madeby.version import __version__


@dataclass(frozen=True)
class ValidationBlock:
    """What ``metrics.json`` of a fresh bundle holds; ``evaluate`` writes the full set of figures.

    The rates are those of the verdicts on the very pictures that the thresholds were set on.
    """

    split: str
    n: int
    n_human: int
    n_ai: int
    accuracy: float
    auroc: float
    nll: float
    human_called_ai: float
    human_called_human: float
    ai_called_ai: float
    ai_called_human: float
    parity: float


@dataclass(frozen=True)
class WrittenBundle:
    """A finished bundle and what its validation gave."""

    bundle: Bundle
    validation: ValidationBlock


def write_bundle(
    network: nn.Module,
    recipe: Recipe,
    folder: Path,
    *,
    name: str,
    training: Training,
    parity_views: Pixels,
    paths: Sequence[str],
    labels: npt.NDArray[np.int8],
    collections: Sequence[str | None],
    domain: Domain,
    progress: Callable[[int, int], None],
) -> WrittenBundle:
    """Export a network and everything needed to answer with it.

    Args:
        network: trained; on any device.
        recipe: what it was trained by.
        folder: where the bundle goes; files of an older one are replaced.
        name: the bundle's name.
        training: what goes into the spec about the data and the command.
        parity_views: (n, size, size, 3) uint8 to compare PyTorch and ONNX on.
        paths: the validation pictures' files, read as ``scan`` reads them.
        labels: (n,) their labels, 0 human and 1 ai.
        collections: (n,) where each comes from, None where unknown.
        domain: which pictures it is good for.
        progress: called with (validation pictures done, their count).

    Raises:
        BundleError: PyTorch and ONNX disagree.
    """
    folder.mkdir(parents=True, exist_ok=True)
    model_path = folder / MODEL_FILE
    export_onnx(network, recipe.size, model_path)
    difference = parity(network, parity_views, recipe.preprocessing, model_path)
    spec = BundleSpec(
        name=name,
        network=recipe.network,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        onnx_opset=OPSET,
        model_sha256=sha256_of(model_path),
        preprocessing=recipe.preprocessing,
        domain=domain,
        training=training,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        madeby_version=__version__,
        calibration=Calibration(),
    )
    scores = validation_scores(Detector(Bundle(folder, spec)), paths, labels, collections, progress)
    fitted_on = f"{training.data} (val)"
    calibration = fit_calibration(scores, fitted_on)
    spec = spec.model_copy(update={"calibration": calibration})
    bundle = Bundle(folder, spec.with_profiles(fit_profiles(scores, calibration, fitted_on)))
    block = validation_block(scores, bundle.spec, difference)
    bundle.write_spec()
    (folder / METRICS_FILE).write_text(json.dumps(asdict(block), indent=2) + "\n", encoding="utf-8")
    (folder / CARD_FILE).write_text(card_text(bundle.spec, block), encoding="utf-8")
    return WrittenBundle(bundle, block)


def validation_scores(
    detector: Detector,
    paths: Sequence[str],
    labels: npt.NDArray[np.int8],
    collections: Sequence[str | None],
    progress: Callable[[int, int], None],
) -> Scores:
    """Raw logits of pictures through the finished detector; files that cannot be read any more are left out."""
    logits, kept = [], []
    for done, path in enumerate(paths, start=1):
        try:
            pixels = decode(Path(path).read_bytes(), perceptual_hash=False).pixels
        except (OSError, PictureError):
            continue
        logits.append(detector.read(pixels).logit)
        kept.append(done - 1)
        progress(done, len(paths))
    return Scores(np.array(logits, np.float64), labels[kept], tuple(collections[row] for row in kept))


def validation_block(scores: Scores, spec: BundleSpec, difference: float) -> ValidationBlock:
    """What calibrated scores and thresholds give on the pictures that they come from.

    Args:
        scores: raw logits and labels.
        spec: the bundle, calibrated.
        difference: how far the logits of PyTorch and ONNX lie apart at most.
    """
    calibrated = scores.logits * spec.calibration.slope + spec.calibration.intercept
    figures = figures_of(calibrated, scores.labels.astype(np.float64))
    probabilities = 1 / (1 + np.exp(-np.clip(calibrated, -500, 500)))
    human, ai = probabilities[scores.labels == 0], probabilities[scores.labels == 1]
    return ValidationBlock(
        split="val",
        n=len(scores.logits),
        n_human=len(human),
        n_ai=len(ai),
        accuracy=figures.accuracy,
        auroc=figures.auroc,
        nll=figures.loss,
        human_called_ai=float((human >= spec.thresholds.ai).mean()),
        human_called_human=float((human <= spec.thresholds.human).mean()),
        ai_called_ai=float((ai >= spec.thresholds.ai).mean()),
        ai_called_human=float((ai <= spec.thresholds.human).mean()),
        parity=difference,
    )
