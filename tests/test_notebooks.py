"""The notebooks run from top to bottom in a fresh kernel."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import carecommons

jupytext = pytest.importorskip("jupytext")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs_from_top_to_bottom(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here = str(Path(carecommons.__file__).parents[1])  # the kernel starts elsewhere, and must find what is being tested
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [here, os.environ.get("PYTHONPATH")])))
    notebook = jupytext.read(path)
    nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert code[-1].execution_count == len(code)
    assert any("image/png" in output.get("data", {}) for cell in code for output in cell.outputs)
    assert list(tmp_path.iterdir()) == []  # nothing written beside the user's back


def test_there_are_the_two_notebooks_that_the_documentation_names() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"month_in_one_place", "funding_and_eligibility"}
