"""Reading recipes: shipped ones by name, YAML files, and single fields given as flags."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from madeby.errors import MissingExtraError, RecipeError
from madeby.training.recipe import Recipe

DEFAULT_RECIPE = "small"


def recipe_names() -> list[str]:
    """Names of the shipped recipes, sorted."""
    folder = resources.files("madeby.training") / "recipes"
    return sorted(item.name.removesuffix(".yaml") for item in folder.iterdir() if item.name.endswith(".yaml"))


def load_recipe(recipe: str | Path | None = None, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """A recipe from a shipped name or a YAML file, with single fields replaced.

    Args:
        recipe: name of a shipped recipe, path of a YAML file, or None for the shipped default.
        overrides: fields to replace; a string is read as YAML reads it where the field is no text.

    Raises:
        RecipeError: no such recipe, an unknown field, or a value that its field does not take.
    """
    name = str(recipe) if recipe is not None else DEFAULT_RECIPE
    fields = _read(name)
    fields |= _fitting_network(fields, overrides or {}) | dict(overrides or {})
    for field in fields:
        if field not in Recipe.model_fields:
            near = difflib.get_close_matches(field, Recipe.model_fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise RecipeError(f"recipe {name}: no field is called {field!r}{hint}")
    try:
        return Recipe.model_validate({field: _plain(field, value) for field, value in fields.items()})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise RecipeError(f"recipe {name}: {where}: {first['msg']} (given: {first['input']!r})") from None


def save_recipe(recipe: Recipe, path: Path) -> None:
    """Write a recipe as YAML that :func:`load_recipe` reads back to an equal one."""
    text = _yaml().safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    path.write_text(text, encoding="utf-8")


def _fitting_network(fields: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """What must change with the network: the old one's options go, and a fixed input size comes."""
    network = overrides.get("network")
    if network is None or network == fields.get("network"):
        return {}
    from madeby.networks import network_entry

    entry = network_entry(network)
    return {"network_options": {}, **({"size": entry.size, "tile": 0} if entry.fixed_size else {})}


def _read(name: str) -> dict[str, Any]:
    path = Path(name)
    if name in recipe_names():
        text = (resources.files("madeby.training") / "recipes" / f"{name}.yaml").read_text(encoding="utf-8")
    elif path.is_file():
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise RecipeError(f"recipe {path} cannot be read: {error}") from None
    else:
        raise RecipeError(f"there is no recipe or file {name!r}; shipped recipes: {', '.join(recipe_names())}")
    yaml = _yaml()
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise RecipeError(f"recipe {name} is not valid YAML: {' '.join(str(error).split())}") from None
    if content is None:
        return {}
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        raise RecipeError(f"recipe {name} must be a list of 'field: value' lines")
    return content


def _plain(field: str, value: Any) -> Any:
    """Text from a flag as the value its field means; other values as they are."""
    annotation = Recipe.model_fields[field].annotation
    if not isinstance(value, str) or annotation is str:
        return value
    if field == "augment":
        return [part for part in value.replace(",", " ").split() if part != "none"]
    yaml = _yaml()
    try:
        if field in {"mean", "std"}:
            return [float(part) for part in value.strip("[]()").split(",")]
        return yaml.safe_load(value)
    except (yaml.YAMLError, ValueError):
        return value


def _yaml() -> Any:
    try:
        import yaml
    except ImportError:
        raise MissingExtraError("reading recipes", "train") from None
    return yaml
