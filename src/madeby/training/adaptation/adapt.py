"""``madeby train --from``: a detector that answers better about pictures of the user's own, and forgets little."""

from __future__ import annotations

import datetime
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from madeby.datasets.manifest import learnt_already, manifest_sha256, read_manifest, usable
from madeby.detector.bundle import CARD_FILE, METRICS_FILE, MODEL_FILE, Bundle, Training, sha256_of
from madeby.detector.thresholds import stricter
from madeby.errors import DataError
from madeby.training.adaptation.features import features_of
from madeby.training.adaptation.fit import FOLDS, Chosen, Tried, choose, groups_for_folds
from madeby.training.adaptation.head import Floats, Head
from madeby.training.adaptation.memory import Labels, Memory, Remembered
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.training.card import promises
from madeby.training.description import bundle_name, collections_in
from madeby.training.environment import shareable, this_command
from madeby.training.figures import auroc_within, figures_of
from madeby.training.progress import Progress, Silent
from madeby.training.run import RunFolder
from madeby.version import __version__

FEWEST_OF_A_LABEL = 20


@dataclass(frozen=True)
class Kept:
    """What is still known of the pictures that the bundle remembers: AUROC of the old head and of the new one, where
    the change of each is one that had not seen the picture's collection. Only pictures that the same change was judged
    on are compared."""

    n_human: int
    n_ai: int
    before: float
    after: float


@dataclass(frozen=True)
class AdaptationSummary:
    """What an adaptation came to; ``adaptation.json`` in the run's folder holds it.

    ``before`` and ``after`` are (accuracy at probability 0.5, AUROC) of the old model and of the new one on the
    pictures learnt from, each answered about by a head that had not seen it, nor others of its group if ``grouped``
    (else a label had too few groups). ``penalty`` is the strength of the pull towards the old head, None where these
    pictures gave no reason to leave it; ``remembers`` says whether it was measured on what the old model remembers of
    the pictures it learnt from, ``kept`` what is still known of those, None if it keeps none; ``tried`` are all that
    were judged.
    """

    folder: Path
    bundle: Path
    model: str
    n_human: int
    n_ai: int
    unread: tuple[tuple[str, str], ...]
    grouped: bool
    penalty: float | None
    remembers: bool
    kept: Kept | None
    before: tuple[float, float]
    after: tuple[float, float]
    tried: tuple[Tried, ...]
    seconds: float


def adapt(
    base: Bundle, data: Path, output: Path, *, seed: int = 0, progress: Progress | None = None
) -> AdaptationSummary:
    """Adapt a bundle to a manifest's ``train`` and ``val`` pictures; see :func:`madeby.train`, which finds the bundle.

    Both splits are learnt from and judged on, by cross-validation; ``test`` is left alone, for ``evaluate``.
    """
    started, watcher = time.perf_counter(), progress or Silent()
    table = usable(read_manifest(data))
    rows = _once(table.filter(pl.col("split").is_in(["train", "val"])), data)
    _check(rows, data)
    _check_new(base, table, data)
    head = Head.of(base.model_path)
    memory = Memory.in_bundle(base, len(head.weight))
    run = RunFolder(output)
    run.prepare(resume=False)
    run.checkpoints.rmdir()  # there are no epochs to keep
    seen = features_of(base, head, rows["path"].to_list(), watcher)
    rows = rows[list(seen.kept)]
    _check(rows, data)
    labels = (rows["label"] == "ai").to_numpy().astype(np.int8)
    slope, intercept = base.spec.calibration.slope, base.spec.calibration.intercept
    old = slope * (seen.features @ head.weight + head.bias) + intercept
    pictures = None if memory is None else memory.pictures
    if memory is not None and pictures is not None:
        pictures = replace(pictures, logits=slope * pictures.logits + intercept)
        memory = replace(memory, pictures=pictures)
    groups, grouped = groups_for_folds(rows["group"].to_list(), labels)
    chosen = choose(seen.features, old, labels, groups, seed, memory)
    summary = AdaptationSummary(
        folder=output,
        bundle=run.bundle,
        model=f"{base.spec.name} {base.spec.version}",
        n_human=int((labels == 0).sum()),
        n_ai=int((labels == 1).sum()),
        unread=seen.unread,
        grouped=grouped,
        penalty=chosen.penalty,
        remembers=memory is not None,
        kept=None if pictures is None else _kept(pictures, chosen),
        before=_figures(old, labels),
        after=_figures(chosen.logits, labels),
        tried=chosen.tried,
        seconds=0.0,
    )
    run.bundle.mkdir(exist_ok=True)
    weight, bias = slope * head.weight + chosen.change.weight, slope * head.bias + intercept + chosen.change.shift
    head.write(run.bundle / MODEL_FILE, weight, bias)
    if memory is not None and pictures is not None:
        memory = replace(memory, pictures=replace(pictures, logits=chosen.logits_of_remembered))
    _describe(run, base, summary, chosen, memory, rows, labels, data, manifest_sha256(table))
    summary = replace(summary, seconds=time.perf_counter() - started)
    run.write_json(run.adaptation, summary)
    return summary


def _once(rows: pl.DataFrame, data: Path) -> pl.DataFrame:
    """Every file once: a copy in another fold would answer for its original."""
    file = pl.coalesce("sha256", "path")
    both = rows.filter(pl.col("label").n_unique().over(file) > 1)
    if not both.is_empty():
        count = both.select(file.n_unique()).item()
        raise DataError(
            f"{data} calls {count} files both human and ai, the first is {both['path'][0]}: "
            "take them out with `madeby data clean`"
        )
    return rows.filter(file.is_first_distinct())


def _check(rows: pl.DataFrame, data: Path) -> None:
    for label in ("human", "ai"):
        count = int((rows["label"] == label).sum())
        if count < FEWEST_OF_A_LABEL:
            raise DataError(
                f"{data} has {count} usable {label} pictures in train and val (copies count once); "
                f"at least {FEWEST_OF_A_LABEL} of each label are needed to adapt a model, better some hundred"
            )


def _check_new(base: Bundle, table: pl.DataFrame, data: Path) -> None:
    """Pictures that the old model has learnt from would be judged too well, and the thresholds set by them too bold."""
    training = base.spec.training
    if learnt := learnt_already(table, training.learnt):
        earlier = training.recipe.get("from")
        instead = "" if earlier is None else f", or adapt {str(earlier).partition(',')[0]}, which it was made from"
        raise DataError(
            f"{base.spec.name} has learnt from the {' and '.join(learnt)} pictures of {data} already: "
            f"adapt it to others{instead}"
        )


def _figures(logits: Floats, labels: Labels) -> tuple[float, float]:
    figures = figures_of(logits, labels.astype(np.float64))
    return figures.accuracy, figures.auroc


def _kept(pictures: Remembered, chosen: Chosen) -> Kept:
    is_ai = pictures.labels.astype(np.float64)
    before, after = (
        auroc_within(logits, is_ai, chosen.folds_of_remembered)
        for logits in (pictures.logits, chosen.logits_of_remembered)
    )
    return Kept(int((is_ai == 0).sum()), int(is_ai.sum()), before, after)


def _describe(
    run: RunFolder,
    base: Bundle,
    summary: AdaptationSummary,
    chosen: Chosen,
    memory: Memory | None,
    rows: pl.DataFrame,
    labels: Labels,
    data: Path,
    fingerprint: str,
) -> None:
    """Write what makes a bundle of the new model."""
    scores = Scores(chosen.logits, labels, tuple(rows["collection"].to_list()))
    fitted_on = f"{data.stem} (train and val, each picture by a head that had not seen it)"
    calibration = fit_calibration(scores, fitted_on)
    command = shareable(this_command())
    spec = base.spec.model_copy(
        update={
            "name": bundle_name(run.path),
            "version": "0.1.0",
            "description": f"{base.spec.name} {base.spec.version}, adapted to {data.stem}",
            "model_sha256": sha256_of(run.bundle / MODEL_FILE),
            "memory_sha256": "" if memory is None else memory.write(run.bundle),
            "calibration": calibration,
            "domain": base.spec.domain.model_copy(update={"description": f"pictures like those of {data.stem}"}),
            "training": Training(
                data=data.stem,
                manifest_sha256=fingerprint,
                n_train=len(labels),
                n_val=len(labels),
                collections=collections_in(rows["collection"]),
                recipe={"from": f"{summary.model}, sha256 {base.spec.model_sha256}", "penalty": chosen.penalty},
                command=command,
                earlier=base.spec.training.learnt,
            ),
            "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            "madeby_version": __version__,
        }
    )
    profiles = fit_profiles(scores, calibration, fitted_on)
    if memory is not None and memory.pictures is not None:
        others = Scores(memory.pictures.logits, memory.pictures.labels)
        set_on = f"pictures that {base.spec.name} remembers, all together, by changes that had not seen the collection"
        profiles = stricter(profiles, fit_profiles(others, calibration, set_on))
    spec = spec.with_profiles(profiles)
    bundle = Bundle(run.bundle, spec)
    bundle.write_spec()
    figures = {"adapted from": summary.model, "before": summary.before, "after": summary.after}
    (run.bundle / METRICS_FILE).write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    (run.bundle / CARD_FILE).write_text(_card(bundle, base, summary), encoding="utf-8")


def _card(bundle: Bundle, base: Bundle, summary: AdaptationSummary) -> str:
    spec = bundle.spec
    moved = (
        "these pictures gave no reason to leave the old head: only its scale and even point were fitted"
        if summary.penalty is None
        else f"the pull towards the old head ({summary.penalty:.3g}) is the strongest that is about as good as the best"
    )
    kept = "groups kept whole" if summary.grouped else "of pictures: there were too few groups to keep them whole"
    held_to = (
        "It was held to what was said of the pictures that the bundle remembers, those of the model it began with;\n"
        "what was known of others, those of earlier adaptations too, may be lost in part."
        if summary.remembers
        else "What the old model knew of others may be lost in part."
    )
    still_known = (
        ""
        if summary.kept is None
        else f"""
On {summary.kept.n_human:,} photographs and {summary.kept.n_ai:,} AI pictures that the bundle remembers and that were
learnt from again beside the others, the area under the ROC curve was {summary.kept.before:.4f} and is
{summary.kept.after:.4f}, each answered about by a change that had not seen its collection and compared with those that
the same change answered about. What the old head had seen of it, the card below says.
"""
    )
    promised = (
        ""
        if summary.kept is None
        else (
            " The thresholds were set on the\nremembered pictures as well, all together: a single collection of theirs "
            "may exceed the shares."
        )
    )
    counted = "learnt from" if summary.kept is None else "learnt from or remembered"
    return f"""# {spec.name} {spec.version}

{summary.model} with its last, linear step learnt anew on {summary.n_human:,} human and {summary.n_ai:,} AI pictures
of {spec.training.data}; {moved}. Everything before that step is the old network.

## What it is for
Pictures like those. {held_to} Measure it with `madeby evaluate` on them.

## What it reaches
On the pictures it learnt from, each answered about by a head that had not seen it ({FOLDS} folds, {kept}):

| model | accuracy at probability 0.5 | area under the ROC curve |
|---|---|---|
| before | {summary.before[0]:.2%} | {summary.before[1]:.4f} |
| after | {summary.after[0]:.2%} | {summary.after[1]:.4f} |
{still_known}
## Calibration and thresholds
Fitted on the same answers, {spec.calibration.n:,} pictures.{promised}

{promises(spec, counted, "the human pictures learnt from")}

Made with madeby {spec.madeby_version}: `{spec.training.command}`.

The card of the model that it was made from follows.

{base.card}"""
