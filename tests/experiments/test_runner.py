"""Runs give the same bytes wherever they are done, a bad run costs no other, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from carecommons.experiments import hands, performing, runner
from carecommons.experiments.engines import Engine
from carecommons.experiments.hands import Worker
from carecommons.experiments.packing import pack
from carecommons.experiments.performing import RunError, Worlds, perform
from carecommons.experiments.runner import perform_all
from carecommons.experiments.task import Done, Task, tasks_of
from small import SCENARIO

A = SCENARIO.but({"citizens": 150, "months": 4})
B = A.but({"council.funding": 0.5, "assessment.threshold": 4})
TASKS = tasks_of([(A,), (B,), (A, B)], range(1, 5))
HERE, CREW, THREADS = Engine(), Engine("processes", 2), Engine("threads", 2)
LONG = Task("long", (A.but({"citizens": 20_000, "months": 1200}),), 1)  # minutes

# A worker in which the runs of seed 2 go wrong, as `bad` says.
SPOILT = """
import ctypes, os, sys, time
import carecommons.experiments.worker as worker
attempt = worker.attempt
def spoilt(task, worlds, beat):
    if task.seed == 2:
        bad(task)
    return attempt(task, worlds, beat)
worker.attempt = spoilt
def bad(task):
    {bad}
worker.main()
"""


def by_key(answers: Iterator[Done]) -> dict[str, Done]:
    found = list(answers)
    assert len({done.task.key for done in found}) == len(found)
    return {done.task.key: done for done in found}


def packed(answers: Iterator[Done]) -> dict[str, bytes | None]:
    return {key: done.packed for key, done in by_key(answers).items()}


@pytest.mark.parametrize("kind", ["here", "threads", "processes"])
def test_no_run_is_made_of_a_place_that_changed_since_it_was_asked_for(kind: str, tmp_path: Path) -> None:
    town = tmp_path / "town.toml"
    shipped = Path(__file__).parents[2] / "src/carecommons/founding/data/places/derby.toml"
    town.write_bytes(shipped.read_bytes())
    tasks = tasks_of([(A.but({"place": str(town)}),)], range(1, 4))
    town.write_text(shipped.read_text().replace("11823, 18688", "18688, 11823"))
    for done in by_key(perform_all(tasks, Engine(kind))).values():
        assert done.packed is None and "changed while the runs were under way" in done.cause and done.tries == 1


@pytest.fixture(scope="module")
def wanted() -> dict[str, bytes | None]:
    return {task.key: pack(perform(task, Worlds())) for task in TASKS}


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Have every worker started from now on do `bad` where seed 2 is to be run."""

    def spoilt(bad: str) -> None:
        monkeypatch.setattr(Worker, "program", ("-P", "-c", SPOILT.format(bad=bad)))

    return spoilt


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every process that is started during the test."""
    found: list[subprocess.Popen[bytes]] = []
    start: Callable[..., subprocess.Popen[bytes]] = subprocess.Popen

    def popen(*args: object, **more: object) -> subprocess.Popen[bytes]:
        found.append(start(*args, **more))
        return found[-1]

    monkeypatch.setattr(hands.subprocess, "Popen", popen)
    return found


# --- the same bytes ---


@pytest.mark.parametrize("engine", [HERE, THREADS, CREW, Engine("processes", 1), Engine("processes", 5)], ids=str)
def test_every_engine_gives_the_same_bytes(engine: Engine, wanted: dict[str, bytes]) -> None:
    found = by_key(perform_all(TASKS, engine))
    assert {key: done.packed for key, done in found.items()} == wanted
    assert {(done.cause, done.tries) for done in found.values()} == {("", 1)}
    assert all(done.seconds > 0 and done.task in TASKS for done in found.values())


def test_the_order_of_the_tasks_changes_no_byte(wanted: dict[str, bytes]) -> None:
    shuffled = sorted(TASKS, key=lambda task: task.key)
    assert packed(perform_all(shuffled, CREW)) == packed(perform_all(shuffled, HERE)) == wanted


@pytest.mark.parametrize("engine", [HERE, THREADS, CREW], ids=str)
def test_nothing_to_do_is_done_at_once(engine: Engine) -> None:
    assert list(perform_all([], engine)) == []


def test_a_world_is_laid_out_once_for_policies_that_share_it(monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0
    found = performing.found

    def counted(*args: object) -> object:
        nonlocal count
        count += 1
        return found(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(performing, "found", counted)
    list(perform_all(sorted(TASKS, key=lambda task: task.key), HERE))  # in whatever order they are listed
    assert count == 4  # seeds


def test_workers_keep_to_their_worlds_and_help_when_theirs_are_done() -> None:
    waiting = runner._Waiting(TASKS)
    first, second = [waiting.take(None), waiting.take(1)], waiting.take(None)
    assert [task.seed for task in (*first, second) if task] == [1, 1, 2]
    rest = [waiting.take(1), waiting.take(1), waiting.take(2), waiting.take(1)]
    assert [task.seed for task in rest if task] == [1, 3, 2, 4]
    assert [task.seed for task in iter(lambda: waiting.take(9), None)] == [3, 4, 2, 3, 4]


# --- bad runs ---


@pytest.mark.parametrize(
    ("bad", "cause"),
    [
        ("os.kill(os.getpid(), 9)", "worker died (signal 9), 3 tries"),
        ("os._exit(7)", "worker died (exit code 7), 3 tries"),
        ("sys.exit(8)", "worker died (exit code 8), 3 tries"),
        ("ctypes.string_at(0)", f"worker died (signal {int(signal.SIGSEGV)}), 3 tries"),
        ("os.close(3); os.closerange(0, 99); time.sleep(60)", "worker died (signal 9), 3 tries"),
    ],
)
def test_a_worker_that_dies_costs_its_run_alone(
    spoil: Callable[[str], None], bad: str, cause: str, wanted: dict[str, bytes]
) -> None:
    spoil(bad)
    began = time.monotonic()
    found = by_key(perform_all([*TASKS[:4], *TASKS[6:]], CREW))  # one run of seed 2, nine others
    for done in found.values():
        if done.task.seed == 2:
            assert (done.packed, done.cause, done.tries) == (None, cause, 3)
        else:
            assert (done.packed, done.cause) == (wanted[done.task.key], "")
    assert time.monotonic() - began < 60


def test_a_run_whose_worker_dies_once_is_done_by_another(
    spoil: Callable[[str], None], tmp_path: Path, wanted: dict[str, bytes]
) -> None:
    mark = tmp_path / "killed"
    spoil(f"os.path.exists({str(mark)!r}) or (open({str(mark)!r}, 'w'), os.kill(os.getpid(), 9))")
    found = by_key(perform_all(TASKS, CREW))
    assert {key: done.packed for key, done in found.items()} == wanted
    assert sorted(done.tries for done in found.values()) == [1] * (len(TASKS) - 1) + [2]


def test_a_run_that_takes_too_long_is_given_up_and_the_others_are_done(
    spoil: Callable[[str], None], wanted: dict[str, bytes]
) -> None:
    spoil("time.sleep(60)")
    found = by_key(perform_all(TASKS[:5], Engine("processes", 2, timeout=20.0, patience=2.0, retries=0)))
    assert found[TASKS[3].key].cause == found[TASKS[4].key].cause == "no sign of life for 2 s"
    assert all(found[task.key].packed == wanted[task.key] for task in TASKS[:3])


def test_a_run_with_signs_of_life_is_overdue_all_the_same(
    spoil: Callable[[str], None], wanted: dict[str, bytes]
) -> None:
    spoil("pass")
    engine = Engine("processes", 2, timeout=4.0, patience=60.0, retries=1)
    found = by_key(perform_all([LONG, *TASKS[:3]], engine))
    assert (found["long"].cause, found["long"].tries) == ("not finished after 4 s, 2 tries", 2)
    assert all(found[task.key].packed == wanted[task.key] for task in TASKS[:3])


@pytest.mark.parametrize("engine", [HERE, THREADS, CREW], ids=lambda engine: engine.kind)
def test_a_run_that_is_overdue_is_given_up_by_every_engine(engine: Engine) -> None:
    limited = Engine(engine.kind, engine.jobs, timeout=2.0, retries=1)
    (done,) = perform_all([LONG], limited)
    assert (done.packed, done.cause, done.tries) == (None, "not finished after 2 s, 2 tries", 2)


@pytest.mark.parametrize("engine", [HERE, THREADS, CREW], ids=lambda engine: engine.kind)
def test_an_exception_is_a_failure_at_once_and_the_others_are_done(engine: Engine, wanted: dict[str, bytes]) -> None:
    bad = [task._replace(seed=-1, key=f"bad {task.key}") for task in TASKS[:2]]
    found = by_key(perform_all([*TASKS[:4], *bad], engine))
    for task in bad:
        done = found[task.key]
        assert (done.packed, done.tries) == (None, 1)
        assert done.cause == "InputError: seed = -1 is not a whole number from 0 to 2**63 - 1"
    assert all(found[task.key].packed == wanted[task.key] for task in TASKS[:4])


def test_a_lack_of_memory_is_tried_again_on_another_worker(
    spoil: Callable[[str], None], started: list[subprocess.Popen[bytes]], wanted: dict[str, bytes]
) -> None:
    spoil("worker.attempt = lambda *_: __import__('carecommons').experiments.performing.Try(None, 'MemoryError', 1, 0)")
    found = by_key(perform_all(TASKS[:4], Engine("processes", 1)))
    assert [found[task.key].packed for task in TASKS[:3]] == [wanted[task.key] for task in TASKS[:3]]
    # The first worker lays the trap at its first run of seed 2; that run itself is done.
    assert found[TASKS[3].key].packed == wanted[TASKS[3].key]
    again = by_key(perform_all(TASKS[3:5], Engine("processes", 1)))
    assert (again[TASKS[4].key].packed, again[TASKS[4].key].tries) == (wanted[TASKS[4].key], 2)
    assert len(started) == 3


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("raise SystemExit(5)", "workers do not start: died (exit code 5), 3 times one after the other"),
        ("print('x' * 99)", "workers do not start: died (exit code 0), 3 times one after the other"),
    ],
)
def test_workers_that_never_start_are_an_error_and_not_a_failure_of_every_run(
    monkeypatch: pytest.MonkeyPatch, program: str, message: str
) -> None:
    monkeypatch.setattr(Worker, "program", ("-c", program))
    with pytest.raises(RunError) as caught:
        list(perform_all(TASKS, CREW))
    assert message in str(caught.value)
    assert caught.value.exit_code == 3


def test_what_a_worker_prints_does_not_stand_between_its_answers(
    spoil: Callable[[str], None], wanted: dict[str, bytes]
) -> None:
    spoil("print('hello', flush=True); os.write(1, b'hello')")
    assert packed(perform_all(TASKS, CREW)) == wanted


# --- the end ---


def test_no_worker_outlives_what_asked_for_it(started: list[subprocess.Popen[bytes]]) -> None:
    with closing(perform_all([*TASKS[:3], LONG, LONG._replace(key="longer")], CREW)) as answers:
        next(answers)
        began = time.monotonic()
    assert time.monotonic() - began < 2
    assert len(started) == 2
    assert all(process.returncode is not None for process in started)


@pytest.mark.parametrize("engine", [THREADS, CREW], ids=lambda engine: engine.kind)
def test_an_interrupt_ends_the_workers_and_comes_through(
    engine: Engine, started: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def look(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(Worker, "look", look)
    monkeypatch.setattr(hands.Here, "look", look)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        list(perform_all([LONG, LONG._replace(key="longer")], engine))
    assert time.monotonic() - began < 10
    assert all(process.returncode is not None for process in started)


def test_a_script_needs_no_guard_and_may_have_threads(tmp_path: Path, wanted: dict[str, bytes]) -> None:
    script = tmp_path / "plain.py"
    script.write_text(
        "import sys, threading, time\n"
        "threading.Thread(target=time.sleep, args=(1,)).start()\n"
        "from carecommons.experiments.engines import Engine\n"
        "from carecommons.experiments.runner import perform_all\n"
        "from carecommons.experiments.task import tasks_of\n"
        "from carecommons.scenario import Scenario\n"
        f"tasks = tasks_of([(Scenario.of({A.changes() | {'place': 'derby'}!r}),)], [1, 2])\n"
        "for done in perform_all(tasks, Engine('processes', 2)): print(done.packed.hex())\n"
    )
    ran = subprocess.run([sys.executable, script], capture_output=True, text=True, env=environment(), timeout=60)
    assert ran.returncode == 0, ran.stderr
    firsts = [task for task in TASKS if task.scenarios == (A,) and task.seed in (1, 2)]
    assert sorted(ran.stdout.split()) == sorted(wanted[task.key].hex() for task in firsts)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


# What a worker may be in the middle of when its parent is killed.
BUSY = {
    "months": "pass",
    "a kernel": "import numba\n"
    "    def spin(n):\n        x = 1\n        for i in range(n): x = (x * 7 + i) % 1000003\n        return x\n"
    "    spin = numba.njit(nogil=True)(spin)\n    spin(1 << 50)",
    "compiling": "pass",  # with a cache that holds nothing
    "Python": "while True: pass",
}


@pytest.mark.slow
@pytest.mark.parametrize("what", BUSY)
def test_no_worker_outlives_a_parent_that_is_killed(what: str, tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "from carecommons.experiments.engines import Engine\n"
        "from carecommons.experiments.hands import Worker\n"
        "from carecommons.experiments.runner import perform_all\n"
        "from carecommons.experiments.task import Task\n"
        "from carecommons.scenario import Scenario\n"
        f"Worker.program = ('-P', '-c', {SPOILT.format(bad=BUSY[what])!r})\n"
        "long = Scenario(citizens=20_000, months=1200)\n"
        "list(perform_all([Task('a', (long,), 2), Task('b', (long,), 2)], Engine('processes', 2)))\n"
    )
    env = environment() | ({"NUMBA_CACHE_DIR": str(tmp_path)} if what == "compiling" else {})
    parent = subprocess.Popen([sys.executable, script], env=env, stderr=subprocess.DEVNULL)
    try:
        workers = until(lambda: psutil.Process(parent.pid).children(recursive=True), 2)
        until(lambda: [w for w in workers if sum(w.cpu_times()[:2]) > 2.5], 2)  # well into it
    finally:
        parent.kill()
        parent.wait()
    gone, alive = psutil.wait_procs(workers, timeout=5)
    for worker in alive:
        worker.kill()
    assert len(gone) == 2
    assert alive == []


@pytest.mark.slow
def test_no_worker_outlives_a_parent_that_is_killed_while_a_process_forked_from_it_lives(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, time\n"
        "from carecommons.experiments.engines import Engine\n"
        "from carecommons.experiments.runner import perform_all\n"
        "from carecommons.experiments.task import Task\n"
        "from carecommons.scenario import Scenario\n"
        "short, long = Scenario(citizens=100, months=1), Scenario(citizens=20_000, months=1200)\n"
        "tasks = [Task('a', (short,), 1), Task('b', (long,), 2), Task('c', (long,), 1)]\n"
        "answers = perform_all(tasks, Engine('processes', 2))\n"
        "next(answers)\n"
        "if os.fork() == 0:\n"
        "    time.sleep(60)\n"
        "    os._exit(0)\n"
        "next(answers)\n"
    )
    parent = subprocess.Popen([sys.executable, script], env=environment())
    family: list[psutil.Process] = []
    try:
        family = until(lambda: psutil.Process(parent.pid).children(), 3)
    finally:
        parent.kill()
        parent.wait()
    gone, alive = psutil.wait_procs(family, timeout=5)
    for process in alive:
        process.kill()
    assert len(gone) == 2
    assert len(alive) == 1  # the one that was forked


@pytest.mark.slow
def test_five_hundred_small_runs_leave_memory_as_it_was() -> None:
    grown = (
        "import psutil\n"
        "from carecommons.experiments.engines import Engine\n"
        "from carecommons.experiments.runner import perform_all\n"
        "from carecommons.experiments.task import tasks_of\n"
        "from carecommons.scenario import Scenario\n"
        "us = psutil.Process()\n"
        "small = Scenario(citizens=100, months=2)\n"
        "cells = [(small,), (small.but({'council.funding': 0.9}),)]\n"
        "for engine in (Engine(), Engine('processes', 1), Engine('threads', 2)):\n"
        "    answers = perform_all(tasks_of(cells, range(250)), engine)\n"
        "    for _ in range(50): next(answers)\n"
        "    family = [us, *us.children()]\n"
        "    before = [each.memory_info().rss for each in family]\n"
        "    for _ in range(449): assert next(answers).packed\n"
        "    print(max(each.memory_info().rss - was for each, was in zip(family, before)))\n"
        "    answers.close()\n"
    )
    ran = subprocess.run([sys.executable, "-c", grown], capture_output=True, text=True, env=environment(), timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert [int(line) < 20e6 for line in ran.stdout.split()] == [True, True, True], ran.stdout


def until(look: Callable[[], list[psutil.Process]], count: int) -> list[psutil.Process]:
    end = time.monotonic() + 60
    while len(found := look()) < count:
        assert time.monotonic() < end, "nothing happens"
        time.sleep(0.05)
    return found
