"""Searches as files: shipped ones by name, and YAML files of the same form."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from madeby.errors import RecipeError
from madeby.schema import Frozen

SamplerName = Literal["grid", "tpe", "random"]
PrunerName = Literal["none", "median", "hyperband"]


class Search(Frozen):
    """What a search file holds: the space, and what else it wants unless flags say otherwise.

    ``set`` replaces fields of the recipe in every trial.
    """

    search: dict[str, Any] = Field(min_length=1)
    recipe: str | None = None
    set: dict[str, Any] = Field(default_factory=dict)
    sampler: SamplerName | None = None
    pruner: PrunerName | None = None
    trials: int | None = Field(default=None, ge=1)


def search_names() -> list[str]:
    """Names of the shipped searches, sorted."""
    folder = resources.files("madeby.training.tuning") / "searches"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def is_search_file(text: str) -> bool:
    """Whether a ``--search`` names a file or a shipped search rather than a field with its values."""
    return text in search_names() or Path(text).suffix.lower() in {".yaml", ".yml"} or "=" not in text


def load_search(name: str) -> Search:
    """A search by its shipped name or from a YAML file.

    Raises:
        RecipeError: no such search, or the file is none.
    """
    try:
        if name in search_names():
            folder = resources.files("madeby.training.tuning") / "searches"
            text = (folder / f"{name}.yaml").read_text(encoding="utf-8")
        elif Path(name).is_file():
            text = Path(name).read_text(encoding="utf-8")
        else:
            shipped = ", ".join(search_names())
            raise RecipeError(f"search {name!r} is neither field=values, nor a file, nor a shipped search: {shipped}")
        return Search.model_validate(yaml.safe_load(text))
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"search {name} cannot be read: {error}") from None
    except yaml.YAMLError as error:
        raise RecipeError(f"search {name} is not valid YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise RecipeError(f"search {name}: {where}: {first['msg']}") from None
