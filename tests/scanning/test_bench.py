"""The figures of this machine hang together; how good they are is for benchmarks, not for tests."""

import json
import subprocess
import sys

import pytest

import madeby
from madeby import MadebyError


def test_every_stage_is_measured_and_the_fleet_follows_from_the_rate(make_bundle):
    found = madeby.bench(model=make_bundle().folder, megapixels=0.01, seconds=0.2)
    assert [stage.stage for stage in found.stages] == ["decode", "provenance", "views", "inference", "sinks"]
    assert all(0 <= stage.low <= stage.median <= stage.high for stage in found.stages)
    assert [rate.workers for rate in found.throughput] == sorted({1, found.cores})
    for rate in found.throughput:
        assert rate.core_hours == pytest.approx(1e8 * rate.workers / rate.pictures_a_second / 3600, rel=0.05)
    assert "self-made JPEG pictures of 0.0099 megapixels" in found.pictures


def test_own_pictures_are_measured_with(save_picture, make_bundle, tmp_path):
    save_picture("mine/1.png", 100, 100)
    (tmp_path / "mine" / "2.png").write_bytes(b"no picture")
    found = madeby.bench(tmp_path / "mine", model=make_bundle().folder, seconds=0.1)
    assert found.pictures == "1 your PNG pictures of 0.01 megapixels"
    with pytest.raises(MadebyError, match=r"nothing to measure with: .*2\.png|not a picture"):
        madeby.bench(tmp_path / "mine" / "2.png", model=make_bundle("other").folder)


@pytest.mark.parametrize("json_wanted", [True, False])
def test_the_command_prints_a_table_or_json(make_bundle, json_wanted):
    command = [sys.executable, "-m", "madeby", "bench", "--model", str(make_bundle().folder)]
    command += ["--seconds", "0.1", "--megapixels", "0.01", *(["--json"] if json_wanted else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    if json_wanted:
        assert json.loads(done.stdout)["model"] == "brightness 0.1.0"
    else:
        assert "core-hours" in done.stdout
        assert "inference" in done.stdout
