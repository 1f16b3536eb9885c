"""Where on this machine fetched bundles are kept."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def home() -> Path:
    """The folder that ``MADEBY_HOME`` names, else ``madeby`` in the user's cache folder.

    The cache folder is that of the XDG Base Directory Specification (``$XDG_CACHE_HOME`` or ``~/.cache``) on Linux
    and the like, ``~/Library/Caches`` on macOS and ``%LOCALAPPDATA%`` on Windows.
    """
    if named := os.environ.get("MADEBY_HOME"):
        return Path(named).expanduser().absolute()
    return _user_cache() / "madeby"


def offline() -> bool:
    """Whether ``MADEBY_OFFLINE`` forbids to ask any store that is not on this machine."""
    return os.environ.get("MADEBY_OFFLINE", "").strip().lower() not in ("", "0", "false", "no")


def _user_cache() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return named if named.is_absolute() else Path.home() / ".cache"  # the specification: relative ones are ignored
