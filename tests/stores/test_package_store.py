"""The models that the package describes and pulls complete: what lies in it is what the indices say."""

import math

import onnx
import pytest

import madeby
from madeby.detector.bundle import MODEL_FILE, SPEC_FILE, Bundle, BundleSpec
from madeby.stores import builtin
from madeby.stores.index import INDEX_FILE, BundleIndex, matches
from madeby.training.adaptation.head import Head
from madeby.training.adaptation.memory import Memory

INDICES = sorted(builtin.PACKAGE_STORE.glob(f"*/*/{INDEX_FILE}"))


def test_the_preferred_model_is_described():
    assert builtin.has_preferred()
    assert builtin.PREFERRED_BUNDLE in {path.parent.parent.name for path in INDICES}


@pytest.mark.parametrize("path", INDICES, ids=lambda path: path.parent.name)
def test_every_file_is_here_and_sound_or_has_a_source(path):
    index = BundleIndex.from_json(path.read_bytes(), str(path))
    assert (index.name, index.version) == (path.parent.parent.name, path.parent.name)
    here = {entry.path for entry in index.files if entry.source is None}
    assert {file.name for file in path.parent.iterdir()} == here | {INDEX_FILE}
    assert all(matches(path.parent / entry.path, entry) for entry in index.files if entry.source is None)


@pytest.mark.parametrize("path", INDICES, ids=lambda path: path.parent.name)
def test_the_model_that_a_pull_makes_is_the_one_the_spec_is_about(path):
    index = BundleIndex.from_json(path.read_bytes(), str(path))
    spec = BundleSpec.model_validate_json((path.parent / SPEC_FILE).read_bytes())
    (model,) = [entry for entry in index.files if entry.path == MODEL_FILE]
    assert model.sha256 == spec.model_sha256
    head = onnx.load(path.parent / model.head)
    onnx.checker.check_model(head, full_check=True)
    assert [output.name for output in head.graph.output] == ["logit", "logit_map"]
    assert [each.version for each in head.opset_import] == [spec.onnx_opset]


@pytest.mark.parametrize("path", INDICES, ids=lambda path: path.parent.name)
def test_the_memory_of_a_pulled_model_is_that_of_its_head(path):
    spec = BundleSpec.model_validate_json((path.parent / SPEC_FILE).read_bytes())
    head = onnx.load(path.parent / "head.onnx")
    width = sum(math.prod(each.dims) for each in head.graph.initializer if each.name.startswith("weights "))
    assert Memory.in_bundle(Bundle(path.parent, spec), width).pictures is not None


def test_the_memory_of_the_embedded_model_is_that_of_its_head():
    bundle = Bundle.open(madeby.models_show("wild-lite").folder)
    assert Memory.in_bundle(bundle, len(Head.of(bundle.model_path).weight)).pictures is not None
