"""Sentences computed from figures. Each says what it rests on, or that it cannot be told."""
