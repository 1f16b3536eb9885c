"""The options of ``madeby scan`` that say on which cluster it runs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from madeby.errors import MadebyError

if TYPE_CHECKING:
    from madeby import RayCluster

_PANEL = "Cluster"
_ACTORS = re.compile(r"(\d{1,6})(?:\.\.(\d{1,6}))?")

Engine = Annotated[
    Literal["local", "ray"],
    typer.Option(help="Threads of this machine, or actors of a Ray cluster.", rich_help_panel=_PANEL),
]
Address = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="ADDRESS",
        help="The cluster, as ray://HOST:10001; without it the one that RAY_ADDRESS names, else one begun here.",
        rich_help_panel=_PANEL,
    ),
]
Actors = Annotated[
    str | None,
    typer.Option(
        "--actors",
        metavar="LEAST..MOST",
        help="How many there may be; they come while pictures wait. By default from 1 to as many as have room.",
        rich_help_panel=_PANEL,
    ),
]
ActorCores = Annotated[
    float | None,
    typer.Option(
        "--actor-cores", metavar="N", help="Cores for each actor: 1, more, or a fraction.", rich_help_panel=_PANEL
    ),
]
ActorGpus = Annotated[
    float | None,
    typer.Option(
        "--actor-gpus",
        metavar="N",
        help="GPUs for each actor, as 0.25; goes with --provider cuda.",
        rich_help_panel=_PANEL,
    ),
]
SharedFiles = Annotated[
    bool,
    typer.Option(
        "--shared-files",
        help="Every machine has the files under the same names: they are not sent.",
        rich_help_panel=_PANEL,
    ),
]


def cluster_of(
    engine: str,
    address: str | None,
    actors: str | None,
    cores: float | None,
    gpus: float | None,
    shared_files: bool,
) -> RayCluster | None:
    """The cluster that the options describe, None for the engine ``local``.

    Raises:
        MadebyError: they make no sense, or are not for this engine.
    """
    if engine == "local":
        if address or actors or cores is not None or gpus is not None or shared_files:
            raise MadebyError("--ray-address, --actors, --actor-... and --shared-files go with --engine ray; add that")
        return None
    from madeby import RayCluster

    least, most = _numbers(actors) if actors else (1, None)
    return RayCluster(address, least, most, 1.0 if cores is None else cores, gpus or 0.0, shared_files)


def _numbers(actors: str) -> tuple[int, int]:
    found = _ACTORS.fullmatch(actors)
    if found is None:
        raise MadebyError(f"--actors {actors}: name a number, or the least and the most as 2..16")
    return int(found[1]), int(found[2] or found[1])
