"""What a study is and what came of it, as ``tuning.json`` holds them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ValidationError

from madeby.errors import RecipeError
from madeby.schema import Frozen
from madeby.training.tuning.search_files import PrunerName, SamplerName
from madeby.training.tuning.space import Parameters, Space

State = Literal["waiting", "running", "complete", "pruned", "failed"]
MACHINE_FIELDS = {"device", "precision"}
"""Recipe fields that may differ between the machines that work on one study."""


class Plan(Frozen):
    """What every worker on a study must agree about: the space, the recipe that is varied, and the data."""

    space: Space
    recipe: dict[str, Any]
    manifest_sha256: str
    monitor: str
    mode: Literal["min", "max"]
    sampler: SamplerName
    pruner: PrunerName
    seed: int

    def check_same(self, other: Plan, study: str) -> None:
        """Make sure that two workers mean the same study.

        Raises:
            RecipeError: they differ; says in what.
        """
        for name, what in (
            ("manifest_sha256", "data"),
            ("space", "search space"),
            ("sampler", "sampler"),
            ("pruner", "pruner"),
            ("seed", "seed"),
        ):
            if getattr(self, name) != getattr(other, name):
                raise _another(study, what)
        fields = sorted((self.recipe.keys() | other.recipe.keys()) - MACHINE_FIELDS)
        differing = [field for field in fields if self.recipe.get(field) != other.recipe.get(field)]
        if differing:
            raise _another(study, f"recipe ({', '.join(differing)})")


def _another(study: str, what: str) -> RecipeError:
    return RecipeError(
        f"study {study!r} was begun with another {what}: "
        "repeat its command to go on with it, or choose another --study or output folder"
    )


class TrialRow(Frozen):
    """One trial. ``value`` is the best of the monitored figure so far; the figures are those of that epoch.

    ``place`` is the machine that ran it and ``folder`` its run's folder there; ``problem`` says why it failed.
    """

    number: int
    state: State
    parameters: Parameters
    value: float | None = None
    best_epoch: int | None = None
    epochs: int | None = None
    val_loss: float | None = None
    val_accuracy: float | None = None
    val_auroc: float | None = None
    seconds: float | None = None
    place: str | None = None
    folder: str | None = None
    problem: str | None = None


class Tuning(Frozen):
    """A study as it stands: the contents of ``tuning.json``.

    ``importance`` is each field's share in the variance of the figure over the trials that ran to their end (fANOVA,
    Hutter et al. 2014; shares sum to 1), empty where they are too few to say.
    """

    tuning_version: Literal[1] = 1
    study: str
    plan: Plan
    target: int
    trials: tuple[TrialRow, ...]
    importance: dict[str, float]

    @property
    def best(self) -> TrialRow | None:
        """The complete trial with the best figure, the first of equals; None while none is complete."""
        complete = [row for row in self.trials if row.state == "complete" and row.value is not None]
        sign = 1 if self.plan.mode == "min" else -1
        return min(complete, key=lambda row: sign * (row.value or 0.0), default=None)

    def count(self, state: State) -> int:
        """How many trials are in a state."""
        return sum(row.state == state for row in self.trials)

    def to_json(self) -> str:
        """The study as indented JSON."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str | bytes, name: str) -> Tuning:
        """Read back what :meth:`to_json` wrote; ``name`` says whose text it is.

        Raises:
            RecipeError: the text is none of ours.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the file"
            raise RecipeError(f"{name} is not a study's table: {where}: {first['msg']}") from None
