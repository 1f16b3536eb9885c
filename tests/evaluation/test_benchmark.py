"""The benchmark keeps every detector's row apart, goes on where it stopped, and says what it cannot."""

import csv
import json
import sys

import numpy as np
import polars as pl
import pytest
from PIL import Image
from typer.testing import CliRunner

import madeby
from madeby import BundleError, DataError, RecipeError
from madeby.cli.app import app
from madeby.datasets.manifest import COLUMNS, manifest_sha256, read_manifest, write_manifest
from madeby.detector.bundle import Bundle, Training
from madeby.evaluation.benchmarking.ladder import ALL, ladder
from madeby.evaluation.benchmarking.pictures import open_data
from madeby.evaluation.benchmarking.scores import Answer, ScoreFile
from madeby.evaluation.metrics import measure
from madeby.pictures.degradations import degradations

PLUGIN = """
import json, sys
from PIL import Image, ImageStat
print(json.dumps({"version": "7", "ai": 0.5, "human": 0.4}), flush=True)
for line in sys.stdin:
    with Image.open(line.rstrip("\\n")) as image:
        print(1 - ImageStat.Stat(image.convert("L")).mean[0] / 255, flush=True)
"""


def write_pictures(folder, plan, seed=0):
    """A manifest of flat pictures; ``plan`` are (collection, label, generator, count, mean brightness)."""
    rng, rows = np.random.default_rng(seed), []
    folder.mkdir(parents=True)
    for collection, label, generator, count, mean in plan:
        for _ in range(count):
            path = folder / f"{len(rows):03}.png"
            Image.fromarray(np.full((40, 40, 3), np.clip(rng.normal(mean, 40), 0, 255), np.uint8)).save(path)
            row = {"path": str(path), "label": label, "split": "test", "generator": generator, "collection": collection}
            rows.append(dict.fromkeys(COLUMNS) | row)
    manifest = folder.parent / f"{folder.name}.parquet"
    write_manifest(pl.DataFrame(rows, schema=COLUMNS), manifest)
    return manifest


MIXED = [
    ("photos", "human", None, 24, 80),
    ("snaps", "human", None, 20, 110),
    ("prompts", "ai", "gen-a", 22, 170),
    ("arena", "ai", "gen-b", 12, 150),
    ("arena", "human", None, 12, 90),
]


@pytest.fixture
def manifest(tmp_path):
    return write_pictures(tmp_path / "mixed", MIXED)


@pytest.fixture
def bundle(make_bundle):
    return make_bundle(view="resize", size=32, crops=1)


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "inverse.py"
    path.write_text(PLUGIN)
    return f"process:{sys.executable} {path}"


def rows_of(found, **wanted):
    return [row for row in found.rows if all(getattr(row, name) == value for name, value in wanted.items())]


def test_a_benchmark_sets_detectors_side_by_side(manifest, bundle, plugin, tmp_path):
    out = tmp_path / "out"
    seen = []
    found = madeby.benchmark(
        manifest,
        out,
        detectors=[bundle.folder, f"inverse={plugin}"],
        degrade=["jpeg=30", "resize=0.5,noise=40"],
        bootstrap=40,
        progress=lambda what, done, total: seen.append((what, done / total)),
    )
    assert [one.name for one in found.detectors] == ["brightness", "inverse", "file facts", "content"]
    assert found.degradations == ("", "jpeg=30", "resize=0.5,noise=40")
    sets = {(row.scope, row.value) for row in found.rows}
    assert sets == {
        ("all", "all"),
        *(("collection", name) for name in ("photos", "snaps", "prompts", "arena")),
        *(("generator", name) for name in ("gen-a", "gen-b")),
    }
    for name, own in (("brightness", 3), ("inverse", 3), ("content", 1)):
        assert len(rows_of(found, detector=name)) == own * len(sets)
    (ours,), (theirs,) = (
        rows_of(found, detector=name, scope="all", degradation="") for name in ("brightness", "inverse")
    )
    assert ours.auroc.value > 0.8
    assert theirs.auroc.value == pytest.approx(1 - ours.auroc.value)
    assert ours.auroc.low < ours.auroc.value < ours.auroc.high
    assert {what for what, _ in seen} == {"asking detectors", "fitting baselines", "measuring"}
    assert max(share for _, share in seen) == 1.0
    written = {path.name for path in out.iterdir()}
    assert written == {"benchmark.json", "benchmark.csv", "benchmark.html", "plots", "scores"}
    plots = {path.stem for path in (out / "plots").iterdir()}
    assert {"mixed-auroc", "mixed-auroc-dark", "mixed-real-accuracy", "mixed-degradations-inverse"} <= plots
    with (out / "benchmark.csv").open() as file:
        table = list(csv.DictReader(file))
    assert len(table) == len(found.rows)
    assert float(table[0]["auroc"]) == pytest.approx(found.rows[0].auroc.value, abs=1e-6)
    assert madeby.Benchmark.read(out) == found


def test_figures_are_those_of_evaluate(manifest, bundle, tmp_path):
    metrics = madeby.evaluate(bundle.folder, manifest, tmp_path / "ev", bootstrap=30).metrics
    found = madeby.benchmark(manifest, tmp_path / "out", detectors=[bundle.folder], degrade=["none"], bootstrap=30)
    (everything,) = rows_of(found, detector="brightness", scope="all")
    for name in ("auroc", "tpr_at_fpr_1", "tpr_at_fpr_5", "ece"):
        figure = getattr(everything, name)
        assert (figure.value, (figure.low, figure.high)) == (getattr(metrics, name), metrics.intervals[name])
    assert everything.coverage.value == metrics.abstention.coverage
    assert everything.accuracy_decided.value == metrics.abstention.accuracy_decided
    (generator,) = rows_of(found, detector="brightness", value="gen-a")
    assert generator.beside == "all human pictures"
    assert generator.auroc.value == metrics.by["generator"]["gen-a"].auroc
    (photos,) = rows_of(found, detector="brightness", value="photos")
    assert (photos.n_human, photos.n_ai, photos.beside, photos.ece) == (24, 0, "all ai pictures", None)
    assert photos.real_accuracy.value == pytest.approx(
        1 - metrics.by["collection"]["photos"].abstention.false_alarm_rate
    )
    assert photos.found is None


def test_a_drop_is_measured_on_the_same_pictures(manifest, bundle, tmp_path):
    found = madeby.benchmark(
        manifest, tmp_path / "out", detectors=[bundle.folder], degrade=["noise=200", "jpeg=95"], bootstrap=50
    )
    by_name = {row.degradation: row for row in rows_of(found, detector="brightness", scope="all")}
    assert by_name[""].auroc_drop is None
    for row in (by_name["noise=200"], by_name["jpeg=95"]):
        assert row.auroc_drop.value == pytest.approx(by_name[""].auroc.value - row.auroc.value)
        assert row.auroc_drop.low <= row.auroc_drop.value <= row.auroc_drop.high
    spread = by_name["jpeg=95"].auroc_drop.high - by_name["jpeg=95"].auroc_drop.low
    assert spread < by_name[""].auroc.high - by_name[""].auroc.low


def test_a_detector_that_fails_leaves_the_others_their_rows(manifest, bundle, plugin, tmp_path):
    broken = tmp_path / "broken.py"
    broken.write_text(PLUGIN.replace("import json", "import no_such_package, json"))
    late = tmp_path / "late.py"
    late.write_text(
        PLUGIN.replace("for line in sys.stdin:", "for at, line in enumerate(sys.stdin):\n    1 / (at < 95)")
    )
    found = madeby.benchmark(
        manifest,
        tmp_path / "out",
        detectors=[
            f"process:{sys.executable} {broken}",
            "absent=process:/no/such/program",
            f"process:{sys.executable} {late}",
            bundle.folder,
            f"inverse={plugin}",
        ],
        degrade=["jpeg=30"],
        baselines=False,
        bootstrap=0,
    )
    failed = {one.detector: (one.degradation, one.reason) for one in found.failures}
    assert "no_such_package" in failed["broken"][1]
    assert "cannot be started" in failed["absent"][1]
    assert "late" not in failed  # it is started anew at the picture it died at
    assert {row.detector for row in found.rows} == {"late", "brightness", "inverse"}
    assert (tmp_path / "out" / "benchmark.html").read_text().count("No module named") == 1


def test_no_detector_at_all_is_an_error_that_names_the_reason(manifest, tmp_path):
    with pytest.raises(DataError, match="cannot be started"):
        madeby.benchmark(manifest, tmp_path / "out", detectors=["process:/no/such/program"])
    assert not (tmp_path / "out" / "benchmark.json").exists()


def test_an_interrupted_benchmark_goes_on_where_it_stopped(manifest, bundle, tmp_path):
    counter = tmp_path / "asked"
    code = PLUGIN.replace("    with", f"    open({str(counter)!r}, 'a').write('.')\n    with", 1)
    (tmp_path / "counting.py").write_text(code)
    out = tmp_path / "out"
    options = {"detectors": [f"process:{sys.executable} {tmp_path}/counting.py"], "baselines": False, "bootstrap": 0}

    class StoppedError(Exception):
        pass

    def stop(what, done, total):
        if done >= 40:
            raise StoppedError

    with pytest.raises(StoppedError):
        madeby.benchmark(manifest, out, degrade=["none"], progress=stop, **options)
    before = len(counter.read_text())
    assert 40 <= before < 90
    with pytest.raises(DataError, match="go on with --resume"):
        madeby.benchmark(manifest, out, degrade=["none"], **options)
    (file,) = (out / "scores").glob("*/*.jsonl")
    file.write_text(file.read_text() + '{"picture": "cut sh')
    resumed = madeby.benchmark(manifest, out, degrade=["none"], resume=True, **options)
    assert len(counter.read_text()) == 90
    fresh = madeby.benchmark(manifest, tmp_path / "fresh", degrade=["none"], **options)
    assert resumed.rows == fresh.rows
    madeby.benchmark(manifest, out, degrade=["jpeg=50"], resume=True, **options)
    assert len(counter.read_text()) == 90 + 90 + 90, "only the new degradation is asked about"


def test_scores_of_another_detector_seed_or_degradation_are_not_taken(tmp_path):
    with ScoreFile(tmp_path, "it", "aa", "jpeg=60", 0) as file:
        file.add("one", Answer(0.25, ms=1.0))
        file.add("two", Answer(None, "gone"))
    assert ScoreFile(tmp_path, "it", "aa", "jpeg=60", 0).answers == {"one": Answer(0.25, ms=1.0)}
    assert not ScoreFile(tmp_path, "it", "bb", "jpeg=60", 0).answers
    assert not ScoreFile(tmp_path, "it", "aa", "jpeg=60", 1).answers
    with ScoreFile(tmp_path, "it", "bb", "jpeg=60", 0) as file:
        file.add("three", Answer(0.5))
    assert not ScoreFile(tmp_path, "it", "aa", "jpeg=60", 0).answers


def test_pictures_that_cannot_be_read_are_named_and_stop_nothing(manifest, bundle, plugin, tmp_path):
    paths = read_manifest(manifest)["path"].to_list()
    (tmp_path / "mixed" / "000.png").unlink()
    (tmp_path / "mixed" / "050.png").write_bytes(b"no picture")
    found = madeby.benchmark(
        manifest, tmp_path / "out", detectors=[bundle.folder, f"inverse={plugin}"], degrade=["none"], bootstrap=0
    )
    for name in ("brightness", "inverse"):
        (everything,) = rows_of(found, detector=name, scope="all")
        assert (everything.n_human + everything.n_ai, everything.unread) == (len(paths) - 2, 2)
    assert {(detector, picture) for detector, picture, _ in found.unread_examples} == {
        (name, picture) for name in ("brightness", "inverse") for picture in ("000.png", "050.png")
    }
    (photos,) = rows_of(found, detector="content", value="photos")
    assert photos.unread == 1


@pytest.mark.parametrize("label", ["human", "ai"])
def test_one_label_alone_gives_what_can_be_told(manifest, bundle, tmp_path, label):
    write_manifest(read_manifest(manifest).filter(pl.col("label") == label), manifest)
    found = madeby.benchmark(manifest, tmp_path / "out", detectors=[bundle.folder], degrade=["jpeg=30"], bootstrap=10)
    assert all(row.auroc is None and row.ece is None and row.coverage is not None for row in found.rows)
    assert {row.real_accuracy is None for row in found.rows} == {label == "ai"}
    assert any("nothing can be said about telling the two apart" in note for note in found.notes)
    assert any("one class only" in note for note in found.notes)


def test_a_manifest_of_paths_and_labels_alone_is_enough(manifest, bundle, tmp_path):
    bare = tmp_path / "bare.csv"
    read_manifest(manifest).select("path", "label").head(5).write_csv(bare)
    found = madeby.benchmark(bare, tmp_path / "out", detectors=[bundle.folder], degrade=["none"], bootstrap=10)
    assert {(row.scope, row.value) for row in found.rows} == {("all", "all")}
    assert found.data[0].split == "all"
    assert any("names no collections" in note for note in found.notes)


def test_several_data_sets_stand_apart(manifest, bundle, tmp_path):
    other = write_pictures(tmp_path / "other", [("one", "human", None, 12, 90), ("one", "ai", "x", 12, 160)], seed=1)
    table = read_manifest(other)
    write_manifest(table.with_columns(split=pl.lit("val")), other)
    found = madeby.benchmark(
        [manifest, f"{other}:val"], tmp_path / "out", detectors=[bundle.folder], degrade=["none"], bootstrap=0
    )
    assert {row.data for row in found.rows} == {"mixed", "other"}
    lone = rows_of(found, data="other", detector="brightness", scope="collection")
    assert [row.value for row in lone] == ["one"]
    assert not rows_of(found, data="other", scope="all"), "a lone collection is all pictures"
    assert [(one.name, one.split) for one in found.data] == [("mixed", "test"), ("other", "val")]


def test_a_limit_is_kept_for_each_label_of_each_collection_and_does_not_depend_on_the_rest(manifest):
    chosen = open_data(manifest, "test", 5, 0).rows
    counts = chosen.group_by("collection", "label").len()
    assert counts["len"].to_list() == [5] * 5
    table = read_manifest(manifest)
    write_manifest(table.filter(pl.col("collection") != "photos"), manifest)
    rest = open_data(manifest, "test", 5, 0).rows
    assert rest["path"].to_list() == chosen.filter(pl.col("collection") != "photos")["path"].to_list()
    assert rest["path"].to_list() != open_data(manifest, "test", 5, 1).rows["path"].to_list()


@pytest.mark.parametrize(
    ("detectors", "error", "words"),
    [
        (["wild-light"], BundleError, "wild-lite"),
        (["a.onnx"], DataError, "no ONNX file"),
        (["a.yaml"], DataError, "spec of a classifier"),
        (["one=process:x", "one=process:y"], DataError, "two detectors are called 'one'"),
        (["content=process:x"], DataError, "two detectors are called 'content'"),
        (["process:'x"], madeby.MadebyError, "cannot be read as a command"),
    ],
)
def test_a_detector_that_means_nothing_is_told_before_any_picture_is_read(manifest, tmp_path, detectors, error, words):
    with pytest.raises(error, match=words):
        madeby.benchmark(manifest, tmp_path / "out", detectors=detectors)
    assert not (tmp_path / "out").exists()


def test_the_ladder_begins_with_pictures_as_they_are_and_names_every_degradation():
    assert [chain.text for chain in ladder([])] == ["", "jpeg=60", "resize=0.5", "web", "hard"]
    assert [chain.text for chain in ladder(["none"])] == [""]
    assert [chain.text for chain in ladder(["web", "web=60", "resize=0.5, jpeg=60"])] == [
        "",
        "web",
        "resize=0.5,jpeg=60",
    ]
    everything = ladder(["all"])
    assert len(everything) == len(ALL) + 1
    assert {entry.name for chain in everything for entry, _ in chain.steps} == {
        entry.name for entry in degradations()
    } - {"fit"}
    with pytest.raises(RecipeError, match="names nothing"):
        ladder([","])
    with pytest.raises(RecipeError, match="quality"):
        ladder(["web=200"])


def test_measures_are_shared_by_sets_that_are_the_same_pictures(manifest, bundle, tmp_path, monkeypatch):
    calls = []
    from madeby.evaluation.benchmarking import table

    monkeypatch.setattr(table, "measure", lambda *given, **named: calls.append(1) or measure(*given, **named))
    found = madeby.benchmark(
        manifest, tmp_path / "out", detectors=[bundle.folder], degrade=["none"], baselines=False, bootstrap=0
    )
    assert len(calls) < 2 * len(found.rows)
    prompts, generator = (rows_of(found, value=name)[0] for name in ("prompts", "gen-a"))
    assert prompts.auroc == generator.auroc


def test_the_command_prints_the_table_and_says_who_failed(manifest, bundle, tmp_path):
    given = ["benchmark", "--data", str(manifest), "-o", str(tmp_path / "out"), "--detector", str(bundle.folder)]
    given += ["--detector", "peer=process:/no/such/program", "--degrade", "web", "--bootstrap", "20", "--limit", "8"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.output
    assert "photos (collection)" in done.output
    assert "not answered: peer: program cannot be started: No such file" in done.output
    record = json.loads((tmp_path / "out" / "benchmark.json").read_text())
    assert record["command"] == (
        "madeby benchmark --data mixed.parquet --detector brightness --detector peer=process:program "
        "--degrade web --limit 8 --bootstrap 20"
    )
    assert str(tmp_path) not in json.dumps(record["command"])


def test_a_detector_that_has_learnt_from_the_pictures_is_named(bundle, manifest, tmp_path):
    table = read_manifest(manifest).with_columns(pl.lit("train").alias("split"))
    write_manifest(table, manifest)
    training = Training(manifest_sha256=manifest_sha256(table))
    Bundle(bundle.folder, bundle.spec.model_copy(update={"training": training})).write_spec()
    asked = {"detectors": [bundle.folder], "degrade": ["none"], "baselines": False, "bootstrap": 0, "limit": 3}
    found = madeby.benchmark(f"{manifest}:all", tmp_path / "bench", **asked)
    assert any("brightness has learnt from these very pictures (train)" in note for note in found.notes)
    write_manifest(table.with_columns(pl.lit("test").alias("split")), manifest)
    found = madeby.benchmark(manifest, tmp_path / "other", **asked)
    assert not any("has learnt" in note for note in found.notes)
