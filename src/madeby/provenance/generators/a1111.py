"""The text format of AUTOMATIC1111's web UI, which Forge, SD.Next, Civitai and many others write too.

Prompt, then optionally ``Negative prompt: ...``, then one line of ``Key: value`` pairs that starts with
``Steps:``.
"""

from __future__ import annotations

import re

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, prompt_text

_SETTINGS = re.compile(r"(?:^|\n)[ \t]*Steps: *\d", re.IGNORECASE)
_TELLING = {"sampler", "cfg scale", "seed", "size", "model", "model hash", "schedule type"}
_LONGEST_SETTINGS = 65_536


def recognise(fields: Fields) -> Generation | None:
    """The generation that a parameters text describes; ``None`` where there is none."""
    for candidate in fields.parameters():
        if generation := parse(candidate):
            return generation
    return None


def parse(parameters: str) -> Generation | None:
    """Read one parameters text; ``None`` unless it has the settings line with at least two telling keys."""
    start = None
    for match in _SETTINGS.finditer(parameters):
        start = match
    if start is None:
        return None
    before, line = parameters[: start.start()], parameters[start.start() :].strip()
    settings = _settings(line[:_LONGEST_SETTINGS])
    if len(_TELLING & settings.keys()) < 2:
        return None
    prompt, _, negative = before.partition("Negative prompt:")
    return Generation(
        tool=_tool(settings),
        model=settings.get("model", settings.get("model hash", "")),
        sampler=" ".join(settings.get(key, "") for key in ("sampler", "schedule type")).strip(),
        seed=settings.get("seed", ""),
        steps=settings.get("steps", ""),
        cfg_scale=settings.get("cfg scale", ""),
        prompt=prompt_text(prompt),
        negative_prompt=prompt_text(negative),
        version=settings.get("version", ""),
    )


def _settings(line: str) -> dict[str, str]:
    """The ``Key: value`` pairs of the settings line, keys in lower case; quoted values may hold commas."""
    found: dict[str, str] = {}
    key, value = "", ""
    for piece in line.replace("\n", ", ").split(","):
        if value.startswith('"') and not (len(value) > 1 and value.endswith('"')):
            value += "," + piece
        else:
            name, colon, rest = piece.partition(":")
            if not colon:
                continue
            key, value = name.strip().lower()[:60], rest.strip()
        found[key] = value.strip('"')[:300]
    return found


def _tool(settings: dict[str, str]) -> str:
    version, app = settings.get("version", ""), settings.get("app", "")
    if app:
        return app[:60]
    for start, tool in (("f", "Forge"), ("neo", "Forge"), ("comfyui", "ComfyUI"), ("fooocus", "Fooocus")):
        if version.lower().startswith(start) and not (start == "f" and not version[1:2].isdigit()):
            return tool
    if "civitai resources" in settings or "civitai metadata" in settings:
        return "Civitai"
    return "AUTOMATIC1111"
