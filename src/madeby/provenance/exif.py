"""EXIF: TIFF-structured tags (TIFF 6.0, Exif 3.0), read with loop protection and size limits."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = bytes | str | int | float | tuple[int | float, ...]
Directory: TypeAlias = dict[int, Value]

EXIF_POINTER, GPS_POINTER = 0x8769, 0x8825
MOST_ENTRIES = 2000
LARGEST_TOTAL = 32 << 20
"""Bytes of all values of one block together; entries may all point at the same bytes."""

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 129: 1}
_INTEGERS = {1: "B", 3: "H", 4: "I", 6: "b", 8: "h", 9: "i", 11: "f", 12: "d", 13: "I"}
_MOST_NUMBERS = 4096  # of one tag; the metadata we read has a handful


@dataclass
class Exif:
    """The directories of an EXIF block.

    Values are ``str`` for text, ``bytes`` for opaque data, a number, or a tuple of numbers; a rational with a
    zero denominator is 0.
    """

    image: Directory = field(default_factory=dict)
    photo: Directory = field(default_factory=dict)
    gps: Directory = field(default_factory=dict)
    thumbnail: Directory = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @staticmethod
    def text(directory: Directory, tag: int) -> str:
        """A tag's text, stripped; empty where it is absent or no text."""
        value = directory.get(tag)
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        return value.replace("\x00", " ").strip()[:2000] if isinstance(value, str) else ""

    @staticmethod
    def number(directory: Directory, tag: int) -> float | None:
        """A tag's first number; ``None`` where it is absent or no number."""
        value = directory.get(tag)
        if isinstance(value, tuple):
            value = value[0] if value else None
        return float(value) if isinstance(value, int | float) else None

    @staticmethod
    def integer(directory: Directory, tag: int) -> int | None:
        """A tag's first number as an integer; ``None`` where it is absent or no finite number."""
        number = Exif.number(directory, tag)
        return int(number) if number is not None and abs(number) < 2**53 else None


class _Reader:
    def __init__(self, data: bytes, exif: Exif) -> None:
        self.data, self.exif = data, exif
        self.order = "<" if data[:2] == b"II" else ">"
        self.visited: set[int] = set()
        self.spent = 0

    def directory(self, offset: int, into: Directory) -> int:
        """Read one directory; returns the offset of the next one, 0 for none."""
        if offset in self.visited:
            self.exif.problems.append("an EXIF directory points back to itself")
            return 0
        self.visited.add(offset)
        if offset < 8 or offset + 2 > len(self.data):
            self.exif.problems.append("an EXIF directory lies outside its block")
            return 0
        (count,) = struct.unpack_from(self.order + "H", self.data, offset)
        if count > MOST_ENTRIES or offset + 2 + 12 * count > len(self.data):
            self.exif.problems.append("an EXIF directory is longer than its block")
            return 0
        for index in range(count):
            self.entry(offset + 2 + 12 * index, into)
        end = offset + 2 + 12 * count
        return int(struct.unpack_from(self.order + "I", self.data, end)[0]) if end + 4 <= len(self.data) else 0

    def entry(self, position: int, into: Directory) -> None:
        tag, kind, count = struct.unpack_from(self.order + "HHI", self.data, position)
        size = _SIZES.get(kind, 0) * count
        if not size:
            return
        start = position + 8
        if size > 4:
            (start,) = struct.unpack_from(self.order + "I", self.data, start)
        if start + size > len(self.data) or self.spent + size > LARGEST_TOTAL:
            if len(self.exif.problems) < 20:
                self.exif.problems.append(f"EXIF tag {tag:#06x} lies outside its block")
            return
        self.spent += size
        into.setdefault(tag, self.value(kind, count, start, size))

    def value(self, kind: int, count: int, start: int, size: int) -> Value:
        raw = self.data[start : start + size]
        if kind in (2, 129):
            text = raw.rstrip(b"\x00")
            try:
                return text.decode("utf-8")
            except UnicodeDecodeError:
                return text.decode("latin-1")
        if kind == 7 or (kind in (1, 6) and count > 4) or count > _MOST_NUMBERS:
            return raw
        numbers: tuple[int | float, ...]
        if kind in (5, 10):
            pairs = struct.unpack(f"{self.order}{2 * count}{'I' if kind == 5 else 'i'}", raw)
            numbers = tuple(
                top / bottom if bottom else 0.0 for top, bottom in zip(pairs[::2], pairs[1::2], strict=True)
            )
        else:
            numbers = struct.unpack(f"{self.order}{count}{_INTEGERS[kind]}", raw)
        return numbers[0] if len(numbers) == 1 else numbers


def read_exif(data: bytes) -> Exif:
    """Read an EXIF block that begins with its TIFF header; problems are named in the result, never raised."""
    exif = Exif()
    if data[:4] not in (b"II*\x00", b"MM\x00*") or len(data) < 8:
        exif.problems.append("the EXIF block has no TIFF header")
        return exif
    reader = _Reader(data, exif)
    (first,) = struct.unpack_from(reader.order + "I", data, 4)
    following = reader.directory(first, exif.image)
    for pointer, directory in ((EXIF_POINTER, exif.photo), (GPS_POINTER, exif.gps)):
        offset = exif.integer(exif.image, pointer)
        if offset:
            reader.directory(offset, directory)
    if following:
        reader.directory(following, exif.thumbnail)
    return exif
