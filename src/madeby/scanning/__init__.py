"""The pipeline from sources to results, and the engines that run it."""
