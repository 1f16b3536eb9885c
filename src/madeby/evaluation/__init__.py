"""How good a detector is, with intervals, and where it errs."""
