"""All readers together: one failing reader stops nothing, and a plain picture loads nothing heavy."""

import subprocess
import sys

import numpy as np
from provenance_files import every_kind, plain, signed

from madeby.pictures.decode import decode
from madeby.provenance import read_provenance
from madeby.provenance.evidence import EVIDENCE
from madeby.provenance.material import Material
from madeby.provenance.reading import read_material
from madeby.provenance.registry import READERS
from madeby.schema import Result, Strength


def test_every_reader_gives_one_signal_in_the_registrys_order():
    signals = read_provenance(decode(plain()))
    assert [signal.name for signal in signals] == list(READERS) == list(EVIDENCE)


def test_every_signal_survives_json():
    for data in every_kind().values():
        result = Result(source="x", signals=read_material(Material(data)))
        assert Result.from_json(result.to_json()) == result


def test_a_reader_that_fails_becomes_a_named_state(monkeypatch):
    def broken(material):
        raise RuntimeError("\x1b[31m secret path")

    monkeypatch.setitem(READERS, "camera", broken)
    signals = {signal.name: signal for signal in read_material(Material(plain()))}
    assert signals["camera"].detail == {"state": "unreadable", "problem": "RuntimeError"}
    assert signals["camera"].strength is Strength.NONE
    assert signals["watermark"].detail["state"] == "not examined"


def test_bytes_that_are_no_picture_are_read_without_complaint():
    for data in (b"", b"\0", b"hello", bytes(range(256))):
        assert all(signal.points_to is None for signal in read_material(Material(data)))


def test_a_plain_picture_loads_no_heavy_library(tmp_path):
    path = tmp_path / "plain.jpg"
    path.write_bytes(plain())
    code = (
        "import sys; from pathlib import Path; from madeby.provenance.material import Material;"
        "from madeby.provenance.reading import read_material;"
        "read_material(Material(Path(sys.argv[1]).read_bytes()));"
        "print([name for name in ('c2pa', 'sd_parsers', 'pywt', 'scipy', 'torch', 'httpx') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_same_picture_can_be_read_by_many_threads():
    from concurrent.futures import ThreadPoolExecutor

    data = signed()
    with ThreadPoolExecutor(4) as pool:
        states = list(pool.map(lambda _: read_material(Material(data))[0].detail["state"], range(40)))
    assert set(states) == {"untrusted"}


def test_pixels_of_any_shape_are_taken():
    for shape in ((1, 1, 3), (1, 70_000, 3), (70_000, 1, 3), (7, 9_999, 3), (300, 300, 3)):
        for signal in read_material(Material(b"", pixels=np.zeros(shape, np.uint8))):
            assert signal.detail["state"] in ("absent", "not examined", "clean")
