"""Experiment trackers, loaded only when asked for; all their files lie inside the run's folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from madeby.errors import MissingExtraError
from madeby.training.recipe import Recipe

Tracker = Literal["tensorboard", "mlflow"]


def tracker(kind: Tracker, folder: Path, name: str, recipe: Recipe) -> Any:
    """A Lightning logger that writes to ``folder``.

    Raises:
        MissingExtraError: the tracker is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if kind == "tensorboard":
            from pytorch_lightning.loggers import TensorBoardLogger

            logger: Any = TensorBoardLogger(str(folder), name=None, version="")
        else:
            from pytorch_lightning.loggers import MLFlowLogger

            logger = MLFlowLogger(experiment_name="madeby", run_name=name, tracking_uri=folder.resolve().as_uri())
    except ModuleNotFoundError:
        raise MissingExtraError(f"--track {kind}", "track") from None
    logger.log_hyperparams(recipe.model_dump(mode="json"))
    return logger
