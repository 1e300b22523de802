"""Make a Place from a published profile and a seed."""
