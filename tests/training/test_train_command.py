"""The terminal's side of training: flags, lines, exit codes."""

import sys

import pytest
from typer.testing import CliRunner

from madeby.cli import main
from madeby.cli.app import app
from madeby.training.recipe import Recipe


def test_every_recipe_field_is_a_flag_with_a_help_text():
    output = CliRunner().invoke(app, ["train", "--help"], env={"COLUMNS": "200"}).output
    for name, field in Recipe.model_fields.items():
        assert f"--{name.replace('_', '-')}" in output
        assert field.description


def test_train_export_and_networks_from_the_terminal(make_manifest, tmp_path):
    run = tmp_path / "run"
    flags = ["--network", "cifake_cnn", "--epochs", "2", "--batch-size", "8", "--augment", "none"]
    result = CliRunner().invoke(app, ["train", "--data", str(make_manifest()), "-o", str(run), *flags])
    assert result.exit_code == 0, result.output
    assert "best epoch" in result.output
    assert len([line for line in result.output.splitlines() if line.strip()[:1] in {"1", "2"}]) >= 2
    exported = CliRunner().invoke(app, ["models", "export", str(run), "-o", str(tmp_path / "bundle")])
    assert exported.exit_code == 0, exported.output
    assert (tmp_path / "bundle" / "bundle.json").is_file()
    listed = CliRunner().invoke(app, ["models", "networks"])
    assert "human_vs_ai_cnn" in listed.output
    summary = CliRunner().invoke(app, ["models", "networks", "cifake_cnn"])
    assert "155,042 parameters" in summary.output


def test_a_wrong_flag_is_one_line_and_exit_code_2(make_manifest, tmp_path, monkeypatch, capsys):
    arguments = ["madeby", "train", "--data", str(make_manifest(2, 2)), "-o", str(tmp_path / "run"), "--epochs", "x"]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("madeby: recipe small: epochs: ")
