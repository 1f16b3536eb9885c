"""What madeby and other programs read from the same files: verdict from marks alone, maker named, time.

Works on a folder with manifest.csv (path, truth, carries, notes) and on cases made from it: signed files changed
after signing, and photographs with marks appended after their end. Writes one row a file and program.

usage: python benchmarks/provenance.py FOLDER [--peers-python PYTHON] [-o benchmarks/provenance.csv]
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from madeby.errors import PictureError
from madeby.pictures.decode import decode
from madeby.provenance import read_provenance
from madeby.schema import Verdict
from madeby.verdict import decide
from madeby.version import __version__

PEERS = ("issynthetic", "bonafide", "authentica")
COLUMNS = ("file", "kind", "expected", "program", "version", "says", "right", "names", "state", "signer", "error",
           "milliseconds")  # fmt: skip
READINGS = 15


@dataclass(frozen=True)
class Case:
    """A file, what kind it is of, and what marks alone may at most make of it: ``ai`` or nothing."""

    name: str
    path: Path
    kind: str
    expected: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers-python", type=Path, help="interpreter of the environment that has the peers")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).with_suffix(".csv"))
    options = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory() as made:
        cases = [*_listed(options.folder), *_made(options.folder, Path(made))]
        rows = [row for case in cases for row in [_ours(case)]]
        for peer in PEERS if options.peers_python else ():
            rows += _theirs(options.peers_python, peer, cases)
    with options.output.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    _summarise(rows)


def _listed(folder: Path) -> list[Case]:
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return [
            Case(row["path"], folder / row["path"], row["path"].split("/")[0], "ai" if row["truth"] == "ai" else "")
            for row in csv.DictReader(file)
        ]


def _made(folder: Path, made: Path) -> list[Case]:
    """Files that must not be believed: changed after signing, or with marks appended after the picture's end."""
    cases = []
    for path in sorted([*folder.glob("c2pa_ai/*"), *folder.glob("c2pa/*ChatGPT*")]):
        data = bytearray(path.read_bytes())
        data[len(data) * 3 // 4] ^= 0x10
        cases.append(_write(made / f"tampered_{path.name}", bytes(data), "tampered"))
    xmp = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
           b'<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
           b'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"/>'
           b"</rdf:RDF></x:xmpmeta>")  # fmt: skip
    marks = {
        "xmp": xmp,
        "png": next(folder.glob("a1111_png/*")).read_bytes(),
        "c2pa": next(folder.glob("c2pa_ai/*.jpg")).read_bytes(),
        "words": b"Software: Midjourney, DALL-E, Stable Diffusion",
    }
    for path in sorted(folder.glob("camera_exif/*Canon*"))[:2]:
        for name, tail in marks.items():
            cases.append(_write(made / f"appended_{name}_{path.name}", path.read_bytes() + tail, "appended"))
    return cases


def _write(path: Path, data: bytes, kind: str) -> Case:
    path.write_bytes(data)
    return Case(f"{kind}/{path.name}", path, kind, "")


def _ours(case: Case) -> dict[str, object]:
    try:
        picture = decode(case.path.read_bytes())
    except PictureError as error:
        return _row(case, "madeby", __version__, error=error.code.value)
    spent = []
    for _ in range(READINGS):
        start = time.perf_counter()
        signals = read_provenance(picture)
        spent.append((time.perf_counter() - start) * 1000)
    found = {signal.name: signal.detail for signal in signals}
    verdict = decide(signals).verdict
    named = found["generator"].get("tool") or found["c2pa"].get("claim_generator") or found["camera"].get("model") or ""
    return _row(
        case, "madeby", __version__, says="" if verdict is Verdict.UNCERTAIN else verdict.value, names=named,
        state=found["c2pa"]["state"], signer=found["c2pa"].get("signer", ""), milliseconds=statistics.median(spent),
    )  # fmt: skip


def _theirs(python: Path, peer: str, cases: list[Case]) -> list[dict[str, object]]:
    script = Path(__file__).with_name("provenance_peers.py")
    done = subprocess.run(
        [python, script, peer], input="\n".join(str(case.path) for case in cases), capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    answers = {answer["path"]: answer for answer in map(json.loads, done.stdout.splitlines())}
    if not answers:
        print(f"{peer} did not run: {done.stderr.strip().splitlines()[-1:]}")
    return [
        _row(case, peer, **{key: value for key, value in answers[str(case.path)].items() if key != "path"})
        for case in cases
        if str(case.path) in answers
    ]


def _row(case: Case, program: str, version: str, says: str = "", **more: object) -> dict[str, object]:
    if isinstance(spent := more.get("milliseconds"), float):
        more["milliseconds"] = round(spent, 2)
    right = says == case.expected if case.expected else says != "ai"
    base = {"file": case.name, "kind": case.kind, "expected": case.expected, "program": program, "version": version}
    return {**base, "says": says, "right": int(right), **more}


def _summarise(rows: list[dict[str, object]]) -> None:
    programs = list(dict.fromkeys(str(row["program"]) for row in rows))
    kinds = list(dict.fromkeys(str(row["kind"]) for row in rows))
    print("right of all, by kind".ljust(26) + "".join(name.rjust(14) for name in programs))
    for kind in kinds:
        of_kind = [[row for row in rows if row["kind"] == kind and row["program"] == name] for name in programs]
        shares = (f"{sum(int(str(row['right'])) for row in some)}/{len(some)}" for some in of_kind)
        print(kind.ljust(26) + "".join(share.rjust(14) for share in shares))
    times = [[float(str(row["milliseconds"])) for row in rows if row["program"] == name and row.get("milliseconds")]
             for name in programs]  # fmt: skip
    print("p50 milliseconds".ljust(26) + "".join(f"{statistics.median(some):.1f}".rjust(14) for some in times))


if __name__ == "__main__":
    main()
