"""A model bundle at work: picture to calibrated probability."""
