"""Learning another column of the manifest beside the label, for what it teaches about the pictures.

A network that must also tell what a picture shows learns features that see more in it than the label alone asks for
(multi-task learning, Caruana 1997). The second task has a linear layer of its own on the features that the network's
last layer reads; it is gone from the finished bundle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from torch import Tensor, nn
from torch.nn import functional

from madeby.errors import DataError, RecipeError

NONE = "none"
"""What a recipe's ``auxiliary`` says where nothing else is learnt."""

UNKNOWN = -1
"""Class of pictures whose row says nothing."""

MOST_CLASSES = 1000
SMOOTHING = 0.1


def auxiliary_classes(rows: pl.DataFrame, column: str) -> npt.NDArray[np.int64]:
    """The column's values as classes, (n,), from 0 in the order of their names; ``UNKNOWN`` where a row has none.

    Raises:
        DataError: there is no such column, or it does not hold 2 to 1000 different values.
    """
    if column not in rows.columns:
        raise DataError(
            f"the manifest has no column {column!r}, which this recipe learns as well: add it, or give --auxiliary none"
        )
    values = rows[column].cast(pl.String)
    names = values.drop_nulls().unique().sort()
    if not 2 <= len(names) <= MOST_CLASSES:
        raise DataError(
            f"column {column!r} has {len(names):,} different values among the training pictures; "
            f"2 to {MOST_CLASSES:,} can be learnt as classes (auxiliary)"
        )
    classes: npt.NDArray[np.int64] = np.full(len(values), UNKNOWN, np.int64)
    known = values.is_not_null().to_numpy()
    classes[known] = np.searchsorted(names.to_numpy().astype(str), values.drop_nulls().to_numpy().astype(str))
    return classes


class AuxiliaryTask(nn.Module):
    """Tells classes from what a network's last layer reads, listening to the network's own forward pass."""

    def __init__(self, network: nn.Module, classes: int) -> None:
        """Listen to ``network``.

        Raises:
            RecipeError: it does not end in a linear layer or a convolution.
        """
        super().__init__()
        last, width = _last_layer(network)
        self.head = nn.Linear(width, classes)
        self._heard: Tensor | None = None
        last.register_forward_pre_hook(self._hear)

    def _hear(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._heard = inputs[0]

    def losses(self, classes: Tensor) -> Tensor:
        """Cross-entropy (N,) of the classes (N,) of the batch that the network has just seen; 0 where unknown."""
        heard, self._heard = self._heard, None
        if heard is None:
            raise RuntimeError("the network has not seen a batch")
        features = heard.mean((2, 3)) if heard.ndim == 4 else heard
        scores = self.head(features).float()
        return functional.cross_entropy(
            scores, classes, ignore_index=UNKNOWN, label_smoothing=SMOOTHING, reduction="none"
        )


def _last_layer(network: nn.Module) -> tuple[nn.Module, int]:
    """The last layer with weights and the channels it reads."""
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    if not layers:
        raise RecipeError("auxiliary: this network has no linear layer or convolution that could be listened to")
    last = layers[-1]
    return last, last.in_features if isinstance(last, nn.Linear) else last.in_channels
