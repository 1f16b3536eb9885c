"""Tools that write one JSON object of settings: SwarmUI, Fooocus, Easy Diffusion and Draw Things."""

from __future__ import annotations

from typing import Any

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, first, json_object, prompt_text, text


def recognise(fields: Fields) -> Generation | None:
    """The generation that one of these tools recorded; ``None`` where none did."""
    for candidate in fields.parameters():
        if settings := json_object(candidate):
            for tool in (_swarmui, _fooocus, _draw_things, _easy_diffusion):
                if generation := tool(settings):
                    return generation
    return _easy_diffusion(dict(fields.texts))


def _swarmui(settings: dict[str, Any]) -> Generation | None:
    image = settings.get("sui_image_params")
    if not isinstance(image, dict):
        return None
    return Generation(
        tool="SwarmUI",
        model=text(image.get("model")),
        sampler=text(first(image, "sampler", "comfyuisampler")),
        seed=text(image.get("seed")),
        steps=text(image.get("steps")),
        cfg_scale=text(image.get("cfgscale")),
        prompt=prompt_text(image.get("prompt")),
        negative_prompt=prompt_text(image.get("negativeprompt")),
        version=text(image.get("swarm_version")),
    )


def _fooocus(settings: dict[str, Any]) -> Generation | None:
    version = text(first(settings, "version", "fooocus_v2_expansion"))
    if "base_model" not in settings or not {"sampler", "guidance_scale", "sharpness"} & settings.keys():
        return None
    return Generation(
        tool="Fooocus",
        model=text(settings.get("base_model")),
        sampler=text(settings.get("sampler")),
        seed=text(settings.get("seed")),
        steps=text(settings.get("steps")),
        cfg_scale=text(settings.get("guidance_scale")),
        prompt=prompt_text(settings.get("prompt")),
        negative_prompt=prompt_text(settings.get("negative_prompt")),
        version=version,
    )


def _draw_things(settings: dict[str, Any]) -> Generation | None:
    if not {"c", "model", "seed", "steps"} <= settings.keys():
        return None
    return Generation(
        tool="Draw Things",
        model=text(settings.get("model")),
        sampler=text(settings.get("sampler")),
        seed=text(settings.get("seed")),
        steps=text(settings.get("steps")),
        cfg_scale=text(settings.get("scale")),
        prompt=prompt_text(settings.get("c")),
        negative_prompt=prompt_text(settings.get("uc")),
    )


def _easy_diffusion(settings: dict[str, Any]) -> Generation | None:
    """Machine names (``use_stable_diffusion_model``) or the names people see (``Stable Diffusion model``)."""
    lower = {key.lower(): value for key, value in settings.items()}
    model = first(lower, "use_stable_diffusion_model", "stable diffusion model")
    seed = lower.get("seed")
    if model is None or seed is None:
        return None
    return Generation(
        tool="Easy Diffusion",
        model=text(model),
        sampler=text(first(lower, "sampler_name", "sampler")),
        seed=text(seed),
        steps=text(first(lower, "num_inference_steps", "steps")),
        cfg_scale=text(first(lower, "guidance_scale", "guidance scale")),
        prompt=prompt_text(lower.get("prompt")),
        negative_prompt=prompt_text(first(lower, "negative_prompt", "negative prompt")),
    )
