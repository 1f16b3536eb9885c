"""The bundle that ``calibrate`` writes: the old network beside its new thresholds, and a card that tells of them."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from madeby.detector.bundle import CARD_FILE, MEMORY_FILE, METRICS_FILE, MODEL_FILE, SPEC_FILE, Bundle, Profile
from madeby.errors import BundleError
from madeby.scanning.probabilities import Read

FEWEST_AI = 20
"""With fewer AI pictures nothing is said about misses, and the bundle's own lower threshold stays."""


def check_output(output: Path, bundle: Bundle) -> None:
    """Refuse an output that is the model itself, or no bundle, and a model that lacks a file of its own.

    Raises:
        BundleError: it is, or does.
    """
    bundle.verified_memory()
    if output.resolve() == bundle.folder.resolve():
        raise BundleError(f"{output} is the model itself, which stays as it is: choose another output folder")
    if output.exists() and not (output / SPEC_FILE).is_file() and (output.is_file() or any(output.iterdir())):
        raise BundleError(f"{output} exists and is not a bundle: choose another output folder")


@contextlib.contextmanager
def folder_for(output: Path) -> Iterator[Path]:
    """A folder beside the output whose files take their places there at the end: until then an older bundle stays.

    Raises:
        BundleError: nothing can be written there; before the work, if that can be known.
    """
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{output.name}-", dir=output.parent) as here:
            folder = Path(here)
            yield folder
            output.mkdir(exist_ok=True)
            for name in (MODEL_FILE, MEMORY_FILE, METRICS_FILE, CARD_FILE, SPEC_FILE):
                if (folder / name).is_file():
                    (folder / name).replace(output / name)
                else:
                    (output / name).unlink(missing_ok=True)
    except OSError as error:
        raise BundleError(f"{output} cannot be written: {error.strerror or error}") from None


def write_bundle(written: Bundle, bundle: Bundle, human: Read, ai: Read) -> None:
    """Copy the model and describe it; ``metrics.json`` stays, for it tells of the network, which is the same."""
    for path in (bundle.model_path, bundle.verified_memory(), bundle.folder / METRICS_FILE):
        if path is not None and path.is_file():
            shutil.copyfile(path, written.folder / path.name)
    (written.folder / CARD_FILE).write_text(_card(written, bundle, human, ai), encoding="utf-8")
    written.write_spec()


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
photographs of its user's own (files left out: {human.left_out or "none"}). Network and probabilities are the
original's. The promise holds for photographs like those, and for no others. {lower}

| profile | `ai` from probability | promised share of photographs called `ai` | `human` up to probability |
|---|---|---|---|
{rows}

The original's card follows; what it says of verdicts is about the original's thresholds.

{bundle.card}"""


def _threshold(value: float, never: int) -> str:
    return "never" if (value > 1 if never else value < 0) else f"{value:.4f}"
