"""The report says what metrics.json says, in one file, and says so where it cannot tell."""

import json
import re
import shutil
from html.parser import HTMLParser

import polars as pl
import pytest
from pptx import Presentation
from typer.testing import CliRunner

import madeby
from madeby.cli.app import app
from madeby.errors import DataError
from madeby.reporting.judging.comparison import judge_pairs
from madeby.reporting.reading import Given, read_runs
from madeby.reporting.words import number
from madeby.training.tuning.records import Plan, TrialRow, Tuning
from madeby.training.tuning.space import parse_space


class Page(HTMLParser):
    """What a reader of the page gets: text, figures of tables, headings, and addresses it would load."""

    def __init__(self, text):
        super().__init__()
        self.words, self.cells, self.tiles, self.addresses, self.ids, self.headings = [], {}, {}, [], set(), []
        self._into = self._heading = None
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.addresses += [known[name] for name in ("src", "href", "srcset") if known.get(name)]
        self.ids |= {known["id"]} if "id" in known else set()
        self._heading = tag in {"h1", "h2", "h3"}
        self._into = None
        if "data-figure" in known:
            self._into = (self.cells, (known["data-run"], known["data-figure"]), known["data-value"])
        if "data-tile" in known:
            self._into = (self.tiles, known["data-tile"], None)

    def handle_data(self, data):
        self.words.append(data)
        if self._heading and data.strip():
            self.headings.append(data.strip())
        if self._into and data.strip():
            where, key, value = self._into
            where[key] = (value, data.strip())
            self._into = None


def slides_of(path):
    """Title and all text of each slide, tables and charts included."""
    told = []
    for slide in Presentation(str(path)).slides:
        words = []
        for shape in slide.shapes:
            if shape.has_text_frame:
                words.append(shape.text_frame.text)
            if shape.has_table:
                words += [cell.text for row in shape.table.rows for cell in row.cells]
        told.append((slide.shapes.title.text_frame.text, " ".join(words)))
    return told


@pytest.fixture(scope="session")
def made(trained):
    made = madeby.report(trained / "first", trained / "report.html", slides=trained / "deck.pptx")
    return Page(made.page.read_text()), slides_of(made.slides), made


def metrics_of(folder):
    return json.loads((folder / "metrics.json").read_text())


def test_the_page_s_figures_are_those_of_metrics_json(made, trained):
    page, _, _ = made
    metrics = metrics_of(trained / "first" / "test")
    shown = {figure: value for (run, figure), value in page.cells.items() if run == "first"}
    assert {"accuracy", "auroc", "tpr_at_fpr_1", "recall_ai", "ece", "brier", "nll"} <= set(shown)
    for figure, (exact, words) in shown.items():
        assert float(exact) == metrics[figure]
        assert words == number(figure, metrics[figure])
    for figure, (_, words) in page.tiles.items():
        assert words == number(figure, metrics[figure])
    for low, high in (metrics["intervals"][figure] for figure in ("accuracy", "auroc")):
        assert f"{low:.4f}" in page.text or f"{low:.1%}" in page.text
        assert f"{high:.4f}" in page.text or f"{high:.1%}" in page.text or f"{high:.2%}" in page.text


def test_the_slides_figures_are_those_of_metrics_json(made, trained):
    _, slides, _ = made
    metrics = metrics_of(trained / "first" / "test")
    results = next(text for _, text in slides if "95% interval" in text)
    for figure in ("accuracy", "auroc", "average_precision", "tpr_at_fpr_1", "recall_ai", "ece"):
        assert number(figure, metrics[figure]) in results
    for row in metrics["confusion"]:
        assert all(f"{count:,}" in results for count in row)


def test_the_page_needs_nothing_else_and_is_small(made):
    page, _, report = made
    assert all(address.startswith(("data:image/", "#")) for address in page.addresses)
    assert "<script" not in report.page.read_text()
    assert "url(" not in report.page.read_text()
    assert report.page.stat().st_size < 3_000_000
    assert {address[1:] for address in page.addresses if address.startswith("#")} <= page.ids


def test_the_page_tells_the_whole_story(made):
    page, _, _ = made
    told = {heading.split(":")[0] for heading in page.headings}
    assert told >= {
        *("In short", "Data", "Network and recipe", "Training", "Search over recipes", "Results"),
        *("Calibration and verdicts", "Other pictures and robustness", "What the mistakes share"),
        *("The surest mistakes", "Limits and next steps", "How to repeat it"),
    }
    for said in ("Robustness was not measured", "No search over recipes", "was not studied", "Audit of tiny.parquet"):
        assert said in page.text
    assert "madeby evaluate first --data tiny.parquet --split test" in page.text


def test_the_deck_has_slides_with_titles_that_say_something_and_numbers(made):
    _, slides, _ = made
    titles = [title for title, _ in slides]
    assert 10 <= len(slides) <= 14
    assert len(set(titles)) == len(titles)
    assert all(len(title) > 15 for title in titles)
    for place, (_, text) in enumerate(slides[1:], start=2):
        assert text.endswith(str(place)) or f" {place} " in f"{text} " or place == 1


def test_nothing_leaves_its_slide(trained, made):
    deck = Presentation(str(made[2].slides))
    for slide in deck.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.top >= 0
            assert shape.left + shape.width <= deck.slide_width
            assert shape.top + shape.height <= deck.slide_height


def test_two_runs_side_by_side_that_answer_alike_cannot_be_told_apart(home):
    shutil.copytree(home / "first", home / "second")
    made = madeby.report([home / "first", home / "second"], home / "both.html", slides=home / "both.pptx")
    page, slides = Page(made.page.read_text()), slides_of(made.slides)
    assert "They cannot be told apart." in page.text
    assert {run for run, _ in page.cells} == {"first", "second"}
    assert 10 <= len(slides) <= 14
    assert "first and second side by side" in slides[0][0]


def test_a_better_run_on_the_same_pictures_is_named(home):
    shutil.copytree(home / "first", home / "guessing")
    table = pl.read_parquet(home / "guessing" / "test" / "predictions.parquet")
    shuffled = table.with_columns(probability=1 - table["probability"])
    shuffled.write_parquet(home / "guessing" / "test" / "predictions.parquet")
    (said,) = judge_pairs(read_runs([home / "guessing", home / "first"], Given()))
    assert said.text.startswith("On the same pictures, guessing against first")
    assert said.text.endswith("first is better.")


def test_a_run_that_was_not_evaluated_is_told_as_far_as_it_goes(home):
    shutil.rmtree(home / "first" / "test")
    (home / "first" / "audit.json").unlink()
    made = madeby.report(home / "first", home / "report.html", slides=home / "deck.pptx")
    page = Page(made.page.read_text())
    assert made.gaps == ("first: not evaluated",)
    for said in ("The run was not evaluated", "was not audited", "validation accuracy"):
        assert said in page.text
    assert 10 <= len(slides_of(made.slides)) <= 14


def test_one_class_or_three_pictures_are_reported_without_pretending(home, trained):
    table = pl.read_parquet(home / "tiny.parquet")
    human = table.filter((pl.col("label") == "human") & (pl.col("split") == "test")).head(3)
    human.write_parquet(home / "human.parquet")
    three = pl.concat([human.head(2), table.filter((pl.col("label") == "ai") & (pl.col("split") == "test")).head(1)])
    three.write_parquet(home / "three.parquet")
    shutil.rmtree(home / "first" / "test")
    for name, said in (("human", "Only human pictures were measured"), ("three", "only large differences can be seen")):
        madeby.evaluate(home / "first", home / f"{name}.parquet", home / name, bootstrap=20)
        made = madeby.report(home / "first", home / "report.html", slides=home / "deck.pptx", evaluation=home / name)
        assert said in Page(made.page.read_text()).text
        assert slides_of(made.slides)


def test_pictures_and_predictions_that_are_gone_leave_a_note(home):
    paths = pl.read_parquet(home / "first" / "test" / "predictions.parquet")["path"]
    moved = pl.read_parquet(home / "first" / "test" / "predictions.parquet").with_columns(path="gone/" + paths)
    moved.write_parquet(home / "first" / "test" / "predictions.parquet")
    madeby.report(home / "first", home / "report.html")
    assert "no longer where they were measured" in Page((home / "report.html").read_text()).text
    (home / "first" / "test" / "predictions.parquet").unlink()
    madeby.report(home / "first", home / "report.html", slides=home / "deck.pptx")
    assert "predictions.parquet is missing" in Page((home / "report.html").read_text()).text


def test_what_cannot_be_used_is_refused_by_name(home):
    (home / "empty").mkdir()
    (home / "noise.json").write_text("{}")
    other = metrics_of(home / "first" / "test")
    other["model"]["sha256"] = "0" * 64
    (home / "other").mkdir()
    (home / "other" / "metrics.json").write_text(json.dumps(other))
    for arguments, more, message in (
        ([home / "nowhere"], {}, "nowhere does not exist"),
        ([home / "empty"], {}, "empty is not a run's folder"),
        ([], {}, "name a run's folder"),
        ([home / "first", home / "first"], {}, "named twice"),
        ([home / "first"], {"evaluation": home / "empty"}, "holds no metrics.json"),
        ([home / "first"], {"evaluation": home / "other"}, "none of the runs'"),
        ([home / "first"], {"audit": home / "noise.json"}, "noise.json is not an audit"),
        ([home / "first"], {"tuning": home / "empty"}, "holds no tuning.json"),
        ([home / "first"], {"analysis": home / "empty"}, "holds no analysis.json"),
        ([home / "first"], {"slides": home / "empty"}, "it is a folder"),
    ):
        with pytest.raises(DataError, match=re.escape(message)):
            madeby.report(arguments, home / "refused.html", **more)
    assert not (home / "refused.html").exists()


def test_damaged_results_inside_a_run_are_left_out_and_named(home):
    (home / "first" / "test" / "metrics.json").write_text('{"n": 3}')
    made = madeby.report(home / "first", home / "report.html")
    assert any("metrics.json is not an evaluation" in gap for gap in made.gaps)
    (home / "first" / "metrics.csv").write_text("epoch,train_loss\n1,a\n")
    with pytest.raises(DataError, match=r"metrics\.csv is damaged"):
        madeby.report(home / "first", home / "report.html")


def test_names_from_data_cannot_put_markup_into_the_page(home):
    metrics = metrics_of(home / "first" / "test")
    metrics["by"]["generator"] = {
        "<script>alert(1)</script>": metrics["by"]["generator"]["gen-0"],
        "b": metrics["by"]["generator"]["gen-1"],
    }
    (home / "first" / "test" / "metrics.json").write_text(json.dumps(metrics))
    (home / "first" / "test" / "predictions.parquet").unlink()
    madeby.report(home / "first", home / "report.html")
    text = (home / "report.html").read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_study_is_shown_with_its_table(home):
    plan = Plan(
        space=parse_space({"learning_rate": [1e-3, 1e-5]}, "cifake-notebook", {}),
        recipe={"epochs": 1},
        manifest_sha256=json.loads((home / "first" / "manifest.json").read_text())["sha256"],
        **{"monitor": "val_loss", "mode": "min", "sampler": "grid", "pruner": "none", "seed": 0},
    )
    rows = [
        TrialRow(
            number=place,
            state="complete",
            parameters={"learning_rate": rate},
            value=loss,
            val_accuracy=accuracy,
            best_epoch=1,
            epochs=1,
            val_loss=loss,
            val_auroc=0.9,
        )
        for place, (rate, loss, accuracy) in enumerate(((0.0012345678, 0.31, 0.85), (1e-5, 0.69, 0.5)))
    ]
    study = Tuning(study="tuning", plan=plan, target=2, trials=rows, importance={})
    shutil.rmtree(home / "first" / "test")
    (home / "first" / "tuning.json").write_text(study.to_json())
    madeby.report(home / "first", home / "report.html", slides=home / "deck.pptx")
    page = Page((home / "report.html").read_text())
    assert (
        "Of 2 trials, 2 were seen through; trial 0 is the best by val_loss (0.3100): learning_rate 0.001235."
        in page.text
    )
    assert "0.0012345" not in page.text
    assert "No other trial comes within one standard error" in page.text
    assert any(
        "Of 2 configurations, learning_rate 0.001235 did best" in title for title, _ in slides_of(home / "deck.pptx")
    )


def test_the_terminal_says_what_was_written(home):
    shutil.rmtree(home / "first" / "test")
    result = CliRunner().invoke(app, ["report", str(home / "first"), "-o", str(home / "page.html")])
    assert result.exit_code == 0, result.output
    assert "page.html" in result.output
    assert "first: not evaluated" in result.output
    assert (home / "page.html").is_file()
