"""The card of a bundle: what it is for, what it was made from and what it reaches, computed from facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from madeby.detector.bundle import BundleSpec, Thresholds
from madeby.detector.thresholds import fewest_for

if TYPE_CHECKING:
    from madeby.training.bundle_writer import ValidationBlock


def card_text(spec: BundleSpec, validation: ValidationBlock) -> str:
    """The text of ``CARD.md``."""
    view = spec.preprocessing
    looks_at = {
        "resize": f"the whole picture at {view.size} × {view.size} pixels",
        "centre": f"the middle square of the picture, scaled to {view.size} × {view.size} pixels",
        "quarters": f"the middle square of the picture and its quarters, each at {view.size} × {view.size} pixels",
        "quadrants": f"the four quarters of the picture's middle square, each at {view.size} × {view.size} pixels",
        "crops": f"up to {view.crops} native-resolution squares of {view.size} pixels",
    }[view.view]
    calibration = spec.calibration
    recipe = "\n".join(f"- {name}: {_plain(value)}" for name, value in spec.training.recipe.items())
    return f"""# {spec.name} {spec.version}

Tells pictures made by generative models from pictures made by cameras and people. One network
(`{spec.network}`, {spec.parameters:,} parameters) looks at {looks_at}; the mean logit becomes a probability.

## What it is for
Pictures like those it was trained and validated on ({spec.training.data}), at least {spec.domain.min_side} pixels a
side. Its answer is evidence, not proof.

## What it is not for
Accusing a person on its word alone. Pictures of another kind, from generators or cameras unlike those in its data,
or heavily processed ones: there its figures below say nothing.

## Data
| split | pictures |
|---|---|
| train | {spec.training.n_train:,} |
| val | {validation.n:,} ({validation.n_human:,} human, {validation.n_ai:,} ai) |

Manifest fingerprint: `{spec.training.manifest_sha256 or "unknown"}`.
{_collections(spec.training.collections)}
## What it reaches on the validation split
The best epoch, the calibration and the thresholds were chosen on these very pictures, so expect less elsewhere.

| figure | value |
|---|---|
| accuracy at probability 0.5 | {validation.accuracy:.2%} |
| area under the ROC curve | {validation.auroc:.4f} |
| cross-entropy (nats) | {validation.nll:.4f} |
| human called ai / called human | {validation.human_called_ai:.2%} / {validation.human_called_human:.2%} |
| ai called ai / called human | {validation.ai_called_ai:.2%} / {validation.ai_called_human:.2%} |

## Calibration and thresholds
Calibration: {calibration.method} (slope {calibration.slope:.4g}, intercept {calibration.intercept:.4g}), fitted on
{calibration.n:,} pictures of {calibration.fitted_on or "nothing"}, both labels weighed alike.

{promises(spec)}

## Recipe
{recipe}

Made with madeby {spec.madeby_version}: `{spec.training.command}`. The ONNX model's logits differ from the trained
network's by at most {validation.parity:.1e}.
"""


def _collections(counts: dict[str, int]) -> str:
    if not counts:
        return ""
    named = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
    return f"\nCollections of train and val: {named}. Their pictures keep their own licences.\n"


def _promise(thresholds: Thresholds, counted: str) -> str:
    called, missed = 100 * thresholds.false_alarm_target, 100 * thresholds.miss_target
    if thresholds.ai > 1:
        too_few = thresholds.n_human < fewest_for(thresholds.false_alarm_target)
        called_ai = (
            f"`ai` is never called: the {thresholds.n_human:,} human pictures {counted} "
            f"{'are too few' if too_few else 'look AI-made too often'} to promise a false-alarm rate of {called:.3g}%."
        )
    else:
        called_ai = (
            f"`ai` is called from probability {thresholds.ai:.4f}, so that at most {called:.3g}% of human pictures "
            f"like the {thresholds.n_human:,} {counted} are called `ai`."
        )
    if thresholds.human < 0:
        too_few = thresholds.n_ai < fewest_for(thresholds.miss_target)
        called_human = (
            f"`human` is never called: the {thresholds.n_ai:,} AI pictures {counted} "
            f"{'are too few' if too_few else 'look human too often'}."
        )
    else:
        called_human = (
            f"`human` is called up to probability {thresholds.human:.4f}, so that at most {missed:.3g}% of AI pictures "
            f"like the {thresholds.n_ai:,} {counted} are called `human`."
        )
    return f"{called_ai} {called_human} Between the two the verdict is `uncertain`."


def promises(spec: BundleSpec, counted: str = "validated on", photographs: str = "human validation pictures") -> str:
    """What the thresholds promise, those of every profile.

    Args:
        spec: the bundle's.
        counted: what was done with the pictures that they were set on.
        photographs: what the human pictures are called whose collections each keep the promise.
    """
    balanced = _promise(spec.thresholds, counted)
    if not spec.profiles:
        return balanced
    told = "".join(
        f"\n`--threshold-profile {name}`: {_promise(rest, counted)}\n" for name, rest in spec.profiles.items()
    )
    each = f"Each collection of {photographs} that is large enough keeps these shares by itself."
    return f"{balanced}\n{told}\n{each}"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{key}={item}" for key, item in value.items()) or "none"
    return str(value)
