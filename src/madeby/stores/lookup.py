"""Finds the bundle that a person means: a built-in name, a bundle's folder or a finished run's folder."""

from __future__ import annotations

import difflib
from pathlib import Path

from madeby.detector.bundle import SPEC_FILE, Bundle
from madeby.errors import BundleError
from madeby.stores.builtin import DEFAULT_BUNDLE, builtin_folder, builtin_names

RUN_BUNDLE = "bundle"
"""Name of the folder in which a finished training run keeps its bundle."""


def open_bundle(model: str | Path | None = None) -> Bundle:
    """Open and verify a bundle.

    Args:
        model: a built-in bundle's name, a bundle folder or a run folder; None for the default bundle.

    Raises:
        BundleError: nothing of that name or path is a sound bundle.
    """
    if model is None:
        model = DEFAULT_BUNDLE
    builtin = builtin_folder(str(model))
    if builtin is not None:
        return Bundle.open(builtin)
    folder = Path(model)
    if (folder / RUN_BUNDLE / SPEC_FILE).is_file():
        return Bundle.open(folder / RUN_BUNDLE)
    if folder.is_dir():
        return Bundle.open(folder)
    if folder.exists():
        raise BundleError(f"{folder} is a file; name the bundle's folder")
    near = difflib.get_close_matches(str(model), builtin_names(), n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise BundleError(
        f"no model is called {str(model)!r} and no such folder exists; "
        f"{hint}built-in models: {', '.join(builtin_names()) or 'none'}"
    )
