"""Time of all provenance readers together on files of about 2 MB, on one core.

The files are made here: a camera's JPEG with EXIF and XMP, a generator's PNG, and both with Content Credentials.

usage: python benchmarks/provenance_speed.py [--readings 200]
"""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "provenance"))

from provenance_files import A1111, camera_exif, jpeg_segment, plain, png_chunk, signed, source_type_xmp

from madeby.pictures.decode import decode
from madeby.provenance import read_provenance


def grainy(width: int, height: int, grain: float) -> np.ndarray:
    """A photograph's size and compressibility: a gradient with grain."""
    rng = np.random.default_rng(0)
    base = np.linspace(40, 200, width)[None, :, None] + np.linspace(-30, 30, height)[:, None, None]
    return np.clip(base + rng.normal(0, grain, (height, width, 3)), 0, 255).astype(np.uint8)


def files() -> dict[str, bytes]:
    photograph = plain("JPEG", grainy(2700, 2000, 12), quality=90)
    marks = jpeg_segment(0xE1, b"Exif\0\0" + camera_exif())
    marks += jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + source_type_xmp("digitalCapture"))
    picture = plain("PNG", grainy(1120, 1120, 3))
    return {
        "plain JPEG": photograph,
        "JPEG, EXIF and XMP": photograph[:2] + marks + photograph[2:],
        "PNG, parameters": picture[:33] + png_chunk(b"tEXt", b"parameters\0" + A1111.encode()) + picture[33:],
        "JPEG, signed": signed(form="JPEG", original=photograph),
        "PNG, signed": signed(form="PNG", original=picture),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=200)
    readings = parser.parse_args().readings
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print("file".ljust(22), "MB   p50 ms   p10     p90")
    for name, data in files().items():
        picture = decode(data)
        spent = []
        for _ in range(readings):
            start = time.perf_counter()
            read_provenance(picture)
            spent.append((time.perf_counter() - start) * 1000)
        middle, low, high = np.percentile(spent, [50, 10, 90])
        print(name.ljust(22), f"{len(data) / 1e6:.1f}  {middle:6.2f}  {low:6.2f}  {high:6.2f}")


if __name__ == "__main__":
    main()
