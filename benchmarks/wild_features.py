"""What a network sees in the pictures that a head is to be fitted on, as the world leaves them; see wild_heads.py."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from wild_versions import version_of

from madeby.datasets.atomic import written_atomically
from madeby.detector.bundle import Preprocessing
from madeby.detector.views import views_of
from madeby.errors import PictureError
from madeby.pictures.decode import decode

PART = 500


def features(
    paths: list[str],
    version: str,
    seed: int,
    preprocessing: Preprocessing,
    of_view: Callable[[np.ndarray], np.ndarray],
    shape: tuple[int, ...],
    folder: Path,
    made_of: tuple[object, ...],
) -> np.ndarray:
    """(n, ...) float32: what is seen of each picture, averaged over its views; NaN where it cannot be read.

    Kept in the folder, so that a run that broke off goes on.

    Args:
        paths: the pictures.
        version: what happens to them first.
        seed: of the chance in that.
        preprocessing: the views.
        of_view: from one view (size, size, 3) to what is seen of it.
        shape: of that.
        folder: where it is kept.
        made_of: all that tells this from what else may be kept there.
    """
    key = hashlib.sha256(repr(made_of).encode()).hexdigest()[:16]

    def of_picture(entry: tuple[int, str]) -> np.ndarray | None:
        row, name = entry
        try:
            pixels = decode(Path(name).read_bytes(), perceptual_hash=False).pixels
        except (OSError, PictureError) as error:
            print(f"left out: {error}", flush=True)
            return None
        seen = views_of(version_of(pixels, version, seed, row), preprocessing)
        return np.mean([of_view(view) for view in seen], axis=0, dtype=np.float32)

    entries, found = list(enumerate(paths)), []
    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), PART):
            path = folder / f"features-{key}-{start:05d}.npy"
            if not path.is_file():
                seen = list(pool.map(of_picture, entries[start : start + PART]))
                unread = np.full(shape, np.nan, np.float32)
                with written_atomically(path) as part, part.open("wb") as file:
                    np.save(file, np.stack([unread if each is None else each for each in seen]))
                print(f"{version}: {start} to {min(start + PART, len(paths))} of {len(paths)}", flush=True)
            found.append(np.load(path))
    return np.concatenate(found)
