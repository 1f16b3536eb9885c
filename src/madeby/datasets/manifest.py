"""The table of a labelled data set: one row a picture, kept as Parquet so that any tool can open it."""

from __future__ import annotations

import polars as pl

COLUMNS: dict[str, pl.DataType] = {
    "path": pl.String(),  # absolute path of the picture's file
    "label": pl.String(),  # "human" or "ai"
    "split": pl.String(),  # "train", "val" or "test"
    "generator": pl.String(),  # which model made it; null for human pictures and where unknown
    "collection": pl.String(),  # which collection it came from; null where there is only one
    "group": pl.String(),  # pictures that must stay together in a split; null where none is known
    "width": pl.Int32(),
    "height": pl.Int32(),
    "format": pl.String(),
    "jpeg_quality": pl.Int16(),
    "bytes": pl.Int64(),
    "sha256": pl.String(),
    "perceptual_hash": pl.String(),
    "problem": pl.String(),  # why the picture cannot be used ("code: message"); null where it can
}
"""The columns every manifest has, in order; loaders may add more behind them (``cifar_class``, ``kind``)."""

SPLITS = ("train", "val", "test")
