"""What a design will cost: its time, disk and memory, from a few of its runs done in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psutil

from carecommons.errors import InputError, one_line
from carecommons.experiments.engines import Engine, check_jobs, processors
from carecommons.experiments.performing import RunError, Worlds, attempt
from carecommons.experiments.task import Task
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

SHARE: Final = 0.8
"""The share of available memory up to which a design is run (Dask's workers pause at the same)."""

# Measured on Linux, Python 3.11, numpy 2.4: the high-water mark of a process that has done a run of no adults, and what
# 10,000 to 300,000 adults add for the world that is kept and for each arm's own copy of it at work: 0.95 to 1.2 kB an
# adult with one arm, 1.5 to 1.7 kB with two (tests/experiments/test_pilot.py holds them to within a quarter).
BASE: Final = 190e6  # bytes
A_WORLD: Final = 550.0  # bytes an adult
AN_ARM: Final = 550.0  # bytes an adult

BUDGET: Final = 20.0  # seconds that the pilot should take; a run that is longer is guessed from its first months
MOST_RUNS: Final = 4
# Bytes on the disk, measured on folders of 3 to 101 cells and 6 to 200 runs; tests/experiments/test_pilot.py holds
# their sum to within a quarter.
A_ROW: Final = 1_500  # that the store needs for a run beside its arrays: key, hashes, provenance, index
A_PAGE: Final = 4_096  # of which the database is made: a point takes whole ones
A_FOLDER: Final = 80_000  # of a store without runs: the database's own pages, the manifest and the scenario
DESIGN: Final = 2.25  # that each byte of the design's record takes: in the database, and spaced out in the manifest
A_FIGURE: Final = 12  # of a number with all its digits as text, in the tables of runs and cells
A_MONTH: Final = 8  # of a number of the series
PACKED: Final = 1.2  # of the same where the series are packed
SMALL: Final = 1_000_000  # up to which they are not: that of `formats`, which imports more than a worker holds
_PULSE: Final = 0.01  # seconds between looks at the memory in use
_FIRST: Final = 12  # months after which a guess is made


@dataclass(frozen=True)
class Forecast:
    """What is to be expected of a design; seconds are of wall time, memory and disk are bytes.

    `worker` is the memory of the largest run. Where that alone is too much, no pilot was run: `measured` is false and
    there are no times.
    """

    runs: int
    done: int
    jobs: int
    seconds: float | None  # of all runs to do, with so many jobs
    a_run: float | None  # seconds a run, once warm
    start: float | None  # seconds until a worker is warm
    disk: int | None  # of all that is to do, tables included
    memory: int  # of this process and all workers
    worker: int
    available: int
    measured: bool
    tables: int | None = None  # bytes of the disk that are not the store's

    @property
    def to_do(self) -> int:
        """The runs that are left."""
        return self.runs - self.done

    @property
    def share(self) -> float:
        """The share of available memory that is needed."""
        return self.memory / max(self.available, 1)

    def record(self) -> dict[str, Any]:
        """The forecast as plain values."""
        return {**asdict(self), "to_do": self.to_do}

    @property
    def lines(self) -> tuple[str, ...]:
        """The forecast in words, one a line."""
        jobs = f"{self.jobs} job{'s' * (self.jobs > 1)}"
        found = [f"runs: {self.runs:,}, of which {self.done:,} are done and {self.to_do:,} to do"]
        if self.seconds is not None and self.a_run is not None:
            found.append(f"time: about {_clock(self.seconds)} with {jobs}, {self.a_run:.3g} s a run")
        if self.disk is not None:
            tables = f", {_size(self.tables)} of it for tables" if self.tables else ""
            found.append(f"disk: about {_size(self.disk)}{tables}; pictures come on top")
        found.append(
            f"memory: about {_size(self.memory)} of {_size(self.available)} available ({self.share:.0%}), {jobs}"
        )
        if not self.measured:
            found.append("no pilot was run: by its number of adults a run needs too much memory")
        return tuple(found)


def pilot(
    tasks: Sequence[Task],
    jobs: int = 1,
    known: Container[str] = frozenset(),
    budget: float = BUDGET,
    *,
    record: Mapping[str, Any] | None = None,
) -> Forecast:
    """Do a few runs of `tasks` in a process of their own, and say what all will take that are not `known` by their key.

    Up to four runs are done: one to get warm, the largest, and others spread over the cells. Times of other cells are
    in proportion to their adults and months. What the formula finds too large is not run at all. A run that comes twice
    in `tasks` is counted once. `record` is the design's, which takes room on the disk as well.
    """
    check_jobs(jobs)
    tasks = list({task.key: task for task in tasks}.values())
    waiting = [task for task in tasks if task.key not in known]
    workers = max(min(jobs, len(waiting)), 1)
    available, own = available_memory(), psutil.Process().memory_info().rss
    worker = max((expected_memory(task) for task in waiting), default=0)
    runs, done = len(tasks), len(tasks) - len(waiting)
    if not waiting:
        return Forecast(runs, done, jobs, 0.0, 0.0, 0.0, 0, own, 0, available, True)
    if worker > SHARE * available:
        needed = own + workers * worker
        return Forecast(runs, done, jobs, None, None, None, None, needed, worker, available, False)
    found = _measure(_chosen(waiting), budget)
    work = _work(waiting, found)
    packed = max(each["packed"] / each["years"] for each in found["runs"])
    years = sum(_years_of(task) for task in waiting)
    seconds = found["start"] + work / min(workers, processors())
    store, tables = packed * years + _held(waiting, record or {}), _tables(waiting)
    return Forecast(
        runs, done, jobs, seconds, work / len(waiting), found["start"], round(store) + tables,
        own + workers * found["peak"], found["peak"], available, True, tables,
    )  # fmt: skip


def refuse(forecast: Forecast, forced: bool = False) -> None:
    """Refuse what needs more than 80% of the available memory, unless it is `forced`."""
    if forecast.share > SHARE and not forced:
        most = int((SHARE * forecast.available - (forecast.memory - forecast.worker * _workers(forecast)))
                   // max(forecast.worker, 1))  # fmt: skip
        way = f"use --jobs {most}" if 1 <= most < forecast.jobs else "use fewer citizens"
        raise InputError(f"memory: the design needs about {_size(forecast.memory)}, more than {SHARE:.0%} of the "
                         f"{_size(forecast.available)} available; {way}")  # fmt: skip


def check_memory(tasks: Sequence[Task], engine: Engine) -> None:
    """Refuse tasks that by their number of adults need more than 80% of the available memory; no pilot is run."""
    if engine.kind == "dask":  # which looks after its own machines
        return
    sizes = {(max(each.citizens for each in task.scenarios), len(task.scenarios)): task for task in tasks}
    worker = max(map(expected_memory, sizes.values()), default=0)
    jobs = 1 if engine.kind == "here" else min(engine.jobs, len(tasks))
    needed, available = jobs * worker, available_memory()
    refuse(Forecast(jobs, 0, jobs, None, None, None, None, needed, worker, available, False))


def expected_memory(task: Task) -> int:
    """Bytes that a process needs at most to do a task, by the number of its adults."""
    citizens = max((each.citizens for each in task.scenarios), default=0)
    return round(BASE + citizens * (A_WORLD + AN_ARM * len(task.scenarios)))


def available_memory(proc: Path = Path("/proc/self/cgroup"), groups: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that may still be used: what the machine has left, or the control groups that this process is in."""
    left = [psutil.virtual_memory().available]
    try:
        lines = proc.read_text("utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        _, controllers, path = (*line.split(":", 2), "", "")[:3]
        if controllers == "":
            left += _left(groups, path, "memory.max", "memory.current")
        elif "memory" in controllers.split(","):
            left += _left(groups / "memory", path, "memory.limit_in_bytes", "memory.usage_in_bytes")
    return max(min(left), 0)


def _left(root: Path, path: str, limit: str, usage: str) -> list[int]:
    """What each group from `path` up leaves: its limit less what is in use and could not be given back."""
    found, parts = [], [part for part in path.split("/") if part and part != ".."]
    for depth in range(len(parts), -1, -1):
        folder = root.joinpath(*parts[:depth])
        try:
            most = (folder / limit).read_text("utf-8").strip()
            used = int((folder / usage).read_text("utf-8"))
            words = (folder / "memory.stat").read_text("utf-8").split() if (folder / "memory.stat").exists() else []
        except (OSError, ValueError):
            continue
        if most.isdigit():
            cached = dict(zip(words[::2], words[1::2], strict=False)).get("inactive_file", "0")
            found.append(int(most) - used + int(cached))
    return found


def _workers(forecast: Forecast) -> int:
    return max(min(forecast.jobs, forecast.to_do), 1)


def _size_of(task: Task) -> float:
    """Adults times months, with something for what a run costs that has few of either."""
    return sum((each.citizens + 500) * (each.months + 2) for each in task.scenarios)


def _years_of(task: Task) -> float:
    return sum(each.months + 3 for each in task.scenarios) / 12


def _held(tasks: Sequence[Task], record: Mapping[str, Any]) -> float:
    """Bytes that a store takes beside the arrays of its runs."""
    points = {task.subject: task.scenarios for task in tasks}
    pages = sum(-(-len(json.dumps(each.flat())) // A_PAGE) for arms in points.values() for each in arms)
    return A_FOLDER + A_ROW * len(tasks) + A_PAGE * pages + DESIGN * len(json.dumps(record))


def _tables(tasks: Sequence[Task]) -> int:
    """Bytes of the tables: a number an outcome in each run, four in each cell, and one in each month."""
    runs, cells = sum(len(task.scenarios) for task in tasks), {task.subject: len(task.scenarios) for task in tasks}
    months = A_MONTH * len(BY_NAME) * sum(each.months for task in tasks for each in task.scenarios)
    if months > SMALL:
        months = round(months * PACKED / A_MONTH)
    return A_FIGURE * len(BY_NAME) * (runs + 4 * sum(cells.values())) + months


def _work(tasks: Sequence[Task], found: Mapping[str, Any]) -> float:
    """Seconds of work in all: the months of every task, and laying out each world once."""
    rate = sum(each["seconds"] for each in found["runs"]) / sum(each["size"] for each in found["runs"])
    worlds = {(task.seed, s.place, s.citizens, s.people, s.homes, s.society): s.citizens + 500
              for task in tasks for s in task.scenarios}  # fmt: skip
    return rate * sum(map(_size_of, tasks)) + float(found["founding"]) * sum(worlds.values())


def _chosen(tasks: Sequence[Task]) -> list[Task]:
    """A few tasks spread over the cells, the largest among them."""
    first: dict[int, Task] = {}
    for task in tasks:
        first.setdefault(task.cell, task)
    cells = list(first.values())
    spread = [cells[k * (len(cells) - 1) // (MOST_RUNS - 2)] for k in range(MOST_RUNS - 1)]
    return [max(cells, key=expected_memory), *spread]


def _measure(tasks: Sequence[Task], budget: float) -> dict[str, Any]:
    """What a process measures that does the tasks, the first of them twice."""
    orders = [{"seed": task.seed, "scenarios": [each.flat() for each in task.scenarios]} for task in tasks]
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "carecommons.experiments.pilot"],
        input=json.dumps({"began": time.time(), "budget": budget, "tasks": orders}).encode(), capture_output=True,
        env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip
    lines = ended.stdout.splitlines()
    if ended.returncode or not lines:
        last = (ended.stderr.decode(errors="replace").strip().splitlines() or ["no answer"])[-1]
        raise RunError(f"the pilot ended with {ended.returncode}: {one_line(last, 160)}")
    found: dict[str, Any] = json.loads(lines[-1])
    if "cause" in found:
        raise RunError(f"a run of the pilot failed: {one_line(found['cause'], 160)}")
    return found


def main() -> None:
    """Read tasks as JSON from the input, do them, and say in JSON how long and how much memory they took."""
    given = json.loads(sys.stdin.buffer.read())
    tasks = [
        Task("", tuple(Scenario.of(each) for each in order["scenarios"]), order["seed"]) for order in given["tasks"]
    ]
    peak = _Peak()
    try:
        found = _timed(tasks, given["began"], given["budget"])
        found["peak"] = peak.stop()
    except RunError as problem:
        found = {"cause": str(problem)}
    sys.stdout.write("\n" + json.dumps(found) + "\n")


def _timed(tasks: Sequence[Task], began: float, budget: float) -> dict[str, Any]:
    """Seconds until all is warm, seconds an adult to lay out a world, and what each run took that there is time for."""
    worlds = Worlds()
    first = _shortened(tasks[0], 1)
    _run(first, worlds)
    start = time.time() - began
    other = first._replace(seed=first.seed ^ 1)
    founding = max(_run(other, worlds)["seconds"] - _run(other, worlds)["seconds"], 0.0)
    runs: list[dict[str, float]] = []
    for task in tasks:
        left = began + budget - time.time()
        if runs and left <= 0:
            break
        _run(_shortened(task, 1), worlds)  # lays out its world
        runs.append({**_guessed(task, worlds, left), "size": _size_of(task), "years": _years_of(task)})
    return {"start": start, "founding": founding / (first.scenarios[0].citizens + 500), "runs": runs}


def _guessed(task: Task, worlds: Worlds, left: float) -> dict[str, float]:
    """What a run took, or would by its first year when there is no time left for the whole."""
    found, more = _run(_shortened(task, _FIRST), worlds), max(each.months for each in task.scenarios) / _FIRST
    if more <= 1:
        return found
    if found["seconds"] * more <= left:
        return _run(task, worlds)
    return {name: value * more for name, value in found.items()}


def _run(task: Task, worlds: Worlds) -> dict[str, float]:
    tried = attempt(task, worlds)
    if tried.packed is None:
        raise RunError(tried.cause)
    return {"seconds": tried.seconds, "packed": float(len(tried.packed))}


def _shortened(task: Task, months: int) -> Task:
    return task._replace(scenarios=tuple(each.but(months=min(each.months, months)) for each in task.scenarios))


class _Peak:
    """The most memory that this process has in use, looked at by a thread."""

    def __init__(self) -> None:
        self._process, self._over, self._most = psutil.Process(), threading.Event(), 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """The most bytes so far."""
        self._over.set()
        self._thread.join()
        return max(self._most, self._process.memory_info().rss, _high_water())

    def _watch(self) -> None:
        while not self._over.wait(_PULSE):
            self._most = max(self._most, self._process.memory_info().rss)


def _high_water() -> int:
    """The kernel's own high-water mark in bytes, where it tells (Linux)."""
    try:
        lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    except OSError:
        return 0
    held: Mapping[str, str] = dict(line.split(":", 1) for line in lines if ":" in line)
    return 1024 * int(held.get("VmHWM", "0").split()[0])


def _clock(seconds: float) -> str:
    for unit, length in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.1f} s"


def _size(count: float) -> str:
    for unit, length in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= length:
            return f"{count / length:.1f} {unit}"
    return f"{count:.0f} bytes"


if __name__ == "__main__":
    main()
