"""The wire format of protocol buffers, as far as taking an ONNX file apart and putting it together needs it.

A message is a row of fields, each a number and a value; what a field means is the reader's business. Values that are
messages, strings or packed arrays stay the bytes they are, so that what is read and written again is the same to the
last byte, whatever library or version wrote it (Protocol Buffers, "Encoding").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5

_WIDTHS = {FIXED64: 8, FIXED32: 4}
_LONGEST_VARINT = 10
_HIGHEST_NUMBER = (1 << 29) - 1


class Field(NamedTuple):
    """One field of a message: its number, how its value is written, and the value.

    ``value`` is an unsigned number for a varint and otherwise the bytes as they stand in the message.
    """

    number: int
    kind: int
    value: int | memoryview | bytes

    @property
    def text(self) -> str:
        """The value of a field that holds a string."""
        return bytes(self.data).decode("utf-8")

    @property
    def data(self) -> memoryview | bytes:
        """The bytes of a field that holds a string, a message or an array.

        Raises:
            ValueError: it holds a number.
        """
        if isinstance(self.value, int):
            raise ValueError(f"field {self.number} holds a number where bytes belong")
        return self.value


def fields_of(message: memoryview | bytes) -> Iterator[Field]:
    """The fields of a message in the order in which they stand.

    Raises:
        ValueError: the bytes are no message: cut off, or of a kind that nobody writes any more (groups).
    """
    message = memoryview(message)
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, kind = key >> 3, key & 7
        if not 1 <= number <= _HIGHEST_NUMBER:
            raise ValueError(f"there is no field number {number}")
        if kind == VARINT:
            value, place = _varint(message, place)
            yield Field(number, kind, value)
            continue
        if kind == BYTES:
            length, place = _varint(message, place)
        elif kind in _WIDTHS:
            length = _WIDTHS[kind]
        else:
            raise ValueError(f"field {number} is of the unknown kind {kind}")
        if place + length > len(message):
            raise ValueError(f"field {number} is cut off")
        yield Field(number, kind, message[place : place + length])
        place += length


def message_of(fields: Iterable[Field]) -> bytes:
    """The message that has just these fields, in this order; numbers are written as short as they go."""
    pieces: list[bytes | memoryview] = []
    for field in fields:
        pieces.append(_as_varint(field.number << 3 | field.kind))
        if isinstance(field.value, int):
            pieces.append(_as_varint(field.value))
            continue
        if field.kind == BYTES:
            pieces.append(_as_varint(len(field.value)))
        pieces.append(field.value)
    return b"".join(pieces)


def text_field(number: int, text: str) -> Field:
    """A field that holds a string."""
    return Field(number, BYTES, text.encode("utf-8"))


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """The number that begins at ``place``, seven bits a byte, the lowest first, and the place after it."""
    value = 0
    for index, byte in enumerate(message[place : place + _LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value >= 1 << 64:
                break
            return value, place + index + 1
    raise ValueError("a number is cut off or has more than 64 bits")


def _as_varint(value: int) -> bytes:
    pieces = bytearray()
    while value > 0x7F:
        pieces.append(value & 0x7F | 0x80)
        value >>= 7
    pieces.append(value)
    return bytes(pieces)
