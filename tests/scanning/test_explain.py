"""``explain`` in Python and on the command line."""

import io
import subprocess
import sys

import pytest
from PIL import Image

import madeby


def test_each_picture_gets_a_drawing_and_a_broken_one_an_error(save_picture, make_bundle, tmp_path):
    save_picture("shots/bright.png", low=250)
    save_picture("shots/more/bright.png", 40, 90)
    (tmp_path / "shots" / "broken.jpg").write_bytes(b"\xff\xd8\xff no more")
    out = tmp_path / "maps"
    given = list(madeby.explain(tmp_path / "shots", model=make_bundle().folder, output=out))
    assert [each.result.status for each in given] == ["ok", "error", "ok"]
    assert [each.path and each.path.name for each in given] == ["bright.overlay.png", None, "bright.overlay-2.png"]
    for each in given:
        if each.path:
            facts = each.result.picture
            assert Image.open(io.BytesIO(each.png)).size == (facts.width, facts.height)
            assert each.path.read_bytes() == each.png


def test_the_result_is_the_one_that_scan_gives(save_picture, make_bundle):
    path, model = save_picture("one.png", low=200), make_bundle().folder
    (scanned,) = madeby.scan(path, model=model)
    (explained,) = madeby.explain(path, model=model)
    in_memory = madeby.explain_bytes(path.read_bytes(), str(path), model=madeby.load_detector(model), kind="map")
    for other in (explained.result, in_memory.result):
        assert other.model_copy(update={"timing_ms": scanned.timing_ms}) == scanned
    assert Image.open(io.BytesIO(in_memory.png)).mode == "RGBA"


def test_wrong_wishes_are_named(save_picture, make_bundle, tmp_path):
    paths = [save_picture("a.png"), save_picture("b.png")]
    with pytest.raises(madeby.MadebyError, match="overlay, map"):
        madeby.explain(paths, model=make_bundle().folder, kind="heat")
    with pytest.raises(madeby.MadebyError, match="name a folder"):
        list(madeby.explain(paths, model=make_bundle("other").folder, output=tmp_path / "one.png"))


def test_the_command_writes_and_tells(save_picture, make_bundle, tmp_path):
    save_picture("one.png", low=250)
    command = [sys.executable, "-m", "madeby", "explain", "one.png", "none.png", "-o", "one-map.png"]
    done = subprocess.run(
        [*command, "--kind", "map", "--model", make_bundle().folder],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "one-map.png: ai" in done.stdout
    assert "none.png" in done.stdout
    with Image.open(tmp_path / "one-map.png") as drawing:
        assert drawing.mode == "RGBA"
