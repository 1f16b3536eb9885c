"""The study in its storage: opened or begun, its trials planned, claimed one at a time, and ended.

A study of N trials is N waiting trials, laid down at once. Whoever works on it claims the next one by its number,
so that any number of processes and machines share them without doubling any, and the same command again, or with
more trials, goes on where it stopped. An interrupted trial keeps its number: the worker of the same folder takes it
up where its run's checkpoint left it, any other begins it anew once nothing was heard of it for a while.
"""

from __future__ import annotations

import contextlib
import datetime
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import sqlalchemy
from filelock import FileLock, Timeout
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState

from madeby.errors import RecipeError
from madeby.training.tuning.records import Plan
from madeby.training.tuning.space import Choices, Dimension, Parameters, Span

STORAGE_FILE = "study.db"
GRACE = datetime.timedelta(minutes=15)
"""A trial of another machine that was not heard of for so long is taken over; machines' clocks may differ by less."""

ATTEMPTS = 6
COLLISIONS = (sqlalchemy.exc.IntegrityError, sqlalchemy.exc.ProgrammingError, optuna.exceptions.StorageInternalError)

PLAN, PLACE, HEARD, FOLDER, PROBLEM, FIGURES, GIVEN_UP = (
    *("plan", "place", "heard", "folder", "problem", "figures", "given_up"),
)
"""Names under which the storage keeps what Optuna has no place for."""


class Study:
    """One study as one worker sees it; ``folder`` is where this worker's runs lie."""

    def __init__(self, folder: Path, name: str, plan: Plan, storage: str | None) -> None:
        """Open the study, or begin it.

        Raises:
            RecipeError: the storage cannot be used, or holds a study of that name with another plan.
        """
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.folder, self.name, self.plan = folder, name, plan
        self.place = f"{socket.gethostname()}:{folder.resolve()}"
        self._locks = folder / "locks"
        self._locks.mkdir(parents=True, exist_ok=True)
        url = storage or f"sqlite:///{folder.resolve() / STORAGE_FILE}"
        self._shared = FileLock(_lock_beside(url) or self._locks / "study.lock")
        with self._shared:
            self.storage, self.study = _begun(url, name, plan)
        plan.check_same(Plan.model_validate(self.study.user_attrs[PLAN]), name)
        self._id = self.storage.get_study_id_from_name(name)

    def lay_down(self, count: int) -> None:
        """Make sure that there are ``count`` trials. Surplus ones, laid down in a race, are never claimed."""
        with self._shared:
            for _ in range(count - len(self.trials())):
                self.study.enqueue_trial({})

    def trials(self) -> list[FrozenTrial]:
        """All trials, by number."""
        return self.storage.get_all_trials(self._id, deepcopy=False)

    @contextlib.contextmanager
    def claim(self, count: int) -> Iterator[optuna.trial.Trial | None]:
        """The next of the first ``count`` trials that nobody works on, held until the block ends; None if all are."""
        for number in range(count):
            lock = FileLock(self._locks / f"{number}.lock", blocking=False)
            with contextlib.suppress(Timeout):
                with lock, self._shared:
                    if not self._take(number):
                        continue
                    lock.acquire()  # held beyond this block: the lock counts its acquisitions
                try:
                    yield self._sampled(number)
                finally:
                    lock.release()
                return
        yield None

    def _take(self, number: int) -> bool:
        """Mark a trial as this worker's, if it is to be had."""
        trial_id, trial = self._id_of(number), self.trial(number)
        if trial.state == TrialState.RUNNING and self._interrupted(trial):
            self.storage.set_trial_state_values(trial_id, TrialState.WAITING)
        elif trial.state != TrialState.WAITING:
            return False
        if not self.storage.set_trial_state_values(trial_id, TrialState.RUNNING):
            return False
        self.note(number, PLACE, self.place)
        self.heard(number)
        return True

    def _interrupted(self, trial: FrozenTrial) -> bool:
        """Whether a running trial's worker is gone: called with this folder's lock of the trial at hand."""
        if trial.user_attrs.get(PLACE) == self.place:
            return True
        heard = trial.user_attrs.get(HEARD)
        return heard is None or _now() - datetime.datetime.fromisoformat(heard) > GRACE

    def _sampled(self, number: int) -> optuna.trial.Trial:
        """The trial with a value for every dimension. A trial's chance depends on its number, not on the worker."""
        trial_id = self._id_of(number)
        if self.plan.sampler == "grid":
            known = self.trial(number).params
            for name, value in self.plan.space.configuration(number).items():
                if name not in known:
                    distribution = distribution_of(self.plan.space.dimensions[name])
                    self.storage.set_trial_param(trial_id, name, distribution.to_internal_repr(value), distribution)
        self.study.sampler = sampler_of(self.plan, number)
        self.study.pruner = pruner_of(self.plan)
        trial = optuna.trial.Trial(self.study, trial_id)
        for name, one in self.plan.space.dimensions.items():
            _suggest(trial, name, one)
        return trial

    def trial(self, number: int) -> FrozenTrial:
        """A trial as the storage has it now."""
        return self.storage.get_trial(self._id_of(number))

    def still_mine(self, number: int) -> bool:
        """Whether no other worker has taken the trial over meanwhile."""
        return bool(self.trial(number).user_attrs.get(PLACE) == self.place)

    def heard(self, number: int) -> None:
        """Let other machines know that the trial is being worked on."""
        self.note(number, HEARD, _now().isoformat(timespec="seconds"))

    def note(self, number: int, what: str, value: Any) -> None:
        """Keep something about a trial."""
        self.storage.set_trial_user_attr(self._id_of(number), what, value)

    def end(self, trial: optuna.trial.Trial, state: TrialState, value: float | None = None) -> None:
        """Enter a trial's end."""
        self.study.tell(trial, value, state=state)

    def dispose(self) -> None:
        """Let go of the storage."""
        self.storage.remove_session()
        self.storage.engine.dispose()

    def _id_of(self, number: int) -> int:
        found: int = self.storage.get_trial_id_from_study_id_trial_number(self._id, number)
        return found

    def __getstate__(self) -> dict[str, Any]:
        """To a process that trains for this one: without the lock, which stays with the claim."""
        return {name: value for name, value in self.__dict__.items() if name != "_shared"}


def distribution_of(dimension: Dimension) -> BaseDistribution:
    """A dimension as Optuna has it."""
    if isinstance(dimension, Choices):
        return CategoricalDistribution(dimension.values)
    if dimension.whole:
        return IntDistribution(
            int(dimension.low), int(dimension.high), log=dimension.log, step=int(dimension.step or 1)
        )
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def parameters_of(trial: FrozenTrial, plan: Plan) -> Parameters:
    """A trial's values, in the order of the space; those not drawn yet are missing."""
    return {name: trial.params[name] for name in plan.space.dimensions if name in trial.params}


def sampler_of(plan: Plan, number: int) -> optuna.samplers.BaseSampler:
    """The sampler of one trial."""
    seed = plan.seed * 1_000_003 + number
    if plan.sampler == "tpe":
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)


def pruner_of(plan: Plan) -> optuna.pruners.BasePruner:
    """The plan's pruner; its steps are epochs, counted from 1."""
    if plan.pruner == "median":
        return optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=2)
    if plan.pruner == "hyperband":
        epochs = plan.space.dimensions.get("epochs")
        if epochs is None:
            most = plan.recipe["epochs"]
        else:
            most = epochs.high if isinstance(epochs, Span) else max(epochs.values, key=float)
        return optuna.pruners.HyperbandPruner(max_resource=int(most))
    return optuna.pruners.NopPruner()


def _suggest(trial: optuna.trial.Trial, name: str, dimension: Dimension) -> None:
    if isinstance(dimension, Choices):
        trial.suggest_categorical(name, dimension.values)
    elif dimension.whole:
        step = int(dimension.step or 1)
        trial.suggest_int(name, int(dimension.low), int(dimension.high), log=dimension.log, step=step)
    else:
        trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log, step=dimension.step)


def _begun(url: str, name: str, plan: Plan) -> tuple[RDBStorage, optuna.Study]:
    """The study with its plan. Workers that begin at the same moment trip over each other's rows, and try again."""
    for attempt in range(ATTEMPTS):
        try:
            storage = _opened(url)
            direction = optuna.study.StudyDirection["MINIMIZE" if plan.mode == "min" else "MAXIMIZE"]
            study = optuna.create_study(study_name=name, storage=storage, direction=direction, load_if_exists=True)
            if PLAN not in study.user_attrs:
                study.set_user_attr(PLAN, plan.model_dump(mode="json"))
            return storage, study
        except COLLISIONS as error:
            if attempt + 1 == ATTEMPTS:
                raise _unusable(url, error) from None
            time.sleep(0.3 * (attempt + 1))
    raise AssertionError("the last attempt returns or raises")


def _opened(url: str) -> RDBStorage:
    try:
        kwargs = {"connect_args": {"timeout": 60}} if url.startswith("sqlite") else {"pool_pre_ping": True}
        return RDBStorage(url, engine_kwargs=kwargs)
    except ImportError as error:
        raise RecipeError(f"storage {_hidden(url)}: the database's driver is not installed ({error})") from None
    except COLLISIONS:
        raise
    except (sqlalchemy.exc.SQLAlchemyError, RuntimeError, ValueError) as error:
        raise _unusable(url, error) from None


def _unusable(url: str, error: Exception) -> RecipeError:
    return RecipeError(f"storage {_hidden(url)} cannot be used: {str(error).splitlines()[0]}")


def _hidden(url: str) -> str:
    """A database's URL without its password."""
    try:
        return sqlalchemy.engine.make_url(url).render_as_string(hide_password=True)
    except sqlalchemy.exc.ArgumentError:
        return repr(url)


def _lock_beside(url: str) -> Path | None:
    """SQLite has no row locks: its workers take turns by a file beside the database."""
    path = url.removeprefix("sqlite:///")
    return None if path == url else Path(f"{os.path.abspath(path)}.lock")  # noqa: PTH100  # may not exist yet


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)
