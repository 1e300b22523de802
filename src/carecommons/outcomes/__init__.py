"""Pure functions of a Place: what the month was like, for whom."""
