"""Names with versions, ``wild@1.2.0``, and the order of versions."""

from __future__ import annotations

import re
from collections.abc import Iterable

from madeby.detector.bundle import NAME_PATTERN

VERSION_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._+-]*$"

_PARTS = re.compile(r"[0-9]+|[A-Za-z]+")
_VERSIONED = re.compile(r"^(?P<name>.*[^/])@(?P<version>[A-Za-z0-9][A-Za-z0-9._+-]*)$", re.DOTALL)


def is_name(text: str) -> bool:
    """Whether a text can be the name of a model."""
    return re.match(NAME_PATTERN, text) is not None


def split_version(name: str) -> tuple[str, str | None]:
    """A name or URL and the version after its last ``@``; None where it names none.

    An ``@`` before the last ``/`` belongs to the URL, as in ``https://user@host/models/wild``.
    """
    head, slash, last = name.rpartition("/")
    found = _VERSIONED.match(last)
    return (head + slash + found["name"], found["version"]) if found else (name, None)


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Sorts versions: numbers by value, and what carries letters after its numbers before what does not.

    So ``1.9`` < ``1.10.0-rc1`` < ``1.10.0`` < ``1.10.0.1``.
    """
    parts = _PARTS.findall(version)
    keys = [(2, int(part), "") if part.isdigit() else (0, 0, part.lower()) for part in parts]
    return (*keys, (1, 0, ""))


def newest_first(versions: Iterable[str]) -> list[str]:
    """Versions from the newest to the oldest."""
    return sorted(versions, key=version_key, reverse=True)
