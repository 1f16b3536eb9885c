"""From a manifest and a recipe to a run folder and a bundle."""
