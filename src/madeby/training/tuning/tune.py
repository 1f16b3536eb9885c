"""The verb ``tune``: many trainings, one after another, for the recipe that does best on the validation split."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madeby.datasets.manifest import check_files
from madeby.errors import RecipeError
from madeby.training.preparation import read_parts
from madeby.training.recipe_files import load_recipe
from madeby.training.tuning.outcome import draw_outcome, outcome_of, row_of, write_outcome
from madeby.training.tuning.records import Plan, Tuning
from madeby.training.tuning.search_files import PrunerName, SamplerName, Search, is_search_file, load_search
from madeby.training.tuning.space import Space, parse_space
from madeby.training.tuning.study import Study
from madeby.training.tuning.trial import Material, SilentTuning, TuningProgress, run_trial

DEFAULT_TRIALS = 20
DEFAULT_STUDY = "tuning"


@dataclass(frozen=True)
class TuningOutcome:
    """A study as it stood when this worker found nothing more to do, where it lies, and the files written there."""

    folder: Path
    tuning: Tuning
    files: tuple[Path, ...]


def tune(
    data: str | Path,
    output: str | Path,
    search: str | Mapping[str, object] | Sequence[str],
    *,
    recipe: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    sampler: SamplerName | None = None,
    pruner: PrunerName | None = None,
    trials: int | None = None,
    storage: str | None = None,
    study: str | None = None,
    seed: int = 0,
    cache: Path | None = None,
    progress: TuningProgress | None = None,
) -> TuningOutcome:
    """Try many recipes, each as a run of its own, and find the one that does best on the validation split.

    The test split is never read. The same call again goes on with an interrupted study, whose unfinished trials go
    on where their checkpoints left them; with more ``trials`` it adds some. Several processes, or machines on one
    ``storage``, share a study by the same call.

    Args:
        data: the manifest.
        output: folder for ``tuning.json``, ``trials.csv``, ``best.yaml``, plots, and a run's folder for each trial.
        search: what varies: field to values as :func:`~madeby.training.tuning.space.parse_space` reads them,
            ``field=values`` lines, or the name of a shipped search or a YAML file.
        recipe: name of a shipped recipe or path of a YAML file that is varied; None for what a search file names, or
            the shipped default.
        overrides: single fields of the recipe, the same in all trials.
        sampler: ``grid`` tries every combination, ``tpe`` learns where to look (Bergstra et al. 2011), ``random``
            draws. None takes grid where every field has a list of values and ``trials`` is None, else tpe.
        pruner: ``median`` ends trials that do worse than half of the earlier ones at the same epoch, ``hyperband``
            (Li et al. 2018) gives few of them all epochs. None takes median, but for a grid, which is seen through.
        trials: how many there are to be in all; None for a grid's own size, or 20.
        storage: SQLAlchemy URL of a database that several machines reach; None for SQLite in ``output``.
        study: its name in the storage.
        seed: of the sampler's chance. Every trial trains with the recipe's own seed.
        cache: where decoded pictures are kept for all trials; None for a folder inside ``output``, removed at the end.
        progress: who watches.

    Raises:
        RecipeError: search space, recipe, storage or output folder are wrong, or every trial failed.
        DataError: the manifest cannot be learned from.
    """
    wanted = _search_of(search)
    base = str(recipe) if recipe is not None else wanted.recipe
    fixed = {**wanted.set, **(overrides or {})}
    space = parse_space(wanted.search, base, fixed)
    if both := sorted(set(fixed) & set(space.dimensions)):
        raise RecipeError(f"search {both[0]}: is set to one value as well; leave one of the two out")
    settings = load_recipe(base, fixed)
    sampler = sampler or wanted.sampler or ("grid" if space.size and not (trials or wanted.trials) else "tpe")
    count = _count(space, sampler, trials or wanted.trials)
    parts = read_parts(Path(data))
    check_files(parts.train)
    plan = Plan(
        space=space,
        recipe=settings.model_dump(mode="json"),
        manifest_sha256=parts.sha256,
        monitor=settings.monitor,
        mode=settings.monitor_mode,
        sampler=sampler,
        pruner=pruner or wanted.pruner or ("none" if sampler == "grid" else "median"),
        seed=seed,
    )
    folder = _prepared(Path(output))
    own_cache = folder / "cache"
    material = Material(Path(data), cache or own_cache, base, fixed)
    opened = Study(folder, study or DEFAULT_STUDY, plan, storage)
    try:
        opened.lay_down(count)
        _work(opened, material, count, progress or SilentTuning())
        tuning = outcome_of(opened, count)
    finally:
        opened.dispose()
    if not tuning.count("running"):
        shutil.rmtree(own_cache, ignore_errors=True)
    files = [*write_outcome(tuning, folder, material), *draw_outcome(tuning, folder)]
    failed = [row for row in tuning.trials if row.state == "failed"]
    if len(failed) == count:
        raise RecipeError(f"all {count} trials failed; the first: {failed[0].problem}")
    return TuningOutcome(folder, tuning, tuple(files))


def _work(study: Study, material: Material, count: int, progress: TuningProgress) -> None:
    """Run trials until there are none to be had; the table is up to date after each."""
    while True:
        with study.claim(count) as trial:
            if trial is None:
                return
            run_trial(study, trial, material, count, progress)
            progress.trial_ends(row_of(study.trial(trial.number), study))
        write_outcome(outcome_of(study, count), study.folder, material)


def _search_of(search: str | Mapping[str, object] | Sequence[str]) -> Search:
    if isinstance(search, str):
        search = [search]
    if isinstance(search, Mapping):
        return Search(search=dict(search)) if search else _nothing()
    files = [text for text in search if is_search_file(text)]
    if not files:
        pairs = [text.partition("=") for text in search]
        names = [name.strip().replace("-", "_") for name, _, _ in pairs]
        if twice := [name for number, name in enumerate(names) if name in names[:number]]:
            raise RecipeError(f"search {twice[0]}: named twice; put all its values into one --search")
        return (
            Search(search={name: text for name, (_, _, text) in zip(names, pairs, strict=True)})
            if names
            else _nothing()
        )
    if len(search) > 1:
        raise RecipeError(f"search {files[0]} is a whole search: give it alone, or give fields one by one")
    return load_search(files[0])


def _nothing() -> Search:
    raise RecipeError("there is nothing to search: name a field, as in --search learning_rate=0.0005,0.001")


def _count(space: Space, sampler: SamplerName, trials: int | None) -> int:
    if sampler != "grid":
        return trials or DEFAULT_TRIALS
    if space.size is None:
        raise RecipeError("a grid needs values or steps for every field: list them, or use --sampler tpe")
    if trials is not None and trials != space.size:
        raise RecipeError(f"the grid has {space.size} trials, not {trials}: leave --trials out, or use --sampler tpe")
    return space.size


def _prepared(folder: Path) -> Path:
    """The study's folder, new or one of a study."""
    if folder.exists() and not (folder / "locks").is_dir() and (folder.is_file() or any(folder.iterdir())):
        raise RecipeError(f"{folder} exists and holds no study: choose another output folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RecipeError(f"{folder} cannot be made: {error.strerror or error}") from None
    return folder
