"""What a folder says of its runs is enough to have them again, and whatever has changed since is found."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import carecommons as cc
from carecommons.experiments import campaign, performing, provenance, reproduction
from carecommons.experiments.store import database
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.errors import IncompatibleError
from carecommons.kernels.arrays import F64
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.place.place import Place

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

    def measure(place: Place) -> F64:
        values = np.array(honest(place))
        values[which] += 1.0 * (place.month >= 4)
        values[0] += 1.0 * (place.month >= 5)
        return values

    monkeypatch.setattr(performing, "measure", measure)
    found = cc.reproduce(swept, 2)
    assert (found.same, found.different, found.failed) == (False, 2, 0)
    assert all(run.how.startswith("isolation from month 4: ") for run in found.runs)


def test_the_sign_of_nought_is_a_bit_too(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = performing.measure
    monkeypatch.setattr(performing, "measure", lambda place: np.where(honest(place) == 0, -0.0, honest(place)))
    (run,) = cc.reproduce(swept, 1).runs
    assert not run.same and run.how.endswith("from month 1: 0.0 kept, -0.0 now")


def test_a_run_that_cannot_be_done_now_says_why_and_is_no_difference(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(place: object) -> F64:
        raise ValueError("no more")

    monkeypatch.setattr(performing, "measure", broken)
    found = cc.reproduce(swept, 1)
    assert (found.same, found.different, found.failed) == (False, 0, 1)
    assert found.runs[0].how == "ValueError: no more"
    assert "0 of 0 runs done again are the same to the last bit, 1 could not be" in repr(found)


def test_what_has_changed_since_is_named_and_the_numbers_compared_all_the_same(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reproduction, "versions", lambda: {"numpy": "0.1"})
    monkeypatch.setattr(reproduction, "machine", lambda: {"system": "Plan 9"})
    monkeypatch.setattr(campaign, "code", lambda: {**provenance.code(), "cycle": "other"})
    found = cc.reproduce(swept, 1)
    assert found.same and len(found.notes) == 3
    code, libraries, machine = found.notes
    assert code == "code changed in cycle"
    assert libraries.startswith("made with numpy ") and libraries.endswith(" (now 0.1)")
    assert machine.startswith("made with system ") and machine.endswith(" (now Plan 9)")


def test_a_session_that_made_none_of_the_runs_says_nothing_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cc.sweep(SMALL, {}, replicates=1, out=tmp_path / "out")
    with monkeypatch.context() as other:
        other.setattr(database, "versions", lambda: {"numpy": "0.1"})
        cc.sweep(SMALL, {}, replicates=1, out=tmp_path / "out")
    assert cc.reproduce(tmp_path / "out").notes == ()


def test_outcomes_are_held_against_each_other_by_name(swept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a later version, whose outcomes stand in another order, and of which one has another name."""
    first, second, *rest = BY_NAME.items()
    monkeypatch.setattr(reproduction, "BY_NAME", dict([second, first, *rest]))
    honest = performing.measure
    monkeypatch.setattr(performing, "measure", lambda place: honest(place)[[1, 0, *range(2, len(BY_NAME))]])
    assert cc.reproduce(swept, 1).same
    monkeypatch.setattr(reproduction, "BY_NAME", dict([second, ("new", first[1]), *rest]))
    found = cc.reproduce(swept, 1)
    assert found.notes == (f"outcomes that came: new; outcomes that went: {first[0]}",)
    assert found.runs[0].how == f"{first[0]}: 6 of float64 kept, nothing now"


def own_place(folder: Path) -> Path:
    """A place's file with the figures of Derby."""
    file = folder / "own.toml"
    file.write_text((files("carecommons") / "founding" / "data" / "places" / "derby.toml").read_text("utf-8"), "utf-8")
    return file


def test_figures_of_a_place_that_changed_are_named_and_no_kept_run_is_passed_over(tmp_path: Path) -> None:
    file = own_place(tmp_path)
    for other in ("camden", str(file)):
        cc.sweep(SMALL, {"place": ["derby", other]}, replicates=1, out=tmp_path / "out")
    text = file.read_text()
    changed = re.sub(r"^disabled_share = .*$", "disabled_share = 0.4", text, flags=re.MULTILINE)
    assert changed != text
    file.write_text(changed)
    found = cc.reproduce(tmp_path / "out")
    assert (len(found.runs), found.held, found.different) == (3, 3, 1)
    assert found.notes == (f"the figures of {file} changed",)
    with pytest.raises(IncompatibleError, match=r"the figures of .* changed"):  # though it came second into the folder
        cc.sweep(SMALL, {"place": ["derby", str(file)]}, replicates=1, out=tmp_path / "out")
    file.unlink()
    with pytest.raises(cc.InputError, match=r"out: place: .*own\.toml: no such file"):
        cc.reproduce(tmp_path / "out")


def test_a_parameter_that_todays_code_does_not_know_is_told_as_another_version(
    swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    points = {
        subject: [{**each, "ties.old": 1.0} for each in cell] for subject, cell in cc.load(swept).store.points.items()
    }
    monkeypatch.setattr(Store, "points", property(lambda self: points))
    with pytest.raises(IncompatibleError, match=r"is of another version of carecommons: .*ties\.old"):
        cc.reproduce(swept)


def test_every_kind_of_difference_between_arrays_has_its_words() -> None:
    flows = np.zeros((1, 2, 2), np.int64)
    a = reproduction.by_outcome({"a.series": np.zeros((2, 2)), "flows": flows}, ["first", "second"])
    assert reproduction.parting(a, {**a, "new": flows}) == ""
    later = {**a, "first of a": np.array([0.0, 1.0]), "second of a": np.array([np.nan, 2.0]), "flows": flows + 1}
    assert reproduction.parting(a, later) == "second of a from month 1: 0.0 kept, nan now"
    assert reproduction.parting(later, {**later}) == ""
    assert reproduction.parting(a, {**a, "flows": flows + 1}) == "flows: 0 kept, 1 now"
    assert reproduction.parting(a, {**a, "flows": np.zeros(3)}) == "flows: 1 x 2 x 2 of int64 kept, 3 of float64 now"


def test_a_folder_without_runs_and_no_number_are_refused_in_a_line(swept: Path, tmp_path: Path) -> None:
    for number in (0, True, "all"):
        with pytest.raises(cc.InputError, match="must be a whole number"):
            cc.reproduce(swept, number)  # type: ignore[arg-type]
    for wrong in ({"jobs": 0}, {"jobs": 0, "engine": cc.Engine()}, {"engine": 0}):
        with pytest.raises(cc.InputError):
            cc.reproduce(swept, 1, **wrong)  # type: ignore[arg-type]
    assert len(cc.reproduce(swept, np.int64(2)).runs) == 2  # type: ignore[arg-type]
    with pytest.raises(cc.InputError, match="holds no runs"):
        cc.reproduce(tmp_path)
