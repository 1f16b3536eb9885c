"""Fetches wheels from the package index that this machine's pip is set up for; nothing in them is run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from madeby.errors import BundleError
from madeby.stores.download import download_url, fetched_so_far, forget
from madeby.stores.home import offline
from madeby.stores.storage import UnreachableError

_PIP = (sys.executable, "-m", "pip")
_QUIETLY = ("--no-deps", "--only-binary", ":all:", "--disable-pip-version-check", "--no-input", "--quiet")
_PIP_SECONDS = 3600
_LOOKING_UP_SECONDS = 120
_TELLS_WITHOUT_DOWNLOADING = (23, 3)
"""From this version on pip reports where a wheel lies without fetching it (where its index has metadata by itself)."""


def fetch_wheel(requirement: str, sha256: str, size: int | None, target: Path, advance: Callable[[int], None]) -> None:
    """Fetch a wheel to ``target``, which appears once it is whole and verified.

    pip is asked where the wheel lies, and it is fetched from there in a way that the next call goes on with if this
    one breaks off. Where that cannot be (the size is not known, pip is older than 23.3, the index wants credentials,
    the wheel lies in a folder), ``pip download`` gets it, from the beginning. Where an index has no metadata beside its
    wheels (PEP 658), pip must read the whole wheel to say where it lies.

    Args:
        requirement: as ``name==1.0``.
        sha256: the wheel's checksum.
        size: its bytes, if they are known.
        target: where it goes; its folder exists.
        advance: called with the bytes of the wheel that are there.

    Raises:
        UnreachableError: the index does not answer or has no such wheel, or ``MADEBY_OFFLINE`` is set.
    """
    if offline():
        raise UnreachableError(
            f"{requirement} was not asked for: MADEBY_OFFLINE is set; pull once without it, or from a store of yours"
        )
    address = _address_of(requirement, sha256) if size else None
    if size and address:
        try:
            download_url(address, target, size=size, sha256=sha256, advance=advance)
            return
        except UnreachableError:
            if fetched_so_far(target):  # the next call goes on
                raise
        except BundleError:  # refused to us, maybe not to pip
            forget(target)
    _download_by_pip(requirement, sha256, target)


def _address_of(requirement: str, sha256: str) -> str | None:
    """The http address where pip would get the wheel; None where pip does not tell, or tells of another wheel."""
    if not _pip_tells():
        return None
    command = [*_PIP, "install", "--dry-run", "--ignore-installed", *_QUIETLY, "--report", "-", requirement]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_LOOKING_UP_SECONDS, check=True)
        found: Any = json.loads(done.stdout)["install"][0]["download_info"]
        url, known = str(found["url"]), found["archive_info"].get("hashes", {}).get("sha256", sha256)
    except (subprocess.SubprocessError, ValueError, LookupError, TypeError, AttributeError):
        return None
    plain = url.startswith(("https://", "http://")) and not {"?", "#"} & set(url)
    return url if plain and known == sha256 else None


def _pip_tells() -> bool:
    try:
        parts = metadata.version("pip").split(".")
        return tuple(int(part) for part in parts[:2]) >= _TELLS_WITHOUT_DOWNLOADING
    except (metadata.PackageNotFoundError, ValueError):
        return False


def _download_by_pip(requirement: str, sha256: str, target: Path) -> None:
    place = target.parent / ".wheel"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    wanted = place / "requirements.txt"
    wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n", encoding="utf-8")
    command = [*_PIP, "download", *_QUIETLY, "--require-hashes", "--dest", str(place), "-r", str(wanted)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PIP_SECONDS, check=False)
        wheels = list(place.glob("*.whl"))
        if done.returncode or len(wheels) != 1:
            problem = (done.stderr.strip() or "pip gave no wheel").splitlines()[-1]
            raise UnreachableError(
                f"{requirement} could not be downloaded: {problem}; "
                f"check that `{' '.join(_PIP)} download {requirement}` works"
            )
        wheels[0].replace(target)
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{requirement} was not downloaded within {_PIP_SECONDS} seconds; try again") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
