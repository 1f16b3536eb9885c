"""Detectors, ours and others', on collections of pictures, as they are and as the world leaves them: one table."""
