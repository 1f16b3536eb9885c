"""Bundles and memories with pictures in them, made up."""

import shutil

import numpy as np

from madeby.detector.bundle import Bundle
from madeby.training.adaptation.memory import Memory


def remembering(untrained, folder, memory):
    """The untrained bundle with a memory."""
    shutil.copytree(untrained.folder, folder)
    bundle = Bundle(folder, untrained.spec.model_copy(update={"memory_sha256": memory.write(folder)}))
    bundle.write_spec()
    return bundle


def with_pictures(width, rng, count=400, most=None, like=None):
    """A memory of photographs and AI pictures of ten collections each, which one direction tells apart, and all that
    was seen of them; ``like`` others (n, width) in mean and spread."""
    labels = np.tile(np.array([0, 1], np.int8), count // 2)
    features = rng.normal(0, 1, (count, width))
    features[:, 0] += 2.0 * labels
    if like is not None:
        features = like.mean(0) + features * like.std(0)
    logits = 2.0 * labels - 1 + rng.normal(0, 1, count)
    collections = np.arange(count) // (count // 20) * 2 + labels
    memory = Memory.of(features, np.ones(count), most=most or width)
    return memory.with_pictures(features, logits, labels, collections), features
