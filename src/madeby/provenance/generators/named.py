"""Services that leave no parameters but their name or their own way of describing a picture."""

from __future__ import annotations

import re

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, prompt_text
from madeby.provenance.services import service_in

_JOB = re.compile(r"\bJob ID: ?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE)
_VERSION = re.compile(r" --(?:v|version|niji) ([\w.]{1,10})")
_MAKER_TEXTS = ("software", "generator", "source", "creatortool", "creator tool")
_MAKER_XMP = ("CreatorTool", "Software", "AISystemUsed", "AIGeneratedBy", "softwareAgent")


def recognise(fields: Fields) -> Generation | None:
    """The service that a maker field names or whose description the picture carries; ``None`` of neither."""
    return _midjourney(fields) or _named(fields)


def _midjourney(fields: Fields) -> Generation | None:
    """Midjourney's description: the prompt with its options and a job number."""
    descriptions = (
        fields.texts.get("description", ""),
        fields.exif.get("description", ""),
        fields.xmp_value("description"),
    )
    for description in descriptions:
        if job := _JOB.search(description[:20_000]):
            words = description[: job.start()]
            version = _VERSION.search(words)
            return Generation(tool="Midjourney", prompt=prompt_text(words), version=version.group(1) if version else "")
    return None


def _named(fields: Fields) -> Generation | None:
    makers = [fields.exif.get("software", "")]
    makers += [fields.texts.get(name, "") for name in _MAKER_TEXTS]
    makers += [entry.value for entry in fields.xmp if entry.name in _MAKER_XMP]
    for maker in makers[:100]:
        if len(maker) <= 300 and (service := service_in(maker)):
            return Generation(tool=service, version=maker.strip()[:100], named_only=True)
    return None
