"""The register of every number, and the published figures it is held against."""
