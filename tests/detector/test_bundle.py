import json

import pytest

from madeby.detector.bundle import MODEL_FILE, SPEC_FILE, Bundle
from madeby.errors import BundleError


def test_a_bundle_reads_back_as_it_was_written(make_bundle):
    bundle = make_bundle()
    assert Bundle.open(bundle.folder).spec == bundle.spec
    assert bundle.card.startswith("# brightness")


def test_a_changed_model_is_refused(make_bundle):
    bundle = make_bundle()
    with (bundle.folder / MODEL_FILE).open("ab") as file:
        file.write(b"x")
    with pytest.raises(BundleError, match="checksum"):
        Bundle.open(bundle.folder)


@pytest.mark.parametrize("missing", [MODEL_FILE, SPEC_FILE])
def test_a_missing_file_is_named(make_bundle, missing):
    bundle = make_bundle()
    (bundle.folder / missing).unlink()
    with pytest.raises(BundleError, match=missing):
        Bundle.open(bundle.folder)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("schema", 99, "schema"),
        ("labels", ["ai", "human"], "labels"),
        ("model_sha256", "abc", "model_sha256"),
        ("surprise", 1, "surprise"),
        ("thresholds", {"ai": 0.5, "human": 0.7}, "thresholds"),
    ],
)
def test_a_wrong_description_is_refused_by_the_field_s_name(make_bundle, field, value, told):
    bundle = make_bundle()
    path = bundle.folder / SPEC_FILE
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(BundleError, match=told):
        Bundle.open(bundle.folder)


def test_a_description_that_is_not_json_is_refused(make_bundle):
    bundle = make_bundle()
    (bundle.folder / SPEC_FILE).write_text("{")
    with pytest.raises(BundleError, match="not a valid bundle description"):
        Bundle.open(bundle.folder)
