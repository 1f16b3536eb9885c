"""Sentences of the report claim no more than the figures allow, and the page gives no folders away."""

import json
import shutil
from dataclasses import replace

import polars as pl
import pytest
from pptx import Presentation

import madeby
from madeby.reporting.judging.comparison import judge_pairs
from madeby.reporting.judging.conclusions import elsewhere, limits, robustness
from madeby.reporting.judging.data import generators
from madeby.reporting.judging.results import finding, judge_groups, judge_results, judge_verdicts
from madeby.reporting.judging.training import judge_tuning
from madeby.reporting.material import Placed
from madeby.reporting.page import commands, render_page
from madeby.reporting.reading import Given, read_runs
from madeby.reporting.words import percent
from madeby.training.tuning.records import Plan, TrialRow, Tuning
from madeby.training.tuning.space import parse_space


@pytest.fixture
def run(trained):
    (run,) = read_runs([trained / "first"], Given())
    return run


def changed(measured, **figures):
    return replace(measured, metrics=measured.metrics.model_copy(update=figures))


def said(judgements):
    return " ".join(one.text for one in judgements)


def test_a_handful_of_other_pictures_is_never_better_or_worse(run):
    perfect = {"auroc": 1.0, "intervals": run.main.metrics.intervals | {"auroc": (1.0, 1.0)}}
    worse = changed(run.main, auroc=0.7, intervals=run.main.metrics.intervals | {"auroc": (0.6, 0.8)})
    few = changed(run.main, n=3, n_human=2, n_ai=1, **perfect)
    many = changed(run.main, split="test", **perfect)
    run = replace(run, evaluations=(worse, few, many))
    assert elsewhere(run, few).tone == "open"
    assert "2 human and 1 AI pictures are too few to compare" in elsewhere(run, few).text
    assert "does better" in elsewhere(run, many).text
    own = changed(many, split="val")
    assert "which the run learnt from or was chosen by" in elsewhere(run, own).text


def test_without_intervals_no_group_is_cleared(run):
    assert judge_groups(run.main)
    blind = changed(run.main, intervals=dict.fromkeys(run.main.metrics.intervals))
    assert judge_groups(blind) == []


def test_predictions_that_are_none_are_refused_without_a_traceback(home):
    file = home / "first" / "test" / "predictions.parquet"
    table = pl.read_parquet(file)
    for broken in (
        table.with_columns(pl.lit(None, pl.Float64).alias("probability")),
        table.with_columns(pl.lit("x").alias("probability")),
        table.with_columns(pl.lit("dog").alias("label")),
    ):
        broken.write_parquet(file)
        made = madeby.report(home / "first", home / "report.html", slides=home / "deck.pptx")
        assert any("labels or probabilities that are none" in gap for gap in made.gaps)


def test_chance_in_the_validation_pictures_counts_as_well(run):
    best = max(row.val_accuracy for row in run.epochs)
    narrow = run.main.metrics.intervals | {"accuracy": (best - 0.011, best - 0.009)}
    close = changed(run.main, accuracy=best - 0.01, intervals=narrow)
    assert "by no more than chance explains" in said(judge_results(close, run))
    far = changed(run.main, accuracy=best / 4, n=4000)
    assert "by more than chance explains" in said(judge_results(far, run))


def test_no_mistake_seen_is_not_no_mistake(run):
    perfect = changed(run.main, accuracy=1.0, intervals=run.main.metrics.intervals | {"accuracy": (1.0, 1.0)})
    assert "among 120 pictures up to 3.1% of mistakes can hide" in said(judge_results(perfect, run))
    assert (percent(0.99996), percent(0.00002), percent(1.0), percent(0.0)) == ("99.9960%", "0.0020%", "100.0%", "0.0%")


def test_verdicts_that_are_all_wrong_are_said_to_be(run):
    wrong = run.main.metrics.abstention.model_copy(update={"accuracy_decided": 0.0})
    assert "0.0% of those are right" in said(judge_verdicts(changed(run.main, abstention=wrong), run))


def test_a_wide_interval_is_no_proof_of_guessing(run):
    wide = changed(run.main, auroc=0.7, intervals=run.main.metrics.intervals | {"auroc": (0.4, 0.9)})
    assert finding(wide) == "On tiny the detector cannot be told from guessing"


def test_generators_are_told_only_where_every_ai_picture_names_its_own(run):
    assert generators(run.main) == ["gen-0", "gen-1"]
    one = {"generator": {"gen-0": run.main.metrics.by["generator"]["gen-0"]}}
    partly = replace(run, evaluations=(changed(run.main, by=one),))
    assert generators(partly.main) == []
    assert "All AI pictures measured come from" not in said(limits(partly))


def test_sets_that_may_hold_changed_copies_are_not_denied(run):
    assert "was not measured" in " ".join(robustness(run))
    more = replace(run, evaluations=(run.main, changed(run.main, data="copies.parquet", manifest_sha256="1" * 64)))
    assert "not recorded" in " ".join(robustness(more))
    assert "Robustness was not measured" not in render_page([more], "madeby report")


def test_changed_pictures_are_set_against_the_same_pictures_as_they_are(run):
    worse = changed(run.main, degradation="jpeg=60", auroc=run.main.metrics.auroc - 0.25)
    (told,) = robustness(replace(run, evaluations=(run.main, worse)))
    assert told.startswith("After jpeg=60 the accuracy is")
    assert f"the AUROC is {worse.metrics.auroc:.4f}" in told and "unchanged" in told
    (alone,) = robustness(replace(run, evaluations=(worse,)))
    assert "cannot be told" in alone
    page = render_page([replace(run, evaluations=(run.main, worse))], "madeby report")
    assert "After jpeg=60 the accuracy" in page and "after jpeg=60" in page and "--degrade jpeg=60" in page
    assert "Robustness was not measured" not in page


def test_what_stands_in_other_data_s_train_says_nothing_of_this_run(run):
    own = changed(run.main, repeats=0)
    assert "None of the pictures stands in train" in said(judge_results(own, run))
    foreign = changed(own, manifest_sha256="1" * 64)
    assert "stands in train" not in said(judge_results(foreign, run))


def test_the_command_of_an_evaluation_repeats_its_intervals(home):
    madeby.evaluate(home / "first", home / "tiny.parquet", home / "first" / "again", bootstrap=20, seed=7)
    (run,) = read_runs([home / "first"], Given())
    assert "--bootstrap 20 --seed 7 -o again" in " ".join(commands(run))


def test_mirror_images_never_lead_and_are_named(home):
    shutil.copytree(home / "first" / "test", home / "first" / "flipped")
    file = home / "first" / "flipped" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"flips": True}))
    (run,) = read_runs([home / "first"], Given())
    assert [one.title for one in run.evaluations] == ["tiny (test)", "tiny (test, with mirror images)"]


def test_trials_as_accurate_as_the_best_are_counted_and_choice_flatters(run):
    plan = Plan(
        space=parse_space({"learning_rate": [1e-3, 1e-4, 1e-5]}, "cifake-notebook", {}),
        recipe={"epochs": 1},
        manifest_sha256=run.manifest_sha256,
        **{"monitor": "val_loss", "mode": "min", "sampler": "grid", "pruner": "none", "seed": 0},
    )
    rows = [
        TrialRow(number=at, state="complete", parameters={"learning_rate": rate}, value=loss, val_accuracy=accuracy)
        for at, (rate, loss, accuracy) in enumerate(((1e-3, 0.3, 0.6), (1e-4, 0.4, 0.95), (1e-5, 0.7, 0.2)))
    ]
    study = Tuning(study="tuning", plan=plan, target=3, trials=rows, importance={"learning_rate": 1.0})
    told = said(judge_tuning(Placed(run.folder, study), run))
    assert "1 other trial has a validation accuracy within one standard error of the best" in told
    assert "flattered by the choice" in told
    assert "explains most" not in told  # the only field there is


def test_many_comparisons_are_owned_up_to(home):
    folders = [home / "first"]
    for name in ("second", "third"):
        folders.append(shutil.copytree(home / "first", home / name))
    told = judge_pairs(read_runs(folders, Given()))
    assert len(told) == 4
    assert "some differ by chance" in told[-1].text


def test_same_names_are_not_the_same_pictures(home):
    shutil.copytree(home / "first", home / "second")
    file = home / "second" / "test" / "metrics.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"manifest_sha256": "1" * 64}))
    made = madeby.report([home / "first", home / "second"], home / "both.html", slides=home / "both.pptx")
    assert "measured on different pictures" in made.page.read_text()
    titles = [slide.shapes.title.text_frame.text for slide in Presentation(str(made.slides)).slides]
    assert "The curves stand for different pictures: each tells of its own set" in titles


def test_the_page_names_files_and_never_their_folders(home, run):
    file = home / "first" / "environment.json"
    command = f"madeby tune --data {home}/tiny.parquet --storage postgresql://ada:s3cret@host/db"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"command": command}))
    (home / "first" / "broken").mkdir()
    (home / "first" / "broken" / "metrics.json").write_text("{}")
    made = madeby.report(home / "first", home / "report.html")
    text = made.page.read_text()
    assert str(home) not in text
    assert "s3cret" not in text
    assert "broken/metrics.json is not an evaluation" in text
    assert "madeby tune --data tiny.parquet" in text
    assert commands(replace(run, environment=None))


def test_an_analysis_is_shown_with_its_caveats_if_it_is_about_this_model(home):
    madeby.analyze(home / "first" / "test", home / "first" / "shared", content_model="none", threads=1)
    file = home / "first" / "shared" / "analysis.json"
    record = json.loads(file.read_text())
    record["notes"] = ["40 pictures could not be read"]
    file.write_text(json.dumps(record))
    for plot in (home / "first" / "shared").glob("*.png"):
        plot.write_bytes(b"no picture")
    madeby.report(home / "first", home / "report.html")
    text = (home / "report.html").read_text()
    assert "40 pictures could not be read." in text
    assert "of tiny.parquet.</p>" in text
    record["model"]["sha256"] = "0" * 64
    file.write_text(json.dumps(record))
    made = madeby.report(home / "first", home / "report.html")
    assert any("shared is about an earlier model" in gap for gap in made.gaps)
    assert "40 pictures could not be read." not in (home / "report.html").read_text()
