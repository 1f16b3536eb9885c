"""IPTC and XMP: the digital source type, AI labels, and who and what made the picture (IPTC Photo Metadata)."""

from __future__ import annotations

from madeby.provenance.evidence import signal
from madeby.provenance.generators.generation import json_object
from madeby.provenance.iim import iim_in_photoshop, read_iim
from madeby.provenance.material import Material
from madeby.provenance.services import service_in
from madeby.provenance.source_types import Declaration, declaration_of, strongest
from madeby.provenance.xmp import Property
from madeby.schema import Signal

NAME = "iptc"
TC260_AIGC = "http://www.tc260.org.cn/ns/AIGC/1.0/"
"""China's mandatory metadata label of AI-made content (GB 45438-2025); ``Label`` 1 to 3 means AI-made, at least
possibly."""
_CREDITS = {"Credit": "credit", "creator": "creator", "CreatorTool": "creator_tool", "Source": "source"}
_AI_LABELS = ("made with google ai", "made with ai", "imagined with ai", "ai generated", "ai-generated")


def read(material: Material) -> Signal:
    """What XMP and IPTC fields declare.

    ``detail``: ``state``, ``digital_source_type``, ``credit``, ``creator``, ``creator_tool``, ``program``,
    ``source``, ``label`` (a service's or a law's AI label) and ``problems``.
    """
    contents = material.contents
    properties, problems = material.xmp.properties, material.xmp.problems
    block = contents.iptc or (iim_in_photoshop(contents.photoshop) if contents.photoshop else None)
    fields = read_iim(block) if block else {}
    for entry in properties:
        if entry.name in _CREDITS:
            fields.setdefault(_CREDITS[entry.name], entry.value[:300])
    types = _source_types(properties)
    label = _label(fields) or _aigc_label(properties, material)
    said = {"digital_source_type": sorted(types), **_credits(fields), "label": label, "problems": problems}
    if label and not {Declaration.GENERATED, Declaration.COMPOSITE} & set(types.values()):
        return signal(NAME, "labelled", f"metadata labels the picture as AI-made ({label})", **said)
    if declaration := strongest(set(types.values())):
        name = next(name for name, meaning in types.items() if meaning is declaration)
        return signal(NAME, declaration.value, f"metadata declares the source type {name}", **said)
    if problems:
        return signal(NAME, "unreadable", f"XMP metadata is unreadable: {problems[0]}", **said)
    if fields or properties:
        return signal(NAME, "other", "metadata does not say who made the picture", **said)
    return signal(NAME, "absent", "no IPTC or XMP metadata")


def _source_types(properties: tuple[Property, ...]) -> dict[str, Declaration]:
    """The source types that XMP declares; writers put the property into several namespaces, so its name decides."""
    found = {}
    for entry in properties:
        if entry.name.lower() in ("digitalsourcetype", "digitalsourcefiletype") and (
            known := declaration_of(entry.value)
        ):
            found[known[0]] = known[1]
    return found


def _label(fields: dict[str, str]) -> str | None:
    """A credit by which a service says that it made the picture."""
    for name in ("credit", "source"):
        value = fields.get(name, "")
        if any(label in value.lower() for label in _AI_LABELS):
            return value[:100]
    maker = fields.get("creator_tool") or fields.get("program") or ""  # a credit names an agency, not a tool
    return maker[:100] if service_in(maker) else None


def _aigc_label(properties: tuple[Property, ...], material: Material) -> str | None:
    """The TC260 label, from XMP or from a PNG text chunk."""
    sources = [entry.value for entry in properties if entry.namespace == TC260_AIGC or entry.name == "AIGC"]
    sources += [entry.value for entry in material.contents.texts if entry.keyword == "AIGC"]
    for source in sources:
        content = json_object(source)
        if content and str(content.get("Label")) in ("1", "2", "3"):
            producer = str(content.get("ContentProducer") or "").strip()[:60]
            return f"AIGC label {content['Label']}" + (f" by {producer}" if producer else "")
    return None


def _credits(fields: dict[str, str]) -> dict[str, str]:
    names = ("credit", "creator", "creator_tool", "program", "source", "headline", "copyright")
    return {name: fields[name][:300] for name in names if fields.get(name)}
