"""Trainable architectures: plain modules that know nothing of the trainer."""
