"""Which cluster a scan runs on, and how much of it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from madeby.errors import MadebyError

_ADDRESS = re.compile(r"(?:ray://)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(?P<port>\d{1,5})")
AUTO = "auto"
ENGINES = ("local", "ray")


@dataclass(frozen=True)
class RayCluster:
    """A Ray cluster and the actors that answer there.

    Args:
        address: ``ray://head:10001`` from anywhere; ``head:6379`` or ``auto`` on one of the cluster's own machines.
            None is the cluster that ``RAY_ADDRESS`` names, as in a Ray job, else one begun on this machine for the
            scan and ended with it.
        least: actors that are kept while there is work.
        most: actors that there may be at a time; they are added while pictures wait. None for as many as the cluster
            has room for when the scan begins; name it where an autoscaler adds machines.
        cores: of a machine, for each actor; above 1 a whole number: as many pictures at a time.
        gpus: of a machine, for each actor; 0.25 lets four actors share one, above 1 a whole number.
        shared_files: whether every machine finds files under the names they have on this one. Otherwise they are
            read on this one and sent.

    Raises:
        MadebyError: a number or the address makes no sense.
    """

    address: str | None = None
    least: int = 1
    most: int | None = None
    cores: float = 1.0
    gpus: float = 0.0
    shared_files: bool = False

    def __post_init__(self) -> None:
        if self.least < 1 or (self.most is not None and self.most < self.least):
            most = "" if self.most is None else f" and {self.most} at most"
            raise MadebyError(f"{self.least} actors at least{most} cannot be: name numbers from 1 up, as 2..16")
        for what, share, least in (("cores", self.cores, 0.01), ("GPUs", self.gpus, 0.0)):
            if not math.isfinite(share) or share < least or (share > 1 and share != int(share)):
                raise MadebyError(
                    f"{share:g} {what} for each actor cannot be: name a fraction such as 0.5, or a whole number"
                )
        if self.address is not None:
            self.host_and_port()

    def host_and_port(self) -> tuple[str, int] | None:
        """Where the address leads, None where it is for Ray to find.

        Raises:
            MadebyError: it is no address.
        """
        if self.address is None or self.address == AUTO:
            return None
        parts = _ADDRESS.fullmatch(self.address)
        if parts is None or not 0 < int(parts["port"]) < 65536:
            raise MadebyError(
                f"{self.address!r} is no address of a Ray cluster: name one as ray://HOST:10001, HOST:6379 or {AUTO}"
            )
        return parts["host"].strip("[]"), int(parts["port"])

    def needs(self) -> dict[str, float]:
        """What each actor takes, by Ray's names."""
        return {"CPU": self.cores} | ({"GPU": self.gpus} if self.gpus else {})

    def described(self) -> str:
        """What each actor takes, as text."""
        return f"{self.cores:g} core{'' if self.cores == 1 else 's'}" + (f" and {self.gpus:g} GPU" if self.gpus else "")


def cluster_for(engine: str, cluster: RayCluster | None) -> RayCluster | None:
    """The cluster that an engine runs on, None for the threads of this machine.

    Raises:
        MadebyError: there is no such engine, or a cluster is named for the wrong one.
    """
    if engine not in ENGINES:
        raise MadebyError(f"there is no engine {engine!r}; there are {', '.join(ENGINES)}")
    if engine == "ray":
        return cluster or RayCluster()
    if cluster is not None:
        raise MadebyError("the engine local runs on this machine alone; a cluster is for the engine ray")
    return None
