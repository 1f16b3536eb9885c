"""Names of sources, as text that may be shown."""

from __future__ import annotations

import os
import re

SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
WILDCARD = re.compile(r"[*?\[]")

_CREDENTIALS = re.compile(r"(?i)^([A-Za-z][A-Za-z0-9+.-]+://)[^/?#]*@")


def file_name(source: str) -> str:
    """The source as far as it names a file: a web address without its query."""
    if source.lower().startswith(("http://", "https://")):
        return re.split(r"[?#]", source, maxsplit=1)[0]
    return source


def printable(source: str) -> str:
    """The source as text that any encoding and JSON can carry and anyone may see.

    Undecodable bytes of a name become ``\\xNN``; a web address loses its user name and password.
    """
    source = _CREDENTIALS.sub(r"\1", source)
    try:
        source.encode()
    except UnicodeEncodeError:
        return os.fsencode(source).decode("utf-8", "backslashreplace")
    return source


def decoded(line: bytes) -> str:
    """A line of a list of sources; bytes that are no text survive, as they do in names of files."""
    return os.fsdecode(line)
