"""Finds a run's results, where they lie in its folder or where they are named, and reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import ValidationError

from madeby.datasets.audit.findings import Audit
from madeby.datasets.manifest import LABELS
from madeby.detector.bundle import SPEC_FILE, BundleSpec
from madeby.errors import DataError, RecipeError
from madeby.evaluation.analysis.record import ANALYSIS_FILE, Analysis
from madeby.evaluation.evaluate import METRICS_FILE, PREDICTIONS_FILE
from madeby.evaluation.metrics import Metrics
from madeby.reporting.material import Measured, Placed, RunMaterial
from madeby.schema import ModelInfo
from madeby.training.environment import Environment
from madeby.training.recipe_files import load_recipe
from madeby.training.run import RunFolder
from madeby.training.tuning.outcome import TUNING_FILE
from madeby.training.tuning.records import Tuning

DEPTH = 2
"""How deep in a run's folder results are looked for."""

PASSED_OVER = {"bundle", "checkpoints", "cache", "tracking", "trials"}
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Given:
    """Results that the caller named, besides those in the runs' folders."""

    evaluations: tuple[Path, ...] = ()
    audits: tuple[Path, ...] = ()
    tunings: tuple[Path, ...] = ()
    analyses: tuple[Path, ...] = ()


def read_runs(folders: Sequence[Path], given: Given) -> list[RunMaterial]:
    """Read runs and share the named results out among them.

    An evaluation or analysis belongs to the run whose model it measured; an audit and a study to all runs that learnt
    from the data they name, or to every run where they name none of the runs' data.

    Raises:
        DataError: a folder is no run, a named result cannot be read, or measured another model.
    """
    runs = [_run(folder) for folder in folders]
    named = _unique_names(folders)
    runs = [replace(run, name=name) for run, name in zip(runs, named, strict=True)]
    for path in given.evaluations:
        runs = _added(runs, "evaluations", read_evaluation(path), path)
    for path in given.analyses:
        runs = _added(runs, "analyses", read_record(path, ANALYSIS_FILE, Analysis.from_json, "an analysis"), path)
    audits = [read_record(path, "audit.json", Audit.from_json, "an audit") for path in given.audits]
    tunings = [_tuning(path) for path in given.tunings]
    return [_ordered(_with_shared(run, runs, audits, tunings)) for run in runs]


def read_evaluation(folder: Path) -> Measured:
    """Read what ``evaluate`` wrote.

    Raises:
        DataError: it is none.
    """
    placed = read_record(folder, METRICS_FILE, Metrics.model_validate_json, "an evaluation")
    table = placed.path / PREDICTIONS_FILE
    try:
        predictions = pl.read_parquet(table) if table.is_file() else pl.DataFrame()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise DataError(f"{table} cannot be read ({str(error).splitlines()[0]}): evaluate again") from None
    if not {"path", "label", "probability"} <= set(predictions.columns):
        predictions = pl.DataFrame()
    elif not _usable(predictions):
        raise DataError(f"{table} holds labels or probabilities that are none: evaluate again")
    return Measured(placed.path, placed.record, predictions)


def _usable(predictions: pl.DataFrame) -> bool:
    """Whether every row has a path, one of the labels and a probability."""
    kinds = {name: predictions.schema[name] for name in ("path", "label", "probability")}
    if kinds != {"path": pl.String, "label": pl.String, "probability": pl.Float64}:
        return False
    sound = pl.col("path").is_not_null() & pl.col("label").is_in(LABELS) & pl.col("probability").is_between(0, 1)
    return bool(predictions.select(sound.fill_null(False).all()).item())


def read_record(path: Path, name: str, parse: Callable[[bytes], Any], what: str) -> Placed[Any]:
    """Read a record from its file, or from the file ``name`` in a folder; ``what`` it should be is said in errors.

    Raises:
        DataError: there is none, or it is none.
    """
    file = path / name if path.is_dir() else path
    if not file.is_file():
        raise DataError(f"{path} holds no {name}: it is not {what}'s folder")
    try:
        return Placed(file.parent if file.name == name else file, parse(file.read_bytes()))
    except OSError as error:
        raise DataError(f"{file} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise DataError(f"{file} is not {what}: {where}: {first['msg']}") from None


def _run(folder: Path) -> RunMaterial:
    run = RunFolder(folder)
    if run.adapted:
        raise DataError(
            f"{folder} was made by `madeby train --from`: it has no epochs to tell of; read its bundle's card"
        )
    if not run.started:
        what = "is not a run's folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}: give the -o of `madeby train`")
    try:
        recipe = load_recipe(run.config)
        epochs = tuple(run.read_metrics())
        described = run.read_json(run.manifest) if run.manifest.is_file() else {}
        environment = _environment(run)
    except RecipeError as error:
        raise DataError(str(error)) from None
    except (ValueError, KeyError, TypeError):
        raise DataError(f"{run.metrics} is damaged: train again, or take the run's folder from a backup") from None
    spec_file = run.bundle / SPEC_FILE
    spec = (
        read_record(spec_file, SPEC_FILE, BundleSpec.model_validate_json, "a bundle").record
        if spec_file.is_file()
        else None
    )
    found = _found_inside(folder, spec)
    data = described.get("path")
    return RunMaterial(
        name=folder.resolve().name,
        folder=folder,
        recipe=recipe,
        data=Path(str(data)) if data else None,
        manifest_sha256=str(described.get("sha256", "")),
        counts={name: dict(described[name]) for name in ("train", "val") if isinstance(described.get(name), dict)},
        environment=environment,
        epochs=epochs,
        finished=run.finished or spec is not None,
        spec=spec,
        evaluations=tuple(found.evaluations),
        audits=tuple(found.audits),
        tunings=tuple(found.tunings),
        analyses=tuple(found.analyses),
        gaps=tuple(found.gaps),
    )


def _environment(run: RunFolder) -> Environment | None:
    if not run.environment.is_file():
        return None
    try:
        return Environment(**run.read_json(run.environment))
    except TypeError:  # written by a version with other fields
        return None


@dataclass
class _Found:
    evaluations: list[Measured]
    audits: list[Placed[Audit]]
    tunings: list[Placed[Tuning]]
    analyses: list[Placed[Analysis]]
    gaps: list[str]


def _found_inside(folder: Path, spec: BundleSpec | None) -> _Found:
    """Results that lie in the run's own folder; what cannot be read there is said, and does not stop the report."""
    found = _Found([], [], [], [], [])
    for file in _json_files(folder, DEPTH):
        try:
            if file.name == METRICS_FILE:
                measured = read_evaluation(file.parent)
                if _is_about(spec, measured.metrics.model):
                    found.evaluations.append(measured)
                else:
                    found.gaps.append(f"{file.parent.name} measured an earlier model of this run and is left out.")
            elif file.name == ANALYSIS_FILE:
                analysis = read_record(file, ANALYSIS_FILE, Analysis.from_json, "an analysis")
                if _is_about(spec, analysis.record.model):
                    found.analyses.append(analysis)
                else:
                    found.gaps.append(f"{file.parent.name} is about an earlier model of this run and is left out.")
            elif file.name == TUNING_FILE:
                found.tunings.append(_tuning(file))
            elif _is_audit(file):
                found.audits.append(read_record(file, file.name, Audit.from_json, "an audit"))
        except DataError as error:
            found.gaps.append(f"Left out: {str(error).replace(f'{folder}/', '')}.")  # the page is for others as well
    return found


def _is_about(spec: BundleSpec | None, model: ModelInfo | None) -> bool:
    return spec is None or model is None or model.sha256 == spec.model_sha256


def _json_files(folder: Path, depth: int) -> Iterable[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError:
        return
    for entry in entries:
        if entry.is_dir() and depth and entry.name not in PASSED_OVER:
            yield from _json_files(entry, depth - 1)
        elif entry.suffix == ".json" and entry.stat().st_size < MOST_BYTES:
            yield entry


def _is_audit(file: Path) -> bool:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and "audit_version" in content


def _tuning(path: Path) -> Placed[Tuning]:
    return read_record(path, TUNING_FILE, Tuning.model_validate_json, "a study")


def _added(runs: list[RunMaterial], kind: str, result: Measured | Placed[Analysis], path: Path) -> list[RunMaterial]:
    """The runs with a named result added to the one whose model it is about."""
    model = result.metrics.model if isinstance(result, Measured) else result.record.model
    known = [run for run in runs if run.spec is not None and model and run.spec.model_sha256 == model.sha256]
    if not known and model is None and len(runs) == 1:
        known = runs
    if not known:
        of = f"{model.name} ({model.sha256[:12]})" if model else "no named model"
        raise DataError(f"{path} is about the model {of}, which is none of the runs': give its run, or evaluate again")
    where = result.folder if isinstance(result, Measured) else result.path

    def places(run: RunMaterial) -> set[Path]:
        known_results = getattr(run, kind)
        return {(one.folder if isinstance(one, Measured) else one.path).resolve() for one in known_results}

    return [
        replace(run, **{kind: (*getattr(run, kind), result)})  # type: ignore[arg-type]  # the field is named by kind
        if run in known and where.resolve() not in places(run)
        else run
        for run in runs
    ]


def _with_shared(
    run: RunMaterial, runs: list[RunMaterial], audits: list[Placed[Audit]], tunings: list[Placed[Tuning]]
) -> RunMaterial:
    names = {other.data.name for other in runs if other.data}
    own_name = run.data.name if run.data else None
    mine = [one for one in audits if Path(one.record.manifest).name == own_name]
    strangers = [one for one in audits if Path(one.record.manifest).name not in names]
    fitting = [one for one in tunings if one.record.plan.manifest_sha256 == run.manifest_sha256]
    others = [
        one for one in tunings if one.record.plan.manifest_sha256 not in {other.manifest_sha256 for other in runs}
    ]
    return replace(
        run,
        audits=(*run.audits, *mine, *strangers),
        tunings=(*run.tunings, *fitting, *others),
    )


def _ordered(run: RunMaterial) -> RunMaterial:
    """The evaluation of the run's own test split first, then its other splits, then other data; without mirror images
    before with them, and pictures as they are before changed ones."""

    def place(measured: Measured) -> tuple[bool, bool, int, bool, str]:
        splits = ("test", "all", "val", "train")
        split = measured.metrics.split
        degradation, place = measured.metrics.degradation, splits.index(split) if split in splits else len(splits)
        return bool(degradation), not run.own(measured), place, measured.metrics.flips, degradation

    return replace(run, evaluations=tuple(sorted(run.evaluations, key=place)))


def _unique_names(folders: Sequence[Path]) -> list[str]:
    """Short names that tell the runs apart."""
    names = [folder.resolve().name for folder in folders]
    if len(set(names)) < len(names):
        names = [f"{folder.resolve().parent.name}/{folder.resolve().name}" for folder in folders]
    if len(set(names)) < len(names):
        raise DataError("a run is named twice: name each once")
    return names
