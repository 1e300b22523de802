"""Run scenarios in worlds, here or in worker processes: the same numbers either way, and no run is lost in silence."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.errors import CareCommonsError, InputError, one_line
from carecommons.founding.found import found
from carecommons.model import CareCommons
from carecommons.outcomes.attribution import Attribution, attribute
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.place.place import Place
from carecommons.scenario import Scenario

MOST_JOBS: Final = 1024
_LOOK: Final = 0.5  # seconds between looks for Ctrl-C where a wait cannot be interrupted

Answer = tuple[Any, ...]


class RunError(CareCommonsError):
    """A run that could not be finished."""

    exit_code = 3


class Task(NamedTuple):
    """One scenario of a list in one world, or two in step; `arms` are places in the list."""

    arms: tuple[int, ...]
    seed: int


class Worlds:
    """Places as they were laid out, kept for the world at hand: scenarios that differ in processes alone share one."""

    def __init__(self) -> None:
        self._key: Any = None
        self._place: Place | None = None

    def settled(self, scenario: Scenario, seed: int) -> Place:
        """The place of a scenario before its first month, as `CareCommons.founded` gives it."""
        s = scenario
        key = (seed, s.place, s.citizens, s.people, s.homes, s.society)
        if self._place is None or key != self._key:
            self._key = key
            self._place = found(s.profile(), s.citizens, s.people, s.homes, s.society, seed)
        return CareCommons.settled(self._place.copy(), scenario, seed)


def perform(scenarios: Sequence[Scenario], seed: int, worlds: Worlds) -> Answer:
    """One series (months, outcomes) a scenario; of two, in step, their attribution (months, parts) as well."""
    models = [CareCommons(each, rng=seed, place=worlds.settled(each, seed)) for each in scenarios]
    split = np.zeros((scenarios[0].months, len(Attribution._fields)), np.int64)
    if len(models) == 1:
        models[0].run()
        return (_series(models[0]),)
    a, b = models
    for month in range(len(split)):
        a.step()
        b.step()
        split[month] = attribute(a.place, b.place)
    return _series(a), _series(b), split


def _series(model: CareCommons) -> Any:
    return model.series[list(BY_NAME)].to_numpy(np.float64)


def perform_all(
    scenarios: Sequence[Scenario], tasks: Sequence[Task], jobs: int = 1
) -> Generator[tuple[Task, Answer], None, None]:
    """Each task with its answer, in the order in which they finish.

    With more than one job, tasks go to worker processes, whichever is free. At 2,000 citizens a month is so short that
    threads would wait for one another in Python; processes were measured to do twice the work of one on two processors.
    Tasks of one world should stand together: a worker lays out a place anew when the world changes.
    """
    jobs = check_jobs(jobs)
    if min(jobs, len(tasks)) > 1:
        yield from _Crew(scenarios, tasks, min(jobs, len(tasks))).answers()
        return
    worlds = Worlds()
    for task in tasks:
        yield task, perform([scenarios[arm] for arm in task.arms], task.seed, worlds)


def check_jobs(jobs: int) -> int:
    """`jobs`, if it is a number of workers."""
    if isinstance(jobs, bool) or not isinstance(jobs, int) or not 1 <= jobs <= MOST_JOBS:
        raise InputError(f"jobs = {one_line(jobs)} must be a whole number from 1 to {MOST_JOBS}")
    return jobs


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Crew:
    """Workers, each with a thread that hands it one task after the other; the first failure stops all."""

    def __init__(self, scenarios: Sequence[Scenario], tasks: Sequence[Task], jobs: int) -> None:
        self._scenarios, self._tasks, self._jobs = scenarios, tasks, jobs
        self._waiting = iter(tasks)
        self._turn = threading.Lock()
        self._done: queue.SimpleQueue[tuple[Task, Answer] | BaseException] = queue.SimpleQueue()
        self._workers: list[Worker] = []
        self._over = False

    def answers(self) -> Generator[tuple[Task, Answer], None, None]:
        threads = [threading.Thread(target=self._keep_busy, daemon=True) for _ in range(self._jobs)]
        try:
            for thread in threads:
                thread.start()
            for _ in self._tasks:
                yield self._next()
        finally:
            self._over = True
            with self._turn:
                for worker in self._workers:
                    worker.stop()
            for thread in threads:
                thread.join()

    def _next(self) -> tuple[Task, Answer]:
        while True:
            try:
                found = self._done.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def _keep_busy(self) -> None:
        try:
            with self._turn:
                if self._over:
                    return
                worker = Worker()
                self._workers.append(worker)
            while (task := self._take()) is not None:
                self._done.put((task, worker.ask([self._scenarios[arm] for arm in task.arms], task.seed)))
            worker.stop()
        except BaseException as problem:  # it is raised where the answers are read
            self._done.put(problem)

    def _take(self) -> Task | None:
        with self._turn:
            return None if self._over else next(self._waiting, None)


class Worker:
    """A Python process that performs tasks; it is told of them on its input and ends when that closes.

    It is started afresh rather than forked, so threads here cannot harm it, and it never imports the user's own script,
    so a script needs no guard around its main part. What goes over the pipes is text and plain arrays.
    """

    program: tuple[str, ...] = ("-P", "-m", "carecommons.experiments.worker")

    def __init__(self) -> None:
        path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
        self._process = subprocess.Popen(
            [sys.executable, *self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl-C is for us; it sees its input close
        )

    def ask(self, scenarios: Sequence[Scenario], seed: int) -> Answer:
        """What `perform` gives, from there."""
        order = json.dumps({"scenarios": [each.flat() for each in scenarios], "seed": seed})
        try:
            return self._exchange(order.encode() + b"\n", seed)
        except (OSError, EOFError, ValueError):
            raise RunError(f"a worker process {self._end()} in the world of seed {seed}") from None

    def _exchange(self, order: bytes, seed: int) -> Answer:
        given, taken = self._process.stdin, self._process.stdout
        if given is None or taken is None:
            raise EOFError
        given.write(order)
        given.flush()
        reply = json.loads(taken.readline())
        if "error" in reply:
            raise RunError(f"a run in the world of seed {seed} failed: {one_line(reply['error'], 200)}")
        return tuple(_array(taken.read(each["bytes"]), each) for each in reply["arrays"])

    def _end(self) -> str:
        self._process.kill()
        code = self._process.wait()
        return f"died (signal {-code})" if code < 0 else f"died (exit code {code})"

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not flushed to a dead process
                    continue


def _array(raw: bytes, header: dict[str, Any]) -> Any:
    if len(raw) != header["bytes"]:
        raise EOFError
    return np.frombuffer(raw, header["type"]).reshape(header["shape"])
