"""The verb train."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from madeby.errors import RecipeError, needing_extra

if TYPE_CHECKING:
    from madeby.training.adaptation.adapt import AdaptationSummary
    from madeby.training.progress import Progress
    from madeby.training.run import RunSummary
    from madeby.training.tracking import Tracker

LARGEST_SEED = 2**32 - 1


@overload
def train(
    data: str | Path,
    output: str | Path,
    *,
    from_model: None = None,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    track: Tracker | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> RunSummary: ...


@overload
def train(
    data: str | Path,
    output: str | Path,
    *,
    from_model: str | Path,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    track: Tracker | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> AdaptationSummary: ...


@overload
def train(
    data: str | Path,
    output: str | Path,
    *,
    from_model: str | Path | None,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    track: Tracker | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> RunSummary | AdaptationSummary: ...


def train(
    data: str | Path,
    output: str | Path,
    *,
    from_model: str | Path | None = None,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    resume: bool = False,
    track: Tracker | None = None,
    cache: Path | None = None,
    progress: Progress | None = None,
) -> RunSummary | AdaptationSummary:
    """Train a network on a manifest's ``train`` split, select on ``val``, calibrate, export.

    With ``from_model`` nothing but a finished model's last, linear step is learnt anew, near the old one, from the
    pictures of both splits: some hundred suffice, no graphics card is needed, and most of what it knew stays.

    Args:
        data: the manifest, Parquet or CSV.
        output: the run's folder, new or, with ``resume``, that of an unfinished run.
        from_model: what to adapt, as the model of :func:`madeby.scan`; None trains from scratch.
        recipe: name of a shipped recipe or path of a YAML file; None for the shipped default. An unfinished run
            goes on with its own.
        overrides: single fields of the recipe; on resuming, none, and with ``from_model`` the ``seed`` alone.
        resume: take up an unfinished run at its last whole epoch.
        track: also write to TensorBoard's or MLflow's files, inside the run's folder.
        cache: keep decoded pictures there between runs, as memory-mapped files; None keeps them in memory.
        progress: who watches.

    Returns:
        The summary, which ``summary.json`` in the run's folder holds as well (``adaptation.json`` with
        ``from_model``).

    Raises:
        RecipeError: recipe, flags or output folder are wrong.
        DataError: the manifest cannot be learned from.
        BundleError: the model to adapt cannot be found, or its last step is not linear.
        MissingExtraError: the extra ``train`` or the tracker is not installed.
    """
    if from_model is None:
        with needing_extra("train", "train"):
            from madeby.training.fit import train as train_network
        return train_network(
            data,
            output,
            recipe=recipe,
            overrides=overrides,
            resume=resume,
            track=track,
            cache=cache,
            progress=progress,
        )
    given = dict(overrides or {})
    seed = given.pop("seed", 0)
    if recipe is not None or given or resume or track is not None or cache is not None:
        raise RecipeError("--from learns a model's last step anew and nothing else: of the other flags it takes --seed")
    if not str(seed).isdecimal() or int(seed) > LARGEST_SEED:
        raise RecipeError(f"seed: {seed!r} is not a whole number from 0 to {LARGEST_SEED}")
    with needing_extra("train --from", "train"):
        from madeby.training.adaptation.adapt import adapt
    from madeby.stores import open_bundle

    return adapt(open_bundle(from_model), Path(data), Path(output), seed=int(seed), progress=progress)
