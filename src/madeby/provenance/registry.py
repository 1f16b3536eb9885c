"""The provenance readers: one file each, one line here.

A reader is a function from :class:`~madeby.provenance.material.Material` to one
:class:`~madeby.schema.Signal`. Its module imports nothing heavy; what it needs is imported when the picture's
bytes show that there is something to read.
"""

from __future__ import annotations

from collections.abc import Callable

from madeby.provenance import c2pa, camera, container, generator, iptc, watermark
from madeby.provenance.material import Material
from madeby.schema import Signal

Reader = Callable[[Material], Signal]

READERS: dict[str, Reader] = {
    c2pa.NAME: c2pa.read,
    iptc.NAME: iptc.read,
    generator.NAME: generator.read,
    camera.NAME: camera.read,
    watermark.NAME: watermark.read,
    container.NAME: container.read,
}
"""Every reader by the name of its signal, in the order in which results list them."""
