"""IPTC's digital source types and what each says about who made a picture.

Source: IPTC NewsCodes, scheme ``digitalsourcetype`` (cv.iptc.org), and C2PA 2.2's additions.
"""

from __future__ import annotations

from enum import StrEnum


class Declaration(StrEnum):
    """What a file declares about its making, strongest claim for ``ai`` first."""

    GENERATED = "generated"  # made by a trained model
    COMPOSITE = "composite"  # parts made by a trained model
    SYNTHETIC = "synthetic"  # synthetic in part, by whatever means
    CREATED = "created"  # made by a person with software
    CAPTURED = "captured"  # taken by a camera or scanner
    OTHER = "other"  # none of these: screen capture, plain algorithm, data-driven


SOURCE_TYPES: dict[str, Declaration] = {
    "trainedAlgorithmicMedia": Declaration.GENERATED,
    "trainedAlgorithmicData": Declaration.GENERATED,
    "compositeWithTrainedAlgorithmicMedia": Declaration.COMPOSITE,
    "compositeSynthetic": Declaration.SYNTHETIC,
    "digitalCapture": Declaration.CAPTURED,
    "computationalCapture": Declaration.CAPTURED,
    "compositeCapture": Declaration.CAPTURED,
    "minorHumanEdits": Declaration.CAPTURED,
    "negativeFilm": Declaration.CAPTURED,
    "positiveFilm": Declaration.CAPTURED,
    "print": Declaration.CAPTURED,
    "humanEdits": Declaration.CREATED,
    "digitalArt": Declaration.CREATED,
    "softwareImage": Declaration.CREATED,
    "digitalCreation": Declaration.CREATED,
    "algorithmicMedia": Declaration.OTHER,
    "algorithmicallyEnhanced": Declaration.OTHER,
    "dataDrivenMedia": Declaration.OTHER,
    "screenCapture": Declaration.OTHER,
    "virtualRecording": Declaration.OTHER,
    "composite": Declaration.OTHER,
    "empty": Declaration.OTHER,
}


def declaration_of(source_type: str) -> tuple[str, Declaration] | None:
    """The short name and the meaning of a source type given as URI or short name; ``None`` where unknown."""
    name = source_type.strip().rstrip("/").rpartition("/")[2].rpartition(":")[2]
    meaning = SOURCE_TYPES.get(name)
    return (name, meaning) if meaning else None


def strongest(declarations: set[Declaration]) -> Declaration | None:
    """The declaration that says most, AI first; ``None`` of none."""
    return next((declaration for declaration in Declaration if declaration in declarations), None)
