"""Findings on the command line: figures over the months that were run, and refusals that say what to do."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import carecommons as cc
from carecommons.analysis.perspectives import PERSPECTIVES
from carecommons.cli import findings
from carecommons.experiments.store.database import Store
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
    held = SimpleNamespace(lacking=(), design=design, values={"isolation": [[float(k)] for k in range(rows)]})
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


def test_a_sample_beside_a_grid_is_analysed_at_a_level_of_the_grid(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"sweep derby --sample morris:4 --over ties.meet --vary council.funding=0.8,1.0 {SMALL} -r 3 -j 1 -o {folder}")
    result = carecommons(f"sensitivity {folder}")
    assert result.exit_code == 2 and "--at council.funding=0.8" in result.stderr and result.stderr.count("\n") == 1
    for level in ("0.8", "1"):
        assert json.loads(ran(f"sensitivity {folder} --at council.funding={level} --json"))[0]["factor"] == "ties.meet"
    result = carecommons(f"sensitivity {folder} --at council.funding=0.9")
    assert result.exit_code == 2 and "is no cell" in result.stderr and result.stderr.count("\n") == 1


def test_questions_that_a_folder_cannot_answer_say_why(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"sweep derby --vary council.funding=0.8,1.0 {SMALL} -r 1 -j 1 -o {folder}")
    for words, said in (
        (f"discover {folder} --where 'funded=surely falls'", "'surely' needs an interval: at least 2 replicates"),
        (f"discover {folder} --where funded=falls --against asking.door=1.0", "was not varied; these were: council."),
        (f"sensitivity {folder}", "must be --sample morris or --sample saltelli"),
    ):
        result = carecommons(words)
        assert result.exit_code == 2 and said in result.stderr and result.stderr.count("\n") == 1, words


def test_what_an_incomplete_folder_lacks_is_said_where_it_is_analysed(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    design = cc.Design(cc.Scenario(place="derby", citizens=60, months=6), {"council.funding": [0.8, 1.0]}, 2, 1, "")
    held = cc.sweep(design, out=folder)
    with Store.write(folder, held.store.identity, command="test") as store:
        more = cc.Design(design.scenario, {"council.funding": [0.8, 0.9, 1.0]}, 2, 1, "")
        store.add_design({**more.record(), "subjects": [*held.subjects[:1], "0" * 32, *held.subjects[1:]]})
    result = carecommons(f"discover {folder} --where 'funded=above 3'")
    assert result.exit_code == 2 and "2 of 6 runs are missing, give the same command again" in result.stderr
    ran(f"compare derby --but council.funding=0.5 {SMALL} -r 3 -j 1 -o {tmp_path / 'pairs'}")
    pairs = cc.load(tmp_path / "pairs")
    with Store.write(tmp_path / "pairs", pairs.store.identity, command="test") as store:
        store.add_design({**store.designs()[-1], "seeds": [1, 2, 3, 4]})
    assert "1 of 4 runs are missing" in ran(f"appraise {tmp_path / 'pairs'}")


def test_effects_are_discounted_apart_from_money(tmp_path: Path) -> None:
    ran(f"compare derby --but council.funding=0.5 {SMALL} -r 3 -j 1 -o {tmp_path / 'out'}")
    told = json.loads(ran(f"appraise {tmp_path / 'out'} --discount-effects health --json"))["method"]
    assert told["discount_money"]["name"] == "standard" and told["discount_effects"]["name"] == "health"


def test_an_appraisal_is_told_from_every_perspective(tmp_path: Path) -> None:
    ran(f"compare derby --but council.funding=0.5 {SMALL} -r 3 -j 1 -o {tmp_path / 'out'}")
    for perspective in PERSPECTIVES:
        told = ran(f"appraise {tmp_path / 'out'} --perspective {perspective}")
        assert ("cost not known" in told) == (perspective == "nhs")
        assert ("ICER" in told) == (perspective != "nhs")
        assert json.loads(ran(f"appraise {tmp_path / 'out'} --perspective {perspective} --json"))["table"]
