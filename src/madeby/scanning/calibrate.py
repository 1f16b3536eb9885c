"""The verb ``calibrate``: a bundle's thresholds set anew on photographs of the user's own."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from madeby.detector.bundle import NAME_PATTERN, Bundle, Profile, Thresholds
from madeby.detector.detector import Detector
from madeby.detector.thresholds import TARGETS, Targets, fewest_for, fit_each_profile
from madeby.errors import DataError, MadebyError
from madeby.pictures.fetch import FetchPolicy
from madeby.pictures.limits import Limits
from madeby.scanning.calibrated_bundle import FEWEST_AI, check_output, folder_for, write_bundle
from madeby.scanning.pipeline import Pipeline
from madeby.scanning.probabilities import Read, read_all
from madeby.scanning.scan import available_cores
from madeby.version import __version__

MOST_FALSE_ALARMS = 0.1


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
    def ai_counted(self) -> bool:
        """Whether there were AI pictures enough to set the lower thresholds on."""
        return len(self.ai.probabilities) >= FEWEST_AI

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
    collections: Mapping[str, str] | None = None,
    false_alarms: float = TARGETS[Profile.BALANCED].false_alarms,
    name: str | None = None,
    allow_private: bool = False,
    limits: Limits | None = None,
    workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> CalibrationSummary:
    """Set thresholds anew; see :func:`madeby.calibrate`, which finds the bundle.

    ``collections`` says of files where they come from, as manifests do: each that is large enough keeps the promise.
    """
    if not 0 < false_alarms <= MOST_FALSE_ALARMS:
        raise MadebyError(f"--false-alarms is a share above 0 and at most {MOST_FALSE_ALARMS}, not {false_alarms:g}")
    name = _name_of_copy(bundle.spec.name) if name is None else name
    if not re.fullmatch(NAME_PATTERN, name):
        raise MadebyError(f"{name!r} cannot be a model's name: use letters, digits, dots, dashes and underscores")
    check_output(output, bundle)
    limits = limits or Limits()
    policy = FetchPolicy(allow_private=allow_private, max_bytes=limits.max_bytes)
    pipeline = Pipeline(Detector(bundle, threads=1), provenance=False, limits=limits, fetch_policy=policy)

    read = partial(
        read_all,
        pipeline=pipeline,
        workers=workers or available_cores(),
        collections=collections,
        progress=progress,
    )
    with folder_for(output) as folder:
        human = read(photographs)
        _check_count(human, false_alarms)
        others = read(ai, done=human.seen)
        _check_apart(human, others)
        profiles = _fitted(bundle, human, others, false_alarms)
        created = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        spec = bundle.spec.with_profiles(profiles).model_copy(
            update={"name": name, "created": created, "madeby_version": __version__}
        )
        write_bundle(Bundle(folder, spec), bundle, human, others)
    return CalibrationSummary(Bundle(output, spec), human, others, bundle.spec.thresholds, profiles)


def _check_count(human: Read, false_alarms: float) -> None:
    fewest = fewest_for(false_alarms)
    if len(human.probabilities) < fewest:
        first = "".join(f"; {source}: {reason}" for source, reason in human.unread[:1])
        raise DataError(
            f"{len(human.probabilities)} different photographs could be used; it takes {fewest} to promise that "
            f"at most {100 * false_alarms:.3g}% of photographs are called ai: give more, or a larger --false-alarms"
            + (f" (left out: {human.left_out}{first})" if human.left_out else "")
        )


def _check_apart(human: Read, others: Read) -> None:
    both = [source for sha256, source in human.sources.items() if sha256 in others.sources]
    if both:
        raise DataError(
            f"{len(both)} pictures are given both as photographs and as AI pictures, the first is {both[0]}: "
            "a picture can be only one of them"
        )


def _fitted(bundle: Bundle, human: Read, others: Read, false_alarms: float) -> dict[Profile, Thresholds]:
    """The profiles, all as much stricter or looser than usual as the balanced one is asked to be."""
    times = false_alarms / TARGETS[Profile.BALANCED].false_alarms
    targets = {
        profile: Targets(min(MOST_FALSE_ALARMS, usual.false_alarms * times), usual.misses)
        for profile, usual in TARGETS.items()
    }
    fitted = fit_each_profile(
        human.probabilities,
        others.probabilities,
        "pictures of the user's own",
        targets=targets,
        collections=human.collections,
    )
    if len(others.probabilities) >= FEWEST_AI:
        return fitted
    # Photographs say nothing about misses: what the bundle promised about them stays.
    return {profile: _with_lower_of(bundle, profile, new) for profile, new in fitted.items()}


def _with_lower_of(bundle: Bundle, profile: Profile, new: Thresholds) -> Thresholds:
    kept = bundle.spec.thresholds if profile is Profile.BALANCED else bundle.spec.profiles.get(profile)
    if kept is None:
        return new.model_copy(update={"human": -0.1, "n_ai": 0})
    return new.model_copy(update={"human": kept.human, "miss_target": kept.miss_target, "n_ai": kept.n_ai})


def _name_of_copy(name: str) -> str:
    return name if name.endswith("-calibrated") else f"{name}-calibrated"
