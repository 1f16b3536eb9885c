"""Training, from a manifest to a finished bundle."""

from __future__ import annotations

import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch

from madeby.detector.bundle import Domain, Training
from madeby.errors import DataError, RecipeError
from madeby.networks import build_network
from madeby.plots.curves import training_curves
from madeby.training.augment import Augmentation
from madeby.training.bundle_writer import WrittenBundle, write_bundle
from madeby.training.classifier import Classifier
from madeby.training.description import bundle_name, collections_in
from madeby.training.environment import current_environment, shareable
from madeby.training.hardware import Hardware, hardware_for
from madeby.training.preparation import ManifestParts, TrainingData, decode_parts, read_parts
from madeby.training.progress import Progress, Silent
from madeby.training.recipe import Recipe
from madeby.training.recipe_files import load_recipe, save_recipe
from madeby.training.run import RunFolder, RunSummary, best_of
from madeby.training.tracking import Tracker, check_tracker
from madeby.training.trainer import run_trainer


def train(
    data: str | Path,
    output: str | Path,
    *,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    track: Tracker | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> RunSummary:
    """Train on a manifest's ``train`` split, select on ``val``, calibrate, export; see :func:`madeby.train`."""
    started = time.perf_counter()
    watcher = progress or Silent()
    run = RunFolder(Path(output))
    if resume and run.started and (recipe is not None or overrides):
        raise RecipeError(f"{run.path} resumes with its own recipe: leave out the recipe and its flags")
    settings = load_recipe(run.config if resume and run.started else recipe, overrides)
    hardware = hardware_for(settings, build_network(settings.network, settings.network_options, settings.size))
    Augmentation(settings.augment, settings.size)
    check_tracker(track)
    parts = read_parts(Path(data))
    run.prepare(resume)
    _describe(run, settings, hardware, parts)
    shared = run.cache if hardware.processes > 1 and cache is None else cache
    decoded = decode_parts(parts, settings, folder=shared, progress=watcher.stage)

    torch.manual_seed(settings.seed)
    classifier = Classifier(settings, decoded)
    stopped_early = run_trainer(classifier, run, hardware, track=track, progress=watcher)
    rows = run.read_metrics()
    training_curves(run.metrics, run.path, best_epoch=best_of(rows, settings).epoch)
    written = bundle_of_best(run, settings, parts, decoded, watcher)
    if run.cache.exists():
        shutil.rmtree(run.cache)
    summary = RunSummary(
        folder=run.path,
        bundle=run.bundle,
        network=settings.network,
        parameters=written.bundle.spec.parameters,
        n_train=parts.train.height,
        n_val=parts.validation.height,
        unreadable=len(decoded.failures),
        epochs=len(rows),
        stopped_early=stopped_early,
        best=best_of(rows, settings),
        monitor=settings.monitor,
        seconds=time.perf_counter() - started,
        precision=hardware.precision,
        accelerator=hardware.accelerator,
        parity=written.validation.parity,
        calibration=written.bundle.spec.calibration.method,
    )
    run.write_json(run.summary, summary)
    return summary


def bundle_of_best(
    run: RunFolder,
    recipe: Recipe,
    parts: ManifestParts,
    decoded: TrainingData,
    progress: Progress,
    folder: Path | None = None,
) -> WrittenBundle:
    """Write the bundle of a run's best checkpoint so far, into the run's own folder if no other is given."""
    network = build_network(recipe.network, {**recipe.network_options, **_no_weights(recipe)}, recipe.size)
    state = run.read_best()
    prefix = "average." if recipe.ema else "network."
    network.load_state_dict(
        {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    )
    failed = {failure.path for failure in decoded.failures}
    readable = parts.validation.filter(~parts.validation["path"].is_in(list(failed)))
    labels = (readable["label"] == "ai").to_numpy().astype(np.int8)
    step = max(1, len(decoded.validation) // 100)  # spread over the split, which may be sorted by label
    return write_bundle(
        network,
        recipe,
        folder or run.bundle,
        name=bundle_name(run.path),
        training=Training(
            data=parts.path.stem,
            manifest_sha256=parts.sha256,
            n_train=parts.train.height,
            n_val=parts.validation.height,
            collections=collections_in(pl.concat([parts.train["collection"], parts.validation["collection"]])),
            recipe=recipe.model_dump(mode="json"),
            command=shareable(run.command),
        ),
        parity_views=decoded.validation.pixels[::step],
        paths=readable["path"].to_list(),
        labels=labels,
        collections=readable["collection"].to_list(),
        domain=domain_of(parts, recipe),
        progress=lambda done, count: progress.stage("calibrating", done, count),
    )


def domain_of(parts: ManifestParts, recipe: Recipe) -> Domain:
    """The picture sizes that training covered, but for the outermost percent.

    Native crops look the same in a larger picture; a whole view squeezed far more than in training does not, so
    it is bounded above as well, at twice the largest side.
    """
    sides = parts.train.select(pl.min_horizontal("width", "height"), longest=pl.max_horizontal("width", "height"))
    shortest = int(np.percentile(sides.to_series(0).to_numpy(), 1))
    longest = int(np.percentile(sides["longest"].to_numpy(), 99))
    description = f"pictures like those of {parts.path.stem}"
    if recipe.view == "crops":
        return Domain(min_side=max(1, min(shortest, recipe.size)), description=description)
    return Domain(min_side=max(1, shortest), max_side=2 * longest, description=description)


def _describe(run: RunFolder, recipe: Recipe, hardware: Hardware, parts: ManifestParts) -> None:
    """Write what the run is made of; on resuming make sure that it is still the same data."""
    description = {
        "path": str(parts.path.resolve()),
        "sha256": parts.sha256,
        "train": split_counts(parts.train),
        "val": split_counts(parts.validation),
    }
    if run.manifest.is_file():
        earlier = run.read_json(run.manifest)
        if earlier.get("sha256") != parts.sha256:
            raise DataError(f"{parts.path} is not the data that {run.path} was begun with: start a new run")
    save_recipe(recipe, run.config)
    environment = current_environment(hardware.accelerator, hardware.precision)
    # What a resumed run is made of, and how to make it again, is what began it.
    run.write_json(run.environment, replace(environment, command=run.command or environment.command))
    run.write_json(run.manifest, description)


def split_counts(rows: pl.DataFrame) -> dict[str, int]:
    """Pictures by label, for ``manifest.json``."""
    ai = int((rows["label"] == "ai").sum())
    return {"human": rows.height - ai, "ai": ai}


def _no_weights(recipe: Recipe) -> dict[str, str]:
    """Pretrained weights need not be fetched again where a checkpoint overwrites them."""
    return {"weights": "none"} if "weights" in recipe.network_options else {}
