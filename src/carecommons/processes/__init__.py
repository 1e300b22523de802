"""The only code that changes a Place; one file, one process."""
