"""What a generator's metadata says about how a picture was made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

LONGEST_PROMPT = 4000


@dataclass(frozen=True)
class Generation:
    """A generator and the settings it recorded; empty where it recorded none.

    ``sampled`` is false where the tool's workflow contains no step that makes a picture (it may only have
    enlarged a photograph). ``named_only`` is true where nothing but the maker's name is there.
    """

    tool: str
    model: str = ""
    sampler: str = ""
    seed: str = ""
    steps: str = ""
    cfg_scale: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    version: str = ""
    sampled: bool = True
    named_only: bool = False

    def detail(self) -> dict[str, str]:
        """The settings by name, without the flags."""
        fields = asdict(self)
        return {key: str(value) for key, value in fields.items() if key not in ("sampled", "named_only")}


def text(value: object, longest: int = 300) -> str:
    """A metadata value as bounded text; empty for what is no plain value."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()[:longest]


def prompt_text(value: object) -> str:
    """A prompt as bounded text."""
    return text(value, LONGEST_PROMPT)


def json_object(source: str | None) -> dict[str, Any] | None:
    """A JSON object written as text; ``None`` for anything else, however deep or broken."""
    if not source or not source.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(source)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def first(mapping: dict[str, Any], *names: str) -> Any:
    """The first of several names that the mapping knows; ``None`` of none."""
    return next((mapping[name] for name in names if mapping.get(name) not in (None, "")), None)
