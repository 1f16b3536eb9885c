"""Generators' own metadata: which tool made the picture, with what model, seed and prompt."""

from __future__ import annotations

from madeby.provenance.evidence import signal
from madeby.provenance.generators import TELLTALES, recognise
from madeby.provenance.generators.fields import fields_of
from madeby.provenance.generators.generation import Generation
from madeby.provenance.generators.stealth import stealth_fields, stealth_text
from madeby.provenance.material import Material
from madeby.schema import Signal

NAME = "generator"


def read(material: Material) -> Signal:
    """What generators wrote into the file: text chunks, EXIF, XMP, or hidden in the pixels' lowest bits.

    ``detail``: ``state``, ``tool``, ``model``, ``sampler``, ``seed``, ``steps``, ``cfg_scale``, ``prompt``,
    ``negative_prompt``, ``version``, ``hidden`` (true for stealth text) and ``problem``.
    """
    fields = fields_of(material)
    if generation := recognise(fields):
        return _found(generation, hidden=False)
    try:
        hidden = stealth_text(material)
    except (ValueError, OSError) as error:
        return signal(NAME, "unreadable", "hidden generator text is damaged", problem=str(error)[:300])
    if hidden is not None:
        if generation := recognise(stealth_fields(hidden)):
            return _found(generation, hidden=True)
        return signal(NAME, "unreadable", "hidden generator text is of no known form")
    if strays := sorted(TELLTALES & fields.texts.keys()):
        said = f"a generator's field '{strays[0]}' is there, but its content is of no known form"
        return signal(NAME, "unreadable", said, fields=strays)
    return signal(NAME, "absent", "no generator metadata")


def _found(generation: Generation, hidden: bool) -> Signal:
    detail = {**generation.detail(), "hidden": hidden or None}
    tool = generation.tool
    if not generation.sampled:
        return signal(NAME, "processing", f"{tool} processed the picture, perhaps without making it", **detail)
    if generation.named_only:
        return signal(NAME, "named", f"metadata names {tool} as the maker", **detail)
    return signal(NAME, "parameters", f"metadata holds {tool}'s generation parameters", **detail)
