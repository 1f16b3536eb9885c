"""madeby: was this picture made by a human or by a generative model?

The public API. Names are loaded when first used, so that ``import madeby`` is quick and scanning never imports
what only training needs.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from madeby.version import __version__

if TYPE_CHECKING:
    from madeby.api import (
        ShownModel,
        load_detector,
        models_list,
        models_show,
        scan,
        scan_bytes,
        train,
    )
    from madeby.detector.bundle import Bundle, BundleSpec
    from madeby.detector.detector import Detector, Reading
    from madeby.errors import (
        BundleError,
        DataError,
        ErrorCode,
        MadebyError,
        MissingExtraError,
        PictureError,
        RecipeError,
    )
    from madeby.pictures.limits import Limits
    from madeby.schema import ErrorInfo, Label, ModelInfo, PictureFacts, Result, Signal, Strength, Timing, Verdict

_HOME = {
    "madeby.api": ("ShownModel", "load_detector", "models_list", "models_show", "scan", "scan_bytes", "train"),
    "madeby.detector.bundle": ("Bundle", "BundleSpec"),
    "madeby.detector.detector": ("Detector", "Reading"),
    "madeby.errors": (
        "BundleError",
        "DataError",
        "ErrorCode",
        "MadebyError",
        "MissingExtraError",
        "PictureError",
        "RecipeError",
    ),
    "madeby.pictures.limits": ("Limits",),
    "madeby.schema": (
        "ErrorInfo",
        "Label",
        "ModelInfo",
        "PictureFacts",
        "Result",
        "Signal",
        "Strength",
        "Timing",
        "Verdict",
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "Bundle",
    "BundleError",
    "BundleSpec",
    "DataError",
    "Detector",
    "ErrorCode",
    "ErrorInfo",
    "Label",
    "Limits",
    "MadebyError",
    "MissingExtraError",
    "ModelInfo",
    "PictureError",
    "PictureFacts",
    "Reading",
    "RecipeError",
    "Result",
    "ShownModel",
    "Signal",
    "Strength",
    "Timing",
    "Verdict",
    "__version__",
    "load_detector",
    "models_list",
    "models_show",
    "scan",
    "scan_bytes",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'madeby' has no attribute {name!r}")
    value = getattr(importlib.import_module(_MODULE_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
