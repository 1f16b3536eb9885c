"""Labelled pictures: manifest, loaders, split, contact sheet."""
