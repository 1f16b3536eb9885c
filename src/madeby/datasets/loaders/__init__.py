"""One file a data set layout; importing this package registers them all."""

from madeby.datasets.loaders import cifake, folders, kaggle_ai_vs_human, table
from madeby.datasets.loaders.registry import (
    Listing,
    LoaderEntry,
    LoaderOptions,
    loader_entry,
    loader_names,
    register_loader,
)

__all__ = [
    "Listing",
    "LoaderEntry",
    "LoaderOptions",
    "cifake",
    "folders",
    "kaggle_ai_vs_human",
    "loader_entry",
    "loader_names",
    "register_loader",
    "table",
]
