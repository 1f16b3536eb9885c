"""A server's model is exchanged while requests are under way, and a broken one never takes its place."""

import shutil
import threading
import time

import numpy as np
import onnx
import pytest

import madeby
from madeby.detector.bundle import MODEL_FILE, Bundle, sha256_of
from madeby.errors import BundleError
from madeby.web.live_model import LiveModel


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("MADEBY_HOME", str(tmp_path / "home"))


@pytest.fixture
def bundle(make_bundle):
    return make_bundle("live")


@pytest.fixture
def store(bundle, tmp_path):
    madeby.models_push(bundle.folder, str(tmp_path / "store"))
    return tmp_path / "store"


def inverted(bundle: Bundle) -> Bundle:
    """The same bundle with a network that calls dark pictures ai."""
    model = onnx.load(bundle.model_path)
    four = next(each for each in model.graph.initializer if each.name == "four")
    four.CopyFrom(onnx.helper.make_tensor("four", onnx.TensorProto.FLOAT, [], [-4.0]))
    return rewritten(bundle, model)


def rewritten(bundle: Bundle, model: onnx.ModelProto) -> Bundle:
    onnx.save(model, bundle.model_path)
    changed = Bundle(bundle.folder, bundle.spec.model_copy(update={"model_sha256": sha256_of(bundle.model_path)}))
    changed.write_spec()
    return changed


def bright() -> np.ndarray:
    return np.full((64, 64, 3), 250, dtype=np.uint8)


def wait_until(happened) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_request_keeps_the_detector_it_began_with(bundle, store, tmp_path):
    live = LiveModel(f"{store.as_uri()}/live")
    begun = live.detector
    shutil.copytree(bundle.folder, tmp_path / "other")
    madeby.models_push(inverted(Bundle.open(tmp_path / "other")).folder, str(store), version="0.2.0")
    assert live.refresh()
    assert begun.read(bright()).probability > 0.9
    assert live.detector.read(bright()).probability < 0.1
    assert live.status.swaps == 1


def test_exchanges_under_load_drop_and_mix_nothing(bundle, store, tmp_path):
    live = LiveModel(f"{store.as_uri()}/live")
    wrong: list[object] = []
    answered = dict.fromkeys(range(4), 0)
    stop = threading.Event()

    def ask(number: int) -> None:
        while not stop.is_set():
            try:
                detector = live.detector
                odd = int(detector.bundle.spec.version.rpartition(".")[2]) % 2
                probability = detector.read(bright()).probability
                if (probability > 0.5) != bool(odd):  # odd versions call bright pictures ai, even ones dark pictures
                    wrong.append((detector.bundle.spec.version, probability))
            except Exception as error:
                wrong.append(error)
            answered[number] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in answered]
    madeby.models_push(bundle.folder, str(store), version="0.1.1")
    live.refresh()
    for thread in threads:
        thread.start()
    plain, dark = bundle.folder, tmp_path / "dark"
    shutil.copytree(plain, dark)
    inverted(Bundle.open(dark))
    for patch in range(2, 12):
        madeby.models_push(dark if patch % 2 == 0 else plain, str(store), version=f"0.1.{patch}")
        assert live.refresh()
        before = dict(answered)
        wait_until(lambda before=before: all(answered[each] > before[each] for each in answered))
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert live.status.swaps == 11
    assert live.status.model.version == "0.1.11"


def test_a_new_version_is_noticed_and_a_version_taken_back_too(bundle, store):
    live = LiveModel(f"{store.as_uri()}/live")
    live.watch(0.02)
    try:
        madeby.models_push(bundle.folder, str(store), version="0.2.0")
        wait_until(lambda: live.status.model.version == "0.2.0")
        shutil.rmtree(store / "live/0.2.0")
        wait_until(lambda: live.status.model.version == "0.1.0")
        assert live.status.checked is not None
        assert live.status.problem is None
    finally:
        live.close()


@pytest.mark.parametrize("broken", ["damaged file", "no network", "answers nothing", "store gone"])
def test_a_broken_new_version_is_told_and_the_old_one_stays(broken, bundle, store, tmp_path):
    live = LiveModel(f"{store.as_uri()}/live")
    other = tmp_path / "other"
    shutil.copytree(bundle.folder, other)
    if broken == "no network":
        (other / MODEL_FILE).write_bytes(b"no network")
        changed = Bundle(other, bundle.spec.model_copy(update={"model_sha256": sha256_of(other / MODEL_FILE)}))
        changed.write_spec()
    elif broken == "answers nothing":
        model = onnx.load(other / MODEL_FILE)
        four = next(each for each in model.graph.initializer if each.name == "four")
        four.CopyFrom(onnx.helper.make_tensor("four", onnx.TensorProto.FLOAT, [], [float("nan")]))
        rewritten(Bundle.open(other), model)
    madeby.models_push(other, str(store), version="0.2.0")
    if broken == "damaged file":
        (store / "live/0.2.0" / MODEL_FILE).write_bytes(b"damaged")
    if broken == "store gone":
        shutil.move(store, tmp_path / "elsewhere")
    live.watch(0.02)
    try:
        wait_until(lambda: live.status.problem is not None)
        assert live.status.model.version == "0.1.0"
        assert live.status.swaps == 0
        assert live.detector.read(bright()).probability > 0.9
        if broken == "damaged file":
            assert f"live/0.2.0/{MODEL_FILE} does not match its checksum" in live.status.problem
            assert str(store) not in live.status.for_strangers().problem
            shutil.copy(other / MODEL_FILE, store / "live/0.2.0" / MODEL_FILE)
            wait_until(lambda: live.status.model.version == "0.2.0")
            assert live.status.problem is None
    finally:
        live.close()


def test_only_what_is_in_a_store_can_be_watched(bundle):
    live = LiveModel(str(bundle.folder))
    with pytest.raises(BundleError, match="from a store"):
        live.watch(1)
    with pytest.raises(BundleError, match="in no store"):
        live.refresh()
    assert live.status.swaps == 0
