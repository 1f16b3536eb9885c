"""The places where generators write: PNG text, EXIF comments and XMP, gathered under one set of names."""

from __future__ import annotations

from dataclasses import dataclass, field

from madeby.provenance.exif import Exif
from madeby.provenance.material import Material
from madeby.provenance.xmp import Property

USER_COMMENT, MAKER_NOTE = 0x9286, 0x927C
IMAGE_DESCRIPTION, MAKE, MODEL, SOFTWARE, ARTIST = 0x010E, 0x010F, 0x0110, 0x0131, 0x013B


@dataclass
class Fields:
    """Metadata texts by where they stand.

    Attributes:
        texts: PNG text chunks and comments by lower-case keyword (the first of each).
        comment: EXIF's UserComment, decoded.
        exif: EXIF's text fields by name: ``description``, ``make``, ``model``, ``software``, ``maker_note``.
        xmp: all XMP properties.
    """

    texts: dict[str, str] = field(default_factory=dict)
    comment: str = ""
    exif: dict[str, str] = field(default_factory=dict)
    xmp: tuple[Property, ...] = ()

    def xmp_value(self, *names: str) -> str:
        """The first XMP property of one of these names."""
        return next((entry.value for entry in self.xmp if entry.name in names), "")

    def parameters(self) -> list[str]:
        """The texts in which generation parameters stand, wherever the format put them."""
        found = [self.texts.get("parameters", ""), self.comment, self.xmp_value("parameters", "UserComment")]
        found += [self.texts.get("comment", ""), self.exif.get("description", "")]
        return [candidate for candidate in found if candidate]


def fields_of(material: Material) -> Fields:
    """Gather the texts of one file."""
    fields = Fields()
    for entry in material.contents.texts:
        fields.texts.setdefault(entry.keyword.lower(), entry.value)
    if exif := material.exif:
        fields.comment = user_comment(exif.photo.get(USER_COMMENT) or exif.image.get(USER_COMMENT))
        fields.exif = {
            "description": _long_text(exif, IMAGE_DESCRIPTION),
            "make": _long_text(exif, MAKE),
            "model": _long_text(exif, MODEL),
            "software": exif.text(exif.image, SOFTWARE),
            "artist": exif.text(exif.image, ARTIST),
        }
        maker_note = exif.photo.get(MAKER_NOTE)
        if isinstance(maker_note, bytes | str) and len(maker_note) <= 64:
            fields.exif["maker_note"] = exif.text(exif.photo, MAKER_NOTE)
    fields.xmp = material.xmp.properties
    return fields


def _long_text(exif: Exif, tag: int) -> str:
    """A text field that some generators fill with whole workflows."""
    value = exif.image.get(tag)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip("\x00 ")
    return value.strip("\x00 ") if isinstance(value, str) else ""


def user_comment(value: object) -> str:
    """EXIF's UserComment: eight bytes that name the encoding, then the text (Exif 3.0, 4.6.6).

    Its UTF-16 has no byte order mark and tools disagree about the order; the one that reads as more Latin
    text, or else fewer unassigned characters, is taken.
    """
    if isinstance(value, str):
        return value.removeprefix("ASCII\x00\x00\x00").strip("\x00 ")
    if not isinstance(value, bytes):
        return ""
    code, body = value[:8], value[8:]
    if code.startswith(b"UNICODE"):
        candidates = [body.decode(encoding, "replace") for encoding in ("utf-16-be", "utf-16-le")]
        return max(candidates, key=_plausibility).strip("\x00\ufeff ")
    if code.startswith(b"ASCII") or code == b"\x00" * 8:
        return body.decode("utf-8", "replace").strip("\x00 ")
    return value.decode("utf-8", "replace").strip("\x00 ")


def _plausibility(text: str) -> int:
    head = text[:2000]
    return sum(2 if " " <= letter <= "~" or letter == "\n" else letter.isalpha() for letter in head)
