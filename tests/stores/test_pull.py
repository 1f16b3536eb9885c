"""Pulls that break off, are killed, or run at once."""

import os
import signal
import subprocess
import sys
import time

import pytest

import madeby
from madeby.errors import BundleError
from madeby.stores import builtin_names

PULL = [sys.executable, "-m", "madeby", "models", "pull"]


def start_pull(url: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*PULL, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(happened, process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(web):
    web.breaks = 2
    assert madeby.models_pull(f"{web.url}/big").spec.name == "big"
    asked = web.asked_for("weights.bin")
    assert len(asked) == 3
    assert asked[0] == ""
    assert 0 < int(asked[1][6:-1]) < int(asked[2][6:-1])


def test_a_connection_that_breaks_again_and_again_without_progress_is_given_up(web):
    web.status = 503
    with pytest.raises(BundleError, match=r"index\.json answered 503"):
        madeby.models_pull(f"{web.url}/big")


def test_a_server_without_ranges_is_read_again_from_the_start(web):
    web.breaks, web.ranges = 1, False
    assert madeby.models_pull(f"{web.url}/big").spec.name == "big"
    assert len(web.asked_for("weights.bin")) == 2


def test_a_killed_pull_leaves_nothing_that_opens_and_the_next_goes_on(web, home):
    part = "partial/*/weights.bin.part"
    web.pause = 0.03
    fetched = 0
    for _ in range(3):
        process = start_pull(f"{web.url}/big")
        wait_for(lambda beyond=fetched: sum(p.stat().st_size for p in home.glob(part)) > beyond + 150_000, process)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        fetched = sum(path.stat().st_size for path in home.glob(part))
        assert [each.model for each in madeby.models_list()] == builtin_names()
        with pytest.raises(BundleError, match="no model is called 'big'"):
            madeby.models_show("big")
    web.pause = 0
    assert madeby.models_pull(f"{web.url}/big").spec.name == "big"
    starts = [int(wanted[6:-1] or 0) if wanted else 0 for wanted in web.asked_for("weights.bin")]
    assert starts == sorted(starts)
    assert starts[0] == 0
    assert starts[-1] == fetched
    assert not list(home.glob("partial/*/*"))


def test_a_part_of_another_file_is_thrown_away(web, home):
    index = madeby.models_newest(f"{web.url}/big")
    partial = home / "partial" / f"big-0.2.0-{index.identity[:12]}"
    partial.mkdir(parents=True)
    (partial / "weights.bin.part").write_bytes(b"something else" * 1000)
    (partial / "left.archive").write_bytes(b"left by a killed pull")
    bundle = madeby.models_pull(f"{web.url}/big")
    assert not (bundle.folder / "left.archive").exists()


def test_two_processes_that_pull_at_once_fetch_once(web):
    web.pause = 0.01
    processes = [start_pull(f"{web.url}/big") for _ in range(2)]
    told = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], told
    assert told[0][0] == told[1][0]
    assert len(web.asked_for("weights.bin")) == 1


def test_the_command_pulls_lists_and_explains_itself(web):
    done = subprocess.run([*PULL, f"{web.url}/big"], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "madeby scan --model big@0.2.0" in done.stdout
    wrong = subprocess.run([*PULL, f"{web.url}/bog"], capture_output=True, text=True, timeout=120)
    assert wrong.returncode == 2
    assert f"{web.url}/bog holds no model bundle" in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_scanning_with_a_built_in_model_imports_nothing_of_the_network(save_picture):
    code = (
        "import sys, madeby; list(madeby.scan(sys.argv[1]));"
        "print([name for name in ('fsspec', 's3fs', 'botocore', 'aiohttp', 'filelock', 'httpx', "
        "'madeby.stores.pull', 'madeby.stores.storage') if name in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(save_picture("a.png"))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[]", done.stderr
