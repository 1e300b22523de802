"""A run keeps what the model itself would show, month by month, and worlds are shared without leaving a trace."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from carecommons.errors import InputError
from carecommons.experiments import performing
from carecommons.experiments.packing import pack, unpack
from carecommons.experiments.performing import OverdueError, Worlds, attempt, perform, within
from carecommons.experiments.task import Task, tasks_of
from carecommons.model import CareCommons
from carecommons.outcomes import quintiles
from carecommons.outcomes.attribution import attribute
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario
from small import SCENARIO, STIRRED, STRICT, differing

A = SCENARIO.but({"citizens": 150, "months": 4})
B = A.but({"council.funding": 0.5, "assessment.threshold": 4})


def task(*scenarios: Scenario, seed: int = 3) -> Task:
    return Task("", scenarios, seed)


@pytest.mark.parametrize("months", [0, 1, 12, 15, 24])
@pytest.mark.parametrize("scenario", [SCENARIO, STIRRED, STRICT], ids=["calm", "stirred", "strict"])
def test_a_run_keeps_what_the_model_itself_gives(scenario: Scenario, months: int) -> None:
    scenario = scenario.but({"citizens": 150, "months": months})
    kept = perform(task(scenario), Worlds())
    model = CareCommons(scenario, rng=3)
    flows, fifths = [], []
    for _ in range(months):
        model.step()
        flows.append(model.place.ledger.flows.copy())
        fifths.append(quintiles.observe(model.place))
    assert list(kept) == ["series", "flows", "quintiles"]
    assert kept["series"].tobytes() == model.series[list(BY_NAME)].to_numpy(float).tobytes()
    assert len(kept["flows"]) == len(kept["quintiles"]) == math.ceil(months / 12)
    for year in range(math.ceil(months / 12)):
        of_year = slice(12 * year, 12 * year + 12)
        assert np.array_equal(kept["flows"][year], sum(flows[of_year]))
        assert np.array_equal(kept["quintiles"][year], sum(fifths[of_year]))


def test_a_run_ends_where_the_model_ends() -> None:
    course = performing.Course(STIRRED, 3, Worlds())
    for _ in range(STIRRED.months):
        course.advance()
    assert differing(course.place, CareCommons(STIRRED, rng=3).run().place) == []


def test_what_is_kept_can_be_packed() -> None:
    kept = perform(task(A, B), Worlds())
    assert {name: array.tobytes() for name, array in kept.items()} == {
        name: array.tobytes() for name, array in unpack(pack(kept)).items()
    }


def test_a_pair_is_two_runs_in_step_with_their_attribution() -> None:
    pair = perform(task(A, B), Worlds())
    for arm, scenario in (("a", A), ("b", B)):
        for name, array in perform(task(scenario), Worlds()).items():
            assert pair[f"{arm}.{name}"].tobytes() == array.tobytes()
    models = [CareCommons(each, rng=3) for each in (A, B)]
    for month in range(A.months):
        for model in models:
            model.step()
        assert tuple(pair["split"][month]) == attribute(models[0].place, models[1].place)


@pytest.mark.parametrize(
    "change",
    [
        {"council.funding": 0.5},
        {"assessment.threshold": 0, "assessment.known": (0.9, 0.9, 0.9)},
        {"need.hours": (1.0, 2.0, 3.0)},
        {"groups.off": True},
        {"people.receptiveness": 0.9},
        {"people.neighbourhood_size": 50},
        {"citizens": 90},
        {"place": "wigan"},
        {},
    ],
)
def test_a_world_that_is_kept_is_the_world_founded_anew(change: dict[str, object]) -> None:
    worlds = Worlds()
    worlds.settled(A, 5)  # which must leave no trace
    other = A.but(change)
    assert differing(worlds.settled(other, 5), CareCommons.founded(other, 5)) == []
    assert differing(worlds.settled(other, 6), CareCommons.founded(other, 6)) == []


def test_a_process_that_is_off_does_nothing() -> None:
    off = A.but({"turnover.off": True, "asking.off": True})
    kept = perform(task(off), Worlds())
    assert kept["series"].tobytes() == CareCommons(off, rng=3).run().series[list(BY_NAME)].to_numpy(float).tobytes()


def test_a_beat_comes_every_month_and_may_end_the_run() -> None:
    months: list[int] = []
    perform(task(A), Worlds(), lambda: months.append(1))
    assert len(months) == A.months
    with pytest.raises(OverdueError, match="not finished after 1e-09 s"):
        perform(task(A), Worlds(), within(1e-9))


def own_place(folder: Path) -> Path:
    """A copy of a shipped place, as a file."""
    town = folder / "town.toml"
    town.write_bytes((Path(__file__).parents[2] / "src/carecommons/founding/data/places/derby.toml").read_bytes())
    return town


@pytest.mark.parametrize("when", ["before", "during"])
def test_a_run_of_a_place_that_was_changed_meanwhile_is_of_no_key(when: str, tmp_path: Path) -> None:
    town = own_place(tmp_path)
    (planned,) = tasks_of([(A.but({"place": str(town)}),)], [3])
    kept = perform(planned, Worlds())

    def change() -> None:
        town.write_text(town.read_text().replace("11823, 18688", "18688, 11823"))

    if when == "before":
        change()
    with pytest.raises(InputError, match=r"^the figures of .*town\.toml, or the code, changed while the runs"):
        perform(planned, Worlds(), change)
    (now,) = tasks_of([(A.but({"place": str(town)}),)], [3])
    assert now.key != planned.key and perform(now, Worlds())["series"].tobytes() != kept["series"].tobytes()


def test_an_exception_is_a_cause_in_one_line_and_only_bad_luck_is_worth_another_try(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for problem, cause, again in (
        (ValueError("a\nb"), "ValueError: a b", False),
        (ZeroDivisionError(), "ZeroDivisionError", False),
        (MemoryError("9 GB"), "MemoryError: 9 GB", True),
        (OverdueError("not finished after 3 s"), "not finished after 3 s", True),
    ):

        def fail(*_: object, problem: Exception = problem) -> None:
            raise problem

        monkeypatch.setattr(performing, "found", fail)
        tried = attempt(task(A), Worlds())
        assert (tried.packed, tried.cause, tried.again) == (None, cause, again)


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(3), GeneratorExit()])
def test_a_stop_that_compiled_code_wrapped_is_no_failed_run(
    stop: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object) -> None:
        try:
            raise stop
        except BaseException as problem:
            raise SystemError("returned a result with an exception set") from problem

    monkeypatch.setattr(performing, "perform", stopped)
    with pytest.raises(type(stop)):
        attempt(task(A), Worlds())


def test_a_world_that_could_not_be_laid_out_is_not_taken_for_another(monkeypatch: pytest.MonkeyPatch) -> None:
    worlds = Worlds()
    wanted = worlds.settled(A, 5)
    found = performing.found

    def fail(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(performing, "found", fail)
    with pytest.raises(MemoryError):
        worlds.settled(A, 6)
    monkeypatch.setattr(performing, "found", found)
    assert differing(worlds.settled(A, 5), wanted) == []
    assert differing(worlds.settled(A, 6), CareCommons.founded(A, 6)) == []
