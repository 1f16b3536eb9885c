"""Kaggle's "AI vs. Human-Generated Images": photographs and pictures made after them, listed in ``train.csv``."""

from __future__ import annotations

from pathlib import Path

from madeby.datasets.loaders.kaggle import dataset_folder
from madeby.datasets.loaders.registry import Listing, LoaderOptions, register_loader
from madeby.datasets.loaders.table import listing_of, read_table
from madeby.errors import DataError

HANDLE = "alessandrasala79/ai-vs-human-generated-dataset"


@register_loader(
    "kaggle_ai_vs_human",
    description='Kaggle\'s "AI vs. Human-Generated Images": train.csv and train_data/; from Kaggle if absent',
)
def load(path: Path | None, options: LoaderOptions) -> Listing:
    """List the labelled pictures of ``train.csv`` (1 is AI); nothing is published about splits.

    Raises:
        DataError: ``train.csv`` is missing or not as published, or the data set could not be downloaded.
    """
    root, notes = dataset_folder(HANDLE, path)
    table = root / "train.csv"
    if not table.is_file():
        raise DataError(f"{root} is not this data set as published: there is no train.csv")
    listing = listing_of(read_table(table), "train.csv", root, options)
    if (root / "test.csv").is_file():
        notes = (*notes, "left out test.csv: its pictures have no labels")
    return Listing(listing.table, (*notes, *listing.notes))
