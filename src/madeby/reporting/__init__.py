"""The story of a run as one page and as slides: every sentence in them is computed from the figures."""
