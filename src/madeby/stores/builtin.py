"""The bundles that ship inside the package."""

from __future__ import annotations

from pathlib import Path

from madeby.detector.bundle import SPEC_FILE

DEFAULT_BUNDLE = "wild-lite"
"""Answers where no model is named and the preferred one was not pulled."""

PREFERRED_BUNDLE = "wild"
"""Answers where no model is named, once it was pulled as the package's own store describes it."""

PACKAGE_STORE = Path(__file__).parent / "pullable"
"""A store inside the package: models that ``madeby models pull NAME`` completes with files that others publish."""

_FOLDER = Path(__file__).parent / "bundles"


def builtin_names() -> list[str]:
    """Names of the bundles inside the package, sorted."""
    return sorted(path.parent.name for path in _FOLDER.glob(f"*/{SPEC_FILE}"))


def builtin_folder(name: str) -> Path | None:
    """Folder of a built-in bundle, or None where there is none of that name."""
    return _FOLDER / name if name in builtin_names() else None


def has_preferred() -> bool:
    """Whether this release describes a preferred bundle that can be pulled."""
    return (PACKAGE_STORE / PREFERRED_BUNDLE).is_dir()
