"""ComfyUI: the executed graph (``prompt``) and the editor's graph (``workflow``) as JSON.

PNG keeps them in text chunks; WebP and JPEG in EXIF's Make, Model or ImageDescription as ``prompt:{...}`` and
``workflow:{...}``.
"""

from __future__ import annotations

from typing import Any

from madeby.provenance.generators.fields import Fields
from madeby.provenance.generators.generation import Generation, first, json_object, prompt_text, text

_MAKING = (
    "sampler", "generat", "txt2img", "text2img", "text2image", "texttoimage", "img2img", "imagetoimage",
    "diffusion", "flux", "dall", "ideogram", "recraft", "imagen", "gemini", "gptimage", "luma", "kling",
    "stabilitystable",
)  # fmt: skip
"""Parts of the node types that make pictures, in lower case; graphs without one only process them."""

_MODEL_INPUTS = ("ckpt_name", "unet_name", "model_name", "gguf_name", "base_ckpt_name", "model")
_TEXT_INPUTS = ("text", "text_g", "t5xxl", "clip_l", "prompt", "string", "value", "conditioning", "positive")
_PART_INPUTS = ("text1", "text2", "text3", "string_a", "string_b")
_MOST_NODES = 200
Nodes = dict[str, dict[str, Any]]


def recognise(fields: Fields) -> Generation | None:
    """The generation that a ComfyUI graph describes; ``None`` where there is no graph."""
    nodes = _executed(json_object(_find(fields, "prompt")))
    if nodes:
        return _from_nodes(nodes)
    kinds = _drawn(json_object(_find(fields, "workflow")))
    return Generation(tool="ComfyUI", sampled=_makes(kinds)) if kinds else None


def _find(fields: Fields, name: str) -> str:
    if name in fields.texts:
        return fields.texts[name]
    for value in (fields.exif.get("make", ""), fields.exif.get("model", ""), fields.exif.get("description", "")):
        if value[: len(name) + 1].lower() == name + ":":
            return value[len(name) + 1 :]
    return ""


def _executed(graph: dict[str, Any] | None) -> Nodes:
    """The nodes of an executed graph: each a type with its inputs."""
    return {
        key: node
        for key, node in (graph or {}).items()
        if isinstance(node, dict) and isinstance(node.get("class_type"), str) and isinstance(node.get("inputs"), dict)
    }


def _drawn(workflow: dict[str, Any] | None) -> list[str]:
    """The node types of an editor's graph."""
    nodes = (workflow or {}).get("nodes")
    if not isinstance(nodes, list):
        return []
    return [str(node["type"]) for node in nodes if isinstance(node, dict) and isinstance(node.get("type"), str)]


def _makes(kinds: list[str]) -> bool:
    flat = [kind.lower().replace(" ", "").replace("_", "") for kind in kinds]
    return any(part in kind for kind in flat for part in _MAKING)


def _from_nodes(nodes: Nodes) -> Generation:
    sampler = next((node for node in nodes.values() if "sampler" in node["class_type"].lower()), None)
    inputs = sampler["inputs"] if sampler else {}
    everything = [node["inputs"] for node in nodes.values()]
    return Generation(
        tool="ComfyUI",
        model=_anywhere(everything, *_MODEL_INPUTS),
        sampler=text(inputs.get("sampler_name")) or _anywhere(everything, "sampler_name"),
        seed=text(first(inputs, "seed", "noise_seed")) or _anywhere(everything, "seed", "noise_seed"),
        steps=text(inputs.get("steps")) or _anywhere(everything, "steps"),
        cfg_scale=text(inputs.get("cfg")) or _anywhere(everything, "cfg", "guidance"),
        prompt=_words(nodes, inputs.get("positive"), set()) or _any_words(nodes),
        negative_prompt=_words(nodes, inputs.get("negative"), set()),
        sampled=_makes([node["class_type"] for node in nodes.values()]),
    )


def _anywhere(inputs: list[dict[str, Any]], *names: str) -> str:
    return next((value for given in inputs for name in names if (value := text(given.get(name)))), "")


def _words(nodes: Nodes, link: object, seen: set[str]) -> str:
    """The prompt at the end of a link (node, output), followed through text and conditioning nodes.

    ``seen`` collects the nodes on the way: each is asked once, so that no graph, however knotted, takes long.
    """
    if isinstance(link, str):
        return prompt_text(link)
    if not isinstance(link, list) or not link or not isinstance(link[0], str | int):
        return ""
    name = str(link[0])
    if name in seen or name not in nodes or len(seen) >= _MOST_NODES:
        return ""
    seen.add(name)
    inputs = nodes[name]["inputs"]
    for key in _TEXT_INPUTS:
        if key in inputs and (found := _words(nodes, inputs[key], seen)):
            return found
    parts = [inputs[key] for key in _PART_INPUTS if key in inputs]
    return prompt_text(" ".join(filter(None, (_words(nodes, part, seen) for part in parts))))


def _any_words(nodes: Nodes) -> str:
    """The first text that a text encoder holds, where the sampler cannot be followed."""
    encoders = (node for node in nodes.values() if "textencode" in node["class_type"].lower())
    return next((found for node in encoders if (found := _words(nodes, node["inputs"].get("text"), set()))), "")
