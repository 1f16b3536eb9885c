"""One pass over the pictures: their traits, what they show, and features for the map; kept for the next time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from madeby.datasets.atomic import written_atomically
from madeby.datasets.audit.container_facts import container_facts
from madeby.datasets.parallel import in_order
from madeby.errors import PictureError
from madeby.evaluation.analysis.content_model import BATCH, ContentModel
from madeby.evaluation.analysis.traits import TRAITS_VERSION, Traits, traits_of
from madeby.pictures.decode import decode
from madeby.pictures.sources import read

CONTENT_FILE = "content.parquet"
FEATURES_FILE = "features.parquet"

Pixels = npt.NDArray[np.uint8]
Features = npt.NDArray[np.float16]
Progress = Callable[[int, int], None]

NUMBERS = {int: pl.Int64(), float: pl.Float64()}
TRAIT_COLUMNS: dict[str, pl.DataType] = {
    name: next((kind for python, kind in NUMBERS.items() if python.__name__ in str(annotation)), pl.String())
    for name, annotation in Traits.__annotations__.items()
}
RANKS = (1, 2, 3)
CONTENT_COLUMNS: dict[str, pl.DataType] = {
    **{f"class_{rank}": pl.Int32() for rank in RANKS},
    **{f"confidence_{rank}": pl.Float64() for rank in RANKS},
}
FOUND_COLUMNS = {"sha256": pl.String(), "looked_with": pl.String(), **TRAIT_COLUMNS, **CONTENT_COLUMNS}


@dataclass(frozen=True, eq=False)
class Looked:
    """What was seen. ``table`` has every row that was asked for, in order, with :data:`FOUND_COLUMNS`; null where the
    picture could not be read, which ``unread`` names with the reason.

    ``features`` (m, d) belong to the rows ``mapped`` (m,), those wanted for the map that could be read.
    """

    table: pl.DataFrame
    features: Features
    mapped: npt.NDArray[np.int64]
    unread: tuple[tuple[str, str], ...]
    reused: int


@dataclass(frozen=True, eq=False)
class _Seen:
    """One picture as it comes from the pool; ``view`` is null where the folder's own figures will do."""

    sha256: str
    traits: Traits | None = None
    view: Pixels | None = None


def look_at(
    table: pl.DataFrame,
    wanted: npt.NDArray[np.bool_],
    model: ContentModel | None,
    folder: Path,
    *,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Looked:
    """Look at every picture once; figures that ``folder`` already holds are used again.

    Args:
        table: rows with ``path``.
        wanted: (n,) which rows' features are needed for the map.
        model: the content model; None leaves content and features out.
        folder: where ``content.parquet`` and ``features.parquet`` of an earlier analysis may lie.
        threads: pictures decoded at a time; one a core if None.
        progress: called with (pictures done, their count).
    """
    stamp = f"traits {TRAITS_VERSION}; content {model.fingerprint if model else 'none'}"
    kept = _kept(folder / CONTENT_FILE, stamp)
    kept_features = _kept_features(folder / FEATURES_FILE, stamp) if model else {}
    jobs = list(zip(table["path"].to_list(), wanted.tolist(), strict=True))

    def look(job: tuple[str, bool]) -> _Seen | str:
        path, for_map = job
        try:
            if "://" in path:
                return "a web address, which is not fetched again"
            data = read(path)
            checksum = hashlib.sha256(data).hexdigest()
            if checksum in kept and (not for_map or model is None or checksum in kept_features):
                return _Seen(checksum)
            picture = decode(data, perceptual_hash=False)
        except PictureError as error:
            return error.message
        traits = traits_of(picture.pixels, container_facts(data, picture.facts))
        return _Seen(checksum, traits, model.view(picture.pixels) if model else None)

    found = _Found(model, stamp, wanted)
    reused = 0
    for row, seen in enumerate(in_order(look, jobs, threads)):
        if isinstance(seen, str):
            found.unread(row, jobs[row][0], seen)
        elif seen.traits is None:
            reused += 1
            found.again(row, kept[seen.sha256], kept_features.get(seen.sha256))
        else:
            found.new(row, seen.sha256, seen.traits, seen.view)
        if progress is not None and (row % 50 == 49 or row + 1 == len(jobs)):
            progress(row + 1, len(jobs))
    found.finish()
    return found.looked(table, reused)


class _Found:
    """Gathers rows in order and shows their views to the network a batch at a time."""

    def __init__(self, model: ContentModel | None, stamp: str, wanted: npt.NDArray[np.bool_]) -> None:
        self._model = model
        self._stamp = stamp
        self._wanted = wanted
        self._rows: list[dict[str, object]] = []
        self._features: dict[int, Features] = {}
        self._waiting: list[tuple[int, Pixels]] = []
        self._unread: list[tuple[str, str]] = []

    def unread(self, row: int, path: str, reason: str) -> None:
        """A picture that cannot be read."""
        self._rows.append({})
        self._unread.append((path, reason))

    def again(self, row: int, kept: dict[str, object], features: Features | None) -> None:
        """A picture that an earlier analysis has looked at."""
        self._rows.append(kept)
        if self._wanted[row] and features is not None:
            self._features[row] = features

    def new(self, row: int, checksum: str, traits: Traits, view: Pixels | None) -> None:
        """A picture looked at now."""
        self._rows.append({"sha256": checksum, "looked_with": self._stamp, **asdict(traits)})
        if view is not None:
            self._waiting.append((row, view))
        if len(self._waiting) == BATCH:
            self.finish()

    def finish(self) -> None:
        """Show the network what is waiting."""
        if not self._waiting or self._model is None:
            return
        confidence, features = self._model.look(np.stack([view for _, view in self._waiting]))
        best = np.argsort(-confidence, axis=1, kind="stable")[:, : len(RANKS)]
        for (row, _), places, shares, feature in zip(self._waiting, best, confidence, features, strict=True):
            for rank, place in zip(RANKS, places.tolist(), strict=False):
                self._rows[row][f"class_{rank}"] = place
                self._rows[row][f"confidence_{rank}"] = float(shares[place])
            if self._wanted[row]:
                self._features[row] = feature
        self._waiting.clear()

    def looked(self, table: pl.DataFrame, reused: int) -> Looked:
        """Everything, as columns beside the table's own."""
        columns = [
            pl.Series(name, [row.get(name) for row in self._rows], kind, strict=False)
            for name, kind in FOUND_COLUMNS.items()
        ]
        own = table.drop([name for name in FOUND_COLUMNS if name in table.columns])
        mapped = np.asarray(sorted(self._features), np.int64)
        features = np.stack([self._features[row] for row in mapped.tolist()]) if len(mapped) else np.empty((0, 0))
        return Looked(
            table=own.with_columns(columns),
            features=features.astype(np.float16, copy=False),
            mapped=mapped,
            unread=tuple(self._unread),
            reused=reused,
        )


def keep(looked: Looked, folder: Path, names: Sequence[str]) -> None:
    """Write ``content.parquet``, with class names for people, and ``features.parquet`` for the next time."""
    spelt = [
        pl.Series(
            f"name_{rank}", [None if at is None else names[at] for at in looked.table[f"class_{rank}"]], pl.String
        )
        for rank in RANKS
    ]
    with written_atomically(folder / CONTENT_FILE) as path:
        looked.table.with_columns(spelt).write_parquet(path)
    if not len(looked.mapped):
        return
    rows = looked.table[looked.mapped].select("sha256", "looked_with")
    packed = pl.Series("features", [feature.tobytes() for feature in looked.features], pl.Binary)
    with written_atomically(folder / FEATURES_FILE) as path:
        rows.with_columns(packed).write_parquet(path)


def _kept(file: Path, stamp: str) -> dict[str, dict[str, object]]:
    """Rows of an earlier analysis by checksum; none if the file is absent, foreign or of another model."""
    table = _table(file, list(FOUND_COLUMNS))
    rows = (
        table.filter((pl.col("looked_with") == stamp) & pl.col("sha256").is_not_null()) if table is not None else None
    )
    return {} if rows is None else {row["sha256"]: row for row in rows.iter_rows(named=True)}


def _kept_features(file: Path, stamp: str) -> dict[str, Features]:
    table = _table(file, ["sha256", "looked_with", "features"])
    if table is None:
        return {}
    rows = table.filter(pl.col("looked_with") == stamp).select("sha256", "features")
    return {checksum: np.frombuffer(packed, np.float16) for checksum, packed in rows.iter_rows()}


def _table(file: Path, columns: list[str]) -> pl.DataFrame | None:
    try:
        return pl.read_parquet(file, columns=columns) if file.is_file() else None
    except (pl.exceptions.PolarsError, OSError):  # of another version, or cut short: looked at anew
        return None
