"""The two published networks are rebuilt layer for layer."""

import pytest
import torch
from torch import nn

from madeby.errors import RecipeError
from madeby.networks import build_network, network_names, picture_logit
from madeby.networks.summary import network_summary


def test_cifake_cnn_has_the_notebooks_layers():
    network = build_network("cifake_cnn", {}, 32)
    convolutions = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [(layer.in_channels, layer.out_channels, layer.padding) for layer in convolutions] == [
        (3, 16, (1, 1)),
        (16, 32, (1, 1)),
        (32, 64, (1, 1)),
    ]
    dense = [(layer.in_features, layer.out_features) for layer in network.modules() if isinstance(layer, nn.Linear)]
    assert dense == [(1024, 128), (128, 2)]
    assert [layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)] == [0.5]
    assert network(torch.zeros(3, 3, 32, 32)).shape == (3, 2)


def test_human_vs_ai_cnn_has_the_apps_layers_and_parameters():
    summary = network_summary("human_vs_ai_cnn")
    assert summary.parameters == 720_194
    sides = [layer.output_shape[-1] for layer in summary.layers if layer.kind in {"Conv2d", "MaxPool2d"}]
    assert sides == [253, 126, 124, 62, 60, 30, 28, 14, 12]
    assert [layer.output_shape for layer in summary.layers if layer.kind == "Flatten"] == [(1, 9216)]


def test_summary_counts_what_a_convolution_costs():
    first = network_summary("cifake_cnn").layers[0]
    assert (first.parameters, first.macs) == (16 * (3 * 9 + 1), 32 * 32 * 16 * 3 * 9)


@pytest.mark.parametrize("name", ["cifake_cnn", "human_vs_ai_cnn"])
def test_a_fixed_network_refuses_another_size(name):
    with pytest.raises(RecipeError, match="set size to"):
        build_network(name, {}, 64)


def test_unknown_names_and_options_are_named():
    with pytest.raises(RecipeError, match="did you mean 'residual'"):
        build_network("residul", {}, 32)
    with pytest.raises(RecipeError, match="no option 'widht'"):
        build_network("residual", {"widht": 3}, 32)
    with pytest.raises(RecipeError, match="not of the form"):
        network_summary("residual", "{width")
    assert {"backbone", "cifake_cnn", "human_vs_ai_cnn", "residual"} <= set(network_names())


def test_two_scores_and_their_difference_are_the_same_classifier():
    scores = torch.randn(5, 2)
    assert torch.allclose(torch.sigmoid(picture_logit(scores)), torch.softmax(scores, 1)[:, 1])


@pytest.mark.parametrize(("size", "strides", "side"), [(32, (1, 2, 2), 8), (96, (2, 2, 2), 12)])
def test_residual_maps_logits_over_pictures_of_any_size(size, strides, side):
    network = build_network("residual", {"width": 8, "strides": strides, "depth": [1, 0, 1]}, size).eval()
    output = network(torch.randn(2, 3, size, size))
    assert output.shape == (2, 1, side, side)
    assert torch.allclose(picture_logit(output), output.mean((1, 2, 3)))


def test_residual_refuses_options_without_meaning():
    with pytest.raises(RecipeError, match="same stages"):
        build_network("residual", {"depth": [1, 1]}, 32)
    with pytest.raises(RecipeError, match="at least 1"):
        build_network("residual", {"width": 0}, 32)
