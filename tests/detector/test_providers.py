"""A provider that was asked for runs the model, or the user is told why it cannot: never the CPU in its place."""

from typing import get_args

import numpy as np
import onnxruntime
import pytest

import madeby
from madeby.cli import provider_flag
from madeby.detector import providers
from madeby.detector.detector import Detector
from madeby.detector.providers import ORT_NAMES, Provider, provider_named
from madeby.errors import BundleError, MadebyError

HERE = onnxruntime.get_available_providers()


def test_a_provider_that_is_not_installed_is_refused_with_what_to_install():
    for provider, package in (
        ("openvino", "onnxruntime-openvino"),
        ("cuda", "onnxruntime-gpu"),
        ("directml", "onnxruntime-directml"),
        ("coreml", "macOS"),
    ):
        if ORT_NAMES[Provider(provider)] not in HERE:
            with pytest.raises(MadebyError, match=package):
                provider_named(provider)
    with pytest.raises(MadebyError, match="there are cpu, openvino"):
        provider_named("tpu")


@pytest.mark.filterwarnings("ignore:Specified provider")
def test_a_provider_that_cannot_start_is_not_replaced_by_the_cpu(make_bundle):
    missing = next(provider for provider, name in ORT_NAMES.items() if name not in HERE)
    with pytest.raises(BundleError, match=f"not run by the provider {missing}"):
        Detector(make_bundle(), provider=missing)


@pytest.mark.skipif("AzureExecutionProvider" not in HERE, reason="needs a provider that can run no part of a model")
def test_a_provider_that_runs_no_part_of_a_model_is_not_replaced_by_the_cpu(make_bundle, monkeypatch):
    monkeypatch.setitem(providers.ORT_NAMES, Provider.CUDA, "AzureExecutionProvider")
    assert provider_named("cuda") is Provider.CUDA
    with pytest.raises(BundleError, match="would go on with the CPU"):
        Detector(make_bundle(), provider=Provider.CUDA)


@pytest.mark.parametrize("provider", [each for each in Provider if ORT_NAMES[each] in HERE])
def test_every_provider_here_answers_as_the_cpu_does(make_bundle, provider):
    bundle = make_bundle()
    pixels = np.random.default_rng(3).integers(0, 256, (90, 120, 3), dtype=np.uint8)
    detector = Detector(bundle, threads=1, provider=provider)
    reading, wanted = detector.read(pixels), Detector(bundle).read(pixels)
    assert reading.probability == pytest.approx(wanted.probability, abs=1e-3)
    assert np.allclose(reading.logit_map, wanted.logit_map, atol=1e-2)
    told = detector.signal(reading).detail.get("provider")
    assert told == (None if provider is Provider.CPU else provider)


def test_the_verbs_refuse_before_anything_is_read(make_bundle, save_picture, tmp_path):
    missing = next(provider for provider, name in ORT_NAMES.items() if name not in HERE)
    picture, model = save_picture("a.png"), make_bundle().folder
    for verb in (
        lambda: madeby.scan(picture, model=model, provider=missing),
        lambda: madeby.explain(picture, model=model, provider=missing),
        lambda: madeby.bench(picture, model=model, provider=missing),
        lambda: madeby.evaluate(model, tmp_path / "none.parquet", tmp_path, provider=missing),
        lambda: madeby.load_detector(model, provider=missing),
        lambda: madeby.serve(port=0, model=str(model), provider=missing, data_folder=tmp_path / "data", auth=False),
    ):
        with pytest.raises(MadebyError, match=f"has no provider {missing}"):
            verb()


def test_the_command_line_offers_the_same_providers():
    assert get_args(provider_flag.Provider) == tuple(Provider)
