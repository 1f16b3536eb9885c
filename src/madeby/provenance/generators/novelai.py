"""NovelAI: PNG text chunks ``Software``, ``Source`` and ``Comment`` (JSON), and the same as stealth text."""

from __future__ import annotations

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, first, json_object, prompt_text, text


def recognise(fields: Fields) -> Generation | None:
    """The generation that NovelAI recorded; ``None`` where it recorded none."""
    texts = fields.texts
    software = texts.get("software", "") or fields.exif.get("software", "")
    if not software.lower().startswith("novelai") and not texts.get("source", "").startswith("NovelAI"):
        return None
    comment = json_object(texts.get("comment") or fields.comment) or {}
    return Generation(
        tool="NovelAI",
        model=text(texts.get("source")),
        sampler=text(comment.get("sampler")),
        seed=text(comment.get("seed")),
        steps=text(comment.get("steps")),
        cfg_scale=text(comment.get("scale")),
        prompt=prompt_text(first(comment, "prompt") or texts.get("description")),
        negative_prompt=prompt_text(comment.get("uc")),
    )
