"""Camera metadata: what EXIF says of camera, lens, exposure and software, and whether it fits the picture.

Weak evidence only: a few bytes copied from any photograph produce it.
"""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from madeby.provenance.evidence import signal
from madeby.provenance.exif import Directory, Exif
from madeby.provenance.material import Material
from madeby.schema import Signal

NAME = "camera"
MAKE, MODEL, ORIENTATION, SOFTWARE, PROCESSING, CHANGED = 0x010F, 0x0110, 0x0112, 0x0131, 0x000B, 0x0132
EXPOSURE, APERTURE, ISO, TAKEN, FOCAL_LENGTH = 0x829A, 0x829D, 0x8827, 0x9003, 0x920A
MAKER_NOTE, WIDTH, HEIGHT, LENS = 0x927C, 0xA002, 0xA003, 0xA434
THUMBNAIL_OFFSET, THUMBNAIL_LENGTH = 0x0201, 0x0202

_EDITORS = ("photoshop", "lightroom", "gimp", "affinity", "pixelmator", "paint", "snapseed", "capture one", "picasa",
            "luminar", "canva", "darktable", "photoscape", "acd systems", "irfanview", "vsco", "facetune")  # fmt: skip
_ROTATIONS = {3: 2, 6: 3, 8: 1}  # EXIF orientation to quarter turns against the clock
_CLOCK_SLACK = timedelta(days=2)
_THUMBNAIL_GRID = 24
_SAME_PICTURE = 0.4
"""Correlation of thumbnail and picture below which they show different things; honest ones lie above 0.9."""


def read(material: Material) -> Signal:
    """What EXIF says of the camera.

    ``detail``: ``state``, ``make``, ``model``, ``lens``, ``exposure_time`` (s), ``aperture`` (f-number), ``iso``,
    ``focal_length`` (mm), ``taken``, ``changed``, ``gps`` and ``maker_note`` (whether present), ``software``
    (every program named, in order), ``edits`` (signs of editing, which are no contradiction),
    ``contradictions`` and ``problems``.
    """
    exif = material.exif
    if exif is None:
        return signal(NAME, "absent", "no EXIF metadata")
    if exif.problems and not exif.image:
        return signal(NAME, "unreadable", f"EXIF is unreadable: {exif.problems[0]}", problems=exif.problems)
    facts = _facts(exif, material)
    contradictions = _contradictions(exif, material)
    detail = {
        **facts,
        "edits": _edits(exif, material, facts["software"]),
        "contradictions": contradictions,
        "problems": exif.problems,
    }
    named = " ".join(dict.fromkeys(f"{facts['make']} {facts['model']}".split()))
    if not named:
        return signal(NAME, "partial", "EXIF names no camera", **detail)
    if contradictions:
        return signal(NAME, "contradictory", f"EXIF names a {named}, but {contradictions[0]}", **detail)
    if not (facts["exposure_time"] or facts["aperture"] or facts["iso"]):
        return signal(NAME, "partial", f"EXIF names a {named}, but records no exposure", **detail)
    return signal(NAME, "consistent", f"EXIF names a {named}", **detail)


def _facts(exif: Exif, material: Material) -> dict[str, Any]:
    image, photo = exif.image, exif.photo
    return {
        "make": exif.text(image, MAKE)[:100],
        "model": exif.text(image, MODEL)[:100],
        "lens": exif.text(photo, LENS)[:100],
        "exposure_time": exif.number(photo, EXPOSURE),
        "aperture": exif.number(photo, APERTURE),
        "iso": exif.integer(photo, ISO),
        "focal_length": exif.number(photo, FOCAL_LENGTH),
        "taken": exif.text(photo, TAKEN)[:30],
        "changed": exif.text(image, CHANGED)[:30],
        "gps": bool(exif.gps.keys() & {2, 4}) or None,
        "maker_note": MAKER_NOTE in photo or None,
        "software": _software(exif, material),
    }


def _software(exif: Exif, material: Material) -> list[str]:
    """Every program that EXIF and the XMP history name, in order, none twice."""
    names = [exif.text(exif.image, PROCESSING), exif.text(exif.image, SOFTWARE)]
    names += [entry.value for entry in material.xmp.properties if entry.name in ("CreatorTool", "softwareAgent")]
    return list(dict.fromkeys(name[:100] for name in names if name))[:20]


def _edits(exif: Exif, material: Material, software: list[str]) -> list[str]:
    found = [f"edited with {name}" for name in software if any(editor in name.lower() for editor in _EDITORS)]
    size = (exif.integer(exif.photo, WIDTH), exif.integer(exif.photo, HEIGHT))
    contents = material.contents
    if all(size) and contents.width and size not in _both_ways(contents.width, contents.height):
        found.append(f"recorded as {size[0]}x{size[1]}, now {contents.width}x{contents.height}")
    taken, changed = _moment(exif.photo, TAKEN), _moment(exif.image, CHANGED)
    if taken and changed and changed > taken + timedelta(minutes=1):
        found.append("changed after it was taken")
    return found


def _contradictions(exif: Exif, material: Material) -> list[str]:
    found = []
    taken, changed = _moment(exif.photo, TAKEN), _moment(exif.image, CHANGED)
    if taken and changed and changed < taken - _CLOCK_SLACK:
        found.append("it was changed before it was taken")
    if any((value := exif.number(exif.photo, tag)) is not None and value < 0 for tag in (EXPOSURE, APERTURE)):
        found.append("its exposure is negative")
    likeness = _thumbnail_likeness(exif, material)
    if likeness is not None and likeness < _SAME_PICTURE:
        found.append("its thumbnail shows another picture")
    return found


def _thumbnail_likeness(exif: Exif, material: Material) -> float | None:
    """Correlation of the EXIF thumbnail's brightness with the picture's, -1..1; ``None`` where not comparable."""
    offset = exif.integer(exif.thumbnail, THUMBNAIL_OFFSET)
    length = exif.integer(exif.thumbnail, THUMBNAIL_LENGTH)
    block, pixels = material.contents.exif, material.pixels
    if not (offset and length and block and pixels is not None) or length > 100_000 or offset < 0:
        return None
    thumbnail = _small_picture(block[offset : offset + length])
    if thumbnail is None or min(*thumbnail.size, *pixels.shape[:2]) < _THUMBNAIL_GRID:
        return None
    upright = thumbnail.rotate(90 * _ROTATIONS.get(exif.integer(exif.image, ORIENTATION) or 1, 0), expand=True)
    height, width = pixels.shape[:2]
    rows = np.linspace(0, height - 1, 4 * _THUMBNAIL_GRID).astype(int)
    columns = np.linspace(0, width - 1, 4 * _THUMBNAIL_GRID).astype(int)
    sample = Image.fromarray(pixels[rows[:, None], columns]).convert("L")
    one, other = _grid(sample), _grid(_without_bars(upright, width / height))
    if one.std() < 8 or other.std() < 8:  # nearly flat: any correlation is noise
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _small_picture(data: bytes) -> Image.Image | None:
    try:
        with Image.open(io.BytesIO(data), formats=["JPEG"]) as image:
            return image.convert("L") if image.width * image.height <= 1_000_000 else None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None


def _without_bars(thumbnail: Image.Image, proportions: float) -> Image.Image:
    """The thumbnail without the bars that cameras add to reach 4:3; ``proportions`` are the picture's."""
    width, height = thumbnail.size
    if width > 1.05 * height * proportions:
        side = (width - round(height * proportions)) // 2
        return thumbnail.crop((side, 0, width - side, height))
    if height > 1.05 * width / proportions:
        side = (height - round(width / proportions)) // 2
        return thumbnail.crop((0, side, width, height - side))
    return thumbnail


def _grid(brightness: Image.Image) -> npt.NDArray[np.float64]:
    """Means over a grid of cells, in one row."""
    cells = brightness.resize((_THUMBNAIL_GRID, _THUMBNAIL_GRID), Image.Resampling.BOX)
    return np.asarray(cells, np.float64).ravel()


def _moment(directory: Directory, tag: int) -> datetime | None:
    try:
        return datetime.strptime(Exif.text(directory, tag)[:19], "%Y:%m:%d %H:%M:%S")
    except ValueError:
        return None


def _both_ways(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    return (width, height), (height, width)
