"""The public API is small and exact, loads lazily, and has the same verbs as the command line."""

import subprocess
import sys

import typer

import madeby
from madeby.cli.app import app


def commands(command, path=()):
    """Every command under a group, by its path joined with underscores."""
    children = getattr(command, "commands", None)
    if children is None:
        return {"_".join(path): command}
    return {name: found for key, child in children.items() for name, found in commands(child, (*path, key)).items()}


def test_every_command_is_a_function_of_the_same_name():
    verbs = commands(typer.main.get_command(app))
    assert set(verbs) - set(madeby.__all__) == set(), "a command without its Python function"


def test_every_public_name_can_be_had_and_nothing_else_is_public():
    for name in madeby.__all__:
        assert getattr(madeby, name) is not None
    assert sorted(madeby.__all__) == dir(madeby)
    assert set(madeby._MODULE_OF) == set(madeby.__all__)


def test_an_unknown_name_is_an_attribute_error():
    assert not hasattr(madeby, "no_such_name")


def test_importing_the_package_loads_no_room():
    code = "import sys, madeby; print([m for m in sys.modules if m.startswith('madeby.') and m != 'madeby.version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
