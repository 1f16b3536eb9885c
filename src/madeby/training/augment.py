"""Changes that training pictures suffer at random, by name.

Written ``name``, ``name=value`` or ``name=low..high``, optionally with ``@probability``. Two kinds exist:
*pixel* changes work on one uint8 picture and happen on the CPU (codecs, rescaling, cropping); *tensor* changes
work on a whole batch at once, on whichever device trains. Pixel changes come first, each kind in its given
order. Every change is drawn without looking at the label.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from madeby.detector.views import Pixels, padded_to
from madeby.errors import RecipeError
from madeby.pictures.degradations import Degradation, degradations
from madeby.training.geometry import (
    brightened,
    contrasted,
    flipped,
    flipped_vertically,
    rotated,
    shifted,
    zoomed,
)

PixelChange = Callable[[Pixels, float, np.random.Generator], Pixels]
TensorChange = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Change:
    """One registered change.

    ``symmetric`` reads a single value v as -v..v. ``identity`` is the value of a tensor change that leaves a
    picture as it is; ``draws`` is how many values it takes a picture. ``default`` is the range where none is
    given, None where one must be given.
    """

    name: str
    lowest: float
    highest: float
    default: tuple[float, float] | None = None
    probability: float = 1.0
    symmetric: bool = False
    pixel: PixelChange | None = None
    tensor: TensorChange | None = None
    identity: float = 0.0
    draws: int = 1


CROP = "crop"
"""The place in the list where tiles are cut down to the network's size, anywhere in the tile; ``crop=0.5`` is the
degradation of that name instead."""


def _degrading_change(entry: Degradation) -> Change:
    """A degradation that the world inflicts, as a change of training pictures."""

    def apply(pixels: Pixels, value: float, rng: np.random.Generator) -> Pixels:
        return entry.apply(pixels, value, seed=int(rng.integers(2**31)))

    usual = None if entry.usual is None or entry.name == CROP else (entry.usual, entry.usual)
    return Change(entry.name, entry.lowest, entry.highest, usual, pixel=apply)


_CHANGES = {
    change.name: change
    for change in (
        Change("flip", 1, 1, (1, 1), probability=0.5, tensor=flipped),
        Change("vflip", 1, 1, (1, 1), probability=0.5, tensor=flipped_vertically),
        Change("rotate", -180, 180, symmetric=True, tensor=rotated),
        Change("shift", -512, 512, symmetric=True, tensor=shifted, draws=2),
        Change("zoom", 0.2, 5, tensor=zoomed, identity=1.0),
        Change("brightness", 0.1, 4, tensor=brightened, identity=1.0),
        Change("contrast", 0.0, 4, tensor=contrasted, identity=1.0),
        *(_degrading_change(entry) for entry in degradations()),
    )
}


def change_names() -> list[str]:
    """Names that ``augment`` takes, sorted."""
    return sorted({*_CHANGES, CROP})


@dataclass(frozen=True)
class Step:
    """One change as a recipe asks for it: a value between ``low`` and ``high``, drawn for each picture."""

    change: Change
    low: float
    high: float
    probability: float


_STEP = re.compile(r"(?P<name>[a-z_]+)(=(?P<low>[^.@]*(\.\d+)?)(\.\.(?P<high>[^@]+))?)?(@(?P<probability>.+))?")


def parse_step(text: str) -> Step:
    """Read one entry of a recipe's ``augment``.

    Raises:
        RecipeError: unknown name, no number where one is needed, or one out of range.
    """
    match = _STEP.fullmatch(text.strip())
    if not match:
        raise RecipeError(f"augment: {text!r} is not name, name=value or name=low..high, with @probability or not")
    name = match["name"]
    if name not in _CHANGES:
        near = difflib.get_close_matches(name, change_names(), n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RecipeError(f"augment: nothing is called {name!r}{hint} Known: {', '.join(change_names())}")
    change = _CHANGES[name]
    probability = change.probability if match["probability"] is None else _number(match["probability"], text)
    if match["low"] is None:
        if change.default is None:
            raise RecipeError(f"augment: {name!r} needs a value, as in {name}={change.highest:g}")
        low, high = change.default
    else:
        low = _number(match["low"], text)
        high = _number(match["high"], text) if match["high"] is not None else low
        if change.symmetric and match["high"] is None:
            low, high = -abs(low), abs(low)
    if not change.lowest <= low <= high <= change.highest:
        raise RecipeError(f"augment: {text!r} must rise and lie within {change.lowest:g}..{change.highest:g}")
    if not 0 <= probability <= 1:
        raise RecipeError(f"augment: the probability in {text!r} must lie within 0..1")
    return Step(change, low, high, probability)


class Augmentation:
    """A recipe's changes, ready to be applied to views of ``size`` pixels."""

    def __init__(self, augment: Sequence[str], size: int) -> None:
        """Parse the list.

        Raises:
            RecipeError: as :func:`parse_step`.
        """
        self.size = size
        names = [text.strip() for text in augment]
        steps = [None if name == CROP else parse_step(name) for name in names]
        self._pixel_steps = [step for step in steps if step is None or step.change.pixel]
        if None not in self._pixel_steps:
            self._pixel_steps.append(None)
        self._tensor_steps = [step for step in steps if step is not None and step.change.tensor]

    @property
    def changes_pixels(self) -> bool:
        """Whether anything but cropping happens to single uint8 pictures."""
        return len(self._pixel_steps) > 1

    def pixels(self, tile: Pixels, rng: np.random.Generator) -> Pixels:
        """One tile (h, w, 3) uint8 to a view (size, size, 3) uint8, changed and cropped at random."""
        for step in self._pixel_steps:
            if step is None:
                tile = random_crop(tile, self.size, rng)
            elif step.change.pixel and rng.random() < step.probability:
                tile = step.change.pixel(tile, rng.uniform(step.low, step.high), rng)
        if tile.shape[:2] != (self.size, self.size):  # a change after the crop took the size
            tile = random_crop(tile, self.size, rng)
        return tile

    def tensors(self, views: Tensor, seed: int) -> Tensor:
        """A batch (N, 3, size, size) of values 0..255, changed on its own device; ``seed`` fixes the draw."""
        rng = np.random.default_rng(seed)
        count = len(views)
        for step in self._tensor_steps:
            values = rng.uniform(step.low, step.high, (count, step.change.draws))
            values[rng.random(count) >= step.probability] = step.change.identity
            if step.change.tensor:
                drawn = torch.from_numpy(values.astype(np.float32)).to(views.device)
                drawn = drawn if step.change.draws > 1 else drawn[:, 0]
                views = step.change.tensor(views, drawn)
        return views


def random_crop(tile: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """A (size, size, 3) square from anywhere in the tile, mirrored outwards where the tile is smaller."""
    tile = padded_to(tile, size)
    top, left = (int(rng.integers(length - size + 1)) for length in tile.shape[:2])
    return tile[top : top + size, left : left + size]


def _number(text: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise RecipeError(f"augment: {text!r} in {whole!r} is not a number") from None
