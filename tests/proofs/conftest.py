"""What the proofs share: a sweep that nobody disturbed."""

from __future__ import annotations

from pathlib import Path

import pytest
from proving import Study, run, tables


@pytest.fixture(scope="session")
def small() -> Study:
    """A sweep of a few seconds."""
    return Study()


@pytest.fixture(scope="session")
def calm(small: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of that sweep as it is when nobody disturbs it; not to be written to."""
    folder = tmp_path_factory.mktemp("calm")
    ended = run(folder, small.words("calm", "-j", "1"))
    assert (ended.code, ended.err) == (0, "")
    return folder / "calm"


@pytest.fixture(scope="session")
def wanted(calm: Path) -> dict[str, bytes]:
    """Its tables."""
    return tables(calm)
