"""The container itself: where the picture ends, what follows, and whether the structure holds."""

from __future__ import annotations

from madeby.provenance.evidence import signal
from madeby.provenance.material import Material
from madeby.schema import Signal

NAME = "container"


def read(material: Material) -> Signal:
    """State of the file's structure; never evidence, but a reader should know of bytes after the end.

    ``detail``: ``state``, ``trailing_bytes``, ``trailing_kind`` and ``problems``.
    """
    contents = material.contents
    kind = _kind(material.data[contents.end :]) if contents.trailing else ""
    detail = {"trailing_bytes": contents.trailing or None, "trailing_kind": kind, "problems": contents.problems}
    if contents.problems:
        return signal(NAME, "damaged", f"the file is damaged: {contents.problems[0]}", **detail)
    if kind == "unknown":
        said = f"{contents.trailing} bytes after the picture's end were ignored"
        return signal(NAME, "trailing", said, **detail)
    if kind in ("film", "picture"):
        return signal(NAME, "appended", f"a {kind} follows the picture's end and was ignored", **detail)
    return signal(NAME, "clean", "the file ends where the picture ends", **detail)


def _kind(tail: bytes) -> str:
    """What follows the picture: ``padding``, a ``film`` (motion photos), another ``picture``, or ``unknown``."""
    if not tail.strip(b"\x00\xff \r\n"):
        return "padding"
    if tail[4:8] == b"ftyp":
        return "film"
    start = tail.lstrip(b"\x00")
    return "picture" if start.startswith((b"\xff\xd8\xff", b"\x89PNG")) else "unknown"
