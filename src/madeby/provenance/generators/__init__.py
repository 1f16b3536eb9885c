"""Recognisers of generators' own metadata: one file a format."""

from __future__ import annotations

from collections.abc import Callable

from madeby.provenance.generators import a1111, comfyui, invokeai, json_parameters, named, novelai
from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation

RECOGNISERS: tuple[Callable[[Fields], Generation | None], ...] = (
    invokeai.recognise,
    novelai.recognise,
    json_parameters.recognise,
    comfyui.recognise,
    a1111.recognise,
    named.recognise,
)
"""In the order in which they are asked; formats with their own keywords before those that share one."""

TELLTALES = frozenset(
    {"parameters", "sd-metadata", "invokeai_metadata", "invokeai_graph", "dream", "workflow", "sui_image_params"}
)
"""Keywords that only generators use: one of them without a recognised content is worth naming."""


def recognise(fields: Fields) -> Generation | None:
    """What the first recogniser that knows the fields makes of them; ``None`` where none does."""
    found = (recogniser(fields) for recogniser in RECOGNISERS)
    best: Generation | None = None
    for generation in found:
        if generation and generation.sampled and not generation.named_only:
            return generation
        best = best or generation
    return best
