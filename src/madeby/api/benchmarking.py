"""The verb benchmark."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from madeby.errors import needing_extra

if TYPE_CHECKING:
    from madeby.evaluation.benchmarking.record import Benchmark
    from madeby.evaluation.benchmarking.scorers.scorer import Entrant

PROCESS = "process:"


def benchmark(
    data: str | Path | Sequence[str | Path],
    output: str | Path,
    *,
    detectors: Sequence[str | Path] = (),
    split: str = "test",
    degrade: Sequence[str] = (),
    limit: int | None = None,
    baselines: bool = True,
    bootstrap: int = 300,
    seed: int = 0,
    resume: bool = False,
    timeout: float = 120.0,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Benchmark:
    """Set detectors side by side: by collection and generator, on pictures as they are and as the world leaves them.

    Args:
        data: manifests; ``FILE:SPLIT`` names a split of its own.
        output: folder for ``benchmark.json``, ``benchmark.csv``, ``benchmark.html``, plots and all scores.
        detectors: each a model as for :func:`scan`; an ``.onnx`` file that has its spec beside it, or the spec of a
            classifier (``.yaml``, ``.json``); or ``process:COMMAND``, a program that answers about pictures.
            ``NAME=`` before any of them names it in the table. None for the default model.
        split: ``train``, ``val``, ``test`` or ``all``, for manifests that know splits.
        degrade: each a degradation (``jpeg=60``, ``web``) or several one after another (``resize=0.5,jpeg=60``);
            ``all``, ``none``, or nothing for the usual few. Pictures as they are always come first.
        limit: most pictures of each label of each collection, a seeded draw.
        baselines: also fit classifiers to file facts alone and to contents alone, to compare with.
        bootstrap: resamples for the 95% intervals; 0 for none.
        seed: of draws and resamples.
        resume: go on with the scores that lie in ``output``.
        timeout: seconds to wait for a program's start and each of its answers.
        threads: pictures at a time; one a core if None.
        progress: called with (what is done, how much of it, of how much).

    Raises:
        RecipeError: a degradation is not known or its value out of bounds.
        BundleError: a model cannot be found.
        DataError: a manifest, a spec or the output cannot be used, or no detector gave an answer.
        MissingExtraError: the extra ``train`` is not installed.
    """
    manifests = [data] if isinstance(data, str | Path) else list(data)
    with needing_extra("benchmark", "train"):
        from madeby.evaluation.benchmarking.benchmark import run_benchmark
        from madeby.reporting.benchmark_page import write_benchmark_page
    entrants = [_entrant(str(named), timeout) for named in detectors] or [_entrant("", timeout)]
    found = run_benchmark(
        entrants,
        manifests,
        Path(output),
        split=split,
        degrade=degrade,
        limit=limit,
        with_baselines=baselines,
        bootstrap=bootstrap,
        seed=seed,
        resume=resume,
        threads=threads,
        command=_command(manifests, detectors, split, degrade, limit, baselines, bootstrap, seed),
        progress=progress,
    )
    write_benchmark_page(found, Path(output))
    return found


def _entrant(named: str, timeout: float) -> Entrant:
    """The detector that a person means; what is wrong with its name is told before any picture is read."""
    from madeby.evaluation.benchmarking.scorers.bundle import BundleScorer
    from madeby.evaluation.benchmarking.scorers.classifier_spec import SUFFIXES, read_spec, spec_of_onnx
    from madeby.evaluation.benchmarking.scorers.classifiers import ClassifierScorer
    from madeby.evaluation.benchmarking.scorers.process import ProcessScorer, program_name
    from madeby.evaluation.benchmarking.scorers.scorer import Entrant
    from madeby.stores import open_bundle

    name, rest = _named(named)
    if rest.startswith(PROCESS):
        command = rest.removeprefix(PROCESS)
        name = name or program_name(command)
        return Entrant(name, partial(ProcessScorer, name, command, timeout=timeout))
    path = Path(rest)
    if path.suffix.lower() in (*SUFFIXES, ".onnx"):
        spec = spec_of_onnx(path) if path.suffix.lower() == ".onnx" else read_spec(path)
        name = name or spec.name
        return Entrant(name, partial(ClassifierScorer, name, spec))
    bundle = open_bundle(rest or None)
    name = name or bundle.spec.name
    return Entrant(name, partial(BundleScorer, name, bundle))


def _named(text: str) -> tuple[str, str]:
    """``NAME=DETECTOR`` in two, the name empty where there is none; a path may hold ``=`` behind a slash."""
    match = re.fullmatch(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._ @-]*)=(?P<rest>.+)", text)
    return (match["name"], match["rest"]) if match else ("", text)


def _command(
    manifests: Sequence[str | Path],
    detectors: Sequence[str | Path],
    split: str,
    degrade: Sequence[str],
    limit: int | None,
    baselines: bool,
    bootstrap: int,
    seed: int,
) -> str:
    """The command that repeats it, with names instead of this machine's paths."""
    words = ["madeby", "benchmark"]
    for manifest in manifests:
        words += ["--data", Path(manifest).name]
    for detector in map(str, detectors):
        name, rest = _named(detector)
        words += ["--detector", f"{name}={_shown(rest)}" if name else _shown(rest)]
    words += ["--split", split] if split != "test" else []
    for one in degrade:
        words += ["--degrade", one]
    words += ["--limit", str(limit)] if limit is not None else []
    words += [] if baselines else ["--no-baselines"]
    words += ["--bootstrap", str(bootstrap)] if bootstrap != 300 else []
    words += ["--seed", str(seed)] if seed else []
    return shlex.join(words)


def _shown(detector: str) -> str:
    if not detector.startswith(PROCESS):
        return Path(detector).name
    words = detector.removeprefix(PROCESS).split()
    return PROCESS + " ".join(Path(word).name if "/" in word else word for word in words)
