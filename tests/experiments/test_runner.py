"""Runs give the same numbers wherever they are done, and a worker that dies is reported, not waited for."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable

import pytest

from carecommons.errors import InputError
from carecommons.experiments import runner
from carecommons.experiments.runner import Answer, RunError, Task, Worker, Worlds, check_jobs, perform, perform_all
from carecommons.model import CareCommons
from carecommons.outcomes.attribution import attribute
from carecommons.outcomes.catalogue import BY_NAME
from small import SCENARIO, differing

A = SCENARIO.but({"citizens": 150, "months": 4})
B = A.but({"council.funding": 0.5, "assessment.threshold": 4})
TASKS = [Task((arm,), seed) for seed in (1, 2) for arm in (0, 1)]


def same(a: Answer, b: Answer) -> bool:
    return len(a) == len(b) and all(
        x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b, strict=True)
    )


def test_a_run_is_what_the_model_itself_gives() -> None:
    (series,) = perform([A], 3, Worlds())
    wanted = CareCommons(A, rng=3).run().series[list(BY_NAME)].to_numpy(float)
    assert series.tobytes() == wanted.tobytes()


def test_a_pair_is_two_runs_in_step_with_their_attribution() -> None:
    a, b, split = perform([A, B], 3, Worlds())
    assert same((a,), perform([A], 3, Worlds()))
    assert same((b,), perform([B], 3, Worlds()))
    models = [CareCommons(each, rng=3) for each in (A, B)]
    for month in range(A.months):
        for model in models:
            model.step()
        assert tuple(split[month]) == attribute(models[0].place, models[1].place)


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


def test_a_world_is_laid_out_once_for_policies_that_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    found = runner.found

    def counted(*args: object) -> object:
        nonlocal count
        count += 1
        return found(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "found", counted)
    dict(perform_all([A, B], TASKS))
    assert count == 2  # seeds


def test_workers_give_the_same_bytes_as_this_process() -> None:
    tasks = [*TASKS, Task((0, 1), 1)]
    here, there = dict(perform_all([A, B], tasks)), dict(perform_all([A, B], tasks, jobs=2))
    assert set(here) == set(there) == set(tasks)
    assert all(same(here[task], there[task]) for task in tasks)


@pytest.mark.parametrize("jobs", [0, -1, True, 1.0, 1025])
def test_a_number_of_workers_that_cannot_be_is_refused(jobs: int) -> None:
    with pytest.raises(InputError, match="jobs = "):
        check_jobs(jobs)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("import os, sys; sys.stdin.readline(); os.kill(os.getpid(), 9)", "a worker process died (signal 9)"),
        ("import sys; sys.stdin.readline(); sys.exit(7)", "a worker process died (exit code 7)"),
        ("raise SystemExit(5)", "a worker process died (exit code 5)"),
        ('import sys; sys.stdin.readline(); print(\'{"arrays": [{"bytes": 9}]}\')', "a worker process died"),
        ('import sys; sys.stdin.readline(); print(\'{"error": "MemoryError: 9 GB"}\')', "failed: MemoryError: 9 GB"),
    ],
)
def test_a_worker_that_dies_is_an_error_and_not_a_wait(
    monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(Worker, "program", ("-c", program))
    with pytest.raises(RunError) as caught:
        list(perform_all([A, B], TASKS, jobs=2))
    assert message in str(caught.value)
    assert "seed 1" in str(caught.value)
    assert caught.value.exit_code == 3


def test_a_run_that_fails_in_a_worker_says_so_in_one_line() -> None:
    worker = Worker()
    try:
        with pytest.raises(RunError, match=r"seed -1 failed: InputError: rng = -1 is not a whole number"):
            worker.ask([A], -1)
        assert same(worker.ask([A], 1), perform([A], 1, Worlds()))  # and the worker goes on
    finally:
        worker.stop()


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started during the test."""
    found: list[subprocess.Popen[bytes]] = []
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen

    def popen(*args: object, **more: object) -> subprocess.Popen[bytes]:
        found.append(start(*args, **more))
        return found[-1]

    monkeypatch.setattr(runner.subprocess, "Popen", popen)
    return found


def test_no_worker_outlives_what_asked_for_it(started: list[subprocess.Popen[bytes]]) -> None:
    answers = perform_all([A, B], TASKS, jobs=2)
    next(answers)
    answers.close()
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


def test_a_worker_ends_in_the_middle_of_a_run_when_its_input_closes(started: list[subprocess.Popen[bytes]]) -> None:
    worker = Worker()
    assert worker.ask([A.but(months=1)], 1)  # it is up
    (process,) = started
    assert process.stdin is not None
    long = A.but({"citizens": 100_000, "months": 1200}).flat()
    process.stdin.write(runner.json.dumps({"scenarios": [long], "seed": 1}).encode() + b"\n")
    process.stdin.flush()
    process.stdin.close()
    began = time.monotonic()
    assert process.wait(timeout=60) == 0
    assert time.monotonic() - began < 10  # that run takes minutes
    worker.stop()


def test_what_a_worker_prints_does_not_stand_between_its_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    chatter = "import numpy, carecommons.experiments.worker as w; p = w.perform\n"
    chatter += "def loud(*a):\n    print('hello'); numpy.zeros(1); return p(*a)\n"
    monkeypatch.setattr(Worker, "program", ("-c", chatter + "w.perform = loud\nw.main()"))
    worker = Worker()
    try:
        assert same(worker.ask([A], 1), perform([A], 1, Worlds()))
    finally:
        worker.stop()
