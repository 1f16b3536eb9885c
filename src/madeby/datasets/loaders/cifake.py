"""CIFAKE (Bird and Lotfi 2023): CIFAR-10's photographs and as many by Stable Diffusion 1.4, 32 x 32 pixels."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from madeby.datasets.loaders.kaggle import dataset_folder
from madeby.datasets.loaders.registry import LISTED, Listing, LoaderOptions, register_loader
from madeby.datasets.loaders.walk import picture_files
from madeby.errors import DataError
from madeby.schema import Label

HANDLE = "birdy654/cifake-real-and-ai-generated-synthetic-images"
GENERATOR = "Stable Diffusion 1.4"

CIFAR_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
"""CIFAR-10's classes in their order; file names carry them as ``(2)`` to ``(10)``, the first class carries none."""

_NUMBER = re.compile(r"\((\d+)\)\.[^.]+$")
_LABELS = {"REAL": Label.HUMAN, "FAKE": Label.AI}


@register_loader(
    "cifake", description="CIFAKE as published: train/{REAL,FAKE}, test/{REAL,FAKE}; from Kaggle if absent"
)
def load(path: Path | None, options: LoaderOptions) -> Listing:
    """List CIFAKE with its published train and test split; adds the column ``cifar_class``.

    Raises:
        DataError: a folder of the layout is missing, or the data set could not be downloaded.
    """
    root, notes = dataset_folder(HANDLE, path)
    rows: list[tuple[str, str, str, str | None, str | None]] = []
    for split in ("train", "test"):
        for name, label in _LABELS.items():
            folder = root / split / name
            if not folder.is_dir():
                raise DataError(f"{root} is not CIFAKE as published: there is no folder {split}/{name}")
            generator = GENERATOR if label is Label.AI else None
            rows += [
                (str(folder.joinpath(*parts, file)), label.value, split, generator, cifar_class(file))
                for parts, files in picture_files(folder)
                for file in files
            ]
    table = pl.DataFrame(
        rows,
        schema={column: pl.String() for column in ("path", "label", "split", "generator", "cifar_class")},
        orient="row",
    ).with_columns(pl.lit(None, pl.String).alias("collection"), pl.lit(None, pl.String).alias("group"))
    return Listing(table.select(*LISTED, "cifar_class"), notes)


def cifar_class(file_name: str) -> str | None:
    """The CIFAR-10 class that a CIFAKE file name carries: ``0012 (4).jpg`` is a cat, ``0012.jpg`` an airplane."""
    found = _NUMBER.search(file_name)
    number = int(found.group(1)) if found else 1
    return CIFAR_CLASSES[number - 1] if 1 <= number <= len(CIFAR_CLASSES) else None
