"""IPTC-IIM records and the Photoshop image resources that hold them (IPTC-IIM 4.2)."""

from __future__ import annotations

IPTC_RESOURCE = 0x0404
FIELDS = {
    5: "title",
    40: "instructions",
    55: "date",
    65: "program",
    80: "creator",
    90: "city",
    101: "country",
    105: "headline",
    110: "credit",
    115: "source",
    116: "copyright",
    120: "caption",
}
"""The data sets of record 2 that say who made a picture and with what, by our names."""


def iim_in_photoshop(resources: bytes) -> bytes | None:
    """The IPTC-IIM block among Photoshop's image resources; ``None`` where there is none."""
    position = 0
    while resources[position : position + 4] == b"8BIM" and position + 12 <= len(resources):
        kind = int.from_bytes(resources[position + 4 : position + 6], "big")
        name = resources[position + 6] + 1  # a Pascal string, padded to even length
        position += 6 + name + name % 2
        length = int.from_bytes(resources[position : position + 4], "big")
        start = position + 4
        if start + length > len(resources):
            return None
        if kind == IPTC_RESOURCE:
            return resources[start : start + length]
        position = start + length + length % 2
    return None


def read_iim(block: bytes) -> dict[str, str]:
    """The known fields of an IPTC-IIM block; a broken record ends the reading."""
    found: dict[str, str] = {}
    position = 0
    while block[position : position + 1] == b"\x1c" and position + 5 <= len(block):
        record, dataset = block[position + 1], block[position + 2]
        length = int.from_bytes(block[position + 3 : position + 5], "big")
        start = position + 5
        if length & 0x8000 or start + length > len(block):
            break
        if record == 2 and dataset in FIELDS:
            found.setdefault(FIELDS[dataset], _text(block[start : start + length]))
        position = start + length
    return found


def _text(value: bytes) -> str:
    """A field's text: UTF-8, or else Latin-1, which is what older programs write."""
    try:
        return value.decode("utf-8")[:2000]
    except UnicodeDecodeError:
        return value.decode("latin-1")[:2000]
