"""Where and how a run was made, for repeating it."""

from __future__ import annotations

import os
import platform
import re
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from madeby.version import __version__

_PASSWORD = re.compile(r"(://[^:/@\s]*:)[^@\s]*(?=@)|([?&]password=)[^&\s]*")


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
        command=this_command(),
    )


def this_command() -> str:
    """What was called, as one would type it, without passwords; ``python -m madeby`` is the same as ``madeby``."""
    path = Path(sys.argv[0])
    program = "madeby" if path.parts[-2:] == ("madeby", "__main__.py") else path.name
    return shlex.join([program, *(without_password(word) for word in sys.argv[1:])])


def without_password(word: str) -> str:
    """A word of a command, with the password of a database's URL in it hidden: commands are kept and published."""
    return _PASSWORD.sub(r"\1\2***", word)


def shareable(command: str) -> str:
    """A command as strangers may read it: of absolute paths the last part alone, no passwords."""
    try:
        words = shlex.split(command)
    except ValueError:  # written before words were quoted
        words = command.split()
    return shlex.join(_named(without_password(word)) for word in words)


def _named(word: str) -> str:
    flag, equals, value = word.partition("=") if word.startswith("--") else ("", "", word)
    return f"{flag}{equals}{Path(value).name}" if Path(value).is_absolute() else word


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
