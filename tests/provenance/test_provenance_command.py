"""``madeby provenance``: everything found, for people and as JSON."""

import json
import subprocess
import sys

import pytest
from provenance_files import A1111, KEYS, camera_exif, plain, png_text, signed, with_exif
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.schema import Result, Verdict


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.png").write_bytes(png_text(parameters=A1111))
    (tmp_path / "b.jpg").write_bytes(signed())
    (tmp_path / "c.jpg").write_bytes(with_exif(camera_exif()))
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["provenance", *map(str, arguments)])


def test_the_text_shows_verdict_signals_and_what_they_found(folder):
    done = run(folder / "a.png", folder / "b.jpg", folder / "c.jpg")
    assert done.exit_code == 0
    text = " ".join(done.output.split())
    for expected in (
        "ai: metadata holds AUTOMATIC1111",
        "seed 1234",
        "signer madeby tests",
        "make Canon",
        "weak, points to human",
    ):
        assert expected in text


def test_json_is_one_result_a_line_and_nothing_else(folder):
    done = run("--json", folder)
    results = [Result.from_json(line) for line in done.output.splitlines()]
    assert [result.verdict for result in results] == [Verdict.AI, Verdict.AI, Verdict.UNCERTAIN]
    assert all(result.probability is None and result.model is None for result in results)
    assert [signal["name"] for signal in json.loads(done.output.splitlines()[0])["signals"]][:2] == ["c2pa", "iptc"]


def test_the_trust_list_can_be_named(folder):
    trusted = run("--json", folder / "b.jpg", "--trust-list", KEYS / "root.pem")
    assert Result.from_json(trusted.output).signals[0].detail["state"] == "trusted"


def test_an_unreadable_file_is_exit_code_1_and_stops_nothing(folder):
    (folder / "a0.jpg").write_bytes(b"no picture")
    done = run("--json", folder)
    assert done.exit_code == 1
    assert [Result.from_json(line).ok for line in done.output.splitlines()] == [True, False, True, True]


def test_a_missing_trust_list_is_one_line_and_exit_code_2(folder):
    start = [sys.executable, "-c", "from madeby.cli import main; main()"]
    command = [*start, "provenance", str(folder), "--trust-list", "nothing.pem"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "cannot read the trust list" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_function_and_the_room_share_their_name(folder):
    import madeby.provenance.registry  # as any scan does

    assert madeby.provenance.registry.READERS
    assert [result.verdict for result in madeby.provenance(folder / "a.png")] == [Verdict.AI]


def test_scan_reads_provenance_by_default_and_leaves_it_out_on_request(folder):
    default, without = (
        next(iter(madeby.scan(folder / "a.png", detector=False, provenance=wanted))) for wanted in (True, False)
    )
    assert default.verdict is Verdict.AI
    assert default.timing_ms.provenance is not None
    assert without.verdict is Verdict.UNCERTAIN
    assert without.signals == ()


def test_prompts_cannot_write_to_the_terminal(folder):
    (folder / "a.png").write_bytes(png_text(parameters="[red]\x1b[2J" + A1111))
    done = run(folder / "a.png")
    assert "\x1b" not in done.output
    assert "[red]" in done.output


def test_plain_pictures_are_uncertain(tmp_path):
    path = tmp_path / "plain.jpg"
    path.write_bytes(plain())
    assert "uncertain: the pixels were not examined; no provenance" in " ".join(run(path).output.split())
