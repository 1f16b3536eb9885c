"""Training pictures/s of the app's network at 255x255: ours against the same network written plainly in Keras.

Both train the same synthetic uint8 pictures with Adam and batches of the same size, cross-entropy over the same
layers. The two take turns, each in a process of its own, so that a change of the machine's load meets both.

    python benchmarks/human_vs_ai_training.py --keras-python VENV/bin/python [--rounds 5] [--pictures 512]

Ours runs in this interpreter and through the project's own batches and Lightning; Keras (package tensorflow-cpu)
needs an environment of its own, whose interpreter the option names. One uncounted epoch warms each up.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIDE = 255


def pictures(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels = np.arange(count) % 2
    pixels = rng.integers(0, 236, (count, SIDE, SIDE, 3), dtype=np.uint8)
    return pixels + (20 * labels[:, None, None, None]).astype(np.uint8), labels.astype(np.int8)


def ours(count: int, batch_size: int, precision: str) -> float:
    from madeby.networks import build_network
    from madeby.training.batches import Examples
    from madeby.training.classifier import Classifier
    from madeby.training.hardware import hardware_for
    from madeby.training.preparation import TrainingData
    from madeby.training.progress import Silent
    from madeby.training.recipe_files import load_recipe
    from madeby.training.run import RunFolder
    from madeby.training.trainer import run_trainer

    pixels, labels = pictures(count)
    numbers = np.arange(count)
    train = Examples(pixels, labels, numbers, np.zeros(count, np.int64))
    few = Examples(pixels[:2], labels[:2], numbers[:2], np.zeros(2, np.int64))
    overrides = {"batch_size": batch_size, "epochs": 2, "precision": precision, "augment": [], "patience": 0}
    recipe = load_recipe("human-vs-ai", overrides)
    hardware = hardware_for(recipe, build_network(recipe.network, {}, recipe.size))
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "run")
        run.prepare(resume=False)
        run_trainer(Classifier(recipe, TrainingData(train, few, ())), run, hardware, track=None, progress=Silent())
        seconds = run.read_metrics()[-1].seconds
    return (count // batch_size * batch_size) / seconds


def keras(count: int, batch_size: int) -> float:
    from keras import layers, losses, models, optimizers

    pixels, labels = pictures(count)
    widths = (32, 64, 64, 64, 64)
    network = models.Sequential([layers.Input((SIDE, SIDE, 3)), layers.Rescaling(1 / 255)])
    for number, width in enumerate(widths):
        if number:
            network.add(layers.MaxPooling2D())
        network.add(layers.Conv2D(width, 3, activation="relu"))
    for layer in (layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(2)):
        network.add(layer)
    assert network.count_params() == 720_194
    network.compile(optimizers.Adam(1e-3), losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(pixels, labels, batch_size=batch_size, epochs=1, verbose=0)
    started = time.perf_counter()
    network.fit(pixels, labels, batch_size=batch_size, epochs=1, verbose=0)
    return count / (time.perf_counter() - started)


def measured(interpreter: str, side: str, options: argparse.Namespace) -> float:
    command = [interpreter, __file__, "--only", side, "--pictures", str(options.pictures)]
    command += ["--batch-size", str(options.batch_size), "--precision", options.precision]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{side} failed:\n{done.stderr[-2000:]}")
    return float(done.stdout.split()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keras-python", help="interpreter of an environment with tensorflow-cpu")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--precision", choices=["auto", "fp32", "bf16"], default="auto")
    parser.add_argument("--csv", type=Path, help="write every round's figures here")
    parser.add_argument("--only", choices=["ours", "keras"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.only == "ours":
        print(ours(options.pictures, options.batch_size, options.precision))
        return
    if options.only == "keras":
        print(keras(options.pictures, options.batch_size))
        return
    interpreters = {"ours": sys.executable} | ({"keras": options.keras_python} if options.keras_python else {})
    figures: dict[str, list[float]] = {side: [] for side in interpreters}
    for number in range(options.rounds):
        for side, interpreter in interpreters.items():
            figures[side].append(measured(interpreter, side, options))
            print(f"round {number + 1} {side}: {figures[side][-1]:.1f} pictures/s", flush=True)
    for side, values in figures.items():
        print(f"{side}: median {statistics.median(values):.1f}, from {min(values):.1f} to {max(values):.1f} pictures/s")
    if "keras" in figures:
        ratio = statistics.median(a / b for a, b in zip(figures["ours"], figures["keras"], strict=True))
        print(f"ours / keras, median of the rounds: {ratio:.2f}")
    if options.csv:
        with options.csv.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["round", *figures])
            writer.writerows([number + 1, *row] for number, row in enumerate(zip(*figures.values(), strict=True)))


if __name__ == "__main__":
    main()
