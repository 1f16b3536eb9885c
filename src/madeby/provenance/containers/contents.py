"""What a picture file carries besides its pixels, whatever the container."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field

LARGEST_TEXT = 16 << 20
"""Bytes of one text or metadata block, decompressed; longer ones are named and left unread (workflows that
generators embed reach a few MB)."""

LARGEST_TOTAL = 32 << 20
"""Bytes of all texts and metadata blocks of one file together, decompressed."""

MOST_ITEMS = 4096
"""Text blocks read from one file; what follows is named and left unread."""

MOST_STEPS = 1_000_000
"""Segments, chunks, boxes or blocks walked in one file: a second's work at most, and far beyond real files."""


class ContainerError(Exception):
    """The container's structure is broken at this point; what was read before it still counts."""


@dataclass(frozen=True)
class Text:
    """One keyword with its text, as PNG text chunks and comments hold it."""

    keyword: str
    value: str


@dataclass
class Contents:
    """The metadata blocks of one file, found within the container's own structure.

    Attributes:
        format: ``JPEG``, ``PNG``, ``WEBP``, ``GIF``, ``TIFF``, ``HEIF``, ``AVIF`` or ``""`` where unknown.
        exif: a TIFF-structured EXIF block.
        xmp: XMP packets, main packet first.
        photoshop: Photoshop image resources (8BIM), which hold IPTC-IIM.
        iptc: a bare IPTC-IIM block, as TIFF stores it.
        texts: PNG text chunks, JPEG and GIF comments.
        has_c2pa: whether the place where this container keeps a C2PA manifest store is occupied.
        colour_type: PNG's colour type and interlacing as (bit depth, colour type, interlace), else ``None``.
        pixel_data: PNG only: (start, length) of each IDAT chunk's data.
        end: where the picture ends; bytes from there on belong to nobody.
        size: bytes of the whole file.
        problems: what is wrong with the structure, in words.
        steps: parts walked so far; spent: bytes of metadata taken so far. Both bound the work on hostile files.
    """

    format: str = ""
    exif: bytes | None = None
    xmp: list[bytes] = field(default_factory=list)
    photoshop: bytes | None = None
    iptc: bytes | None = None
    texts: list[Text] = field(default_factory=list)
    has_c2pa: bool = False
    width: int = 0
    height: int = 0
    colour_type: tuple[int, int, int] | None = None
    pixel_data: list[tuple[int, int]] = field(default_factory=list)
    end: int = 0
    size: int = 0
    problems: list[str] = field(default_factory=list)
    steps: int = 0
    spent: int = 0

    @property
    def trailing(self) -> int:
        """Bytes after the end of the picture."""
        return max(0, self.size - self.end)

    def step(self) -> None:
        """Count one segment, chunk, box or block.

        Raises:
            ContainerError: the file has absurdly many.
        """
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise ContainerError("the file has more parts than are read")

    def spend(self, size: int) -> None:
        """Take the size of a metadata block off what may still be read.

        Raises:
            ContainerError: the block or the file's metadata together are too large.
        """
        if size > LARGEST_TEXT:
            raise ContainerError("an oversized metadata block was left unread")
        self.spent += size
        if self.spent > LARGEST_TOTAL:
            raise ContainerError("the file holds more metadata than is read")

    def unpacked(self, data: bytes) -> bytes:
        """A zlib stream decompressed, never to more than may still be read.

        Raises:
            ContainerError: not a zlib stream, truncated, or too large.
        """
        body = inflate(data, max(1, min(LARGEST_TEXT, LARGEST_TOTAL - self.spent)))
        self.spend(len(body))
        return body

    def add_text(self, keyword: str, value: str) -> None:
        """Keep a text unless the file holds absurdly many."""
        if len(self.texts) < MOST_ITEMS:
            self.texts.append(Text(keyword, value))
        else:
            self.complain("more text blocks than are read")

    def add_xmp(self, packet: bytes) -> None:
        """Keep an XMP packet.

        Raises:
            ContainerError: it, or the file's metadata together, are too large.
        """
        if len(self.xmp) < 16:
            self.spend(len(packet))
            self.xmp.append(packet)
        else:
            self.complain("more XMP packets than are read")

    def complain(self, problem: str) -> None:
        """Name a problem once, and no more than a page of them."""
        if problem not in self.problems and len(self.problems) < 20:
            self.problems.append(problem)


def inflate(data: bytes, limit: int = LARGEST_TEXT) -> bytes:
    """Decompress a zlib stream without ever producing more than ``limit`` bytes.

    Raises:
        ContainerError: not a zlib stream, truncated, or longer than ``limit``.
    """
    machine = zlib.decompressobj()
    try:
        out = machine.decompress(data, limit)
    except zlib.error:
        raise ContainerError("a compressed block is damaged") from None
    if machine.unconsumed_tail:
        raise ContainerError("a compressed block unpacks to more than is read")
    if not machine.eof:
        raise ContainerError("a compressed block is truncated")
    return out
