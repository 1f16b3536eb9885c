"""What a provenance reader is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from madeby.pictures.fetch import FetchPolicy
from madeby.provenance.containers import Contents, contents_of
from madeby.provenance.exif import Exif, read_exif
from madeby.provenance.xmp import Packets, read_packets
from madeby.schema import PictureFacts


@dataclass(frozen=True)
class ReadingOptions:
    """How provenance is read.

    ``trust_list`` is a PEM file or a folder of PEM files that replaces the shipped C2PA trust list.
    ``fetch_remote`` says how a C2PA manifest that the picture only links to is fetched; None, the default, fetches
    none, because reading a picture should tell nobody that it was read.
    """

    trust_list: Path | None = None
    fetch_remote: FetchPolicy | None = None


@dataclass(frozen=True)
class Material:
    """One picture as its readers see it.

    ``pixels`` is (height, width, 3) uint8 sRGB, or ``None`` where only the file is read; ``facts`` is
    ``None`` where the picture was not decoded. The container is walked once, when first asked for.
    """

    data: bytes
    pixels: npt.NDArray[np.uint8] | None = None
    facts: PictureFacts | None = None
    options: ReadingOptions = field(default_factory=ReadingOptions)

    @cached_property
    def contents(self) -> Contents:
        """The file's metadata blocks."""
        return contents_of(self.data)

    @cached_property
    def exif(self) -> Exif | None:
        """The file's EXIF directories; ``None`` where it has no EXIF block."""
        block = self.contents.exif
        return None if block is None else read_exif(block)

    @cached_property
    def xmp(self) -> Packets:
        """The properties of all the file's XMP packets."""
        return read_packets(self.contents.xmp)
