"""Where a server keeps its history, its keys and, if asked, pictures."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def data_folder_of(named: str | Path | None = None) -> Path:
    """The folder named, else what ``MADEBY_DATA`` names, else ``madeby`` among the user's application data.

    That is ``$XDG_DATA_HOME`` or ``~/.local/share`` on Linux and the like, ``~/Library/Application Support`` on
    macOS and ``%LOCALAPPDATA%`` on Windows.
    """
    if named := named or os.environ.get("MADEBY_DATA"):
        return Path(named).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "madeby" / "data"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "madeby"
    xdg = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (xdg if xdg.is_absolute() else Path.home() / ".local" / "share") / "madeby"
