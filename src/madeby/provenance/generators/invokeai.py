"""InvokeAI in its three forms: ``invokeai_metadata`` (3.x on), ``sd-metadata`` (2.x) and ``Dream`` (before)."""

from __future__ import annotations

import re
from typing import Any

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, first, json_object, prompt_text, text

_OPTION = re.compile(r"-([A-Za-z]) *(\S{1,60})")
_BRACKETED = re.compile(r"\[([^\[\]]*)\]")


def recognise(fields: Fields) -> Generation | None:
    """The generation that InvokeAI recorded; ``None`` where it recorded none."""
    modern = json_object(fields.texts.get("invokeai_metadata"))
    if modern and {"positive_prompt", "model", "seed", "app_version", "generation_mode"} & modern.keys():
        return _modern(modern)
    middle = json_object(fields.texts.get("sd-metadata"))
    if middle and ("image" in middle or "app_id" in middle):
        return _middle(middle)
    if "dream" in fields.texts and (early := _dream(fields.texts["dream"])):
        return early
    if json_object(fields.texts.get("invokeai_graph")) or json_object(fields.texts.get("invokeai_workflow")):
        return Generation(tool="InvokeAI")
    return None


def _modern(metadata: dict[str, Any]) -> Generation:
    model = metadata.get("model")
    name = first(model, "name", "model_name") if isinstance(model, dict) else model
    return Generation(
        tool="InvokeAI",
        model=text(name),
        sampler=text(metadata.get("scheduler")),
        seed=text(metadata.get("seed")),
        steps=text(metadata.get("steps")),
        cfg_scale=text(metadata.get("cfg_scale")),
        prompt=prompt_text(metadata.get("positive_prompt")),
        negative_prompt=prompt_text(metadata.get("negative_prompt")),
        version=text(metadata.get("app_version")),
    )


def _middle(metadata: dict[str, Any]) -> Generation:
    image = metadata.get("image")
    image = image if isinstance(image, dict) else {}
    prompts = image.get("prompt")
    if isinstance(prompts, list):
        prompts = " ".join(prompt_text(part.get("prompt")) for part in prompts if isinstance(part, dict))
    words, negative = _split(prompt_text(prompts))
    return Generation(
        tool="InvokeAI",
        model=text(first(metadata, "model_weights", "model")),
        sampler=text(image.get("sampler")),
        seed=text(image.get("seed")),
        steps=text(image.get("steps")),
        cfg_scale=text(image.get("cfg_scale")),
        prompt=words,
        negative_prompt=negative,
        version=text(metadata.get("app_version")),
    )


def _dream(command: str) -> Generation | None:
    """The command line of the first versions: the prompt in quotation marks, then options."""
    end = command.rfind('"')
    if not command.startswith('"') or end < 1:
        return None
    options = dict(_OPTION.findall(command[end + 1 : end + 2000]))
    if not {"S", "s", "A"} & options.keys():
        return None
    words, negative = _split(prompt_text(command[1:end]))
    return Generation(
        tool="InvokeAI",
        sampler=options.get("A", ""),
        seed=options.get("S", ""),
        steps=options.get("s", ""),
        cfg_scale=options.get("C", ""),
        prompt=words,
        negative_prompt=negative,
    )


def _split(prompt: str) -> tuple[str, str]:
    """Words in square brackets are the negative prompt."""
    return _BRACKETED.sub("", prompt).strip(), ", ".join(_BRACKETED.findall(prompt))
