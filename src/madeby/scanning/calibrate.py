"""The verb ``calibrate``: a bundle's thresholds set anew on photographs of the user's own."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from madeby.detector.bundle import (
    CARD_FILE,
    METRICS_FILE,
    MODEL_FILE,
    NAME_PATTERN,
    SPEC_FILE,
    Bundle,
    Profile,
    Thresholds,
)
from madeby.detector.detector import Detector
from madeby.detector.thresholds import TARGETS, Floats, Targets, fewest_for, fit_thresholds
from madeby.errors import BundleError, DataError, MadebyError, PictureError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.pictures.sources import SourceUnit, expand, printable
from madeby.pictures.sources.read_ahead import read_ahead
from madeby.scanning.local import run_local
from madeby.scanning.pipeline import Pipeline
from madeby.scanning.scan import available_cores

MOST_FALSE_ALARMS = 0.1
FEWEST_AI = 20
"""With fewer AI pictures nothing is said about misses, and the bundle's own lower threshold stays."""


@dataclass(frozen=True)
class Read:
    """Calibrated probabilities of some pictures, and what became of the others.

    ``repeated`` counts files that are the same as an earlier one, ``outside`` those that lie outside what the model
    was validated on: their verdict is ``uncertain`` whatever the thresholds. ``unread`` names those that could not be
    read, with the reason.
    """

    probabilities: Floats
    repeated: int
    outside: int
    unread: tuple[tuple[str, str], ...]

    @property
    def seen(self) -> int:
        """How many files there were."""
        return len(self.probabilities) + self.repeated + self.outside + len(self.unread)


@dataclass(frozen=True)
class CalibrationSummary:
    """A bundle with new thresholds, and what they were set on.

    ``called_ai_before`` is the share of the photographs that the old thresholds called ``ai``.
    """

    bundle: Bundle
    photographs: Read
    ai: Read
    before: Thresholds
    after: Mapping[Profile, Thresholds]

    @property
    def called_ai_before(self) -> float:
        """Share of the photographs, 0 to 1."""
        return float((self.photographs.probabilities >= self.before.ai).mean())


def calibrate_with(
    bundle: Bundle,
    photographs: Iterable[str],
    output: Path,
    *,
    ai: Iterable[str] = (),
    false_alarms: float = TARGETS[Profile.BALANCED].false_alarms,
    name: str | None = None,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> CalibrationSummary:
    """Set thresholds anew; see :func:`madeby.calibrate`, which finds the bundle."""
    if not 0 < false_alarms <= MOST_FALSE_ALARMS:
        raise MadebyError(f"--false-alarms is a share above 0 and at most {MOST_FALSE_ALARMS}, not {false_alarms:g}")
    name = name or _name_of_copy(bundle.spec.name)
    if not re.fullmatch(NAME_PATTERN, name):
        raise MadebyError(f"{name!r} cannot be a model's name: use letters, digits, dots, dashes and underscores")
    _check_output(output, bundle)
    limits = limits or Limits()
    policy = FetchPolicy(allow_private=allow_private, max_bytes=limits.max_bytes)
    pipeline = Pipeline(Detector(bundle, threads=1), provenance=False, limits=limits, fetch_policy=policy)

    def read(sources: Iterable[str], seen: int) -> Read:
        units = read_ahead(expand(list(sources), limits=limits, policy=policy), limits)
        answered = run_local(units, lambda unit: _answer(pipeline, unit), workers=workers or available_cores())
        return _gathered(answered, seen, progress)

    human = read(photographs, 0)
    fewest = fewest_for(false_alarms)
    if len(human.probabilities) < fewest:
        unread = "; ".join(f"{source}: {reason}" for source, reason in human.unread[:1])
        raise DataError(
            f"{len(human.probabilities)} different photographs could be used; it takes {fewest} to promise that "
            f"at most {100 * false_alarms:.3g}% of photographs are called ai: give more, or a larger --false-alarms"
            + (f" ({len(human.unread)} could not be read; {unread})" if unread else "")
        )
    others = read(ai, len(human.probabilities))
    profiles = _fitted(bundle, human, others, false_alarms)
    spec = bundle.spec.with_profiles(profiles).model_copy(update={"name": name})
    written = _write(Bundle(output, spec), bundle, human, others)
    return CalibrationSummary(written, human, others, bundle.spec.thresholds, profiles)


def _fitted(bundle: Bundle, human: Read, others: Read, false_alarms: float) -> dict[Profile, Thresholds]:
    """The profiles, all as much stricter or looser than usual as the balanced one is asked to be."""
    times = false_alarms / TARGETS[Profile.BALANCED].false_alarms
    fitted = {}
    for profile, usual in TARGETS.items():
        targets = Targets(min(MOST_FALSE_ALARMS, usual.false_alarms * times), usual.misses)
        new = fit_thresholds(human.probabilities, others.probabilities, "pictures of the user's own", targets=targets)
        if len(others.probabilities) < FEWEST_AI:
            # Photographs say nothing about misses: what the bundle promised about them stays.
            kept = bundle.spec.thresholds if profile is Profile.BALANCED else bundle.spec.profiles.get(profile)
            update = (
                {"human": -0.1}
                if kept is None
                else {"human": min(kept.human, new.ai), "miss_target": kept.miss_target, "n_ai": kept.n_ai}
            )
            new = new.model_copy(update=update)
        fitted[profile] = new
    return fitted


@dataclass(frozen=True)
class _Answer:
    """One picture's probability, or why there is none."""

    source: str
    sha256: str = ""
    probability: float | None = None
    outside: bool = False
    problem: str = ""


def _answer(pipeline: Pipeline, unit: SourceUnit) -> _Answer:
    source = printable(unit.name)
    try:
        examined = pipeline.examine_bytes(unit.read(pipeline.limits, pipeline.fetch_policy), unit.name)
    except PictureError as problem:
        return _Answer(source, problem=problem.message)
    if examined.picture is None or examined.reading is None or pipeline.detector is None:
        return _Answer(source, problem=examined.result.reason)
    outside = bool(pipeline.detector.out_of_domain(examined.picture.pixels))
    return _Answer(source, examined.picture.facts.sha256, examined.reading.probability, outside)


def _gathered(answers: Iterator[_Answer], done: int, progress: Callable[[int], None] | None) -> Read:
    probabilities: list[float] = []
    unread: list[tuple[str, str]] = []
    known: set[str] = set()
    repeated = outside = 0
    for number, answer in enumerate(answers, start=done + 1):
        if answer.probability is None:
            unread.append((answer.source, answer.problem))
        elif answer.sha256 in known:
            repeated += 1
        elif answer.outside:
            outside += 1
        else:
            probabilities.append(answer.probability)
        known.add(answer.sha256)
        if progress is not None:
            progress(number)
    return Read(np.array(probabilities, np.float64), repeated, outside, tuple(unread))


def _check_output(output: Path, bundle: Bundle) -> None:
    if output.resolve() == bundle.folder.resolve():
        raise BundleError(f"{output} is the model itself, which stays as it is: choose another output folder")
    if output.exists() and not (output / SPEC_FILE).is_file() and (output.is_file() or any(output.iterdir())):
        raise BundleError(f"{output} exists and is not a bundle: choose another output folder")


def _name_of_copy(name: str) -> str:
    return name if name.endswith("-calibrated") else f"{name}-calibrated"


def _write(written: Bundle, bundle: Bundle, human: Read, ai: Read) -> Bundle:
    """Copy the model and describe it; ``metrics.json`` stays, for it tells of the network, which is the same."""
    try:
        written.folder.mkdir(parents=True, exist_ok=True)
        for file in (MODEL_FILE, METRICS_FILE):
            if (bundle.folder / file).is_file():
                shutil.copyfile(bundle.folder / file, written.folder / file)
        (written.folder / CARD_FILE).write_text(_card(written, bundle, human, ai), encoding="utf-8")
        written.write_spec()
    except OSError as error:
        raise BundleError(f"{written.folder} cannot be written: {error.strerror or error}") from None
    return written


def _card(written: Bundle, bundle: Bundle, human: Read, ai: Read) -> str:
    spec = bundle.spec
    rows = "\n".join(
        f"| {profile} | {_threshold(thresholds.ai, 1)} | {thresholds.false_alarm_target:.3g} | "
        f"{_threshold(thresholds.human, 0)} |"
        for profile, thresholds in ((Profile.BALANCED, written.spec.thresholds), *written.spec.profiles.items())
    )
    lower = (
        f"The lower thresholds were set on {len(ai.probabilities):,} AI pictures."
        if len(ai.probabilities) >= FEWEST_AI
        else "The lower thresholds are the original's: photographs say nothing about AI pictures."
    )
    return f"""# {written.spec.name} {written.spec.version}

{spec.name} {spec.version} with thresholds set anew, by `madeby calibrate`, on {len(human.probabilities):,} different
photographs of its user's own ({human.repeated:,} repeated files and {human.outside:,} outside the model's domain were
left out). Network and probabilities are the original's. The promise holds for photographs like those, and for no
others. {lower}

| profile | `ai` from probability | promised share of photographs called `ai` | `human` up to probability |
|---|---|---|---|
{rows}

The original's card follows; what it says of verdicts is about the original's thresholds.

{bundle.card}"""


def _threshold(value: float, never: int) -> str:
    return "never" if (value > 1 if never else value < 0) else f"{value:.4f}"
