"""Small data sets with planted faults: seeded scenes, written as files, with a table of paths and labels."""

import numpy as np
import polars as pl
from PIL import Image, ImageFilter

from madeby.datasets.importing import data_import


def scene(seed, width=96, height=64):
    """A picture with structure of its own: smooth colour fields, discs and grain."""
    generator = np.random.default_rng(seed)
    fields = Image.fromarray(generator.integers(0, 256, (5, 6, 3), dtype=np.uint8)).resize((width, height), 3)
    pixels = np.asarray(fields).astype(np.int16)
    rows, columns = np.mgrid[:height, :width]
    for _ in range(3):
        y, x, radius = generator.integers(0, height), generator.integers(0, width), generator.integers(5, 20)
        pixels[(rows - y) ** 2 + (columns - x) ** 2 < radius**2] = generator.integers(0, 256, 3)
    pixels += generator.integers(-6, 7, pixels.shape, dtype=np.int16)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


class Planted:
    """Collects pictures and makes their manifest."""

    def __init__(self, folder):
        self.folder, self.rows = folder, []

    def add(self, name, image, label, split=None, group=None, **options):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(image, bytes):
            path.write_bytes(image)
        else:
            image.save(path, **options)
        self.rows.append({"path": str(path), "label": label, "split": split, "group": group})
        return path

    def fill(self, count, start=0, splits=("train", "val", "test")):
        """As many scenes of each label, nothing wrong with them."""
        for number in range(2 * count):
            label = "ai" if number % 2 else "human"
            split = splits[number // 2 % len(splits)]
            self.add(f"{start + number}.jpg", scene(start + number), label, split, quality=90)
        return self

    def table(self):
        path = self.folder / "table.csv"
        columns = dict.fromkeys(("path", "label", "split", "group"), pl.String)
        pl.DataFrame(self.rows, schema=columns).write_csv(path)
        return path

    def manifest(self):
        output = self.folder / "manifest.parquet"
        data_import("table", self.table(), output=output)
        return output


def softened(image):
    """The same picture after some handling: smaller, blurred, brighter."""
    return image.resize((72, 48)).filter(ImageFilter.GaussianBlur(0.6)).point(lambda value: min(255, value + 6))
