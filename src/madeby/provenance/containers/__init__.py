"""Walks a picture file's own structure and hands out its metadata blocks.

Nothing here searches a file for byte patterns: what lies outside the structure (appended after the picture's
end, inside compressed pixels) is not metadata and never becomes evidence.
"""

from __future__ import annotations

from collections.abc import Callable

from madeby.provenance.containers import bmff, gif, jpeg, png, tiff, webp
from madeby.provenance.containers.contents import ContainerError, Contents, Text

__all__ = ["ContainerError", "Contents", "Text", "contents_of"]

WALKERS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes, Contents], None]], ...] = (
    (jpeg.recognises, jpeg.walk),
    (png.recognises, png.walk),
    (webp.recognises, webp.walk),
    (gif.recognises, gif.walk),
    (tiff.recognises, tiff.walk),
    (bmff.recognises, bmff.walk),
)


def contents_of(data: bytes) -> Contents:
    """The metadata blocks of a picture file; never raises on account of the bytes.

    A broken structure ends the walk: what was found before the break is kept and the break is named in
    ``problems``.
    """
    contents = Contents(end=len(data), size=len(data))
    for recognises, walk in WALKERS:
        if recognises(data):
            try:
                walk(data, contents)
            except ContainerError as error:
                contents.complain(str(error))
            except (IndexError, ValueError, OverflowError) as error:
                contents.complain(f"the {contents.format} structure is damaged ({type(error).__name__})")
            break
    return contents
