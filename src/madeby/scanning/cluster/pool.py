"""The actors of one scan: begun while pictures wait for them, dismissed when none do, replaced when they are lost."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from madeby.errors import MadebyError
from madeby.scanning.cluster.answerer import Answerer, Answers, Setup
from madeby.scanning.cluster.connection import last_line, no_room
from madeby.scanning.cluster.options import RayCluster

BATCHES_AT_ONCE = 2
"""With one actor: one is answered about while the next is on its way."""

IDLE_SECONDS = 30.0
PATIENCE_SECONDS = 600.0
"""For the first machine with room; autoscalers take minutes to add one."""

_STILLBORN_AT_MOST = 3


@dataclass(frozen=True, eq=False)
class Batch:
    """Units on their way: the number of the first, the names of all, and where Ray holds them.

    ``deaths`` counts the actors that were lost while they had it.
    """

    first: int
    names: tuple[str, ...]
    units: Any
    deaths: int = 0


@dataclass(eq=False)
class Actor:
    """An actor as this machine sees it."""

    handle: Any
    began: bool = False
    batches: int = 0
    alone: bool = False
    idle_since: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, eq=False)
class Began:
    """An actor has begun or failed to."""

    actor: Actor
    problem: Future[str | None]


@dataclass(frozen=True, eq=False)
class Answered:
    """A batch has come back, or its actor is lost."""

    actor: Actor
    batch: Batch
    answers: Future[Answers]


Event = Began | Answered


class Pool:
    """Between ``least`` and ``most`` actors of a cluster; used by one thread."""

    def __init__(self, ray: Any, cluster: RayCluster, setup: Setup, tell: Callable[[Event], None]) -> None:
        """Begin no actor yet.

        Args:
            ray: the module, connected.
            cluster: how many actors, and what each takes.
            setup: sent to each.
            tell: called, from other threads, with what happens.
        """
        self._ray, self._cluster, self._tell = ray, cluster, tell
        self._setup = ray.put(setup)
        self._class = ray.remote(Answerer).options(
            num_cpus=cluster.cores,
            num_gpus=cluster.gpus,
            max_concurrency=BATCHES_AT_ONCE,
            max_restarts=0,  # a batch whose actor is lost is given to another by us, who know how often that happened
            max_task_retries=0,
        )
        self._most = cluster.most or max(cluster.least, self._room())
        self._actors: list[Actor] = []
        self._waiting_since = time.monotonic()
        self._stillborn = self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether any batch is with an actor, or was with a lost one of which that is not known yet."""
        return self._under_way > 0

    @property
    def size(self) -> int:
        """How many actors there are."""
        return len(self._actors)

    def free(self, *, alone: bool = False) -> Actor | None:
        """The actor with the fewest batches that can take another; ``alone``: one that has none."""
        most = 1 if alone else BATCHES_AT_ONCE
        able = [actor for actor in self._actors if actor.began and not actor.alone and actor.batches < most]
        return min(able, key=lambda actor: actor.batches, default=None)

    def give(self, actor: Actor, batch: Batch, *, alone: bool = False) -> None:
        """Send a batch to an actor, which until then takes no other if ``alone``."""
        self._under_way += 1
        actor.batches += 1
        actor.alone = alone
        self._watch(actor.handle.answer.remote(batch.units), lambda future: Answered(actor, batch, future))

    def fit(self, *, wanting: bool, ending: bool) -> None:
        """Begin actors while work waits for them, dismiss those without any.

        Args:
            wanting: there is work that no actor is free for.
            ending: no more work will come.

        Raises:
            MadebyError: no machine has had room for an actor for a long time.
        """
        now, count = time.monotonic(), len(self._actors)
        began = sum(actor.began for actor in self._actors)
        target = 0 if ending else self._cluster.least
        if wanting and began == count:
            target = max(target, min(self._most, 2 * count))
        for _ in range(count, target):
            self._begin()
        if began or not self._actors:
            self._waiting_since = now
        elif now - self._waiting_since > PATIENCE_SECONDS:
            raise MadebyError(
                f"no machine of the Ray cluster had room for an actor in {PATIENCE_SECONDS / 60:g} minutes: "
                f"{no_room(self._cluster, self._ray.cluster_resources())}"
            )
        for actor in list(self._actors):
            idle = actor.batches == 0 and (ending or (actor.began and now - actor.idle_since > IDLE_SECONDS))
            if idle and not wanting and len(self._actors) > target:
                self.dismiss(actor)

    def has_begun(self, event: Began) -> None:
        """Take note of an actor that has begun, or has not.

        Raises:
            MadebyError: actors cannot begin there at all.
        """
        if event.actor not in self._actors:
            return
        error = event.problem.exception()
        if error is None:
            problem = event.problem.result()
            if problem is not None:
                raise MadebyError(f"a machine of the Ray cluster cannot answer: {problem}")
            event.actor.began = True
            event.actor.idle_since = time.monotonic()
            self._stillborn = 0
            return
        self.dismiss(event.actor)
        self._stillborn += 1
        if self._stillborn >= _STILLBORN_AT_MOST:
            raise MadebyError(
                f"the machines of the Ray cluster cannot begin to answer: {last_line(error)}; "
                "they need madeby and Python in the versions of this one"
            )

    def has_answered(self, event: Answered) -> Answers | BaseException:
        """The answers, or why there are none; then the actor is dismissed."""
        self._under_way -= 1
        actor = event.actor
        error = event.answers.exception()
        if error is not None:
            self.dismiss(actor)
            return error
        actor.batches -= 1
        actor.alone = False
        actor.idle_since = time.monotonic()
        return event.answers.result()

    def dismiss(self, actor: Actor) -> None:
        """End an actor; what it has still to say is not listened to."""
        if actor in self._actors:
            self._actors.remove(actor)
            if self._ray.is_initialized():  # else the connection is lost, and with it the actors
                self._ray.kill(actor.handle)

    def close(self) -> None:
        """Dismiss all."""
        for actor in list(self._actors):
            self.dismiss(actor)

    def _begin(self) -> None:
        actor = Actor(self._class.remote(self._setup))
        self._actors.append(actor)
        self._watch(actor.handle.problem.remote(), lambda future: Began(actor, future))

    def _watch(self, reference: Any, event: Callable[[Any], Event]) -> None:
        # The reference is kept until then: Ray forgets what nobody holds.
        reference.future().add_done_callback(lambda future, _=reference: self._tell(event(future)))

    def _room(self) -> int:
        """Actors that the machines which are there now could hold."""
        needs = self._cluster.needs()
        machines = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        return sum(int(min(machine.get(name, 0) / need for name, need in needs.items())) for machine in machines)
