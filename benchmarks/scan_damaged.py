"""Scans thousands of damaged files: none may crash the scan, hang it, or go without a result.

The files are made from a seed: pictures of every format with flipped bits, cut short, filled with zeros, joined, or
with their sizes raised; bombs (enormous canvases, much deflated nothing); archives and tables treated alike; and files
that are no pictures at all.

usage: python benchmarks/scan_damaged.py [--files 10000] [--seed 8] [--model NAME]
"""

import argparse
import io
import json
import os
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

HUNG_SECONDS = 60.0
FORMATS = {"jpg": "JPEG", "png": "PNG", "webp": "WEBP", "gif": "GIF", "bmp": "BMP", "tif": "TIFF", "avif": "AVIF"}


def whole_files() -> dict[str, list[bytes]]:
    """A few sound files of every kind, by suffix."""
    pillow_heif.register_heif_opener()
    rng = np.random.default_rng(8)
    files: dict[str, list[bytes]] = {}
    for side in (24, 90, 300):
        coarse = Image.fromarray(rng.integers(0, 256, (side // 6, side // 5, 3), dtype=np.uint8))
        picture = coarse.resize((side, side * 3 // 4), Image.Resampling.BICUBIC)
        for suffix, name in {**FORMATS, "heic": "HEIF"}.items():
            file = io.BytesIO()
            picture.save(file, name)
            files.setdefault(suffix, []).append(file.getvalue())
        progressive, deep = io.BytesIO(), io.BytesIO()
        exif = Image.Exif()
        exif[0x010F], exif[0x0112] = "Maker", 6
        picture.save(progressive, "JPEG", progressive=True, exif=exif, quality=90)
        Image.fromarray(rng.integers(0, 65536, (side, side), dtype=np.uint16)).save(deep, "PNG")
        files["jpg"].append(progressive.getvalue())
        files["png"].append(deep.getvalue())
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, data in enumerate(files["jpg"]):
            archive.writestr(f"{number}.jpg", data)
    with tarfile.open(fileobj=tarred, mode="w") as archive:
        for number, data in enumerate(files["png"]):
            info = tarfile.TarInfo(f"{number}.png")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    files["zip"], files["tar"] = [zipped.getvalue()], [tarred.getvalue()]
    return files


def flipped(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    # Headers are where damage does most: half of the flips go there.
    reach = len(changed) if chance.random() < 0.5 else min(len(changed), 400)
    for _ in range(chance.choice((1, 2, 8, 64))):
        changed[chance.randrange(reach)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def zeroed(data: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, 4096))
    return data[:start] + bytes(end - start) + data[end:]


def raised(data: bytes, chance: random.Random) -> bytes:
    """Four bytes near the start replaced by a large number: sizes, counts and offsets live there."""
    at = chance.randrange(min(len(data) - 4, 300)) if len(data) > 4 else 0
    big = struct.pack(chance.choice((">I", "<I")), chance.choice((0xFFFFFFFF, 0x7FFFFFFF, 65535, 30_000)))
    return data[:at] + big + data[at + 4 :]


def joined(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data))
    return data[:at] + data[chance.randrange(len(data)) :] + data[:at]


def png_bomb(chance: random.Random) -> bytes:
    side = chance.choice((14_000, 20_000, 60_000))
    rows = zlib.compress(bytes(1 + side // 8) * min(side, 20_000), 9)

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def gif_bomb(chance: random.Random) -> bytes:
    side = chance.choice((20_000, 65_535))
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, side, side, 0) + b"\x02\x02\x4c\x01\x00"
    return b"GIF89a" + struct.pack("<HHBBB", side, side, 0x80, 0, 0) + bytes(6) + frame + b"\x3b"


def zip_bomb(chance: random.Random) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\x89PNG\r\n\x1a\n" + bytes(chance.choice((8, 300)) << 20))
    return file.getvalue()


def no_picture(chance: random.Random) -> bytes:
    magic = chance.choice((b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"II*\0", b"BM", b"RIFF1234WEBP"))
    body = chance.choice((b"", b"%PDF-1.7 some text", b"<html>" * 50, chance.randbytes(chance.randrange(2000))))
    return magic + body


DAMAGES = (flipped, flipped, flipped, cut, cut, zeroed, raised, raised, joined)


def write_files(folder: Path, count: int, seed: int) -> None:
    chance, whole = random.Random(seed), whole_files()
    for number in range(count):
        kind = chance.random()
        if kind < 0.004:
            suffix, maker = chance.choice((("png", png_bomb), ("gif", gif_bomb), ("zip", zip_bomb)))
            data = maker(chance)
        elif kind < 0.06:
            suffix, data = chance.choice(list(whole)), no_picture(chance)
        else:
            suffix = chance.choice(list(whole))
            data = chance.choice(whole[suffix])
            data = chance.choice(DAMAGES)(data, chance)
            if chance.random() < 0.05:  # wrong type: the name says one format, the bytes another
                suffix = chance.choice(list(whole))
        (folder / f"{number:05}.{suffix}").write_bytes(data)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--model")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_files(folder, options.files, options.seed)
        names = sorted(str(path) for path in folder.iterdir())
        command = [sys.executable, "-m", "madeby", "scan", "-", "--jsonl"]
        command += ["--model", options.model] if options.model else []
        start = last = time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as scan:
            if os.fork() == 0:
                scan.stdin.write("\n".join(names).encode())
                scan.stdin.close()
                os._exit(0)
            scan.stdin.close()
            longest, answered, codes = 0.0, Counter(), Counter()
            for line in scan.stdout:
                now = time.perf_counter()
                longest, last = max(longest, now - last), now
                result = json.loads(line)
                answered[Path(result["source"].removeprefix(f"{folder}/").partition("/")[0]).name] += 1
                codes[result["error"]["code"] if result["error"] else "ok"] += 1
            _, status, usage = os.wait4(scan.pid, 0)
            scan.returncode = os.waitstatus_to_exitcode(status)
        missing = [name for name in names if not answered[Path(name).name]]
        print(f"{len(names):,} files, {answered.total():,} results, exit code {scan.returncode}")
        print(
            f"{now - start:.1f} s, longest pause between two results {longest:.2f} s, {usage.ru_maxrss / 1024:.0f} MB"
        )
        print(", ".join(f"{count:,} {code}" for code, count in codes.most_common()))
        print(f"files without a result: {len(missing)}; defects (code internal): {codes['internal']}")
        if missing or codes["internal"] or scan.returncode not in (0, 1) or longest > HUNG_SECONDS:
            raise SystemExit("failed: " + ", ".join(missing[:5]))


if __name__ == "__main__":
    main()
