"""The C2PA trust list: whose signatures count as trusted. Dated, and replaceable without touching the package."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from madeby.errors import MadebyError

ENVIRONMENT = "MADEBY_TRUST_LIST"


@dataclass(frozen=True)
class TrustList:
    """PEM certificates of trusted signers and time stampers, with the name and date that results report."""

    name: str
    date: str
    pem: str


def trust_list(path: Path | None = None) -> TrustList:
    """The trust list to check signatures against.

    Args:
        path: a PEM file, or a folder of them; without it the file or folder that the environment variable
            ``MADEBY_TRUST_LIST`` names; without that the list that ships with madeby.

    Raises:
        MadebyError: the file or folder cannot be read or holds no certificate.
    """
    chosen = path or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    return _read(chosen.absolute()) if chosen else _read(Path(__file__).parent)


@lru_cache(maxsize=8)
def _read(path: Path) -> TrustList:
    files = sorted(path.glob("*.pem")) if path.is_dir() else [path]
    try:
        pem = "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files)
    except OSError as error:
        raise MadebyError(f"{path}: cannot read the trust list ({error.strerror}): name a PEM file") from None
    if "-----BEGIN CERTIFICATE-----" not in pem:
        raise MadebyError(f"{path}: the trust list holds no certificate: name a PEM file or a folder of them")
    shipped = path == Path(__file__).parent
    dates = re.findall(r"\d{4}-\d{2}-\d{2}", " ".join(file.name for file in files))
    return TrustList(name="C2PA" if shipped else path.name, date=max(dates, default=""), pem=pem)
