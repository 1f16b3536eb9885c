"""The command as a script meets it: its output, its exit codes, what it imports."""

import csv
import os
import subprocess
import sys
import zipfile

import pyarrow.parquet as pq
import pytest

from madeby import Result

MADEBY = [sys.executable, "-m", "madeby"]


def run(*arguments: object, **more) -> subprocess.CompletedProcess[str]:
    command = [*MADEBY, *(str(argument) for argument in arguments)]
    env = {**os.environ, "COLUMNS": "160", "NO_COLOR": "1"}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, **more)


@pytest.fixture
def folder(save_picture, tmp_path):
    save_picture("shots/bright.png", low=250)
    save_picture("shots/dark.png", high=5)
    return tmp_path / "shots"


def test_the_table_shows_verdict_probability_and_reason(folder, make_bundle):
    done = run("scan", "shots", "--model", make_bundle().folder, cwd=folder.parent)
    assert done.returncode == 0, done.stderr
    assert "shots/bright.png" in done.stdout
    assert "0.98" in done.stdout
    assert "2 pictures: 1 ai, 1 human" in done.stdout
    assert done.stderr == ""


def test_json_lines_are_alone_on_standard_output_and_exit_code_1_tells_of_unread_ones(folder, make_bundle):
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    done = run("scan", folder, folder / "none.png", "--jsonl", "--model", make_bundle().folder)
    assert done.returncode == 1, done.stderr
    results = [Result.from_json(line) for line in done.stdout.splitlines()]
    assert [result.status for result in results] == ["ok", "error", "ok", "error"]
    assert done.stderr == ""


def test_sources_come_from_standard_input(folder, make_bundle):
    lines = "".join(f"{path}\n" for path in sorted(folder.iterdir()))
    done = run("scan", "-", "--jsonl", "--model", make_bundle().folder, input=lines)
    assert [Result.from_json(line).verdict for line in done.stdout.splitlines()] == ["ai", "human"]


def test_tables_are_written_beside_the_terminal(folder, make_bundle, tmp_path):
    written = ("--csv", tmp_path / "r.csv", "--parquet", tmp_path / "r.parquet")
    done = run("scan", folder, *written, "--model", make_bundle().folder)
    assert done.returncode == 0, done.stderr
    assert "2 pictures" in done.stdout
    with (tmp_path / "r.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["verdict"] for row in rows] == pq.read_table(tmp_path / "r.parquet")["verdict"].to_pylist()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["scan", "x.png", "--model", "nothing-like-it"], "no model is called"),
        (["scan", "x.png", "--csv", "/no/such/folder/r.csv"], "/no/such/folder/r.csv"),
        (["scan"], "sources"),
        (["scan", "x.png", "--no-detector", "--no-provenance"], "nothing to do"),
        (["scna"], "scna"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_code_2(arguments, told, tmp_path):
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_scanning_imports_neither_torch_nor_plots(folder):
    code = (
        "import sys, madeby; list(madeby.scan(sys.argv[1]));"
        "print([name for name in ('torch', 'matplotlib', 'polars', 'pandas', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_closed_pipe_is_no_error(folder, make_bundle):
    command = " ".join(
        [*MADEBY, "scan", f"'{folder}'", "--jsonl", "--model", f"'{make_bundle().folder}'", "| head -n 0"]
    )
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=120)
    assert "Traceback" not in done.stderr


def test_a_name_cannot_steer_the_terminal(save_picture, make_bundle, tmp_path):
    save_picture("shots/[red]na\x1b[31mme.png", low=250)
    done = run("scan", "shots", "--model", make_bundle().folder, cwd=tmp_path)
    assert "[red]na\\x1b[31mme.png" in done.stdout
    assert "\x1b[31m" not in done.stdout


def test_a_full_disk_is_one_line(folder, make_bundle):
    done = run("scan", folder, "--csv", "/dev/full", "--model", make_bundle().folder)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr


def test_a_scan_goes_on_with_the_files_that_it_began(folder, make_bundle, tmp_path):
    files = ["--jsonl-to", tmp_path / "r.jsonl", "--csv", tmp_path / "r.csv", "--parquet", f"{tmp_path}/parts/"]
    model = ["--model", make_bundle().folder]
    assert run("scan", folder / "bright.png", *files, *model).returncode == 0
    done = run("scan", folder, *files, *model, "--resume", "--jsonl")
    assert done.returncode == 0, done.stderr
    assert [Result.from_json(line).source for line in done.stdout.splitlines()] == [str(folder / "dark.png")]
    both = [str(folder / "bright.png"), str(folder / "dark.png")]
    assert [Result.from_json(line).source for line in (tmp_path / "r.jsonl").read_text().splitlines()] == both
    assert pq.read_table(tmp_path / "parts")["source"].to_pylist() == both
    assert len((tmp_path / "r.csv").read_text().splitlines()) == 3


def test_what_cannot_be_resumed_or_begun_leaves_older_results_alone(folder, tmp_path):
    (tmp_path / "r.csv").write_text("older")
    for arguments in (["--model", "none"], ["--model", "none", "--resume"], ["--resume"]):
        done = run("scan", folder, "--csv", tmp_path / "r.csv", *arguments)
        assert done.returncode == 2
    assert run("scan", folder, "--resume").returncode == 2
    assert run("scan", folder, "--resume", "--parquet", tmp_path / "r.parquet").returncode == 2
    assert (tmp_path / "r.csv").read_text() == "older"


def test_archives_tables_and_lists_are_one_verb(folder, make_bundle, tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(folder / "bright.png", "in/bright.png")
    (tmp_path / "t.csv").write_text("id,place\n1,shots/dark.png\n")
    (tmp_path / "all.txt").write_text(f"{tmp_path}/a.zip\n{tmp_path}/t.csv\n")
    options = ("--jsonl", "--column", "place", "--unordered", "--cache", tmp_path / "c.sqlite")
    done = run("scan", f"@{tmp_path}/all.txt", *options, "--model", make_bundle().folder)
    found = {Result.from_json(line).source: Result.from_json(line).verdict for line in done.stdout.splitlines()}
    assert found == {f"{tmp_path}/a.zip/in/bright.png": "ai", f"{tmp_path}/shots/dark.png": "human"}
