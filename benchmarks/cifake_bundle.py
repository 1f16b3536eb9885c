r"""Makes the bundle `cifake` from runs that differ by their seed: the best on validation, its card with all of them.

    for seed in 0 1 2; do
        madeby train --data cifake.parquet --recipe cifake --seed $seed -o cifake-$seed
        madeby evaluate cifake-$seed --data cifake.parquet --split test -o cifake-$seed/test
        madeby evaluate cifake-$seed --data cifake.parquet --split test --flips -o cifake-$seed/flips
    done
    python benchmarks/cifake_bundle.py cifake-0 cifake-1 cifake-2 --version 0.2.0 \
        --output src/madeby/stores/bundles/cifake

Nothing is measured here: every figure comes from the evaluations in the runs' folders.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import madeby
from madeby.detector.bundle import CARD_FILE, Bundle
from madeby.evaluation.card import record_in_card
from madeby.evaluation.metrics import Figures, Metrics

SECTION = "CIFAKE test"
COMMAND = "madeby evaluate --model cifake --data cifake.parquet --split test --bootstrap 1000"
LIMITS = """
That is nearly everything: its photographs are CIFAR-10's, its AI pictures those of one generator, Stable Diffusion 1.4,
all of 32 × 32 pixels and written by one JPEG encoder. A picture of today scaled down to 32 × 32 is none of these. It is
here for those who work with CIFAKE: to compare with, to start from, to try things quickly.
"""


@dataclass(frozen=True)
class Seed:
    """One run and what it reached on the test split, as it is and read with its mirror image."""

    run: Path
    seed: int
    val_auroc: float
    test: Metrics
    flips: Metrics


def read(run: Path) -> Seed:
    for needed in ("summary.json", "test/metrics.json", "flips/metrics.json"):
        if not (run / needed).is_file():
            raise SystemExit(f"{run / needed} is missing: finish the run and evaluate it as the first lines here say")
    summary = json.loads((run / "summary.json").read_text())
    test, flips = (
        Metrics.model_validate_json((run / folder / "metrics.json").read_text()) for folder in ("test", "flips")
    )
    bundle = Bundle.open(run / "bundle")
    for metrics in (test, flips):
        if metrics.model.sha256 != bundle.spec.model_sha256 or metrics.split != "test":
            raise SystemExit(f"{run}: an evaluation is not of this run's model on the test split")
    return Seed(run, bundle.spec.training.recipe["seed"], summary["best"]["val_auroc"], test, flips)


def table(seeds: list[Seed], kept: Seed) -> str:
    """Accuracy and calibration of all seeds, with mean and standard deviation over them."""

    def row(title: str, figures: list[Figures | None]) -> str:
        known = [f for f in figures if f is not None and f.accuracy is not None]
        values = np.array([f.accuracy for f in known]) * 100
        cells = [f"{value:.2f}%" for value in values]
        return f"| {title} | {' | '.join(cells)} | {values.mean():.2f}% ± {values.std(ddof=1):.2f} |"

    heads = [f"seed {s.seed}{' (this one)' * (s is kept)}" for s in seeds]
    eces = np.array([s.test.ece for s in seeds]) * 100
    return "\n".join(
        [
            f"| test accuracy at probability 0.5 | {' | '.join(heads)} | mean ± standard deviation |",
            "|---|" + "---|" * (len(seeds) + 1),
            row("as the split is", [s.test for s in seeds]),
            row(f"without the {kept.test.repeats} repeated pictures", [s.test.without_repeats for s in seeds]),
            row("as it is, each read with its mirror image", [s.flips for s in seeds]),
            f"| expected calibration error | {' | '.join(f'{e:.2f}%' for e in eces)} "
            f"| {eces.mean():.2f}% ± {eces.std(ddof=1):.2f} |",
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--version", required=True)
    asked = parser.parse_args()
    seeds = [read(run) for run in asked.runs]
    kept = max(seeds, key=lambda s: s.val_auroc)
    bundle = madeby.models_export(
        kept.run,
        asked.output,
        name="cifake",
        version=asked.version,
        description="CIFAKE's 32x32 pictures and nothing else: CIFAR-10 against Stable Diffusion 1.4",
        licence="Apache-2.0",
    )
    record_in_card(bundle, kept.test, SECTION, COMMAND)
    card = asked.output / CARD_FILE
    before, heading, after = card.read_text(encoding="utf-8").partition("\n## Data\n")
    told = table(seeds, kept)
    card.write_text(
        f"{before}{LIMITS}{heading}{after}\n## The recipe, {len(seeds)} seeds\n\n{told}\n\n"
        "The best on validation ships. Each met the test split once as it is and once with mirror images.\n",
        encoding="utf-8",
    )
    print(told)


if __name__ == "__main__":
    main()
