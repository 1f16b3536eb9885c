"""Makes the bundle `wild-lite`: a small network that learnt what the tower of `wild` sees, with a linear head.

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
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import polars as pl
import torch
import wild_heads
import wild_lite_student as student
from torch import nn
from wild_discriminant import Settings, fit, left_out_scores, scores
from wild_lite_card import card_text
from wild_lite_material import material, treated_view

from madeby.datasets.atomic import written_atomically
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
from madeby.detector.views import normalised
from madeby.training.bundle_writer import validation_block
from madeby.training.calibrate import Scores, fit_calibration, fit_profiles
from madeby.training.export import OPSET, export_onnx, parity
from madeby.version import __version__

VERSION = "0.2.1"
SETTINGS = Settings(blocks=(0,))
"""One block of features: what the network tells of the CLS tokens."""


def make(data: Path, output: Path, work: Path) -> None:
    """Learn network and head, and write the bundle."""
    table = usable(read_manifest(data))
    folder = work / manifest_sha256(table)[:12]
    seen = table.filter((pl.col("split") == "train") & ~pl.col("collection").is_in(wild_heads.JUDGES))
    learnt = student.finished(folder) or student.train(material(seen, folder, work), folder)
    rows, views = views_of_chosen(wild_heads.chosen(table, SETTINGS), folder / "views.npy")
    pictures = wild_heads.pictures_of(rows, features(learnt, views)[:, None])
    pictures = replace(pictures, telling=np.ones(len(pictures.labels), bool))  # photographs alone told no more
    train = (rows["split"] == "train").to_numpy()
    weights, bias = fit([pictures[train]], SETTINGS)
    logits = scores(pictures, (weights, bias))
    (logits[train],) = left_out_scores([pictures[train]], SETTINGS)
    wild_heads.told(pictures, logits, train)
    known = np.isfinite(logits)
    left_out = Scores(logits[known], pictures.labels[known], tuple(pictures.collections[known]))
    network = with_head(learnt, weights[0], bias)
    write(output / "bundle", network, left_out, table, rows, views, train, seen.height)


def views_of_chosen(rows: pl.DataFrame, path: Path) -> tuple[pl.DataFrame, np.ndarray]:
    """The rows whose pictures can be read and are not to be judged by, and their views (n, 224, 224, 3)."""
    if not path.is_file():
        with ProcessPoolExecutor() as pool:
            seen = list(pool.map(view_of, enumerate(rows["path"].to_list()), chunksize=16))
        with written_atomically(path) as part, part.open("wb") as file:
            np.save(file, np.stack([np.zeros((224, 224, 3), np.uint8) if each is None else each for each in seen]))
    views = np.load(path)
    kept = views[:, ::16, ::16].any((1, 2, 3)) & ~rows["collection"].is_in(wild_heads.JUDGES).to_numpy()
    return rows.filter(pl.Series(kept)), views[kept]


def view_of(entry: tuple[int, str]) -> np.ndarray | None:
    """What the heads of `wild` are fitted on as well; None where a picture cannot be read."""
    row, path = entry
    return treated_view(path, [SETTINGS.seed, row])


@torch.no_grad()
def features(learnt: student.Student, views: np.ndarray) -> np.ndarray:
    """(n, 192): what the network tells of the CLS tokens."""
    found = []
    for start in range(0, len(views), 32):
        pixels = torch.from_numpy(normalised(views[start : start + 32], wild_heads.MIDDLE))
        found.append(learnt(pixels)[1].double().numpy())
    return np.concatenate(found)


@torch.no_grad()
def seen_by_head(network: nn.Module, views: np.ndarray) -> np.ndarray:
    """(n, 192): the mean of the places that the head sees."""
    found = []
    for start in range(0, len(views), 32):
        pixels = torch.from_numpy(normalised(views[start : start + 32], wild_heads.MIDDLE))
        found.append(network.places(pixels).mean((2, 3)).double().numpy())
    return np.concatenate(found)


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
    left_out: Scores,
    table: pl.DataFrame,
    rows: pl.DataFrame,
    views: np.ndarray,
    train: np.ndarray,
    seen: int,
) -> None:
    """The bundle: exported network, calibration, thresholds, card.

    ``train`` are the rows that the head was fitted on; ``seen`` pictures were given to the network.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    export_onnx(network, wild_heads.MIDDLE.size, output / MODEL_FILE)
    difference = parity(network, views, wild_heads.MIDDLE, output / MODEL_FILE)
    places = wild_heads.pictures_of(rows, seen_by_head(network, views)[:, None])
    memory = wild_heads.memory_of(places[train])
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
        preprocessing=wild_heads.MIDDLE,
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
    block = validation_block(left_out, bundle.spec, difference)
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
        "epochs": student.EPOCHS,
        "batch_size": student.BATCH,
        "optimizer": "adamw",
        "learning_rate": student.RATE,
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
