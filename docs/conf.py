"""Build these pages as a site: `pip install .[docs]`, then `sphinx-build docs out/site`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

project = "carecommons"
author = "carecommons contributors"
extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
myst_heading_anchors = 4
exclude_patterns = ["images"]

HERE = Path(__file__).resolve().parent
FIRST = ("guide", "places", "parameters", "outcomes", "odd", "validation")


def add_contents(app: Any, page: str, source: list[str]) -> None:
    """Give the index a table of contents, which readers of the plain files do not need."""
    if page == "index":
        decisions = sorted(f"decisions/{path.stem}" for path in (HERE / "decisions").glob("*.md"))
        source[0] += "\n```{toctree}\n:hidden:\n\n" + "\n".join([*FIRST, *decisions]) + "\n```\n"


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", add_contents)
