"""Trainable architectures: one file each, plain ``nn.Module``s that know nothing of the trainer.

Importing this package registers all of them; it is the only room besides training and evaluation that needs
torch.
"""

from madeby.networks import backbone, cifake_cnn, human_vs_ai_cnn, pyramid, residual
from madeby.networks.registry import (
    NetworkEntry,
    build_network,
    network_entry,
    network_names,
    picture_logit,
    register_network,
)

__all__ = [
    "NetworkEntry",
    "backbone",
    "build_network",
    "cifake_cnn",
    "human_vs_ai_cnn",
    "network_entry",
    "network_names",
    "picture_logit",
    "pyramid",
    "register_network",
    "residual",
]
