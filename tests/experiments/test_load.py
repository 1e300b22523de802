"""Results lie in a folder: they are loaded as they were given, gone on with, tried again and joined."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

import pandas as pd
import pytest

import carecommons as cc
from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments import campaign, compare, load, runner, sweep
from carecommons.experiments.campaign import known_in, workers
from carecommons.experiments.design import Design
from carecommons.experiments.engines import Engine
from carecommons.experiments.store.state import state
from carecommons.experiments.task import Done, Task
from small import SCENARIO

BASE = SCENARIO.but({"citizens": 100, "months": 3})
LEVELS = [0.5, 1.0, 1.5]
TABLES = ("runs.csv", "parameters.csv", "series.csv", "summary.csv", "failures.csv")


def design(levels: Sequence[float] = LEVELS, replicates: int = 3) -> Design:
    return Design(BASE, {"council.funding": tuple(levels)}, replicates, 5)


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in TABLES}


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The design run at one go."""
    folder = tmp_path_factory.mktemp("straight") / "out"
    sweep.run(design(), workers(1), folder)
    return folder


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Every task that is run during the test."""
    found: list[Task] = []

    def perform_all(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
        found.extend(tasks)
        yield from runner.perform_all(tasks, engine)

    monkeypatch.setattr(campaign, "perform_all", perform_all)
    return found


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Worlds in which a run fails, none at first."""
    seeds: list[int] = []

    def perform_all(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
        for done in runner.perform_all(tasks, engine):
            yield Done(done.task, None, "ValueError: bad luck") if done.task.seed in seeds else done

    monkeypatch.setattr(campaign, "perform_all", perform_all)
    return seeds


def test_what_is_loaded_is_what_was_given(straight: Path) -> None:
    given, held = sweep.run(design(), workers(1)), cc.load(straight)
    assert isinstance(held, cc.Sweep) and held.design == given.design
    for name in ("runs", "parameters", "series", "summary", "failures"):
        pd.testing.assert_frame_equal(getattr(held, name), getattr(given, name))
    assert held.values == given.values


def test_a_comparison_is_loaded_with_its_pairs_and_its_verdict(tmp_path: Path) -> None:
    stop = cc.Stop("people", cc.Precision.parse("0.5"), most=15)
    given = cc.compare(BASE, BASE.but({"council.funding": 0.5}), [3], out=tmp_path / "out", stop=stop)
    held = cc.load(tmp_path / "out")
    assert isinstance(held, cc.Comparison) and held.seeds == given.seeds == tuple(range(3, 18))
    pd.testing.assert_frame_equal(held.table, given.table)
    pd.testing.assert_frame_equal(held.attribution, given.attribution)
    assert held.verdict == given.verdict and held.verdict is not None and not held.verdict.converged
    assert list(held.runs["arm"]) == ["a", "b"] * 15


def test_the_same_call_again_runs_nothing_and_changes_no_table(straight: Path, counted: list[Task]) -> None:
    before = bytes_of(straight)
    sweep.run(design(), workers(1), straight)
    assert (counted, bytes_of(straight)) == ([], before)


def test_a_sweep_that_was_stopped_goes_on_to_the_same_bytes(
    straight: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopping(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
        yield from runner.perform_all(tasks[:4], engine)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(campaign, "perform_all", stopping)
        with pytest.raises(KeyboardInterrupt):
            sweep.run(design(), workers(1), tmp_path / "out")
    assert len(known_in(tmp_path / "out")) == 4
    held = cc.load(tmp_path / "out")
    assert len(held.runs) == 4  # it can be looked at as it stands
    held.store.close()
    sweep.run(design(), workers(1), tmp_path / "out")
    assert bytes_of(tmp_path / "out") == bytes_of(straight)


def test_more_levels_and_replicates_add_to_what_is_there(straight: Path, tmp_path: Path, counted: list[Task]) -> None:
    folder = tmp_path / "out"
    sweep.run(design(LEVELS[1:], 2), workers(1), folder)
    first = len(counted)
    sweep.run(design(), workers(1), folder)
    assert (first, len(counted)) == (4, 9)
    assert bytes_of(folder) == bytes_of(straight)


def test_what_an_earlier_design_ran_stays(straight: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    sweep.run(design(), workers(1), folder)
    sweep.run(design(LEVELS[:1], 1), workers(1), folder)
    held = cc.load(folder)
    assert len(held.design.cells) == 1 and len(held.runs) == 9


@pytest.mark.parametrize(
    ("change", "named"),
    [({"asking.door": 0.5}, "asking.door was 1.0, now 0.5"), ({"months": 4}, "months was 3, now 4")],
)
def test_another_scenario_is_refused_and_may_take_the_folder_by_force(
    change: dict[str, object], named: str, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    sweep.run(design(LEVELS[:1], 1), workers(1), folder)
    other = Design(BASE.but(change), {"council.funding": (0.5,)}, 1, 5)
    with pytest.raises(CareCommonsError, match=named) as caught:
        sweep.run(other, workers(1), folder)
    assert caught.value.exit_code == 4
    sweep.run(other, workers(1), folder, force=True)
    assert len(known_in(folder)) == 1 and (folder / "results-1.sqlite").exists()


def test_other_code_is_refused_by_the_parts_that_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    sweep.run(design(LEVELS[:1], 1), workers(1), folder)
    monkeypatch.setattr(campaign, "code", lambda: {**runner_code(), "processes": "0" * 16})
    with pytest.raises(CareCommonsError, match="code changed in processes"):
        sweep.run(design(LEVELS[:1], 1), workers(1), folder)


def runner_code() -> dict[str, str]:
    from carecommons.experiments.provenance import code

    return dict(code())


def test_a_run_that_fails_is_listed_and_tried_again_when_asked(
    straight: Path, tmp_path: Path, faulty: list[int]
) -> None:
    folder = tmp_path / "out"
    faulty.append(6)
    found = sweep.run(design(), workers(1), folder)
    assert list(found.failures["seed"]) == [6, 6, 6]
    assert set(found.failures["cause"]) == {"ValueError: bad luck"}
    assert found.estimates("isolation")[0].n == 2  # the others count
    found.store.close()
    sweep.run(design(), workers(1), folder).store.close()  # the same call leaves failures alone
    assert len(cc.load(folder).failures) == 3
    faulty.clear()
    again = load.retry(folder, workers(1))
    assert len(again.failures) == 0
    assert bytes_of(folder) == bytes_of(straight)


def test_a_pair_that_fails_is_left_out_and_can_be_tried_again(tmp_path: Path, faulty: list[int]) -> None:
    other, folder = BASE.but({"council.funding": 0.5}), tmp_path / "out"
    faulty.append(2)
    found = compare.run(BASE, other, (1, 2, 3), workers(1), folder)
    assert (len(found.failures), found.paired["isolation"].difference.n) == (1, 2)
    found.store.close()
    faulty.clear()
    assert load.retry(folder, workers(1)).summary is not None
    whole = compare.run(BASE, other, (1, 2, 3), workers(1))
    pd.testing.assert_frame_equal(cc.load(folder).table, whole.table)  # type: ignore[union-attr]


def test_failures_of_an_earlier_design_can_be_tried_again_too(tmp_path: Path, faulty: list[int]) -> None:
    folder = tmp_path / "out"
    faulty.append(5)
    sweep.run(design(LEVELS[:1], 1), workers(1), folder).store.close()
    faulty.clear()
    found = sweep.run(design(LEVELS[1:2], 1), workers(1), folder)
    assert len(found.failures) == 1
    found.store.close()
    assert len(load.retry(folder, workers(1)).failures) == 0


def test_trying_again_never_sets_runs_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    sweep.run(design(LEVELS[:1], 1), workers(1), folder).store.close()
    before = bytes_of(folder)
    monkeypatch.setattr(campaign, "code", lambda: {**runner_code(), "processes": "0" * 16})
    with pytest.raises(CareCommonsError, match="code changed in processes"):
        load.retry(folder, workers(1), force=True)
    assert bytes_of(folder) == before


def test_a_comparison_that_was_stopped_can_be_loaded_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, folder = BASE.but({"council.funding": 0.5}), tmp_path / "out"

    def stopping(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
        yield from runner.perform_all(tasks[:1], engine)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(campaign, "perform_all", stopping)
        with pytest.raises(KeyboardInterrupt):
            compare.run(BASE, other, (1, 2, 3), workers(1), folder)
    held = cc.load(folder)
    assert isinstance(held, cc.Comparison) and (held.seeds, len(held.ends)) == ((1, 2, 3), 1)
    held.store.close()
    gone_on = compare.run(BASE, other, (1, 2, 3), workers(1), folder)
    pd.testing.assert_frame_equal(gone_on.table, compare.run(BASE, other, (1, 2, 3), workers(1)).table)


def test_a_replication_rule_outlives_a_failure_and_another_try(tmp_path: Path, faulty: list[int]) -> None:
    folder = tmp_path / "out"
    stop = cc.Stop("people", cc.Precision(0.123456789), most=15)
    faulty.append(4)
    found = cc.compare(BASE, BASE.but({"council.funding": 0.5}), [3], out=folder, stop=stop)
    assert len(found.failures) == 1
    found.store.close()
    faulty.clear()
    again = load.retry(folder, workers(1))
    assert isinstance(again, cc.Comparison) and again.stop == stop and again.verdict is not None
    assert len(again.failures) == 0 and again.seeds == tuple(range(3, 18))
    assert again.records()["verdict"]["pairs"] == 15


def test_a_replication_rule_that_was_stopped_between_rounds_is_known_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, a, b = tmp_path / "out", BASE, BASE.but({"council.funding": 0.5})
    stop = cc.Stop("unmet_hours", cc.Precision(1e-9), most=20)
    rounds: list[int] = []

    def stopping(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
        rounds.append(len(tasks))
        if len(rounds) == 2:
            raise KeyboardInterrupt
        yield from runner.perform_all(tasks, engine)

    with monkeypatch.context() as patched:
        patched.setattr(campaign, "perform_all", stopping)
        with pytest.raises(KeyboardInterrupt):
            compare.run(a, b, (1,), workers(1), folder, stop=stop, command="carecommons compare x")
    at = state(folder)
    assert (rounds, at.missing, at.unfinished) == ([15, 5], 0, True)
    assert at.advice.endswith(": carecommons compare x")
    load.retry(folder, workers(1)).store.close()  # which has nothing to do, and ends no rule
    assert state(folder).unfinished
    compare.run(a, b, (1,), workers(1), folder, stop=stop).store.close()
    at = state(folder)
    assert (at.done, at.unfinished) == (20, False) and "summary.csv" in at.advice


def test_a_world_beyond_those_that_a_rule_needed_is_not_tried_for_ever(tmp_path: Path, faulty: list[int]) -> None:
    folder, a, b = tmp_path / "out", BASE, BASE.but({"council.funding": 0.5})
    stop = cc.Stop("unmet_hours", cc.Precision(60.0), most=200)
    whole = cc.compare(a, b, [1], stop=stop)
    tried = len(whole.store.status())
    assert len(whole.seeds) < tried
    faulty.append(tried)  # the last world, which was not needed
    found = cc.compare(a, b, [1], stop=stop, out=folder)
    assert found.verdict == whole.verdict and len(found.failures) == 0
    found.store.close()
    at = state(folder)
    assert (at.done, at.failed) == (tried - 1, 0) and at.advice == f"look at {folder / 'summary.csv'}"


@pytest.mark.parametrize("order", [(1, 2, 3), (3, 1, 2)])
def test_shards_merge_to_the_same_bytes_in_any_order(straight: Path, tmp_path: Path, order: tuple[int, ...]) -> None:
    folder = tmp_path / "out"
    for part in order:
        sweep.run(design(), workers(1), folder, part=f"{part}/3").store.close()
    load.merge(folder, [folder / f"shard-{part}-of-3" for part in order]).store.close()
    assert bytes_of(folder) == bytes_of(straight)
    load.merge(folder).store.close()  # once more, and as they are found
    assert bytes_of(folder) == bytes_of(straight)


def test_a_folder_that_holds_no_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no runs"):
        cc.load(tmp_path)
    with pytest.raises(InputError, match="holds no shards"):
        load.merge(tmp_path)
