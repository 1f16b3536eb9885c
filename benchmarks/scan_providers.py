"""Whether another provider than the CPU is quicker here, and how far its answers lie from the CPU's.

Run it with an onnxruntime that has the provider (docs/scan.md says how to get one). Both are measured in turns, round
after round, so that whatever else the machine does falls on both alike. Prints lines for benchmarks/scan.csv; the model
is the built-in one.

usage: python benchmarks/scan_providers.py --provider openvino --pictures FOLDER [--rounds 5] [--seconds 10]
"""

import argparse
import csv
import itertools
import statistics
import sys
import time

import onnxruntime

import madeby


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--provider", required=True)
    parser.add_argument("--pictures", required=True, nargs="+", help="sources of pictures, as for madeby scan")
    parser.add_argument("--most", type=int, default=200, help="how many of the pictures are taken")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement")
    parser.add_argument("--workers", type=int, help="pictures at a time, as for madeby scan")
    options = parser.parse_args()
    providers = ("cpu", options.provider)
    answers: dict[str, dict[str, madeby.Result]] = {}
    for provider in providers:
        found = itertools.islice(madeby.scan(options.pictures, provider=provider), options.most)
        answers[provider] = {result.source: result for result in found if result.ok}
    paths = list(answers["cpu"])
    both = [(answers["cpu"][path], answers[options.provider][path]) for path in paths]
    apart = [abs(one.probability - other.probability) for one, other in both]
    logits = [abs(one.signals[0].detail["logit"] - other.signals[0].detail["logit"]) for one, other in both]
    turned = sum(one.verdict is not other.verdict for one, other in both)
    rates: dict[str, list[float]] = {provider: [] for provider in providers}
    for _ in range(options.rounds):
        for provider in providers:
            rates[provider].append(rate(paths, provider, options.seconds, options.workers))
    model = both[0][0].model
    named = f"{model.name} {model.version}"
    kind = f"{len(paths)} pictures"
    version = f"onnxruntime {onnxruntime.__version__}"
    out = csv.writer(sys.stdout)
    for provider in providers:
        values = [round(value, 3) for value in rates[provider]]
        setting = f"{provider}, {version}, in turns on a loaded machine"
        three = (round(statistics.median(values), 3), min(values), max(values))
        out.writerow(("provider", kind, named, setting, "end to end", "pictures/s", *three, len(values)))
    for figure, values in (("probability apart from cpu", apart), ("logit apart from cpu", logits)):
        three = tuple(f"{value:.7f}" for value in (statistics.median(values), min(values), max(values)))
        out.writerow(("provider", kind, named, options.provider, figure, "", *three, len(values)))
    out.writerow(("provider", kind, named, options.provider, "other verdict than cpu", "pictures", *(turned,) * 3, 1))


def rate(paths: list[str], provider: str, seconds: float, workers: int | None) -> float:
    """Pictures a second from file to result, once everything is loaded and warm."""
    endless = (f"{path}\n" for path in itertools.cycle(paths))
    results = madeby.scan("-", standard_input=endless, provider=provider, workers=workers)
    for _ in range(8):
        next(results)
    start, count = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < seconds:
        next(results)
        count += 1
    results.close()
    return count / spent


if __name__ == "__main__":
    main()
