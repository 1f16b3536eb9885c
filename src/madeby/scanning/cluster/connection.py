"""Connects to a Ray cluster, or begins one on this machine, without a sound."""

from __future__ import annotations

import logging
import os
import socket
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from madeby.errors import MadebyError, needing_extra
from madeby.scanning.cluster.options import RayCluster

CONNECT_SECONDS = 10.0
"""For the first sign of life; Ray itself would wait for half a minute to several minutes, and then end the process."""

ATTEMPTS = 3

STORE_BYTES_A_CORE = 128 << 20
"""Memory for pictures on their way, in a cluster begun here."""


@contextmanager
def connected(cluster: RayCluster, cores: int) -> Iterator[Any]:
    """The module ``ray``, connected; what was connected before is used as it is and left so.

    Args:
        cluster: which one.
        cores: of this machine, for a cluster that is begun here.

    Raises:
        MissingExtraError: Ray is not installed.
        MadebyError: the cluster cannot be reached, or could never hold one actor.
    """
    # Ray reports how it is used to its makers, unless told not to before it is loaded.
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", "^")  # it prints what became of its processes among our results
    os.environ.setdefault("RAY_ENABLE_AUTO_CONNECT", "0")  # a call after a cluster was lost would look for another
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else Ray warns that it will be so one day
    with needing_extra("the engine ray", "ray"):
        import ray
    if ray.is_initialized():
        yield ray
        return
    address = cluster.address or os.environ.get("RAY_ADDRESS") or None
    if address is not None:
        _check_reachable(RayCluster(address))
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}
    if address is None:
        _check_room(cluster, {"CPU": cores})
        options |= {"num_cpus": cores, "include_dashboard": False, "object_store_memory": cores * STORE_BYTES_A_CORE}
    try:
        _connect(ray, address or "local", options)
    except Exception as error:  # Ray's reasons for this share no root
        where = address or "on this machine"
        hint = "" if "RAY_AUTH_MODE" in os.environ else "; if it asks for a token, set RAY_AUTH_MODE=token here too"
        raise MadebyError(f"the Ray cluster {where} cannot be used: {last_line(error)}{hint}") from None
    try:
        if address is None:
            _check_room(cluster, {"GPU": 0.0, **ray.cluster_resources()})
        yield ray
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str, options: dict[str, Any]) -> None:
    with warnings.catch_warnings(action="ignore"):
        for left in reversed(range(ATTEMPTS)):
            try:
                ray.init(address=address, **options)
                for name in ("ray", "ray.util.client.logsclient"):  # what is told of a ray:// connection
                    logging.getLogger(name).setLevel(logging.CRITICAL)
                return
            except ConnectionAbortedError:  # the process that a cluster begins for each ray:// client may fail to
                if not left:
                    raise


def no_room(cluster: RayCluster, resources: dict[str, float]) -> str:
    """What actors need and what there is, as text."""
    there = f"{resources.get('CPU', 0):g} cores and {resources.get('GPU', 0):g} GPUs"
    return (
        f"each needs {cluster.described()}, and altogether there are {there}; "
        "ask for less with --actor-cores and --actor-gpus"
    )


def _check_room(cluster: RayCluster, resources: dict[str, float]) -> None:
    """Refuse what this machine will never have; of GPUs it is known only once Ray has looked."""
    if any(resources.get(name, need) < need for name, need in cluster.needs().items()):
        raise MadebyError(f"this machine has no room for an actor: {no_room(cluster, resources)}")


def _check_reachable(cluster: RayCluster) -> None:
    place = cluster.host_and_port()
    if place is None:
        return
    try:
        socket.create_connection(place, timeout=CONNECT_SECONDS).close()
    except OSError as error:
        raise MadebyError(
            f"the Ray cluster {cluster.address} cannot be reached: {error.strerror or error}; check that it runs, and "
            "that this is the port of its head for ray:// addresses (10001 unless it was given another)"
        ) from None


def last_line(error: BaseException) -> str:
    """The reason in Ray's long accounts of what went wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
