"""Where and how a run was made, for repeating it."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from madeby.version import __version__


@dataclass(frozen=True)
class Environment:
    """What ``environment.json`` of a run holds."""

    madeby: str
    python: str
    torch: str
    platform: str
    processor: str
    cores: int
    accelerator: str
    precision: str
    command: str


def current_environment(accelerator: str, precision: str) -> Environment:
    """This process's environment; ``accelerator`` and ``precision`` as training resolved them."""
    import torch

    return Environment(
        madeby=__version__,
        python=platform.python_version(),
        torch=torch.__version__,
        platform=platform.platform(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        accelerator=accelerator,
        precision=precision,
        command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    )


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
