"""``madeby analyze``: what evaluated or scanned pictures show, and what the detector's mistakes have in common."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.errors import DataError, RecipeError
from madeby.evaluation.analysis.content_model import DEFAULT_MODEL, ContentModel, open_content_model
from madeby.evaluation.analysis.content_study import DECISION, study_content
from madeby.evaluation.analysis.draw import drawn
from madeby.evaluation.analysis.embedding import LEAST_POINTS, place
from madeby.evaluation.analysis.estimates import rate
from madeby.evaluation.analysis.findings import findings_of
from madeby.evaluation.analysis.galleries import GALLERIES
from madeby.evaluation.analysis.looking import Looked, keep, look_at
from madeby.evaluation.analysis.map_page import write_map_page
from madeby.evaluation.analysis.pictures_drawn import draw_content, draw_found, draw_maps
from madeby.evaluation.analysis.record import (
    ANALYSIS_FILE,
    Analysis,
    Content,
    EmbeddingMap,
    Errors,
    Outcome,
    Pictures,
    Plot,
    SliceSearch,
    Stage,
)
from madeby.evaluation.analysis.slices import search_slices
from madeby.evaluation.analysis.target import Target, read_target
from madeby.plots.style import DARK, LIGHT, Theme
from madeby.version import __version__

NO_CONTENT = "none"
MAP_POINTS = 3000
MAP_FILE = "map.html"
UNREAD_EXAMPLES = 10


def analyze(
    target: str | Path,
    output: str | Path,
    *,
    data: str | Path | None = None,
    content_model: str = DEFAULT_MODEL,
    content_weights: str | Path | None = None,
    classes: Sequence[str] = (),
    limit: int | None = None,
    map_points: int = MAP_POINTS,
    seed: int = 0,
    threads: int | None = None,
    theme: Literal["light", "dark"] = "light",
    progress: Callable[[int, int], None] | None = None,
) -> Analysis:
    """Study what pictures show and where a detector errs.

    Writes ``analysis.json``, ``content.parquet`` (one row a picture), plots, galleries and an interactive map into
    ``output``. What an earlier analysis there has looked at is not looked at again.

    Args:
        target: a folder that ``evaluate`` wrote, results that ``scan`` wrote, or a manifest.
        output: the folder to write.
        data: a manifest with labels for the target's pictures, or with their new places.
        content_model: an ImageNet classifier by its timm name; ``none`` leaves the contents out.
        content_weights: a state dict for it; otherwise an installed package's or the model hub's.
        classes: contents to show in any case, such as ``lab_coat``.
        limit: most pictures, a seeded draw with the labels' shares kept; all if None.
        map_points: most pictures on the map; 0 for no map.
        seed: of draws, intervals and the map.
        threads: pictures decoded, and cores used by the content model, at a time.
        theme: ``light`` or ``dark`` plots.
        progress: called with (pictures done, their count).

    Raises:
        DataError: the target or the manifest cannot be used.
        RecipeError: the content model, its weights or a class is not known.
    """
    clock = _Clock()
    if limit is not None and limit < 1:
        raise DataError(f"at least 1 picture must be analysed, not {limit}")
    found = read_target(Path(target), None if data is None else Path(data))
    folder = Path(output)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{folder} cannot be made a folder for the results: {error.strerror or error}") from None
    model = None
    if content_model != NO_CONTENT:
        model = open_content_model(content_model, None if content_weights is None else Path(content_weights))
    wanted = _places(model, classes)
    table = found.table.filter(drawn(found.table, limit, seed))
    _forget_drawn(folder)
    clock.lap("read the target")

    mapped = drawn(table, map_points, seed + 1) & (map_points > 0)
    with _torch_threads(threads):
        looked = look_at(table, mapped, model, folder, threads=threads, progress=progress)
    keep(looked, folder, model.classes if model else ())
    table = _with_content(looked.table, model)
    clock.lap("look at the pictures")

    work = _Work(folder, DARK if theme == "dark" else LIGHT, table, found, seed)
    content = study_content(table, model, classes, seed) if model else None
    if content is not None:
        content = work.draw_study(content, wanted)
    clock.lap("study the contents")
    searches = work.search()
    clock.lap("search for slices")
    embedding = work.draw_map(looked) if model and map_points else None
    clock.lap("draw the map")

    pictures = _pictures(found, table, looked, limit, seed)
    errors = _errors(table)
    analysis = Analysis(
        madeby=__version__,
        command=_command(target, output, data, content_model, content_weights, classes, limit, map_points, seed),
        target=str(target),
        kind=found.kind,
        data=found.data,
        model=found.model,
        pictures=pictures,
        content=content,
        errors=errors,
        searches=searches,
        map=embedding,
        findings=findings_of(pictures, content, errors, searches),
        notes=tuple(_notes(found, pictures, looked, embedding, model)),
        plots=tuple(work.plots),
        galleries=tuple(work.galleries),
        stages=tuple(clock.stages),
    )
    with written_atomically(folder / ANALYSIS_FILE) as path:
        path.write_text(analysis.to_json() + "\n", encoding="utf-8")
    return analysis


class _Work:
    """The parts of an analysis that draw, sharing the folder, the theme and the pictures' table."""

    def __init__(self, folder: Path, theme: Theme, table: pl.DataFrame, target: Target, seed: int) -> None:
        self._folder, self._theme, self._table, self._target, self._seed = folder, theme, table, target, seed
        self.plots: list[Plot] = []
        self.galleries: list[Plot] = []

    def draw_study(self, content: Content, wanted: Sequence[int]) -> Content:
        """Draw the study of contents; returns it with its galleries named."""
        study = draw_content(content, self._table, wanted, self._folder, self._theme)
        self.plots += study.plots
        self.galleries += study.galleries
        return study.content

    def search(self) -> tuple[SliceSearch, ...]:
        """Look for slices of mistakes, or of pictures called ai where no picture has a label."""
        scored = self._table.filter(pl.col("probability").is_not_null())
        called = pl.col("probability") >= DECISION
        if scored.is_empty():
            return ()
        searches: list[tuple[Outcome, pl.DataFrame, pl.Expr]] = [
            ("false positive", scored.filter(pl.col("label") == "human"), called),
            ("false negative", scored.filter(pl.col("label") == "ai"), ~called),
        ]
        if scored["label"].is_null().all():
            searches = [("called ai", scored, called)]
        done = []
        for outcome, population, is_hit in searches:
            if population.is_empty():
                continue
            hit: npt.NDArray[np.bool_] = population.select(is_hit.alias("hit"))["hit"].to_numpy()
            found = search_slices(population, hit, outcome, self._target.shared)
            found, plots, galleries = draw_found(found, population, hit, self._folder, self._theme)
            self.plots += plots
            self.galleries += galleries
            done.append(found.search)
        return tuple(done)

    def draw_map(self, looked: Looked) -> EmbeddingMap | None:
        """Place the pictures chosen for the map and draw it; None where there are too few."""
        placed = place(looked.features, self._seed)
        if placed is None:
            return None
        points = self._table[looked.mapped]
        self.plots += draw_maps(points, placed, self._folder, self._theme)
        write_map_page(points, placed, self._folder / MAP_FILE)
        return EmbeddingMap(points=len(points), method=placed.method, html=MAP_FILE)


class _Clock:
    """Times the stages of the work."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self._since = time.perf_counter()

    def lap(self, name: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self.stages.append(Stage(name=name, seconds=round(now - self._since, 2)))
        self._since = now


def _forget_drawn(folder: Path) -> None:
    """Remove what an earlier analysis drew in the folder: its slices and classes may not be found again."""
    try:
        earlier = Analysis.from_json((folder / ANALYSIS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    for plot in (*earlier.plots, *earlier.galleries):
        file = folder / plot.file
        if file.suffix == ".png" and file.parent in (folder, folder / GALLERIES):
            file.unlink(missing_ok=True)


@contextmanager
def _torch_threads(threads: int | None) -> Iterator[None]:
    """Let the content model use that many cores, and no others; by default what the process is set to."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _places(model: ContentModel | None, classes: Sequence[str]) -> list[int]:
    if model is None:
        if classes:
            raise RecipeError("contents can be shown only if a content model looks: leave out --content-model none")
        return []
    places = [model.find(name) for name in classes]
    unknown = [name for name, at in zip(classes, places, strict=True) if at is None]
    if unknown:
        raise RecipeError(f"{model.name} knows no class {unknown[0]!r}: write it as ImageNet does, such as lab_coat")
    return [at for at in places if at is not None]


def _with_content(table: pl.DataFrame, model: ContentModel | None) -> pl.DataFrame:
    """The table with each picture's content by name, null where unknown."""
    names = [None if at is None or model is None else model.classes[at] for at in table["class_1"]]
    return table.with_columns(pl.Series("content", names, pl.String))


def _pictures(found: Target, table: pl.DataFrame, looked: Looked, limit: int | None, seed: int) -> Pictures:
    return Pictures(
        listed=len(found.table),
        analysed=len(table),
        human=int((table["label"] == "human").sum()),
        ai=int((table["label"] == "ai").sum()),
        unlabelled=table["label"].null_count(),
        unread=len(looked.unread),
        unread_examples=looked.unread[:UNREAD_EXAMPLES],
        failed=found.failed,
        unscored=table["probability"].null_count(),
        limit=limit,
        seed=seed,
    )


def _errors(table: pl.DataFrame) -> Errors | None:
    scored = table.filter(pl.col("probability").is_not_null() & pl.col("label").is_not_null())
    if scored.is_empty():
        return None
    is_ai = (scored["label"] == "ai").to_numpy()
    called = (scored["probability"] >= DECISION).to_numpy()
    false_positives, false_negatives = int((called & ~is_ai).sum()), int((~called & is_ai).sum())
    return Errors(
        false_positives=false_positives,
        false_negatives=false_negatives,
        false_positive_rate=rate(false_positives, int((~is_ai).sum())),
        false_negative_rate=rate(false_negatives, int(is_ai.sum())),
    )


def _notes(
    found: Target, pictures: Pictures, looked: Looked, embedding: EmbeddingMap | None, model: ContentModel | None
) -> Iterator[str]:
    """What the reader should know of the analysis itself."""
    yield from found.notes
    if pictures.analysed < pictures.listed:
        yield (
            f"{pictures.analysed:,} of {pictures.listed:,} pictures were analysed, drawn by seed {pictures.seed} with "
            "the labels' shares kept: counts are of these"
        )
    if pictures.failed:
        yield f"{pictures.failed:,} results of the scan are errors and were left out"
    if pictures.unread:
        all_gone = pictures.unread == pictures.analysed
        rest = (
            "so only the columns of the target could be used; name a manifest with their new places with --data"
            if all_gone
            else "and count only where the detector's answer alone is needed"
        )
        yield f"{pictures.unread:,} of {pictures.analysed:,} pictures could not be read, {rest}"
    if pictures.unscored and pictures.unscored < pictures.analysed:
        yield f"{pictures.unscored:,} pictures have no probability of the detector"
    if looked.reused:
        yield f"{looked.reused:,} pictures were looked at by an earlier analysis in the same folder"
    side = looked.table["shorter_side"].median()
    if model is not None and isinstance(side, float) and side < model.size / 2:
        yield (
            f"the pictures are small (half of them have a side of {side:.0f} px or less) and are enlarged to "
            f"{model.size} px for the content model: what it sees in them is a rough guide"
        )
    if embedding is None and model is not None and len(looked.mapped) < LEAST_POINTS:
        yield f"there is no map: it needs {LEAST_POINTS} pictures that can be read"


def _command(
    target: str | Path,
    output: str | Path,
    data: str | Path | None,
    content_model: str,
    content_weights: str | Path | None,
    classes: Sequence[str],
    limit: int | None,
    map_points: int,
    seed: int,
) -> str:
    """How to repeat the analysis on the command line."""
    words = ["madeby", "analyze", str(target), "-o", str(output)]
    options = {"--data": data, "--content-weights": content_weights, "--limit": limit, "--seed": seed or None}
    for option, value in options.items():
        words += [option, str(value)] if value is not None else []
    words += ["--content-model", content_model] if content_model != DEFAULT_MODEL else []
    words += ["--classes", ",".join(classes)] if classes else []
    words += ["--map-points", str(map_points)] if map_points != MAP_POINTS else []
    return shlex.join(words)
