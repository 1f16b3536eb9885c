"""The files for Ray clusters name what madeby, its image and each other have."""

import re
import shlex
import tomllib
from pathlib import Path

import typer
import yaml

from madeby.cli.app import app

ROOT = Path(__file__).parents[2]
IMAGE = (ROOT / "deploy" / "ray.Dockerfile").read_text()
SECRET, JOB = yaml.safe_load_all((ROOT / "deploy" / "kuberay.yaml").read_text())
CLUSTER = JOB["spec"]["rayClusterSpec"]
PODS = [CLUSTER["headGroupSpec"], *CLUSTER["workerGroupSpecs"]]
COMMANDS = typer.main.get_command(app).commands


def flags(command):
    return {flag for parameter in COMMANDS[command].params for flag in (*parameter.opts, *parameter.secondary_opts)}


def test_the_job_runs_a_scan_that_madeby_understands():
    _, _, script = shlex.split(JOB["spec"]["entrypoint"])
    words = shlex.split(script.partition(">")[0])
    assert words[:2] == ["madeby", "scan"]
    assert {word for word in words if word.startswith("--")} <= flags("scan")
    actors = words[words.index("--actors") + 1].partition("..")
    (cpu, _) = CLUSTER["workerGroupSpecs"]
    cores = int(cpu["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"])
    assert int(actors[2]) == cpu["maxReplicas"] * cores
    assert "--resume" in words or not JOB["spec"]["backoffLimit"]


def test_all_machines_have_one_ray_and_the_credentials():
    (version,) = re.findall(r"ray\[[a-z,]+\]==([0-9.]+)", IMAGE)
    assert CLUSTER["rayVersion"] == version
    for pod in PODS:
        (container,) = pod["template"]["spec"]["containers"]
        assert container["envFrom"] == [{"secretRef": {"name": SECRET["metadata"]["name"]}}]
        assert container["resources"]["requests"] == container["resources"]["limits"]
    assert set(SECRET["stringData"].values()) == {"change-me"}


def test_no_usage_is_reported_and_nobody_is_root():
    assert "ENV RAY_USAGE_STATS_ENABLED=0" in IMAGE
    assert re.findall(r"^USER (.+)$", IMAGE, re.MULTILINE)[-1] == "10001:10001"


def test_the_image_has_the_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra,) = project["optional-dependencies"]["ray"]
    wanted = re.search(r"ray\[(.*?)\]", extra)[1].split(",")
    assert set(wanted) <= set(re.search(r"ray\[(.*?)\]", IMAGE)[1].split(","))


def test_the_page_names_options_that_exist():
    page = (ROOT / "docs" / "ray.md").read_text()
    (scan, bench, serve) = (flags(name) for name in ("scan", "bench", "serve"))
    lines = re.findall(r"madeby (scan|bench|serve)\b([^`\n]*)", page)
    assert len(lines) > 5
    for command, rest in lines:
        assert set(re.findall(r"--[a-z-]+", rest)) <= {"scan": scan, "bench": bench, "serve": serve}[command]
    table = re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE)
    assert set(table) <= scan
