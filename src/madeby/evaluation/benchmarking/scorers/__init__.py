"""Whatever gives P(ai) for a picture, behind one small interface."""
