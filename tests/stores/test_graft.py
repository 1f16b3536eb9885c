"""A published network cut where our head taps it: what is kept, what is refused, and the same bytes always."""

import hashlib
import shutil
import zipfile
from functools import partial

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

import madeby
from madeby.detector.bundle import MODEL_FILE, Bundle, sha256_of
from madeby.errors import BundleError
from madeby.stores import builtin, builtin_names
from madeby.stores.graft import graft
from madeby.stores.index import INDEX_FILE, Graft, PublicFile, index_of

WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4)
FLOAT = TensorProto.FLOAT


def value(name, *shape):
    return helper.make_tensor_value_info(name, FLOAT, list(shape))


def model(nodes, inputs, outputs, constants=(), *, opset=17, ir_version=8):
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(constants))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir_version)
    return made.SerializeToString()


def tower(**options):
    """Two blocks: ``first`` = picture means times WEIGHTS, ``second`` = its exponential times a large constant."""
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["means"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["first"], name="block 1"),
        helper.make_node("Exp", ["first"], ["grown"]),
        helper.make_node("MatMul", ["grown", "large"], ["second"], name="block 2"),
    ]
    constants = [
        numpy_helper.from_array(WEIGHTS, "weights"),
        numpy_helper.from_array(np.ones((4, 500), np.float32), "large"),
    ]
    return model(nodes, [value("image", "n", 3, "h", "w")], [value("second", "n", 500)], constants, **options)


def head(taps="first", output="logit", constant="ours", **options):
    nodes = [
        helper.make_node("Mul", [taps, constant], ["weighed"]),
        helper.make_node("ReduceSum", ["weighed", "over"], [output], keepdims=0),
    ]
    constants = [
        numpy_helper.from_array(np.full(4, 0.5, np.float32), constant),
        numpy_helper.from_array(np.array([1]), "over"),
    ]
    return model(nodes, [value(taps, "n", 4)], [value(output, "n")], constants, **options)


def test_the_grafted_model_gives_what_the_head_makes_of_the_towers_values():
    data = graft(tower(), head())
    onnx.checker.check_model(onnx.load_from_string(data), full_check=True)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    pixels = np.random.default_rng(0).random((2, 3, 5, 6), np.float32)
    (logit,) = session.run(["logit"], {"pixels": pixels})
    np.testing.assert_allclose(logit, (pixels.mean((2, 3)) @ WEIGHTS * 0.5).sum(1), rtol=1e-5)


def test_what_no_head_needs_is_left_out_and_the_rest_is_kept_byte_for_byte():
    whole, cut = onnx.load_from_string(tower()).graph, onnx.load_from_string(graft(tower(), head())).graph
    assert [node.op_type for node in cut.node] == ["ReduceMean", "MatMul", "Mul", "ReduceSum"]
    assert [constant.name for constant in cut.initializer] == ["weights", "ours", "over"]
    assert cut.initializer[0].SerializeToString() == whole.initializer[0].SerializeToString()
    assert cut.node[1].SerializeToString() == whole.node[1].SerializeToString()


def test_a_head_may_tap_several_places():
    nodes = [
        helper.make_node("ReduceSum", ["first", "over"], ["a"], keepdims=0),
        helper.make_node("ReduceSum", ["second", "over"], ["b"], keepdims=0),
        helper.make_node("Add", ["a", "b"], ["logit"]),
    ]
    both = model(
        nodes,
        [value("first", "n", 4), value("second", "n", 500)],
        [value("logit", "n")],
        [numpy_helper.from_array(np.array([1]), "over")],
    )
    assert len(onnx.load_from_string(graft(tower(), both)).graph.node) == 7


def test_the_result_is_the_same_everywhere():
    # Written out here, since the library that writes models may change its ways: a message is its fields in a row.
    def field(number, data):
        return bytes([number << 3 | 2, len(data)]) + data

    name, opset = partial(field, 1), field(8, b"\x10\x11")
    taken = field(1, field(1, b"image") + field(2, b"first") + field(4, b"Exp"))
    left = field(1, field(1, b"first") + field(2, b"second") + field(4, b"Exp"))
    whole = b"\x08\x08" + field(7, taken + left + field(11, name(b"image")) + field(12, name(b"second"))) + opset
    ours = field(1, field(1, b"first") + field(2, b"logit") + field(4, b"Neg"))
    above = b"\x08\x08" + field(7, ours + field(11, name(b"first")) + field(12, name(b"logit"))) + opset
    cut = field(1, field(1, b"pixels") + field(2, b"first") + field(4, b"Exp"))
    graph = cut + ours + field(2, b"grafted") + field(11, name(b"pixels")) + field(12, name(b"logit"))
    assert graft(whole, above) == b"\x08\x08" + field(7, graph) + opset


@pytest.mark.parametrize(
    ("tower_data", "head_data", "told"),
    [
        (tower(), head("third"), "no value called 'third'"),
        (tower(opset=13), head(), "other operators"),
        (tower(), head(ir_version=9), "other operators"),
        (tower(), head(constant="weights"), "both have a value called 'weights'"),
        (tower(), b"no model", "the head is not an ONNX model"),
        (b"", head(), "the tower is not an ONNX model"),
        (tower()[:-3], head(), "the tower is not an ONNX model"),
    ],
)
def test_what_does_not_fit_together_is_refused(tower_data, head_data, told):
    with pytest.raises(BundleError, match=told):
        graft(tower_data, head_data)


def test_the_standard_operators_may_be_written_without_their_empty_name():
    unnamed = tower().replace(b"\x42\x04\x0a\x00\x10\x11", b"\x42\x02\x10\x11")
    assert unnamed != tower()
    assert onnx.load_from_string(graft(unnamed, head())).graph == onnx.load_from_string(graft(tower(), head())).graph


def test_a_tower_with_several_inputs_is_refused():
    nodes = [helper.make_node("Add", ["one", "two"], ["first"])]
    two = model(nodes, [value("one", "n", 4), value("two", "n", 4)], [value("first", "n", 4)])
    with pytest.raises(BundleError, match="takes 2 inputs"):
        graft(two, head())


def test_a_tower_with_graphs_inside_is_refused():
    branch = helper.make_graph([helper.make_node("Identity", ["image"], ["out"])], "b", [], [value("out", "n", 4)])
    nodes = [helper.make_node("If", ["image"], ["first"], then_branch=branch, else_branch=branch)]
    with pytest.raises(BundleError, match="a graph of its own inside"):
        graft(model(nodes, [value("image", "n", 4)], [value("first", "n", 4)]), head())


@pytest.fixture
def published(make_bundle, tmp_path, monkeypatch):
    """``wild`` as the package describes it: its head, and where the tower lies that the rest of it is cut from."""
    folder, shelf = tmp_path / "package", tmp_path / "shelf"
    monkeypatch.setattr(builtin, "PACKAGE_STORE", folder)
    shelf.mkdir()
    with zipfile.ZipFile(shelf / "towers-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("towers/tower.onnx", tower())
        archive.writestr("towers-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: towers\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr("towers-1.0.dist-info/WHEEL", tags)
        archive.writestr("towers-1.0.dist-info/RECORD", "towers/tower.onnx,,\n")
    wheel = (shelf / "towers-1.0-py3-none-any.whl").read_bytes()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf))

    def publish(model_data=None, **tower_facts):
        bundle = make_bundle("wild", view="resize")
        data = graft(tower(), head()) if model_data is None else model_data
        bundle.model_path.write_bytes(data)
        (bundle.folder / "head.onnx").write_bytes(head())
        spec = bundle.spec.model_copy(update={"model_sha256": sha256_of(bundle.model_path)})
        Bundle(bundle.folder, spec).write_spec()
        facts = {"bytes": len(tower()), "sha256": hashlib.sha256(tower()).hexdigest(), "head": "head.onnx"}
        source = PublicFile(
            wheel="towers==1.0",
            sha256=hashlib.sha256(wheel).hexdigest(),
            member="towers/tower.onnx",
            graft=Graft(**(facts | tower_facts)),
        )
        version = folder / "wild/0.1.0"
        shutil.copytree(bundle.folder, version)
        (version / INDEX_FILE).write_bytes(index_of(Bundle.open(version), {MODEL_FILE: source}).to_json())
        (version / MODEL_FILE).unlink()
        return data

    return publish


def test_a_pull_puts_the_model_together_and_it_answers_from_then_on_without_a_network(
    published, save_picture, monkeypatch, home
):
    data = published()
    told = []
    bundle = madeby.models_pull("wild", progress=lambda done, total: told.append((done, total)))
    assert bundle.model_path.read_bytes() == data
    assert told[-1][0] == told[-1][1] and told == sorted(told)
    assert sorted(path.name for path in bundle.folder.iterdir() if path.name != INDEX_FILE) == [
        "CARD.md",
        "bundle.json",
        "head.onnx",
        "model.onnx",
    ]
    monkeypatch.setenv("MADEBY_OFFLINE", "1")
    result = next(iter(madeby.scan([save_picture("a.png")])))
    assert result.model.name == "wild" and result.probability is not None
    assert madeby.models_pull("wild").folder == bundle.folder


def test_what_a_killed_pull_left_is_used(published, monkeypatch, home):
    published()
    first = madeby.models_pull("wild")
    partial = home / "partial" / f"wild-{first.folder.name}"
    shutil.move(first.folder, partial)
    (partial / MODEL_FILE).rename(partial / f"{MODEL_FILE}.grafted")
    (partial / f"{MODEL_FILE}.tower").write_bytes(tower())
    monkeypatch.setenv("MADEBY_OFFLINE", "1")  # nothing of it is asked for again
    assert madeby.models_pull("wild").folder == first.folder


@pytest.mark.parametrize(
    ("facts", "model_data", "told"),
    [
        ({"sha256": "0" * 64}, None, "does not match its checksum"),
        ({}, b"another model", "cuts networks otherwise"),
    ],
)
def test_another_tower_or_another_result_is_refused(facts, model_data, told, published):
    published(model_data, **facts)
    with pytest.raises(BundleError, match=told):
        madeby.models_pull("wild")
    assert [each.model for each in madeby.models_list()] == builtin_names()


def test_without_a_network_the_pull_says_so(published, monkeypatch):
    published()
    monkeypatch.setenv("MADEBY_OFFLINE", "1")
    with pytest.raises(BundleError, match=r"towers==1\.0 was not asked for: MADEBY_OFFLINE is set"):
        madeby.models_pull("wild")


def test_a_graft_without_its_head_is_no_index(published):
    with pytest.raises(BundleError, match="the head of a graft is not among the files"):
        published(head="none.onnx")
