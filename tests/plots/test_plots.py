import threading

import numpy as np
import pytest
from PIL import Image

from madeby.errors import DataError
from madeby.plots.benchmark import DotSeries, interval_dots, value_grid
from madeby.plots.confusion import confusion_matrix
from madeby.plots.curves import training_curves
from madeby.plots.probability import reliability_diagram, score_histogram
from madeby.plots.ranking import precision_recall_curve, roc_curve
from madeby.plots.sheet import Tile, picture_sheet
from madeby.plots.style import DARK, LIGHT

RNG = np.random.default_rng(0)
IS_AI = RNG.random(200) < 0.5
PROBABILITY = np.clip(0.3 + 0.4 * IS_AI + RNG.normal(0, 0.2, 200), 0, 1)


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def hexadecimal(colour):
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]


SERIES = [
    DotSeries("one", {"cats": (0.8, 0.7, 0.9), "a set with a name that is longer than a line": (0.4, None, None)}),
    DotSeries("baseline", {"cats": (0.6, 0.5, 0.7)}, quiet=True),
]

DRAWINGS = {
    "interval_dots": lambda out, theme: interval_dots(
        list(SERIES[0].figures), SERIES, out, title="Told apart", label="AUROC", chance=0.5, theme=theme
    ),
    "value_grid": lambda out, theme: value_grid(
        ["cats", "dogs"],
        ["as they are", "resize=0.5,jpeg=60"],
        [[0.9, 0.2], [None, 0.5]],
        out,
        title="One",
        theme=theme,
    ),
    "confusion": lambda out, theme: confusion_matrix([[5, 1], [2, 9]], out, theme=theme),
    "roc": lambda out, theme: roc_curve(PROBABILITY, IS_AI, out, theme=theme),
    "precision_recall": lambda out, theme: precision_recall_curve(PROBABILITY, IS_AI, out, theme=theme),
    "reliability": lambda out, theme: reliability_diagram(PROBABILITY, IS_AI, out, theme=theme),
    "scores": lambda out, theme: score_histogram(
        PROBABILITY, IS_AI, out, threshold_human=0.2, threshold_ai=0.9, theme=theme
    ),
}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("name", DRAWINGS)
def test_a_plot_is_drawn_on_its_theme_s_background(tmp_path, name, theme):
    drawn = pixels_of(DRAWINGS[name](tmp_path / "deep" / f"{name}.png", theme))
    assert (drawn[0, 0] == hexadecimal(theme.background)).all()
    assert drawn.std() > 5


def test_perfect_constant_and_single_scores_are_drawn_too(tmp_path):
    for scores, labels in (([0.0, 1.0], [0, 1]), ([0.5] * 4, [1, 0, 1, 0]), ([0.7, 0.7], [1, 0])):
        for draw in (roc_curve, precision_recall_curve, reliability_diagram):
            assert draw(np.array(scores), np.array(labels, bool), tmp_path / "plot.png").stat().st_size > 5000


def test_curves_show_epochs_and_tolerate_gaps(tmp_path):
    table = tmp_path / "metrics.csv"
    table.write_text("epoch,train_loss,train_accuracy,val_loss,val_accuracy,val_auroc\n1,0.7,0.5,0.6,0.6,\n2,0.5,,,,\n")
    assert [path.name for path in training_curves(table, tmp_path)] == ["loss.png", "accuracy.png"]
    table.write_text("epoch,train_loss\n")
    with pytest.raises(DataError, match="no epochs"):
        training_curves(table, tmp_path)


@pytest.mark.parametrize("count", [0, 1, 7, 40])
def test_a_sheet_shows_every_picture(tmp_path, count):
    colour = [250, 0, 250]
    tiles = [Tile(np.full((32, 32, 3), colour, np.uint8), f"{number}.png\n32 × 32") for number in range(count)]
    drawn = pixels_of(picture_sheet([("human", tiles), ("ai", [])], tmp_path / "sheet.png", title="Examples"))
    shown = (drawn == colour).all(-1).sum()
    assert shown % max(count, 1) == 0
    assert shown >= count * 32 * 32


def test_plots_can_be_drawn_from_several_threads(tmp_path):
    threads = [
        threading.Thread(target=DRAWINGS["roc"], args=(tmp_path / f"{number}.png", LIGHT)) for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    drawn = [pixels_of(tmp_path / f"{number}.png") for number in range(4)]
    assert all((one == drawn[0]).all() for one in drawn)
