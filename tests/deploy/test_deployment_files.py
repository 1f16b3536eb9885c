"""The deployment files name only what is there and what madeby understands."""

import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import typer
import yaml

from madeby.cli.app import app
from madeby.web.serve import GRACE_SECONDS

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs" / "deploy").glob("*.md"))
FILES = [ROOT / name for name in ("Dockerfile", "compose.yaml", "Procfile", "deploy/madeby.service")]
READ_ELSEWHERE = {"MADEBY_HOME", "MADEBY_OFFLINE", "MADEBY_API_KEYS", "MADEBY_NO_AUTH"}
SERVE = typer.main.get_command(app).commands["serve"]


def environment_names(envvar):
    return {envvar} if isinstance(envvar, str) else set(envvar or ())


FLAGS = {flag for parameter in SERVE.params for flag in (*parameter.opts, *parameter.secondary_opts)}
SETTINGS = set().union(*(environment_names(parameter.envvar) for parameter in SERVE.params))


def instructions(name):
    """What follows an instruction in the Dockerfile, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    lines = [line.split(None, 1) for line in re.sub(r"\\\n", " ", text).splitlines() if line.strip()]
    return [rest for instruction, rest in lines if instruction == name]


def check_serve_command(words):
    """Everything behind ``madeby serve`` is a flag that it has, or the value of one."""
    at = words.index("serve")
    assert Path(words[at - 1]).name == "madeby"
    for word in words[at + 1 :]:
        assert not word.startswith("-") or word.partition("=")[0] in FLAGS
    return dict(zip(words[at + 1 :: 2], words[at + 2 :: 2], strict=True))


def compose():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


@pytest.mark.parametrize("path", FILES + DOCS, ids=lambda path: path.name)
def test_every_setting_is_one_that_madeby_reads(path):
    named = set(re.findall(r"\bMADEBY_[A-Z_]*[A-Z]\b", path.read_text()))
    if path.name == "compose.yaml":
        named -= {"MADEBY_PORT"}  # of the compose file itself: the port on the host
    assert named - READ_ELSEWHERE <= SETTINGS


@pytest.mark.parametrize("path", [*DOCS, ROOT / "docs" / "history.md"], ids=lambda path: path.name)
def test_every_command_in_the_docs_exists(path):
    commands = typer.main.get_command(app)
    code = "\n".join(code_of(path)).replace("\\\n", " ")
    lines = re.findall(rf"\bmadeby ((?:{'|'.join(commands.commands)})\b.*)$", code, re.MULTILINE)
    for line in lines:
        words, found = shlex.split(line.partition("#")[0]), commands
        while words and hasattr(found, "commands"):
            found = found.commands[words.pop(0)]
        flags = {flag for parameter in found.params for flag in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= flags | {"--help"}


def code_of(path):
    return re.findall(r"```sh\n(.*?)```", path.read_text(), re.DOTALL)


def test_the_image_copies_only_what_is_there_and_not_ignored():
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    sources = [words[:-1] for rest in instructions("COPY") if not (words := shlex.split(rest))[0].startswith("--from")]
    for source in (path for paths in sources for path in paths):
        assert (ROOT / source).exists()
        assert source in kept
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for needed in (project["readme"], *project["license-files"], "pyproject.toml", "src"):
        assert needed in kept


def test_the_image_installs_extras_that_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    (wanted,) = re.findall(r"'\.\[(.*?)\]'", " ".join(instructions("RUN")))
    assert set(wanted.split(",")) <= set(extras)
    assert f".[{wanted}]" in (ROOT / "requirements.txt").read_text().splitlines()


def test_the_image_runs_a_command_that_serve_understands_as_nobody_in_particular():
    (command,) = instructions("CMD")
    flags = check_serve_command(yaml.safe_load(command))
    assert flags["--host"] == "0.0.0.0"
    assert f"MADEBY_DATA={instructions('VOLUME')[0]}" in instructions("ENV")[0].split()
    user, _, group = instructions("USER")[-1].partition(":")
    assert (int(user), int(group)) > (0, 0)
    assert instructions("HEALTHCHECK")


def test_one_python_everywhere():
    version = (ROOT / ".python-version").read_text().strip()
    assert {rest.split()[0] for rest in instructions("FROM")} == {f"python:{version}-slim"}


def test_the_health_check_tells_a_ready_server_from_none(tmp_path):
    import http.server
    import os
    import sys
    import threading

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/readyz" else 404)
            self.end_headers()

        def log_message(self, *_):
            pass

    (check,) = instructions("HEALTHCHECK")
    command = yaml.safe_load(check.partition("CMD")[2])
    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = os.environ | {"PORT": str(server.server_address[1])}
        ready = subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True)
        server.shutdown()
    gone = subprocess.run([sys.executable, *command[1:]], env=environment, capture_output=True)
    assert (ready.returncode, gone.returncode) == (0, 1)


def test_compose_waits_for_what_it_needs_and_loses_nothing():
    services, volumes = compose()["services"], set(compose()["volumes"])
    for name, service in services.items():
        mounted = {volume.partition(":")[0] for volume in service["volumes"]}
        assert mounted <= volumes
        for needed, how in service.get("depends_on", {}).items():
            assert how["condition"] == "service_healthy"
            assert "healthcheck" in services[needed]
        assert name == "madeby" or ":" in service["image"]
        assert name == "madeby" or not service["image"].endswith(":latest")


def test_compose_holds_no_secret_and_will_not_start_without():
    secret = re.compile(r"PASSWORD|SECRET|KEYS|USER$|KEY_ID")
    for service in compose()["services"].values():
        for name, value in service["environment"].items():
            if secret.search(name) and name != "POSTGRES_USER":
                assert re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value)
    names = set(re.findall(r"\$\{([A-Z_]+):\?", (ROOT / "compose.yaml").read_text()))
    written = (ROOT / "docs" / "deploy" / "compose.md").read_text().partition("<<END")[2].partition("END")[0]
    assert {line.partition("=")[0] for line in written.strip().splitlines()} == names


def test_the_unit_runs_a_command_that_serve_understands():
    unit = (ROOT / "deploy" / "madeby.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    check_serve_command(command.split())


def test_the_unit_is_one_that_systemd_takes_and_holds_tightly(tmp_path):
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed here")
    unit = tmp_path / "madeby.service"
    text = (ROOT / "deploy" / "madeby.service").read_text()
    unit.write_text(text.replace("/opt/madeby/bin/madeby", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    rated = ["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", unit]
    done = subprocess.run(rated, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


def test_nothing_kills_a_server_while_requests_end():
    unit = (ROOT / "deploy" / "madeby.service").read_text()
    asked_of_docker = (ROOT / "docs" / "deploy" / "docker.md").read_text()
    patience = [
        re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)[1],
        compose()["services"]["madeby"]["stop_grace_period"].removesuffix("s"),
        re.search(r"docker stop --time (\d+)", asked_of_docker)[1],
    ]
    assert min(map(int, patience)) > GRACE_SECONDS
