"""Arrays in, arrays out, compiled; these loops know nothing of care."""
