"""Where bundles are kept and found by name."""
