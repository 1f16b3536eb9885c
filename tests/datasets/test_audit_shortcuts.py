import numpy as np
import pytest
from PIL import Image
from planted import Planted, scene
from sklearn.metrics import roc_auc_score

from madeby import data_align, data_audit
from madeby.datasets.audit.findings import Severity
from madeby.datasets.audit.shortcuts.auroc import auroc, chance_limit, interval
from madeby.datasets.audit.shortcuts.content import content_features
from madeby.datasets.audit.shortcuts.features import features_of
from madeby.datasets.audit.shortcuts.separation import separation

COUNT = 60


def shortcut(audit, name):
    return next(test for test in audit.shortcuts if test.name == name)


def line(audit, name):
    return next(found for found in audit.findings if found.check == f"shortcut: {name}")


@pytest.fixture
def planted(tmp_path):
    return Planted(tmp_path / "set")


def test_a_format_that_gives_the_class_away_is_named_and_aligning_mends_it(planted, tmp_path):
    for number in range(COUNT):
        planted.add(f"h{number}.jpg", scene(number), "human", quality=96 + number % 4, subsampling=0)
        planted.add(f"a{number}.png", scene(1000 + number), "ai")
    manifest = planted.manifest()
    before = data_audit(manifest)
    found = shortcut(before, "file facts")
    assert found.auroc > 0.98 and found.low > 0.9 and found.chance_high < 0.65
    assert {carrier.fact for carrier in found.carriers} & {"format", "JPEG quality", "quantisation tables"}
    assert found.carriers[0].alone > 0.98
    assert line(before, "file facts").severity is Severity.SERIOUS
    assert "file facts alone separate the classes with AUROC 1.00" in line(before, "file facts").line
    assert "data align" in line(before, "file facts").remedy
    # What the scenes show and their colours are drawn alike.
    assert line(before, "content").severity is line(before, "colour").severity is Severity.FINE

    aligned = data_align(manifest, tmp_path / "aligned", size=64)
    after = shortcut(data_audit(aligned.manifest), "file facts")
    assert abs(after.auroc - 0.5) < 0.15
    assert after.low < 0.5 < after.high


def test_a_colour_that_gives_the_class_away_is_named(planted):
    for number in range(COUNT):
        warm = np.asarray(scene(number)).astype(np.int16) + np.asarray((25, 0, -25), np.int16)
        planted.add(f"h{number}.jpg", scene(2000 + number), "human", quality=90)
        planted.add(f"a{number}.jpg", Image.fromarray(np.clip(warm, 0, 255).astype(np.uint8)), "ai", quality=90)
    audit = data_audit(planted.manifest())
    found = shortcut(audit, "colour")
    assert found.auroc > 0.7 and "colour cast" in {carrier.fact for carrier in found.carriers}
    assert line(audit, "content").severity is Severity.FINE


def test_content_that_gives_the_class_away_is_named(planted):
    for number in range(COUNT):
        portrait = np.asarray(scene(number, 96, 96)).copy()
        rows, columns = np.mgrid[:96, :96]
        portrait[(rows - 48) ** 2 + (columns - 48) ** 2 < 26**2] = 250 - number % 40
        planted.add(f"h{number}.jpg", scene(2000 + number, 96, 96), "human", quality=90)
        planted.add(f"a{number}.jpg", Image.fromarray(portrait), "ai", quality=90)
    audit = data_audit(planted.manifest())
    assert shortcut(audit, "content").auroc > 0.85
    assert "what the pictures show alone separates" in line(audit, "content").line


def test_metadata_in_one_class_only_is_a_shortcut(planted):
    exif = Image.Exif()
    exif[0x010F] = "Camera works"
    for number in range(20):
        planted.add(f"h{number}.jpg", scene(number), "human", quality=90, exif=exif)
        planted.add(f"a{number}.jpg", scene(1000 + number), "ai", quality=90)
    found = shortcut(data_audit(planted.manifest()), "file facts")
    assert found.carriers[0].fact == "metadata" and found.carriers[0].alone == 1


def test_groups_are_held_out_whole_and_both_figures_given():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(20), 20)
    labels = (groups % 2).astype(np.int64)
    # Each group has its mark, which says nothing about other groups.
    marks = features_of({"mark": generator.normal(size=20)[groups] + generator.normal(scale=0.001, size=400)})
    found = separation("colour", "marks", marks, labels, np.arange(400), groups, grouped=True, seed=0)
    assert found.inside_groups > 0.95
    assert found.auroc < 0.75


def test_the_same_figures_for_the_same_seed():
    generator = np.random.default_rng(1)
    features = features_of({"noise": generator.normal(size=(60, 3)), "constant": np.ones(60)})
    labels = np.arange(60) % 2
    alone = np.arange(60)
    one, two = (separation("content", "", features, labels, alone, alone, grouped=False, seed=3) for _ in range(2))
    assert one == two
    assert [carrier.fact for carrier in one.carriers] == ["noise"]  # what never changes carries nothing


def test_classes_of_one_group_each_cannot_be_tested():
    labels = np.repeat([0, 1], 20)
    features = features_of({"noise": np.random.default_rng(0).normal(size=40)})
    found = separation("content", "", features, labels, np.arange(40), labels, grouped=True, seed=0)
    assert found.auroc is None and "of one group" in found.not_run


def test_auroc_agrees_with_the_reference_and_its_interval_holds_it():
    generator = np.random.default_rng(2)
    labels = generator.integers(0, 2, 300)
    scores = np.round(labels + generator.normal(size=300), 1)  # with ties
    weights = generator.integers(0, 4, 300).astype(float)
    assert auroc(scores, labels) == pytest.approx(roc_auc_score(labels, scores))
    assert auroc(scores, labels, weights) == pytest.approx(roc_auc_score(labels, scores, sample_weight=weights))
    low, high = interval(scores, labels, np.arange(300), seed=0)
    assert low < auroc(scores, labels) < high and high - low < 0.15
    assert 0.5 < chance_limit(labels) < 0.6


def test_content_ignores_brightness_contrast_and_colour():
    thumbnails = np.random.default_rng(0).integers(60, 160, (3, 16, 16, 3), dtype=np.uint8)
    one = content_features(thumbnails).values
    other = content_features(thumbnails + np.uint8(40)).values
    np.testing.assert_allclose(one, other, atol=5e-3)  # an edge may fall into the next direction
