"""Detectors of others: classifiers behind a spec, and programs in processes of their own."""

import sys
import textwrap

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image

from madeby.errors import DataError, PictureError
from madeby.evaluation.benchmarking.scorers.classifier_spec import read_spec, spec_of_onnx
from madeby.evaluation.benchmarking.scorers.classifiers import ClassifierScorer
from madeby.evaluation.benchmarking.scorers.process import ProcessScorer, program_name
from madeby.evaluation.benchmarking.scorers.scorer import DetectorFailedError, Shown

BRIGHT, DARK = (np.full((40, 60, 3), level, np.uint8) for level in (230, 20))


def shown(pixels, path="none.png", *, changed=True):
    return Shown(str(path), pixels, changed)


def write_onnx(path, *, channels_last=False):
    """Three outputs of a picture: nothing, its mean, and less its mean."""
    shape = ["n", "h", "w", 3] if channels_last else ["n", 3, "h", "w"]
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "over"], ["mean"], keepdims=0),
            helper.make_node("Unsqueeze", ["mean", "last"], ["column"]),
            helper.make_node("Mul", ["column", "signs"], ["scores"]),
        ],
        "three",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 3])],
        [
            helper.make_tensor("over", TensorProto.INT64, [3], [1, 2, 3]),
            helper.make_tensor("last", TensorProto.INT64, [1], [1]),
            helper.make_tensor("signs", TensorProto.FLOAT, [1, 3], [0.0, 4.0, -4.0]),
        ],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)
    return path


def spec_file(folder, **fields):
    path = folder / f"spec{len(list(folder.iterdir()))}.yaml"
    path.write_text("".join(f"{name}: {value}\n" for name, value in fields.items()))
    return path


PLAIN = {"kind": "onnx", "model": "net.onnx", "size": 16, "mean": [0, 0, 0], "std": [1, 1, 1]}


@pytest.mark.parametrize(
    ("fields", "bright"),
    [
        ({"activation": "sigmoid", "ai": 1}, 1 / (1 + np.exp(-4 * 230 / 255))),
        ({"activation": "sigmoid", "human": 2}, 1 - 1 / (1 + np.exp(4 * 230 / 255))),
        ({"activation": "softmax", "ai": -2}, None),
        ({"activation": "none", "ai": 1, "mean": [0.05, 0.05, 0.05], "std": [4, 4, 4]}, 230 / 255 - 0.05),
        ({"activation": "none", "ai": 1, "white": 255, "std": [1020, 1020, 1020], "view": "centre"}, 230 / 255),
        ({"activation": "sigmoid", "ai": 1, "interpolation": "bicubic"}, 1 / (1 + np.exp(-4 * 230 / 255))),
    ],
)
def test_a_spec_says_what_goes_in_and_which_output_is_meant(tmp_path, fields, bright):
    write_onnx(tmp_path / "net.onnx")
    scorer = ClassifierScorer("it", read_spec(spec_file(tmp_path, **PLAIN | fields)))
    high, low = scorer.score(shown(BRIGHT)), scorer.score(shown(DARK))
    assert 0 <= low < high <= 1
    if bright is not None:
        assert high == pytest.approx(bright, abs=1e-3)


def test_channels_may_come_last_and_the_middle_alone_be_seen(tmp_path):
    write_onnx(tmp_path / "net.onnx", channels_last=True)
    fields = PLAIN | {"activation": "none", "ai": 1, "std": [4, 4, 4], "layout": "nhwc", "view": "centre", "crop": 0.5}
    scorer = ClassifierScorer("it", read_spec(spec_file(tmp_path, **fields)))
    framed = np.full((40, 40, 3), 255, np.uint8)
    framed[8:32, 8:32] = 51
    assert scorer.score(shown(framed)) == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "either ai or human"),
        ({"ai": 1, "human": 0}, "either ai or human"),
        ({"ai": "fake"}, "its place, counted from 0"),
        ({"ai": 1, "size": 0}, "size"),
        ({"ai": 1, "colour": "blue"}, "colour"),
        ({"ai": 1, "thresholds": "{ai: 0.2, human: 0.6}"}, "must not lie above"),
    ],
)
def test_a_spec_that_is_none_is_told_by_field(tmp_path, fields, words):
    with pytest.raises(DataError, match=words):
        read_spec(spec_file(tmp_path, **PLAIN | fields))


def test_models_that_do_not_fit_their_spec_are_told(tmp_path):
    write_onnx(tmp_path / "net.onnx")
    with pytest.raises(DataError, match="cannot be loaded"):
        ClassifierScorer("it", read_spec(spec_file(tmp_path, **PLAIN | {"model": "gone.onnx", "ai": 1})))
    with pytest.raises(DataError, match="outputs"):
        ClassifierScorer("it", read_spec(spec_file(tmp_path, **PLAIN | {"output": "logits", "ai": 1})))
    for wrong, words in (({"ai": 7}, "has 3 outputs"), ({"ai": 1, "activation": "none"}, "no probability")):
        scorer = ClassifierScorer("it", read_spec(spec_file(tmp_path, **PLAIN | wrong)))
        with pytest.raises(DetectorFailedError, match=words):
            scorer.score(shown(BRIGHT))
    scorer = ClassifierScorer("it", read_spec(spec_file(tmp_path, **PLAIN | {"ai": 1, "layout": "nhwc"})))
    with pytest.raises(PictureError, match="it:"):
        scorer.score(shown(BRIGHT))


def test_an_onnx_file_is_asked_as_the_spec_beside_it_says(tmp_path):
    path = write_onnx(tmp_path / "net.onnx")
    with pytest.raises(DataError, match=r"write net\.yaml beside it"):
        spec_of_onnx(path)
    with pytest.raises(DataError, match="no ONNX file"):
        spec_of_onnx(tmp_path / "gone.onnx")
    (tmp_path / "net.json").write_text('{"kind": "onnx", "model": "net.onnx", "ai": 1}')
    assert spec_of_onnx(path).name == "net"


def test_a_timm_network_answers_with_its_weights(tmp_path):
    import timm
    from safetensors.torch import save_file

    torch.manual_seed(0)
    network = timm.create_model("resnet18", num_classes=2).eval()
    save_file(network.state_dict(), tmp_path / "net.safetensors")
    fields = {"kind": "timm", "model": "resnet18", "weights": "net.safetensors", "size": 32, "ai": 1}
    spec = read_spec(spec_file(tmp_path, **fields))
    with torch.inference_mode():
        expected = network(torch.from_numpy(spec.input(BRIGHT))).softmax(1)[0, 1].item()
    assert ClassifierScorer("it", spec).score(shown(BRIGHT)) == pytest.approx(expected, abs=1e-5)
    with pytest.raises(DataError, match="do not fit"):
        ClassifierScorer("it", read_spec(spec_file(tmp_path, **fields | {"classes": 5})))


def test_a_transformers_model_is_asked_by_its_label(tmp_path):
    from transformers import ViTConfig, ViTForImageClassification

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    labels = {"id2label": {0: "Artificial", 1: "Real"}, "label2id": {"Artificial": 0, "Real": 1}}
    network = ViTForImageClassification(ViTConfig(image_size=32, patch_size=16, **sizes, **labels)).eval()
    network.save_pretrained(tmp_path / "vit")
    fields = {"kind": "transformers", "model": "vit", "size": 32}
    spec = read_spec(spec_file(tmp_path, **fields, ai="artificial"))
    with torch.inference_mode():
        expected = network(torch.from_numpy(spec.input(BRIGHT))).logits.softmax(1)[0, 0].item()
    assert ClassifierScorer("it", spec).score(shown(BRIGHT)) == pytest.approx(expected, abs=1e-5)
    by_human = ClassifierScorer("it", read_spec(spec_file(tmp_path, **fields, human="Real")))
    assert by_human.score(shown(BRIGHT)) == pytest.approx(expected, abs=1e-5)
    with pytest.raises(DataError, match="has Artificial, Real"):
        ClassifierScorer("it", read_spec(spec_file(tmp_path, **fields, ai="fake")))
    with pytest.raises(DataError, match="cannot be loaded"):
        ClassifierScorer("it", read_spec(spec_file(tmp_path, **fields | {"model": str(tmp_path)}, ai=1)))


GOOD = """
import json, sys
from PIL import Image, ImageStat
print(json.dumps({"name": "mean", "version": "7", "ai": 0.6, "human": 0.4}), flush=True)
for line in sys.stdin:
    with Image.open(line.rstrip("\\n")) as image:
        print(ImageStat.Stat(image.convert("L")).mean[0] / 255, flush=True)
"""


@pytest.fixture
def program(tmp_path):
    """Starts a program of these lines; every one is ended afterwards."""
    started = []

    def start(code, timeout=20.0, arguments=""):
        path = tmp_path / f"plugin{len(started)}.py"
        path.write_text(textwrap.dedent(code))
        started.append(ProcessScorer("peer", f"{sys.executable} {path} {arguments}", timeout=timeout))
        return started[-1]

    yield start
    for one in started:
        one.close()


def test_a_program_answers_about_files_and_about_changed_pixels(program, tmp_path):
    scorer = program(GOOD)
    assert (scorer.info.version, scorer.info.thresholds.ai, scorer.info.thresholds.human) == ("7", 0.6, 0.4)
    Image.fromarray(BRIGHT).save(tmp_path / "bright.png")
    assert scorer.score(shown(DARK, tmp_path / "bright.png", changed=False)) == pytest.approx(230 / 255)
    assert scorer.score(shown(DARK, tmp_path / "bright.png")) == pytest.approx(20 / 255)


def test_a_program_with_another_text_has_another_fingerprint(program):
    assert program(GOOD).info.fingerprint != program(GOOD + "# mended\n").info.fingerprint


def test_it_is_called_by_its_script():
    assert program_name("/opt/venv/bin/python -u plugins/sahu65_plugin.py --fast") == "sahu65_plugin"
    assert program_name("/usr/bin/detector") == "detector"
    with pytest.raises(DetectorFailedError, match="names no command"):
        program_name("  ")
    with pytest.raises(DetectorFailedError, match="cannot be read"):
        program_name("python 'plugin.py")


@pytest.mark.parametrize(
    ("code", "timeout", "words"),
    [
        ("import no_such_package", 20, "ended with status 1; it said: .*No module named"),
        ("print('hello')", 20, "began with 'hello'"),
        ('print(\'{"error": "no weights"}\')', 20, "no weights"),
        ("import time; time.sleep(60)", 0.5, "did not say that it is ready within 0.5 s; it said nothing"),
        ('print(\'{"ai": 0.2, "human": 0.7}\')', 20, "its thresholds"),
        ('print(\'{"ai": "much"}\')', 20, "its thresholds"),
    ],
)
def test_a_program_that_cannot_begin_says_why(program, code, timeout, words):
    with pytest.raises(DetectorFailedError, match=words):
        program(code, timeout)


def test_a_program_that_is_not_there_is_told():
    with pytest.raises(DetectorFailedError, match="cannot be started: No such file"):
        ProcessScorer("peer", "/no/such/python plugin.py", timeout=5)


@pytest.mark.parametrize("answer", ["1.2", "NaN", "true", '"0.4"', "loading", "[0.1]"])
def test_an_answer_that_is_no_probability_ends_its_part(program, answer):
    scorer = program(f"print('{{}}', flush=True)\nfor line in __import__('sys').stdin: print({answer!r}, flush=True)")
    with pytest.raises(DetectorFailedError, match="must go to standard error"):
        scorer.score(shown(DARK))


def test_a_picture_that_it_refuses_is_one_without_score(program):
    scorer = program("""
        print('{}', flush=True)
        for at, line in enumerate(__import__("sys").stdin):
            print('{"error": "too dark"}' if at == 0 else 0.25, flush=True)
    """)
    with pytest.raises(PictureError, match="too dark"):
        scorer.score(shown(DARK))
    assert scorer.score(shown(BRIGHT)) == 0.25


FRAIL = """
import os, sys, time
print("{}", flush=True)
for line in sys.stdin:
    if "bad" in line:
        END
    print(0.75, flush=True)
"""


@pytest.fixture
def good_and_bad(tmp_path):
    for name in ("good", "bad"):
        Image.fromarray(DARK).save(tmp_path / f"{name}.png")
    return tuple(shown(DARK, tmp_path / f"{name}.png", changed=False) for name in ("good", "bad"))


def test_a_program_that_a_picture_kills_is_started_again_but_not_for_ever(program, good_and_bad):
    scorer, (good, bad) = program(FRAIL.replace("END", "os._exit(3)")), good_and_bad
    with pytest.raises(PictureError, match="ended with status 3"):
        scorer.score(bad)
    assert scorer.score(good) == 0.75
    for _ in range(2):
        with pytest.raises(PictureError):
            scorer.score(bad)
    with pytest.raises(DetectorFailedError, match="at 3 pictures in a row"):
        scorer.score(bad)


def test_a_program_that_does_not_answer_in_time_is_started_again(program, good_and_bad):
    scorer, (good, bad) = program(FRAIL.replace("END", "time.sleep(60)"), timeout=3), good_and_bad
    with pytest.raises(PictureError, match="did not answer within 3 s"):
        scorer.score(bad)
    assert scorer.score(good) == 0.75


def test_this_interpreters_own_settings_do_not_reach_a_program(program, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/of/ours")
    scorer = program("""
        import json, os
        print(json.dumps({"version": os.environ.get("PYTHONPATH", "none")}), flush=True)
    """)
    assert scorer.info.version == "none"


def test_names_with_line_breaks_reach_a_program_as_another_file(program, tmp_path):
    Image.fromarray(BRIGHT).save(tmp_path / "two\nlines.png")
    assert program(GOOD).score(shown(BRIGHT, tmp_path / "two\nlines.png", changed=False)) == pytest.approx(230 / 255)
