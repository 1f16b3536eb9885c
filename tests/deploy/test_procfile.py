"""The Procfile, run as a hosting platform runs it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KEY = "a key that only this test knows"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(url, key=None):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
        return answer.status, answer.read()


def wait_until_ready(process, url, seconds=60.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        assert process.poll() is None, process.stdout.read()
        try:
            return get(f"{url}/readyz")[0]
        except OSError:
            time.sleep(0.1)
    process.terminate()
    raise AssertionError(process.stdout.read())


@pytest.fixture
def honcho(tmp_path):
    """Starts the Procfile with an environment; what it started is stopped at the end."""
    started = []

    def start(**environment):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MADEBY_", "DATABASE"))}
        inherited["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}"
        process = subprocess.Popen(
            [sys.executable, "-m", "honcho", "-f", ROOT / "Procfile", "-d", tmp_path, "start"],
            env=inherited | {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "share")} | environment,
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def test_the_procfile_serves_on_the_platforms_port_and_asks_for_the_key(honcho, tmp_path):
    port = free_port()
    process = honcho(PORT=str(port), MADEBY_API_KEYS=KEY, MADEBY_DATABASE=str(tmp_path / "history.sqlite"))
    url = f"http://127.0.0.1:{port}"
    assert wait_until_ready(process, url) == 200
    with pytest.raises(urllib.error.HTTPError, match="401"):
        get(f"{url}/api/v1/results")
    status, body = get(f"{url}/api/v1/results", KEY)
    assert (status, json.loads(body)["total"]) == (200, 0)
    assert (tmp_path / "history.sqlite").is_file()
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=30)
    assert "Traceback" not in output
    assert KEY not in output


def test_the_platforms_database_is_used(honcho, tmp_path):
    port = free_port()
    process = honcho(PORT=str(port), MADEBY_API_KEYS=KEY, DATABASE_URL=f"sqlite:///{tmp_path / 'given.sqlite'}")
    assert wait_until_ready(process, f"http://127.0.0.1:{port}") == 200
    assert (tmp_path / "given.sqlite").is_file()


def test_it_does_not_open_itself_to_everyone_by_accident(honcho):
    process = honcho(PORT=str(free_port()))
    output, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "key" in output.lower()
    assert "Traceback" not in output
