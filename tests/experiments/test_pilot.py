"""A forecast says what is done, what is to do, and what it will take; what is too large for the memory is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments import formats
from carecommons.experiments import pilot as piloting
from carecommons.experiments import sweep as sweeping
from carecommons.experiments.design import Design
from carecommons.experiments.engines import Engine
from carecommons.experiments.performing import RunError
from carecommons.experiments.pilot import SHARE, SMALL, Forecast, available_memory, expected_memory, pilot, refuse
from carecommons.experiments.task import Task, tasks_of
from carecommons.scenario import Scenario

BASE = Scenario(place="derby", citizens=150, months=14)
GB = 10**9


def tasks(replicates: int = 3, **changes: tuple[object, ...]) -> list[Task]:
    design = Design(BASE, {"council.funding": (0.9, 1.1), **changes}, replicates)
    return tasks_of([(scenario,) for scenario in design.scenarios], design.seeds)


def forecast(memory: int, available: int, jobs: int = 2, worker: int = GB // 4) -> Forecast:
    return Forecast(10, 0, jobs, 1.0, 0.1, 1.0, 1000, memory, worker, available, True)


def test_a_pilot_says_what_all_runs_will_take() -> None:
    asked = tasks()
    found = pilot(asked, jobs=2, known={asked[0].key})
    assert (found.runs, found.done, found.to_do, found.jobs) == (6, 1, 5, 2)
    assert found.seconds and found.a_run and found.start and found.disk
    assert found.seconds > found.start
    assert found.memory > 2 * found.worker > 2 * 10**8
    assert json.loads(json.dumps(found.record(), allow_nan=False))["to_do"] == 5
    assert "runs: 6, of which 1 are done and 5 to do" in found.lines
    refuse(found)


def test_a_design_that_is_done_takes_nothing() -> None:
    asked = tasks()
    found = pilot(asked, known={task.key for task in asked})
    assert (found.to_do, found.seconds, found.disk) == (0, 0.0, 0)


def test_a_run_that_a_design_has_twice_is_counted_once() -> None:
    asked = tasks()
    found = pilot([*asked, *asked[:3]], known={task.key for task in asked[1:]})
    assert (found.runs, found.done, found.to_do) == (6, 5, 1)


@pytest.mark.parametrize(("cells", "replicates"), [(2, 3), (2, 40), (40, 1)])
def test_the_disk_is_foretold_to_within_a_quarter(cells: int, replicates: int, tmp_path: Path) -> None:
    design = Design(BASE, {"council.funding": tuple(0.5 + k / 64 for k in range(cells))}, replicates)
    found = pilot(sweeping.tasks_in(design), record=design.record())
    sweeping.run(design, Engine(), tmp_path / "out")
    sizes = {path.name: path.stat().st_size for path in (tmp_path / "out").iterdir()}
    tables = sum(size for name, size in sizes.items() if ".csv" in name)
    assert found.disk and found.tables
    assert found.disk == pytest.approx(sum(sizes.values()), rel=0.25)
    # Numbers with fewer digits than they may have take less.
    assert 0.75 * tables <= found.tables <= 1.75 * tables
    assert SMALL == formats.SMALL


def test_two_in_step_are_piloted_like_one() -> None:
    pair = (BASE.but(months=2), BASE.but({"months": 2, "council.funding": 0.9}))
    found = pilot(tasks_of([pair], [1, 2]))
    assert found.measured and found.to_do == 2


@pytest.mark.parametrize("citizens", [1_000, 10_000, pytest.param(100_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("arms", [1, 2])
def test_memory_is_foretold_to_within_a_quarter(citizens: int, arms: int) -> None:
    scenario = BASE.but(citizens=citizens, months=3)
    task = Task("", (scenario, scenario.but({"council.funding": 0.9}))[:arms], 1)
    measured = piloting._measure([task], 0.0)["peak"]
    assert 0.75 * measured <= expected_memory(task) <= 1.25 * measured


def test_what_is_too_large_by_its_adults_is_refused_without_a_run() -> None:
    found = pilot(tasks(citizens=(100, 60_000_000)), jobs=2)
    assert not found.measured
    assert found.seconds is None
    with pytest.raises(InputError, match=r"memory: the design needs about .* GB, more than 80% of the .* available"):
        refuse(found)


def test_a_run_that_fails_in_the_pilot_is_named_by_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = Task("", (BASE.model_copy(update={"place": "nowhere.toml"}),), 1)
    with pytest.raises(RunError, match=r"the pilot.*nowhere\.toml"):
        pilot([gone])


@given(st.integers(1, 100), st.integers(1, 64))
def test_up_to_four_fifths_of_the_memory_are_used_and_no_more(tenths: int, jobs: int) -> None:
    found = forecast(tenths * GB // 10, 10 * GB, jobs)
    if tenths <= SHARE * 100:
        refuse(found)
        return
    with pytest.raises(InputError) as caught:
        refuse(found)
    assert "\n" not in str(caught.value)
    assert "more than 80% of the 10.0 GB available" in str(caught.value)
    assert f"needs about {tenths / 10:.1f} GB" in str(caught.value)
    refuse(found, forced=True)


def test_fewer_jobs_are_proposed_when_they_would_fit() -> None:
    asked = replace(forecast(9 * GB, 10 * GB, jobs=8, worker=GB), runs=100)
    with pytest.raises(InputError, match=r"use --jobs 7$"):
        refuse(asked)
    refuse(replace(asked, jobs=7, memory=8 * GB))


def test_the_pilot_takes_the_largest_cell_and_others_from_all_over() -> None:
    asked = tasks(citizens=tuple(range(10, 110, 10)))
    chosen = piloting._chosen(asked)
    assert chosen[0].scenarios[0].citizens == 100
    assert len(chosen) == piloting.MOST_RUNS
    assert {task.seed for task in chosen} == {1}
    assert [task.cell for task in chosen[1:]] == [0, 9, 19]
    assert len(piloting._chosen(asked[:1])) == piloting.MOST_RUNS


@given(st.integers(1, 5), st.floats(1e-9, 1e-3), st.floats(0, 1e-3))
def test_work_grows_with_the_worlds_and_a_world_is_laid_out_once(replicates: int, rate: float, founding: float) -> None:
    found = {"founding": founding, "runs": [{"seconds": rate * 1000, "size": 1000.0}]}
    one = piloting._work(tasks(1), found)
    assert piloting._work(tasks(replicates), found) == pytest.approx(replicates * one)
    runs = 2 * (150 + 500) * (14 + 2) * rate
    assert one == pytest.approx(runs + founding * (150 + 500))


def group(folder: Path, **files: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(f"{content}\n", encoding="utf-8")
    return folder


def test_available_memory_is_what_the_tightest_control_group_leaves(tmp_path: Path) -> None:
    proc = tmp_path / "cgroup"
    group(
        tmp_path / "v2" / "a",
        memory__max=3_000_000,
        memory__current=1_000_000,
        memory__stat="anon 1\ninactive_file 400000",
    )
    group(tmp_path / "v2" / "a" / "b", memory__max="max", memory__current=900_000)
    proc.write_text("0::/a/b\n", encoding="utf-8")
    assert available_memory(proc, tmp_path / "v2") == 2_400_000
    group(tmp_path / "v1" / "memory" / "c", memory__limit_in_bytes=2_000_000, memory__usage_in_bytes=500_000)
    proc.write_text("5:cpu:/x\n4:cpuset,memory:/c\n", encoding="utf-8")
    assert available_memory(proc, tmp_path / "v1") == 1_500_000
    group(tmp_path / "v1" / "memory" / "c", memory__usage_in_bytes=2_500_000)
    assert available_memory(proc, tmp_path / "v1") == 0


def test_without_control_groups_the_machines_own_memory_counts(tmp_path: Path) -> None:
    free = available_memory(tmp_path / "none", tmp_path)
    assert free > 10**8
    (tmp_path / "cgroup").write_text("nonsense\n0::/../..\n7:memory\n", encoding="utf-8")
    assert available_memory(tmp_path / "cgroup", tmp_path) > 10**8
