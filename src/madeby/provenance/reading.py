"""Runs every reader on one picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from madeby.errors import MadebyError
from madeby.provenance.material import Material, ReadingOptions
from madeby.provenance.registry import READERS, Reader
from madeby.schema import Signal

if TYPE_CHECKING:
    from madeby.pictures.decode import Picture


def read_provenance(picture: Picture, options: ReadingOptions | None = None) -> tuple[Signal, ...]:
    """All provenance signals of one decoded picture, in the registry's order.

    Never raises on account of the picture: a reader that fails becomes a signal of state ``unreadable``,
    which is evidence of nothing.
    """
    material = Material(
        data=picture.data, pixels=picture.pixels, facts=picture.facts, options=options or ReadingOptions()
    )
    return read_material(material)


def read_material(material: Material) -> tuple[Signal, ...]:
    """All provenance signals of a file that need not have been decoded; see :func:`read_provenance`."""
    return tuple(_guarded(name, reader, material) for name, reader in READERS.items())


def _guarded(name: str, reader: Reader, material: Material) -> Signal:
    try:
        return reader(material)
    except MadebyError as error:  # of the reading's options, such as a trust list that is not there
        return Signal(name=name, reason=str(error), detail={"state": "unreadable"})
    except Exception as error:  # whatever a hostile file provokes in a third-party parser is a state, not a crash
        return Signal(
            name=name,
            reason=f"the {name} reader failed on this file",
            detail={"state": "unreadable", "problem": type(error).__name__},
        )
