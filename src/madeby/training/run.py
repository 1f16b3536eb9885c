"""A run's folder: what lies where, and what a finished run sums up to."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from madeby.errors import RecipeError
from madeby.training.recipe import Recipe


@dataclass(frozen=True)
class EpochFigures:
    """One row of ``metrics.csv``; ``epoch`` counts from 1, losses are nats, ``seconds`` the epoch's wall time."""

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    val_auroc: float
    learning_rate: float
    seconds: float


def best_of(rows: Sequence[EpochFigures], recipe: Recipe) -> EpochFigures:
    """The first of the epochs with the best value of the recipe's monitored figure."""
    best = rows[0]
    for row in rows[1:]:
        if recipe.better(getattr(row, recipe.monitor), getattr(best, recipe.monitor)):
            best = row
    return best


@dataclass(frozen=True)
class RunSummary:
    """What a finished run came to; ``summary.json`` holds it. ``best`` are the kept epoch's figures."""

    folder: Path
    bundle: Path
    network: str
    parameters: int
    n_train: int
    n_val: int
    unreadable: int
    epochs: int
    stopped_early: bool
    best: EpochFigures
    monitor: str
    seconds: float
    precision: str
    accelerator: str
    parity: float
    calibration: str


class RunFolder:
    """Paths inside one run's folder, and its small files."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.environment = path / "environment.json"
        self.manifest = path / "manifest.json"
        self.metrics = path / "metrics.csv"
        self.summary = path / "summary.json"
        self.adaptation = path / "adaptation.json"
        self.checkpoints = path / "checkpoints"
        self.best = self.checkpoints / "best.ckpt"
        self.last = self.checkpoints / "last.ckpt"
        self.bundle = path / "bundle"
        self.cache = path / "cache"
        self.tracking = path / "tracking"

    @property
    def started(self) -> bool:
        """Whether a run was ever begun here."""
        return self.config.is_file()

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return self.summary.is_file()

    @property
    def adapted(self) -> bool:
        """Whether this is no training but a finished adaptation, which has a bundle and no epochs."""
        return self.adaptation.is_file()

    @property
    def command(self) -> str:
        """The command that began the run; empty before it is recorded."""
        return str(self.read_json(self.environment).get("command", "")) if self.environment.is_file() else ""

    def read_json(self, path: Path) -> dict[str, Any]:
        """One of the run's small files.

        Raises:
            RecipeError: it is missing or damaged.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise RecipeError(
                f"{path} cannot be read ({error}): the run's folder is damaged, start a new run"
            ) from None
        return content if isinstance(content, dict) else {}

    def read_best(self) -> dict[str, Any]:
        """The weights of the best epoch so far.

        Raises:
            RecipeError: the checkpoint is missing or damaged.
        """
        return _state_of(self.best)

    def check_last(self) -> None:
        """Make sure that the checkpoint to resume from is sound.

        Raises:
            RecipeError: it is missing or damaged.
        """
        _state_of(self.last)

    def prepare(self, resume: bool) -> None:
        """Make the folder for a new run, or check that there is one to take up again.

        Raises:
            RecipeError: the folder holds a run already, something else, or nothing to resume.
        """
        if self.finished or self.adapted:
            raise RecipeError(f"{self.path} holds a finished run: choose another output folder")
        if self.started and not resume:
            raise RecipeError(
                f"{self.path} holds an unfinished run: go on with it with --resume, or choose another output folder"
            )
        if not self.started and resume:
            raise RecipeError(f"{self.path} holds no run to resume: leave --resume out to start one")
        if not self.started and self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
            raise RecipeError(f"{self.path} exists and is no run's folder: choose another output folder")
        try:
            self.checkpoints.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RecipeError(f"{self.path} cannot be made: {error.strerror or error}") from None

    def write_json(self, path: Path, content: object) -> None:
        """Write a dataclass instance or plain object as readable JSON."""
        plain = asdict(content) if hasattr(content, "__dataclass_fields__") else content  # type: ignore[call-overload]
        path.write_text(json.dumps(plain, indent=2, default=str) + "\n", encoding="utf-8")

    def read_metrics(self) -> list[EpochFigures]:
        """The epochs recorded so far."""
        if not self.metrics.is_file():
            return []
        with self.metrics.open(encoding="utf-8", newline="") as file:
            return [_figures(row) for row in csv.DictReader(file)]

    def write_metrics(self, rows: Iterable[EpochFigures]) -> None:
        """Replace ``metrics.csv``."""
        with self.metrics.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [field.name for field in fields(EpochFigures)])
            writer.writeheader()
            for row in rows:
                writer.writerow({name: f"{value:.6g}" for name, value in asdict(row).items()})


def _figures(row: dict[str, str]) -> EpochFigures:
    values = {name: float(value) for name, value in row.items()}
    epoch = int(values.pop("epoch"))
    return EpochFigures(epoch=epoch, **values)


def _state_of(checkpoint: Path) -> dict[str, Any]:
    import torch

    try:
        state: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
    except Exception as error:  # damage shows in whatever the unpickler stumbles over
        raise RecipeError(f"{checkpoint} is no checkpoint of ours ({type(error).__name__}): start a new run") from None
    return state
