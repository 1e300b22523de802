"""Reads results only: comparisons, attributions, pictures."""
