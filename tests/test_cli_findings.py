"""Findings on the command line: figures over the months that were run, and refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import carecommons as cc
from carecommons.cli import findings
from carecommons.outcomes.quintiles import MEASURES
from carecommons.place.ledger import Account
from test_cli import SMALL, carecommons, ran


def test_an_appraisal_is_of_the_months_that_were_run(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"compare derby --but council.funding=0.5 --citizens 120 --months 6 -r 3 -j 1 -o {folder}")
    assert "per 1,000 adults over 6 months, council" in ran(f"appraise {folder}")
    table = json.loads(ran(f"appraise {folder} --discount none --json"))["perspectives"]
    told = next(row["value"] for row in table if (row["party"], row["component"]) == ("council", "borne"))
    answers = cc.load(folder).answers()
    lived = np.mean(
        [each[f"{arm}.quintiles"][..., MEASURES.index("people")].sum() / 6 for each in answers for arm in "ab"]
    )
    more = [(each["b.flows"] - each["a.flows"]).sum(axis=0) for each in answers]
    spent = np.mean([each[Account.COUNCIL].sum() - each[Account.CITIZENS, Account.COUNCIL] for each in more])
    assert told == pytest.approx(spent / 100 * 1_000 / lived, rel=1e-12)


@pytest.mark.parametrize(("method", "rows", "least"), [("morris", 3, 4), ("saltelli", 4, 16)])
def test_a_sample_too_small_names_the_folder_and_what_to_ask_for(
    monkeypatch: pytest.MonkeyPatch, method: str, rows: int, least: int
) -> None:
    """One point of each method over two factors."""
    points = {"morris": [(0, 0), (1, 0), (1, 1)], "saltelli": [(0, 0), (1, 0), (0, 1), (1, 1)]}[method]
    keys = ("ties.meet", "asking.door")
    block = {"kind": method, "over": [{"key": key, "low": 0.0, "high": 1.0, "whole": False} for key in keys]}
    cells = [dict(zip(keys, map(float, point), strict=True)) for point in points]
    design = SimpleNamespace(method={"blocks": [block]}, cells=cells)
    held = SimpleNamespace(design=design, values={"isolation": [[float(k)] for k in range(rows)]})
    monkeypatch.setattr(findings, "swept", lambda *_: held)
    result = carecommons("sensitivity out/small")
    assert result.exit_code == 2 and result.stderr.count("\n") == 1
    assert f"out/small: {'sobol' if method == 'saltelli' else method}: " in result.stderr
    assert f"must have at least {least}; make the design with --sample {method}:{least}" in result.stderr


def test_lists_can_be_compared_with(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"sweep derby --vary council.shares=[0.8,0.05,0.15],[0.7,0.15,0.15] {SMALL} -r 2 -j 1 -o {folder}")
    words = f"discover {folder} --where unmet_hours=rises --against council.shares="
    assert "1 cases" in ran(words + "[0.8,0.05,0.15]")
    result = carecommons(words + "[0.9,0.05,0.05]")
    assert result.exit_code == 2 and "is no level" in result.stderr and result.stderr.count("\n") == 1
