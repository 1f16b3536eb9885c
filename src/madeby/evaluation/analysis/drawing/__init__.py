"""The plots of an analysis."""
