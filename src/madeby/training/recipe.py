"""The typed training recipe: one flat set of fields, the same names in YAML files and as flags."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from madeby.detector.bundle import Positive, Preprocessing


class Recipe(BaseModel):
    """How a network is trained. Every field can stand in a YAML recipe or be given as a flag.

    ``augment`` lists transformations of the training pictures, in order, each as ``name``, ``name=value`` or
    ``name=low..high``, optionally with ``@probability``: ``flip``, ``rotate=10``, ``jpeg=50..95@0.5``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: str = Field(default="residual", description="architecture: see `madeby models networks`")
    network_options: dict[str, Any] = Field(default_factory=dict, description="its options, {name: value}")
    view: Literal["resize", "crops"] = Field(
        default="resize", description="the whole picture squeezed, or native-resolution squares of it"
    )
    size: int = Field(default=32, ge=8, le=2048, description="side of the square the network sees, pixels")
    crops: int = Field(default=9, ge=1, le=64, description="squares a picture when answering (view=crops)")
    tile: int = Field(default=0, ge=0, le=4096, description="side of training tiles that views are cut from; 0 is size")
    tiles: int = Field(default=4, ge=1, le=64, description="training tiles a picture at most (view=crops)")
    mean: tuple[float, float, float] = Field(default=(0.5, 0.5, 0.5), description="subtracted from RGB of 0..1")
    std: tuple[Positive, Positive, Positive] = Field(
        default=(0.5, 0.5, 0.5), description="RGB is divided by it, after mean"
    )
    augment: tuple[str, ...] = Field(
        default=("flip",), description="changes of training pictures, e.g. flip,rotate=10,jpeg=50..95@0.5; or none"
    )
    optimizer: Literal["adam", "adamw", "sgd"] = Field(default="adamw", description="how weights are moved")
    learning_rate: float = Field(default=1e-3, gt=0, description="highest rate of the schedule")
    weight_decay: float = Field(default=0.0, ge=0, description="pull of weights towards zero")
    momentum: float = Field(default=0.9, ge=0, lt=1, description="sgd only")
    schedule: Literal["constant", "cosine", "one_cycle", "plateau"] = Field(
        default="cosine", description="how the learning rate runs"
    )
    warmup_epochs: float = Field(default=0.0, ge=0, description="epochs in which the rate rises from 0")
    label_smoothing: float = Field(default=0.0, ge=0, lt=0.5, description="share taken from the true label")
    auxiliary: str = Field(
        default="none", min_length=1, description="manifest column learnt beside the label, e.g. cifar_class; or none"
    )
    auxiliary_weight: float = Field(default=0.3, ge=0, description="how much that column's loss counts")
    balance: Literal["none", "label", "collection"] = Field(default="none", description="what is drawn alike often")
    prune: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        description="share of well-learnt pictures left out of an epoch; 0 is none",
    )
    ema: float = Field(default=0.0, ge=0, lt=1, description="decay of the average of weights a step; 0 is none")
    batch_size: int = Field(default=128, ge=1, description="views a step, over all processes")
    epochs: int = Field(default=20, ge=1, description="passes over the training pictures, at most")
    patience: int = Field(default=0, ge=0, description="epochs without a better figure before stopping; 0 is never")
    monitor: Literal["val_loss", "val_accuracy", "val_auroc"] = Field(
        default="val_loss", description="figure that selects the best epoch"
    )
    precision: Literal["auto", "fp32", "bf16"] = Field(
        default="auto", description="number format of products; auto takes bf16 where it is faster"
    )
    device: str = Field(default="auto", description="auto, cpu, cuda, mps, or ddp:N for N processes")
    seed: int = Field(default=0, ge=0, lt=2**32, description="fixes everything drawn by chance")

    @model_validator(mode="after")
    def _tile_holds_the_view(self) -> Recipe:
        if self.tile and self.tile < self.size:
            raise ValueError(f"tile ({self.tile}) must not be smaller than size ({self.size})")
        return self

    @property
    def preprocessing(self) -> Preprocessing:
        """The views this recipe trains for, as the bundle will declare them."""
        crops = self.crops if self.view == "crops" else 1
        return Preprocessing(view=self.view, size=self.size, crops=crops, mean=self.mean, std=self.std)

    @property
    def monitor_mode(self) -> Literal["min", "max"]:
        """Whether the monitored figure is better small or large."""
        return "min" if self.monitor == "val_loss" else "max"

    def better(self, figure: float, than: float) -> bool:
        """Whether one value of the monitored figure beats another."""
        return figure < than if self.monitor_mode == "min" else figure > than
