"""XMP: the RDF properties of a packet (ISO 16684-1), read by expat with every entity and doctype refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from xml.parsers import expat

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
DEEPEST = 64
MOST_PROPERTIES = 20_000
_CONTAINERS = {"Bag", "Seq", "Alt", "li", "Description", "RDF"}


class XmpError(Exception):
    """The packet is not well-formed, or uses what metadata has no business using."""


@dataclass(frozen=True)
class Property:
    """One value: the namespace and name of the property that holds it, and its text."""

    namespace: str
    name: str
    value: str


@dataclass(frozen=True)
class Packets:
    """The properties of a file's packets, and what was wrong with those that could not be read."""

    properties: tuple[Property, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass
class _Collector:
    properties: list[Property] = field(default_factory=list)
    path: list[tuple[str, str]] = field(default_factory=list)
    text: list[str] = field(default_factory=list)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if len(self.path) >= DEEPEST:
            raise XmpError("the XMP packet is nested too deeply")
        self.path.append(_split(tag))
        self.text.clear()
        for name, value in attributes.items():
            namespace, local = _split(name)
            if namespace == RDF and local == "resource":
                self.keep(*self.owner(), value)
            elif namespace and namespace != RDF:
                self.keep(namespace, local, value)

    def end(self, _tag: str) -> None:
        value = "".join(self.text).strip()
        if value:
            self.keep(*self.owner(), value)
        self.text.clear()
        self.path.pop()

    def characters(self, text: str) -> None:
        self.text.append(text)

    def owner(self) -> tuple[str, str]:
        """The innermost element that is a property, not RDF's own scaffolding."""
        for namespace, name in reversed(self.path):
            if namespace != RDF or name not in _CONTAINERS:
                return namespace, name
        return "", ""

    def keep(self, namespace: str, name: str, value: str) -> None:
        if len(self.properties) >= MOST_PROPERTIES:
            raise XmpError("the XMP packet holds more properties than are read")
        self.properties.append(Property(namespace, name, value))


def read_xmp(packet: bytes) -> list[Property]:
    """All property values of one packet, nested ones by their own name.

    Raises:
        XmpError: not well-formed, a doctype or entity declaration (entity bombs need one), or beyond the limits.
    """
    collector = _Collector()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = collector.start
    parser.EndElementHandler = collector.end
    parser.CharacterDataHandler = collector.characters
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = lambda *_: 0
    try:
        parser.Parse(packet.strip(b"\x00 \t\r\n"), True)
    except expat.ExpatError as error:
        raise XmpError(f"the XMP packet is not well-formed: {expat.ErrorString(error.code)}") from None
    except (ValueError, LookupError):  # an encoding that Python does not know
        raise XmpError("the XMP packet declares an unknown encoding") from None
    return collector.properties


def read_packets(packets: Sequence[bytes]) -> Packets:
    """All properties of several packets; a broken packet is named among the problems and contributes nothing."""
    properties: list[Property] = []
    problems: list[str] = []
    for packet in packets:
        try:
            properties += read_xmp(packet)
        except XmpError as error:
            problems.append(str(error))
    return Packets(tuple(properties), tuple(problems))


def _refuse(*_: object) -> None:
    raise XmpError("the XMP packet declares a document type or entities, which metadata never needs")


def _split(tag: str) -> tuple[str, str]:
    namespace, _, name = tag.rpartition(" ")
    return namespace, name
