"""What a folder says of its runs is enough to have them again, and whatever has changed since is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import carecommons as cc
from carecommons.experiments import performing, reproduction
from carecommons.experiments.packing import pack, unpack
from carecommons.outcomes.catalogue import BY_NAME

SMALL = cc.Scenario(place="derby", citizens=60, months=6)
LEVELS = {"council.funding": [0.6, 0.8, 1.0, 1.2]}


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with twenty runs of a sweep."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    cc.sweep(SMALL, LEVELS, replicates=5, out=folder)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_twenty_of_twenty_runs_are_the_same_from_the_folder_alone_and_it_stays_as_it_is(swept: Path) -> None:
    before = contents(swept)
    found = cc.reproduce(swept)
    assert (len(found.runs), found.held, found.same, found.notes) == (20, 20, True, ())
    assert "20 of 20 runs done again are the same" in repr(found)
    assert contents(swept) == before


def test_both_arms_of_a_comparison_are_done_again(tmp_path: Path) -> None:
    cc.compare(SMALL, SMALL.but({"council.funding": 0.5}), range(1, 4), last=6, out=tmp_path / "out")
    found = cc.reproduce(tmp_path / "out")
    assert (len(found.runs), found.same) == (3, True)


def test_fewer_runs_are_the_same_ones_every_time_and_spread_over_the_cells(swept: Path) -> None:
    few, more = (reproduction.reproduce(swept, number).runs for number in (3, 8))
    assert len(few) == 3 and {*few} < {*more}
    assert len({run.seed for run in more}) > 2


def test_the_first_month_and_outcome_that_came_out_otherwise_are_named(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, which = performing.measure, list(BY_NAME).index("isolation")

    def measure(place: object) -> np.ndarray:
        values = np.array(honest(place))  # type: ignore[arg-type]
        values[which] += 1.0 * (place.month >= 4)  # type: ignore[attr-defined]
        return values

    monkeypatch.setattr(performing, "measure", measure)
    found = cc.reproduce(swept, 2)
    assert not found.same and len(found.other) == 2
    assert all(run.how.startswith("isolation from month 4: ") and not run.failed for run in found.runs)


def test_other_code_and_other_libraries_are_named_and_the_numbers_compared_all_the_same(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "versions", lambda: {"numpy": "0.1"})
    held = reproduction.identity
    monkeypatch.setattr(
        reproduction, "identity", lambda *given: {**held(*given), "code": {**held(*given)["code"], "cycle": "other"}}
    )
    found = cc.reproduce(swept, 1)
    assert found.same and found.notes[0] == "code changed in cycle"
    assert found.notes[1].startswith("made with numpy ") and found.notes[1].endswith(" (now 0.1)")


def test_a_run_that_cannot_be_done_now_says_why(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(place: object) -> np.ndarray:
        raise ValueError("no more")

    monkeypatch.setattr(performing, "measure", broken)
    (run,) = cc.reproduce(swept, 1).runs
    assert (run.same, run.failed, run.how) == (False, True, "ValueError: no more")


def test_every_kind_of_difference_between_arrays_has_its_words() -> None:
    flows = np.zeros((1, 2, 2), np.int64)
    a = unpack(pack({"a.series": np.zeros((2, 2)), "flows": flows, "split": np.array([np.nan])}))
    names = ["first", "second"]
    assert reproduction.parting(a, {**a, "split": np.array([np.nan])}, names) == ""
    series = np.array([[0.0, 0.0], [0.0, 2.0]])
    assert reproduction.parting(a, {**a, "a.series": series, "flows": a["flows"] + 1}, names) == (
        "second of a from month 2: 0.0 kept, 2.0 now"
    )
    assert reproduction.parting(a, {**a, "flows": a["flows"] + 1}, names) == "flows: 0 kept, 1 now"
    assert reproduction.parting(a, {**a, "flows": np.zeros(3)}, names) == "flows: 1 x 2 x 2 kept, 3 now"
    assert reproduction.parting(a, {"a.series": a["a.series"], "flows": a["flows"]}, names) == (
        "split: 1 kept, nothing now"
    )


def test_a_folder_without_runs_and_no_number_are_refused_in_a_line(swept: Path, tmp_path: Path) -> None:
    for number in (0, True, "all"):
        with pytest.raises(cc.InputError, match="must be a whole number"):
            cc.reproduce(swept, number)  # type: ignore[arg-type]
    with pytest.raises(cc.InputError, match="holds no runs"):
        cc.reproduce(tmp_path)
