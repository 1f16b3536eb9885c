"""Makes the bundle `wild-lite`: a small network that learnt what the tower of `wild` sees, with a linear head.

    pip install -e '.[train]'
    madeby data import table wild_full/manifest.csv -o wild-full.parquet
    python benchmarks/wild_lite.py --data wild-full.parquet --output wild-lite [--work FOLDER]
    madeby evaluate --model wild-lite/bundle --data wild-full.parquet --split val -o ev --into-card "wild_full val"

The network learns no label: from pictures rescaled and re-encoded by chance it learns the tower's tokens. The head is
then Fisher's discriminant on what it tells of the CLS tokens, as for `wild` (see wild_heads.py); calibration and
thresholds come from scores of collections that were left out of its fit. A run that broke off goes on where it was.
"""

from __future__ import annotations

import argparse
import datetime
import json
import shutil
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import torch
import wild_heads
import wild_lite_student as student
from torch import nn
from wild_discriminant import Settings, fit, left_out_scores, scores
from wild_features import features
from wild_lite_card import card_text
from wild_lite_material import material
from wild_versions import VERSIONS

from madeby.datasets.manifest import manifest_sha256, read_manifest, usable
from madeby.detector.bundle import (
    CARD_FILE,
    METRICS_FILE,
    MODEL_FILE,
    Bundle,
    BundleSpec,
    Domain,
    sha256_of,
)
from madeby.detector.providers import load_onnxruntime
from madeby.detector.runtime import INPUT_NAME
from madeby.detector.views import normalised
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory
from madeby.training.bundle_writer import validation_block
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.training.export import OPSET, export_onnx
from madeby.version import __version__

VERSION = "0.3.1"
SETTINGS = Settings(blocks=(0,), shrinkage=0.3)
"""One block of features: what the network tells of the CLS tokens."""

PREPROCESSING = wild_heads.MIDDLE.model_copy(update={"view": "quadrants"})


def make(data: Path, output: Path, work: Path) -> None:
    """Learn network and head, and write the bundle."""
    table = usable(read_manifest(data))
    folder = work / f"{student.NETWORK}-{manifest_sha256(table)[:12]}"
    seen = table.filter((pl.col("split") == "train") & ~pl.col("collection").is_in(wild_heads.JUDGES))
    learnt = student.finished(folder) or student.train(material(seen, folder, work), folder)
    rows = wild_heads.chosen(table, SETTINGS)
    found = seen_of(rows, learnt, folder)
    kept = np.isfinite(found).all((0, 2)) & ~rows["collection"].is_in(wild_heads.JUDGES).to_numpy()
    places, rows, found = np.flatnonzero(kept), rows.filter(kept), found[:, kept]
    versions = [wild_heads.pictures_of(rows, told_of(learnt, each)[:, None]) for each in found]
    train = (rows["split"] == "train").to_numpy()
    head = fit([each[train] for each in versions], SETTINGS)
    logits, harder = (scores(each, head) for each in versions)
    compared = tuple(
        (name, int(place), float(logit)) for name, place, logit in zip(rows["path"], places, logits, strict=True)
    )[: wild_heads.PARITY_PICTURES]
    logits[train], harder[train] = left_out_scores([each[train] for each in versions], SETTINGS)
    print(f"harder: AUROC, collections left out: {wild_heads.auroc(versions[0], harder, train):.3f}")
    wild_heads.told(versions[0], logits, train)
    known = np.isfinite(logits)
    left_out = Scores(logits[known], versions[0].labels[known], tuple(versions[0].collections[known]))
    memory = wild_heads.memory_of(wild_heads.pictures_of(rows, found[0][:, None])[train], logits[train])
    network = with_head(learnt, head[0][0], head[1])
    write(output / "bundle", network, memory, left_out, table, rows, compared, seen.height)


def seen_of(rows: pl.DataFrame, learnt: student.Student, folder: Path) -> np.ndarray:
    """(versions, n, 192): the mean of the places that the head sees, over each picture's views; NaN where it cannot be
    read."""
    path = folder / "network.onnx"
    export_onnx(learnt.network, PREPROCESSING.size, path)
    head = Head.of(path)
    onnxruntime = load_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(head.showing_features(), options, providers=["CPUExecutionProvider"])
    (tap,) = head.taps

    def of_view(view: np.ndarray) -> np.ndarray:
        return tap.seen(session.run([tap.value], {INPUT_NAME: normalised(view[None], PREPROCESSING)})[0])[0]

    paths, network = rows["path"].to_list(), sha256_of(path)
    return np.stack(
        [
            features(
                paths,
                version,
                SETTINGS.seed,
                PREPROCESSING,
                of_view,
                (learnt.network.head.in_channels,),
                folder,
                (paths, version, SETTINGS.seed, PREPROCESSING, network),
            )
            for version in VERSIONS
        ]
    )


@torch.no_grad()
def told_of(learnt: student.Student, seen: np.ndarray) -> np.ndarray:
    """(n, 192): what the network tells of the CLS tokens, from the mean of its places."""
    return learnt.whole(torch.from_numpy(seen)).double().numpy()


@torch.no_grad()
def with_head(learnt: student.Student, weights: np.ndarray, bias: float) -> nn.Module:
    """The network with a head that does to its places at once what the last layer and the discriminant do."""
    head, last = learnt.network.head, learnt.whole
    direction = torch.from_numpy(weights)
    head.weight.copy_((direction @ last.weight.double()).reshape(head.weight.shape))
    head.bias.fill_(float(direction @ last.bias.double()) + bias)
    return learnt.network


def write(
    output: Path,
    network: nn.Module,
    memory: Memory,
    left_out: Scores,
    table: pl.DataFrame,
    rows: pl.DataFrame,
    compared: tuple[tuple[str, int, float], ...],
    seen: int,
) -> None:
    """The bundle: exported network, calibration, thresholds, card.

    ``compared`` are pictures, their places in the seed's order and their logits; ``seen`` pictures were given to the
    network.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    export_onnx(network, PREPROCESSING.size, output / MODEL_FILE)
    set_on = "pictures of collections left out of the head's fit, rescaled and re-encoded by chance"
    calibration = fit_calibration(left_out, set_on)
    spec = BundleSpec(
        name="wild-lite",
        version=VERSION,
        description="small and quick: learnt from `wild` what to look at; its card says where it is chance",
        licence="Apache-2.0",
        network=student.NETWORK,
        parameters=sum(parameter.numel() for parameter in network.parameters()),
        onnx_opset=OPSET,
        model_sha256=sha256_of(output / MODEL_FILE),
        memory_sha256=memory.write(output),
        preprocessing=PREPROCESSING,
        calibration=calibration,
        domain=Domain(min_side=224, description="photographs and photographic AI pictures"),
        training=wild_heads.training_of(
            table,
            rows,
            recipe(),
            "python benchmarks/wild_lite.py --data wild-full.parquet --output wild-lite",
        ),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        madeby_version=__version__,
    )
    bundle = Bundle(output, spec.with_profiles(fit_profiles(left_out, calibration, set_on)))
    block = validation_block(left_out, bundle.spec, wild_heads.parity(bundle, SETTINGS, compared))
    bundle.write_spec()
    facts = json.dumps(asdict(block) | {"split": "left out"}, indent=2)
    (output / METRICS_FILE).write_text(facts + "\n", encoding="utf-8")
    (output / CARD_FILE).write_text(card_text(bundle.spec, block, rows, seen, student.LEFT_OUT), encoding="utf-8")
    print(facts)


def recipe() -> dict[str, object]:
    """What the run was, as the bundle tells it."""
    head = {name: value for name, value in asdict(SETTINGS).items() if name != "blocks"}
    return {
        "network": student.NETWORK,
        "network_options": student.OPTIONS,
        "began_with": "EfficientNet-Lite0, ImageNet",
        "epochs": student.EPOCHS,
        "batch_size": student.BATCH,
        "optimizer": "adamw",
        "learning_rate": student.RATE,
        "learning_rate_of_new_layers": student.RATE * student.NEW,
        "weight_decay": student.DECAY,
        "ema": student.AVERAGING,
        **head,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--work", type=Path, help="keeps views, tokens and checkpoints (default: OUTPUT/work)")
    given = parser.parse_args()
    make(given.data, given.output, given.work or given.output / "work")


if __name__ == "__main__":
    main()
