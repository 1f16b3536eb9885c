"""What pictures show, how the detector's answers go with it, and what its mistakes have in common."""
