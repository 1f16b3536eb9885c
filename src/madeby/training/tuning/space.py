"""The search space: for every field that varies, choices or a range, in a grammar that fits on a flag.

::

    learning_rate=0.0005,0.001,0.005        choices
    augment=flip|flip,rotate=10             choices of a field whose values hold commas
    weight_decay=1e-5..1e-1:log             a range, drawn evenly on a logarithmic scale
    label_smoothing=0..0.2                  a range of numbers, both ends included
    batch_size=64..256:step=64              a range in steps
    network_options.width=16,32,48          one option of the network
"""

from __future__ import annotations

import difflib
import itertools
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import Field

from madeby.errors import RecipeError
from madeby.schema import Frozen
from madeby.training.recipe import Recipe
from madeby.training.recipe_files import load_recipe

Scalar = bool | int | float | str
OPTION = "network_options."
LISTED = {"augment", "mean", "std", "network_options"}
"""Fields whose values hold commas: their choices are divided by ``|``, and they have no ranges."""

_RANGE = re.compile(r"(?P<low>[^:]+?)\.\.(?P<high>[^:]+)(:(?P<how>.*))?")


class Choices(Frozen):
    """A field that takes one of some values, in the given order."""

    kind: Literal["choices"] = "choices"
    values: tuple[Scalar, ...]


class Span(Frozen):
    """A field that takes numbers from ``low`` to ``high``, both included.

    ``whole`` numbers only, in ``step`` where one is given, or drawn evenly on a logarithmic scale (``log``).
    """

    kind: Literal["span"] = "span"
    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False


Dimension = Choices | Span
Parameters = dict[str, Scalar]


class Space(Frozen):
    """Every field that varies, by name; all else comes from the recipe."""

    dimensions: dict[str, Dimension] = Field(min_length=1)

    @property
    def size(self) -> int | None:
        """How many configurations there are; None where a range without steps makes them countless."""
        counts = [len(values) if (values := values_of(one)) is not None else None for one in self.dimensions.values()]
        return None if None in counts else math.prod(count for count in counts if count is not None)

    def configuration(self, number: int) -> Parameters:
        """The grid's configuration of that number; the last field varies fastest."""
        listed = [values_of(one) or () for one in self.dimensions.values()]
        values = next(itertools.islice(itertools.product(*listed), number, None))
        return dict(zip(self.dimensions, values, strict=True))


def values_of(dimension: Dimension) -> tuple[Scalar, ...] | None:
    """All values of a dimension in order; None for a range that cannot be counted through."""
    if isinstance(dimension, Choices):
        return dimension.values
    step = dimension.step or (1 if dimension.whole and not dimension.log else None)
    if step is None:
        return None
    count = math.floor((dimension.high - dimension.low) / step + 1e-9) + 1
    values = (dimension.low + number * step for number in range(count))
    return tuple(int(value) for value in values) if dimension.whole else tuple(round(value, 12) for value in values)


def parse_space(search: Mapping[str, object], recipe: str | None, overrides: Mapping[str, Any]) -> Space:
    """Read a search space and try every value on the recipe.

    Args:
        search: field to dimension, as text of the grammar above or as a list of choices.
        recipe: the recipe that is varied.
        overrides: its replaced fields.

    Raises:
        RecipeError: an unknown field, or a value that its field does not take; names the field and the reason.
    """
    reader = _Reader(recipe, overrides)
    return Space(dimensions={name: reader.dimension(name, given) for name, given in search.items()})


def recipe_of(parameters: Mapping[str, Any], recipe: str | None, overrides: Mapping[str, Any]) -> Recipe:
    """The recipe of one configuration.

    Raises:
        RecipeError: the values do not go together.
    """
    fields = {name: value for name, value in parameters.items() if not name.startswith(OPTION)}
    options = {name.removeprefix(OPTION): value for name, value in parameters.items() if name.startswith(OPTION)}
    if options:
        known = load_recipe(recipe, {**overrides, **fields}).network_options
        fields["network_options"] = known | options
    return load_recipe(recipe, {**overrides, **fields})


class _Reader:
    """Reads dimensions for one recipe, with errors that name the field."""

    def __init__(self, recipe: str | None, overrides: Mapping[str, Any]) -> None:
        self._recipe, self._overrides = recipe, overrides

    def dimension(self, name: str, given: object) -> Dimension:
        _check_name(name)
        if isinstance(given, list | tuple):
            return self._choices(name, [_as_text(value) for value in given])
        text = _as_text(given).strip()
        listed = name in LISTED
        if "|" in text:
            return self._choices(name, text.split("|"))
        match = None if listed else _RANGE.fullmatch(text)
        if match:
            return self._span(name, match["low"], match["high"], match["how"] or "")
        return self._choices(name, [text] if listed else text.split(","))

    def _choices(self, name: str, texts: Sequence[str]) -> Choices:
        values = [self._value(name, text.strip()) for text in texts]
        if len(values) < 2:
            divided = " divided by |" if name in LISTED else ""
            raise RecipeError(
                f"search {name}: one value is no search; give several{divided}, or set it with --{_flag(name)}"
            )
        if twice := [value for number, value in enumerate(values) if value in values[:number]]:
            raise RecipeError(f"search {name}: {twice[0]!r} is given twice")
        return Choices(values=tuple(values))

    def _span(self, name: str, low: str, high: str, how: str) -> Span:
        ends = [_number(name, text) for text in (low, high)]
        kind = Recipe.model_fields[name].annotation if name in Recipe.model_fields else None
        if kind not in {int, float, None}:
            raise RecipeError(f"search {name}: is no number and has no range; list its values")
        whole = kind is int or (kind is None and all(isinstance(end, int) for end in ends))
        if kind is int and not all(isinstance(end, int) for end in ends):
            raise RecipeError(f"search {name}: takes whole numbers only, not {low}..{high}")
        log, step = _how(name, how)
        if ends[0] >= ends[1]:
            raise RecipeError(f"search {name}: {low}..{high} does not rise")
        if log and ends[0] <= 0:
            raise RecipeError(f"search {name}: a logarithmic range starts above 0, not at {low}")
        if step is not None and (not 0 < step <= ends[1] - ends[0] or (whole and step != int(step))):
            raise RecipeError(f"search {name}: steps of {step:g} do not fit {low}..{high}")
        for end in (low, high):
            self._value(name, end.strip())
        return Span(low=ends[0], high=ends[1], step=step, log=log, whole=whole)

    def _value(self, name: str, text: str) -> Scalar:
        """A value as its field holds it, text where the field holds more than one thing."""
        if not text:
            raise RecipeError(f"search {name}: a value is empty")
        given: object = _yaml_value(text) if name.startswith(OPTION) else text
        try:
            recipe = recipe_of({name: given}, self._recipe, self._overrides)
            if name == "augment":
                _check_augment(recipe)
        except RecipeError as error:
            raise RecipeError(f"search {name}: {error}") from None
        value = given if name.startswith(OPTION) else getattr(recipe, name)
        return value if isinstance(value, bool | int | float | str) else text


def _check_augment(recipe: Recipe) -> None:
    from madeby.training.augment import Augmentation

    Augmentation(recipe.augment, recipe.size)


def _check_name(name: str) -> None:
    if name == "monitor":
        raise RecipeError("search monitor: trials are compared by it, so it cannot vary; set it with --monitor")
    if name in Recipe.model_fields or (name.startswith(OPTION) and len(name) > len(OPTION)):
        return
    near = difflib.get_close_matches(name, Recipe.model_fields, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise RecipeError(f"search: no field of a recipe is called {name!r}{hint}")


def _how(name: str, text: str) -> tuple[bool, float | None]:
    if text in {"", "log"}:
        return text == "log", None
    if text.startswith("step="):
        return False, float(_number(name, text.removeprefix("step=")))
    raise RecipeError(f"search {name}: a range ends in :log or :step=NUMBER, not in :{text}")


def _number(name: str, text: str) -> int | float:
    try:
        value = float(text)
    except ValueError:
        raise RecipeError(f"search {name}: {text.strip()!r} is not a number") from None
    if not math.isfinite(value):
        raise RecipeError(f"search {name}: {text.strip()!r} is not a finite number")
    return int(value) if re.fullmatch(r"\s*[+-]?\d+\s*", text) else value


def _yaml_value(text: str) -> object:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _as_text(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(str(part) for part in value) or "none"
    return json.dumps(value) if isinstance(value, dict | bool) else str(value)


def _flag(name: str) -> str:
    return name.partition(".")[0].replace("_", "-")
