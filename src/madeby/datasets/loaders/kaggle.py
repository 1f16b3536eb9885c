"""Data sets published on Kaggle: taken from kagglehub's cache, or downloaded into it."""

from __future__ import annotations

import os
from pathlib import Path

from madeby.errors import DataError, MissingExtraError


def dataset_folder(handle: str, path: Path | None) -> tuple[Path, tuple[str, ...]]:
    """The folder that holds a Kaggle data set, and notes on where it came from.

    Args:
        handle: owner and name, as in the data set's address.
        path: the user's own copy. Where it is None or does not exist, kagglehub's cache is looked into (which
            needs no network), and only then is the data set downloaded.

    Raises:
        DataError: the download failed; the message says why and what to do.
        MissingExtraError: kagglehub is not installed.
    """
    if path is not None and path.exists():
        if not path.is_dir():
            raise DataError(f"{path} is a file: give the folder that holds the unpacked data set")
        return path.resolve(), ()
    absent = (f"there is no {path}",) if path is not None else ()
    cached = cached_folder(handle)
    if cached is not None:
        return cached, (*absent, f"using the copy in kagglehub's cache, {cached}")
    downloaded = _download(handle, absent)
    return downloaded, (*absent, f"downloaded {handle} to {downloaded}")


def cached_folder(handle: str) -> Path | None:
    """The newest version of a data set that kagglehub has completely downloaded, or None.

    kagglehub itself asks Kaggle for the newest version first, and so does not answer without a network.
    """
    home = os.environ.get("KAGGLEHUB_CACHE")
    base = (Path(home) if home else Path.home() / ".cache" / "kagglehub") / "datasets" / handle
    versions = [
        int(folder.name)
        for folder in base.glob("versions/*")
        if folder.name.isdecimal() and (base / f"{folder.name}.complete").exists()
    ]
    return (base / "versions" / str(max(versions))).resolve() if versions else None


def _download(handle: str, absent: tuple[str, ...]) -> Path:
    try:
        import kagglehub
    except ImportError:
        raise MissingExtraError("downloading from Kaggle", "train") from None
    try:
        return Path(kagglehub.dataset_download(handle)).resolve()
    except Exception as error:  # kagglehub passes on what requests, zipfile and its own client raise
        reason = _reason(error)
        where = f"{absent[0]}, and " if absent else ""
        raise DataError(
            f"{where}{handle} could not be downloaded from Kaggle ({reason}). "
            "Check the network; where Kaggle asks for an account, set KAGGLE_USERNAME and KAGGLE_KEY; or download "
            f"https://www.kaggle.com/datasets/{handle} by hand, unpack it and give its folder as PATH"
        ) from None


def _reason(error: Exception) -> str:
    kind = type(error).__name__
    if "Connection" in kind or "Timeout" in kind:
        return "Kaggle cannot be reached"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{kind}: {' '.join(lines)[:200]}" if lines else kind
