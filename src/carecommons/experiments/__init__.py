"""Policies by worlds by seeds, with the same luck."""
