"""Our own network: its options, and the bank of frequencies it may start from."""

import pytest
import torch

from madeby.errors import RecipeError
from madeby.networks import build_network
from madeby.networks.residual import frequency_bank


def test_the_bank_is_an_orthonormal_basis_of_patches_with_both_signs():
    bank = frequency_bank().reshape(54, 27).double()
    assert torch.allclose(bank[:27] @ bank[:27].T, torch.eye(27, dtype=torch.float64), atol=1e-6)
    assert torch.equal(bank[27:], -bank[:27])


def test_a_flat_grey_picture_answers_in_one_filter_alone():
    answers = torch.nn.functional.conv2d(torch.ones(1, 3, 3, 3), frequency_bank()).flatten()
    assert answers[0] == pytest.approx(27**0.5)
    assert answers[1:27].abs().max() < 1e-5


def test_a_network_starts_from_the_bank():
    network = build_network("residual", {"stem": 54, "frequencies": True, "strides": [2]}, 32)
    assert torch.equal(network.features[0][0].weight, frequency_bank())
    with pytest.raises(RecipeError, match="stem: 54"):
        build_network("residual", {"stem": 16, "frequencies": True}, 32)


def test_with_context_every_place_knows_the_whole_picture():
    torch.manual_seed(0)
    options = {"stem": 4, "stem_stride": 2, "width": 8, "strides": [2, 2], "depth": 0}
    plain = build_network("residual", options, 64).eval()
    knowing = build_network("residual", options | {"context": True}, 64).eval()
    black = torch.zeros(1, 3, 64, 64)
    corner = black.clone()
    corner[:, :, :8, :8] = 3.0  # reaches no more than the first places of a map of 8 x 8
    assert plain(black).shape == knowing(black).shape == (1, 1, 8, 8)
    with torch.no_grad():
        assert torch.equal(plain(black)[..., -1, -1], plain(corner)[..., -1, -1])
        assert not torch.equal(knowing(black)[..., -1, -1], knowing(corner)[..., -1, -1])


def test_what_counts_of_the_places_is_in_the_mean_a_layer_on_their_mean():
    torch.manual_seed(0)
    context = build_network("residual", {"width": 8, "strides": [2], "context": True}, 32).context
    seen = torch.randn(3, 8, 5, 7)
    with torch.no_grad():
        wanted = torch.relu(context.asked(context.informed(seen).mean((2, 3))))
        assert torch.allclose(context(seen).mean((2, 3)), wanted, atol=1e-6)
        assert 0 < (wanted == 0).sum() < wanted.numel()
