"""CI's share of the mutation fuzzing; benchmarks/fuzz_provenance.py runs it at length."""

import numpy as np
import pytest
from mutations import mutated
from provenance_files import every_kind, inner_blocks, smooth

from madeby.provenance.material import Material
from madeby.provenance.registry import READERS

FILES = 600


@pytest.fixture(scope="module")
def originals():
    return list(every_kind().values())


def survives(data, pixels):
    material = Material(data, pixels=pixels)
    for name, reader in READERS.items():
        signal = reader(material)
        assert signal.name == name
        assert signal.detail["state"]
        signal.model_dump_json()


def test_whole_files_damaged_anywhere(originals):
    pixels = smooth(320, 256)
    for number in range(FILES):
        rng = np.random.default_rng((2026, number))
        survives(mutated(originals[number % len(originals)], rng, originals), pixels if number % 8 == 0 else None)


def test_metadata_blocks_damaged_inside_intact_files(originals):
    blocks = inner_blocks()
    for number in range(FILES):
        rng = np.random.default_rng((2027, number))
        wrap, block = blocks[number % len(blocks)]
        survives(wrap(mutated(block, rng, originals)), None)
