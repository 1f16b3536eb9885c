"""Load on `madeby serve` over loopback: start, throughput against `madeby scan`, latency, memory under 32 clients.

    python benchmarks/serve_load.py [--parts start,throughput,latency,load] [--seconds 60] [--pictures 120]

Server, offline scan and clients share the machine, as they do on a small one. Pictures are 1-megapixel JPEGs
(1200 x 900, quality 90) with photograph-like detail, eight different ones in turn.

start: spawn of the process to the first 200 of /readyz, median of 5. throughput: pictures a second of
`madeby scan FOLDER --jsonl` (its own process, start included and not) and of 4 clients that send one picture a
request. latency: p50 and p95 at 4 clients. load: 32 clients for a minute, statuses, latencies, resident memory.
"""

from __future__ import annotations

import argparse
import collections
import io
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
from PIL import Image

MADEBY = [sys.executable, "-m", "madeby"]


def megapixel(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    total = np.zeros((900, 1200, 3), np.float32)
    for shift in range(1, 9):
        small = rng.normal(0, 1, ((900 >> shift) + 1, (1200 >> shift) + 1, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(small[..., channel]).resize((1200, 900), Image.Resampling.BICUBIC)
            total[..., channel] += np.asarray(layer) * 2**shift
    total = (total - total.mean()) / total.std() * 50 + 128 + rng.normal(0, 3, total.shape)
    file = io.BytesIO()
    Image.fromarray(total.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=90)
    return file.getvalue()


def resident_megabytes(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def server(folder: Path) -> Iterator[tuple[str, int, float]]:
    """Address, process and seconds to the first good /readyz."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*MADEBY, "serve", "--port", str(port), "--data-folder", str(folder)]
    begin = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(trust_env=False) as client:
            while True:
                try:
                    if client.get(f"{address}/readyz").is_success:
                        break
                except httpx.TransportError:
                    time.sleep(0.01)
        yield address, process.pid, time.perf_counter() - begin
    finally:
        process.terminate()
        process.wait()


def hammer(address: str, pictures: list[bytes], clients: int, *, seconds: float = 0, count: int = 0):
    """Statuses, seconds of each good answer, seconds in all; clients that are told to wait do."""
    statuses: collections.Counter[int] = collections.Counter()
    took: list[float] = []
    lock, numbers = threading.Lock(), iter(range(count or 10**9))
    end = time.perf_counter() + seconds if seconds else float("inf")

    def client() -> None:
        with httpx.Client(trust_env=False, timeout=120) as session:
            while time.perf_counter() < end:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                begin = time.perf_counter()
                sent = {"files": (f"{number}.jpg", pictures[number % len(pictures)])}
                try:
                    answer = session.post(f"{address}/api/v1/scan", files=sent)
                except httpx.TransportError:
                    status, wait = 0, 0.0
                else:
                    status = answer.status_code
                    if status == 200 and answer.json()["results"][0]["result"]["status"] != "ok":
                        status = -1
                    wait = float(answer.headers.get("Retry-After", 0))
                with lock:
                    statuses[status] += 1
                    if status == 200:
                        took.append(time.perf_counter() - begin)
                if wait:
                    time.sleep(min(wait, max(0.0, end - time.perf_counter())))

    begin = time.perf_counter()
    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses, took, time.perf_counter() - begin


def milliseconds(took: list[float]) -> str:
    cut = statistics.quantiles(took, n=100)
    return f"p50 {cut[49] * 1000:.0f} ms, p95 {cut[94] * 1000:.0f} ms, longest {max(took) * 1000:.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default="start,throughput,latency,load")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--pictures", type=int, default=120)
    options = parser.parse_args()
    parts = options.parts.split(",")
    pictures = [megapixel(seed) for seed in range(8)]
    print(f"pictures of {statistics.mean(map(len, pictures)) / 1e3:.0f} kB")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if "start" in parts:
            seconds = []
            for run in range(5):
                with server(folder / f"start{run}") as (_, _, taken):
                    seconds.append(taken)
            print(f"start to ready: median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s of 5")
        if "throughput" in parts:
            shots = folder / "shots"
            shots.mkdir()
            for number in range(options.pictures):
                (shots / f"{number:05}.jpg").write_bytes(pictures[number % 8])
            begin, first = time.perf_counter(), 0.0
            with subprocess.Popen([*MADEBY, "scan", str(shots), "--jsonl"], stdout=subprocess.PIPE) as scan:
                for _ in scan.stdout:
                    first = first or time.perf_counter()
            ended = time.perf_counter()
            offline = (options.pictures - 1) / (ended - first)
            print(f"offline: {offline:.2f} pictures/s after the first, {options.pictures / (ended - begin):.2f} in all")
            with server(folder / "throughput") as (address, _, _):
                hammer(address, pictures, 4, count=8)
                statuses, took, seconds_taken = hammer(address, pictures, 4, count=options.pictures)
            online = options.pictures / seconds_taken
            print(f"REST, 4 clients: {online:.2f} pictures/s, {online / offline:.0%} of offline; {dict(statuses)}")
            print(f"  {milliseconds(took)}")
        if "latency" in parts:
            with server(folder / "latency") as (address, _, _):
                hammer(address, pictures, 4, count=8)
                statuses, took, _ = hammer(address, pictures, 4, count=200)
            print(f"4 clients, 200 requests: {milliseconds(took)}; {dict(statuses)}")
        if "load" in parts:
            with server(folder / "load") as (address, pid, _):
                hammer(address, pictures, 32, count=64)
                memory = [resident_megabytes(pid)]
                done = threading.Event()

                def watch() -> None:
                    while not done.wait(options.seconds / 12):
                        memory.append(resident_megabytes(pid))

                watcher = threading.Thread(target=watch)
                watcher.start()
                statuses, took, seconds_taken = hammer(address, pictures, 32, seconds=options.seconds)
                done.set()
                watcher.join()
            print(
                f"32 clients, {seconds_taken:.0f} s: {len(took) / seconds_taken:.2f} pictures/s, {milliseconds(took)}"
            )
            print(f"  statuses {dict(statuses)} (0: connection failed)")
            print(f"  resident memory, MB: {', '.join(f'{value:.0f}' for value in memory)}")


if __name__ == "__main__":
    main()
