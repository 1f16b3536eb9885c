import pytest
from PIL import Image
from typer.testing import CliRunner

from madeby.cli.app import app
from madeby.datasets.manifest import read_manifest
from madeby.datasets.show import data_show
from madeby.errors import DataError


@pytest.fixture
def folder(save_picture, tmp_path):
    for label in ("real", "fake"):
        for number in range(10):
            side = 32 if label == "real" else 300
            save_picture(f"set/{label}/{number}.{'jpg' if number < 6 else 'png'}", side, side // 2, seed=number)
    return tmp_path / "set"


def run(*arguments):
    result = CliRunner().invoke(app, ["data", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result


def test_import_split_and_show_from_the_command_line(folder, tmp_path):
    manifest, sheet = tmp_path / "m.parquet", tmp_path / "sheet.png"
    (folder / "fake" / "broken.jpg").touch()
    imported = run("import", "folders", folder, "-o", manifest)
    assert "1 files cannot be used" in imported.stdout and "broken.jpg: unreadable" in imported.stdout
    assert "[" not in imported.stderr
    assert read_manifest(manifest)["split"].value_counts().height == 4  # three splits and none
    run("split", manifest, "-o", manifest, "--validation", "0.3", "--test", "0", "--ignore-published")
    assert (read_manifest(manifest)["split"] == "val").sum() == 6
    shown = run("show", manifest, "-o", sheet, "--per-class", "3")
    assert "6 examples" in shown.stdout
    for word in ("JPEG", "PNG", "< 64", "256 to 511", "train", "val"):
        assert word in shown.stdout
    with Image.open(sheet) as image:
        assert image.width > 600


def test_names_are_given_on_the_command_line(save_picture, tmp_path):
    for at, name in enumerate(("cats", "robots", "masks")):
        for number in range(4):
            save_picture(f"set/{name}/{number}.png", seed=10 * at + number)
    labels = ["--label", "cats=human", "--label", "robots=ai", "--label", "masks=skip"]
    result = run("import", "folders", tmp_path / "set", "-o", tmp_path / "m.csv", *labels)
    assert "left out 4 pictures in masks" in result.stdout
    assert read_manifest(tmp_path / "m.csv")["label"].value_counts().sort("label").rows() == [("ai", 4), ("human", 4)]


def test_errors_are_ours(tmp_path):
    with pytest.raises(DataError, match="there is no folder"):
        run("import", "folders", tmp_path / "absent")
    with pytest.raises(DataError, match="needs the PATH"):
        run("import", "folders")


def test_the_sheet_passes_over_files_that_are_gone_and_says_when_all_are(folder, tmp_path):
    manifest = tmp_path / "m.parquet"
    run("import", "folders", folder, "-o", manifest)
    for path in (folder / "real").iterdir():
        path.unlink()
    summary = data_show(manifest, output=tmp_path / "sheet.png", per_class=4)
    assert summary.shown == 4 and summary.counts.human == 10
    assert [(tally.name, tally.human, tally.ai) for tally in summary.sizes] == [("< 64", 10, 0), ("256 to 511", 0, 10)]
    assert [(tally.name, tally.human, tally.ai) for tally in summary.formats] == [("JPEG", 6, 6), ("PNG", 4, 4)]
    for path in (folder / "fake").iterdir():
        path.unlink()
    with pytest.raises(DataError, match="20 of 20 pictures are no longer"):
        data_show(manifest, output=tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
