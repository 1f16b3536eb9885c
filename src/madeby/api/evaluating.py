"""The verb evaluate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import BundleError, needing_extra

if TYPE_CHECKING:
    from madeby.evaluation.evaluate import Evaluation


def evaluate(
    model: str | Path,
    data: str | Path,
    output: str | Path,
    *,
    split: str = "test",
    bootstrap: int = 1000,
    seed: int = 0,
    flips: bool = False,
    degrade: Sequence[str] = (),
    threads: int | None = None,
    threshold_profile: str = "balanced",
    provider: str = "cpu",
    into_card: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Evaluation:
    """Measure a detector on one split of a manifest, exactly as ``scan`` would answer about its pictures.

    Args:
        model: as for :func:`scan`.
        data: the manifest.
        output: folder for ``metrics.json``, ``predictions.parquet``, plots and galleries of mistakes.
        split: ``train``, ``val``, ``test`` or ``all``.
        bootstrap: resamples for the 95% intervals; 0 for none.
        seed: seed of the resamples.
        flips: read each picture's mirror image as well and average the two logits (test-time augmentation).
        degrade: what is done to each picture first, in order, as ``resize=0.5``, ``jpeg=60``: how sturdy is it?
        threads: pictures at a time; one a core if None.
        threshold_profile: whose thresholds the verdicts follow, as for :func:`scan`.
        provider: what runs the model, as for :func:`scan`.
        into_card: also write the figures into the bundle's card, in a section of this name.
        progress: called with (pictures done, their count).

    Raises:
        RecipeError: a degradation is not known or its value out of bounds.
        BundleError: the model cannot be found or loaded, or has no such profile.
        MadebyError: the provider is not installed.
        DataError: the manifest cannot be used or has no such split.
        MissingExtraError: the extra ``train`` is not installed.
    """
    from madeby.detector.providers import provider_named
    from madeby.detector.thresholds import profile_named
    from madeby.stores import open_bundle
    from madeby.stores.cache import is_cached

    running = provider_named(provider)
    profile = profile_named(threshold_profile)
    bundle = open_bundle(model)
    if into_card is not None and is_cached(bundle.folder):
        raise BundleError(
            f"{bundle.folder} is a pulled copy, which stays as it was published: evaluate your own folder"
        )
    with needing_extra("evaluate", "train"):
        from madeby.evaluation.card import record_in_card
        from madeby.evaluation.evaluate import evaluate_bundle
    evaluation = evaluate_bundle(
        bundle.with_profile(profile),
        Path(data),
        Path(output),
        split=split,
        bootstrap=bootstrap,
        seed=seed,
        flips=flips,
        degrade=degrade,
        threads=threads,
        provider=running,
        progress=progress,
    )
    if into_card is not None:
        named = Path(model).name or str(model)
        command = f"madeby evaluate --model {named} --data {Path(data).name} --split {split} --bootstrap {bootstrap}"
        command += f" --seed {seed}" if seed else ""
        command += " --flips" if flips else ""
        command += "".join(f" --degrade {step}" for step in degrade)
        command += "" if threshold_profile == "balanced" else f" --threshold-profile {threshold_profile}"
        command += "" if provider == "cpu" else f" --provider {provider}"
        record_in_card(bundle, evaluation.metrics, into_card, command)
    return evaluation
