"""Experiment trackers, loaded only when asked for; all their files lie inside the run's folder."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any, Literal

from madeby.errors import MissingExtraError
from madeby.training.recipe import Recipe

Tracker = Literal["tensorboard", "mlflow"]


_MODULES = {"tensorboard": "tensorboard", "mlflow": "mlflow"}


def check_tracker(kind: Tracker | None) -> None:
    """Make sure that a tracker is installed before anything is begun.

    Raises:
        MissingExtraError: it is not.
    """
    if kind is not None and importlib.util.find_spec(_MODULES[kind]) is None:
        raise MissingExtraError(f"--track {kind}", "track")


def tracker(kind: Tracker, folder: Path, name: str, recipe: Recipe) -> Any:
    """A Lightning logger that writes to ``folder`` only: TensorBoard event files or an MLflow file store."""
    folder.mkdir(parents=True, exist_ok=True)
    if kind == "tensorboard":
        from pytorch_lightning.loggers import TensorBoardLogger

        logger: Any = TensorBoardLogger(str(folder), name=None, version="")
    else:
        # MLflow asks to be told that files are wanted rather than a database, and reports on its users.
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from pytorch_lightning.loggers import MLFlowLogger

        logger = MLFlowLogger(experiment_name="madeby", run_name=name, tracking_uri=folder.resolve().as_uri())
    logger.log_hyperparams(recipe.model_dump(mode="json"))
    return logger
