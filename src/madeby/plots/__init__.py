"""Pictures of results: one restrained, colour-blind-safe style; arrays in, PNG files out."""
