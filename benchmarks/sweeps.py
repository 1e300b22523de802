"""How long does a sweep take, through our runner and through what others would use?

Run: `python benchmarks/sweeps.py [--policies 10] [--worlds 20] [--citizens 1000] [--months 120] [--jobs 2]`.

The same model class, the same runs and the same monthly outcomes go through our runner with its store on disk, and
through mesa.batch_run, joblib and dask.distributed, each as its manual shows it, results kept in memory. Every one
starts its workers within its time; what all share (this program's imports and its compiled kernels) is not counted.
Targets, on a quiet machine of two cores: 1/1.4 of the others' time, 1.8 times the runs of one worker on two, an
overhead of 5 % over the bare months, 20 MB more memory after 500 small runs. Joblib and dask are measured where they
are installed.
"""

from __future__ import annotations

import argparse
import gc
import importlib.util
import inspect
import math
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

import mesa
import psutil
from harness import Cost, in_turn, machine, show, verdict

from carecommons.experiments.campaign import carry_out, identity
from carecommons.experiments.engines import Engine
from carecommons.experiments.packing import unpack
from carecommons.experiments.performing import Worlds, perform
from carecommons.experiments.runner import perform_all
from carecommons.experiments.store.database import Store
from carecommons.experiments.task import Done, Task, tasks_of
from carecommons.model import CareCommons
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

FASTER_TARGET = 1.4  # others' time over ours
THROUGHPUT_TARGET = 1.8  # of two workers over one
OVERHEAD_TARGET = 0.05  # of the bare months
GROWTH_TARGET = 20.0  # MB
SMALL_RUNS, SMALL = 500, {"citizens": 100, "months": 12}


class Work(NamedTuple):
    """Policies (levels of council.funding), worlds, size and length, and how many workers."""

    funding: list[float]
    worlds: range
    citizens: int
    months: int
    jobs: int

    @property
    def runs(self) -> int:
        return len(self.funding) * len(self.worlds)

    @property
    def base(self) -> Scenario:
        return Scenario(place="england", citizens=self.citizens, months=self.months)

    @property
    def tasks(self) -> list[Task]:
        return tasks_of([(self.base.but({"council.funding": each}),) for each in self.funding], self.worlds)


# --- four ways to do a sweep ---


def ours(work: Work, jobs: int, kind: str = "processes") -> int:
    """Our runner with its store, in a folder."""
    tasks = work.tasks
    with tempfile.TemporaryDirectory() as folder:
        scenarios = [task.scenarios[0] for task in tasks]
        with Store.write(folder, identity("sweep", work.base.flat(), scenarios), command="benchmark") as store:
            failed = carry_out(store, tasks, Engine(kind, jobs))
            return len(store.status()) - failed


def through_mesa(work: Work) -> int:
    """mesa.batch_run, every month kept."""
    parameters = {
        "place": "england", "citizens": work.citizens, "months": work.months, "council_funding": work.funding,
    }  # fmt: skip
    more: dict[str, Any] = {}
    if "rng" in inspect.signature(mesa.batch_run).parameters:
        more["rng"] = list(work.worlds)
    else:
        parameters["rng"] = list(work.worlds)
    rows = mesa.batch_run(
        CareCommons, parameters, number_processes=work.jobs, data_collection_period=1, max_steps=work.months,
        display_progress=False, **more,
    )  # fmt: skip
    return len(rows) // max(work.months, 1)


def series_of(scenario: Scenario, world: int) -> Any:
    """A run as one would hand it to joblib or dask: the table of its outcomes, month by month."""
    return CareCommons(scenario, rng=world).run().datacollector.get_model_vars_dataframe()


def through_joblib(work: Work) -> int:
    """joblib's processes, closed at the end like all others."""
    from joblib import Parallel, delayed
    from joblib.externals.loky import get_reusable_executor

    tables = Parallel(n_jobs=work.jobs)(delayed(series_of)(task.scenarios[0], task.seed) for task in work.tasks)
    get_reusable_executor().shutdown(wait=True)
    return len(tables)


def through_dask(work: Work) -> int:
    """A local cluster of dask.distributed, one thread a process since the months hold Python's lock."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=work.jobs, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        tasks = work.tasks
        tables = client.gather(
            client.map(series_of, [t.scenarios[0] for t in tasks], [t.seed for t in tasks], pure=False)
        )
    return len(tables)


WAYS: dict[str, tuple[str, Callable[[Work], int]]] = {
    "mesa.batch_run": ("mesa", through_mesa),
    "joblib": ("joblib", through_joblib),
    "dask.distributed": ("distributed", through_dask),
}


def timed(way: Callable[[], int], runs: int) -> Cost:
    """Wall seconds of a sweep that must have done all its runs."""

    def cost() -> float:
        start = time.perf_counter()
        done = way()
        seconds = time.perf_counter() - start
        if done != runs:
            sys.exit(f"{done} of {runs} runs were done")
        return seconds

    return cost


def versus(work: Work, repeats: int) -> None:
    """Our time and the others', turn about."""
    costs = {"carecommons, with its store": timed(lambda: ours(work, work.jobs), work.runs)}
    for name, (package, way) in WAYS.items():
        if importlib.util.find_spec(package):
            costs[name] = timed(lambda way=way: way(work), work.runs)  # type: ignore[misc]
        else:
            print(f"{package} is not installed, so {name} is left out")
    found = in_turn(costs, repeats)
    own = found["carecommons, with its store"]
    rows = []
    for name, each in found.items():
        ratio = each.times(own)
        against = "" if each is own else verdict(ratio, FASTER_TARGET, at_least=True)
        rows.append([name, f"{each.median:.1f} s", f"{1000 * each.median / work.runs:.0f} ms", f"{ratio:.2f}", against])
    size = f"{work.runs} runs, {work.citizens:,} citizens x {work.months} months, {work.jobs} workers"
    show(size, ["through", "wall", "a run", "times ours", "target"], rows)


# --- two workers against one, threads, and the machine's own ceiling ---


def alone(work: Work, runs: int) -> float:
    """Seconds that so many bare runs take, from the moment when a line comes in."""
    tasks = work.tasks[:runs]
    worlds = Worlds()
    perform(tasks[0], worlds)
    print("warm", flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    for task in tasks:
        perform(task, worlds)
    return time.perf_counter() - start


def side_by_side(work: Work, runs: int, processes: int) -> float:
    """The longest of several processes that each do so many bare runs."""
    size = ["--citizens", str(work.citizens), "--months", str(work.months), "--policies", str(len(work.funding))]
    command = [sys.executable, __file__, "--alone", str(runs), "--worlds", str(len(work.worlds)), *size]
    pipe = subprocess.PIPE
    started = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(processes)]
    for each in started:
        if each.stdout is not None:
            each.stdout.readline()  # it is warm
    for each in started:
        if each.stdin is not None:
            each.stdin.write("go\n")
            each.stdin.flush()
    return max(float(each.communicate()[0]) for each in started)


def throughput(work: Work, repeats: int) -> None:
    """The runs of two workers against those of one, beside what the machine itself allows."""
    share = min(work.runs, max(8, work.runs // 8))
    found = in_turn(
        {
            "one": timed(lambda: ours(work, 1), work.runs),
            "two": timed(lambda: ours(work, 2), work.runs),
            "threads": timed(lambda: ours(work, 2, "threads"), work.runs),
            "alone": lambda: side_by_side(work, share, 1),
            "beside": lambda: side_by_side(work, share, 2),
        },
        repeats,
    )
    gain = found["one"].times(found["two"])
    rows = [
        ["2 processes", f"{found['two'].median:.1f} s", f"{gain:.2f}", verdict(gain, THROUGHPUT_TARGET, at_least=True)],
        ["2 threads", f"{found['threads'].median:.1f} s", f"{found['one'].times(found['threads']):.2f}", ""],
        ["the machine's ceiling", "", f"{2 * found['alone'].times(found['beside']):.2f}", "two bare programs at once"],
    ]
    title = f"{work.runs} runs: throughput against one worker, which takes {found['one'].median:.1f} s"
    show(title, ["workers", "wall", "times one", "target"], rows)


# --- overhead and memory ---


def overhead(work: Work, repeats: int) -> None:
    """What the runner and the store add to the bare months; short turns and many, as both are alike.

    Start-up and the first world stay out: in it a worker reads each policy for the first and only time.
    """
    first = len(work.funding)
    tasks = work.tasks[: first + max(5, work.runs // 12)]
    worlds = Worlds()
    for task in tasks[:first]:
        perform(task, worlds)

    def bare() -> float:
        start = time.perf_counter()
        for task in tasks[first:]:
            perform(task, worlds)
        return time.perf_counter() - start

    def kept() -> float:
        with (
            tempfile.TemporaryDirectory() as folder,
            Store.write(folder, identity("sweep", work.base.flat(), [work.base]), command="benchmark") as store,
        ):
            start = math.nan
            for number, done in enumerate(perform_all(tasks, Engine("processes", 1)), start=1):
                store.add(done, done.task.subject)
                start = time.perf_counter() if number == first else start
            return time.perf_counter() - start

    found = in_turn({"bare": bare, "kept": kept}, max(repeats, 20))
    added = found["kept"].times(found["bare"]) - 1
    each = found["bare"].median / (len(tasks) - first)
    print(f"\noverhead of runner and store over runs of {each:.3f} s: {100 * added:.1f} %  "
          f"(per cent, {verdict(100 * added, 100 * OVERHEAD_TARGET, at_least=False)})")  # fmt: skip


def memory() -> None:
    """How much this process, and a worker, grow from the 50th small run to the last."""
    tasks = tasks_of([(Scenario(place="england", **SMALL),)], range(SMALL_RUNS))
    for engine in (Engine(), Engine("processes", 1)):
        us = psutil.Process()
        answers = perform_all(tasks, engine)
        list(islice(answers, 50))
        processes = [us, *us.children()]
        before = [process.memory_info().rss for process in processes]
        left: Sequence[Done] = list(islice(answers, SMALL_RUNS - 51))
        gc.collect()
        after = [process.memory_info().rss for process in processes]
        bad = [done.cause for done in left if done.packed is None]
        answers.close()
        growth = max(b - a for a, b in zip(before, after, strict=True)) / 1e6
        print(f"memory after {SMALL_RUNS} small runs, {engine.kind}: {growth:+.1f} MB  "
              f"(MB, {verdict(growth, GROWTH_TARGET, at_least=False)}){'  ' + bad[0] if bad else ''}")  # fmt: skip


def check(work: Work) -> None:
    """Refuse to time two different things: a run kept by us is the table that the others keep."""
    task = work.tasks[0]
    (done,) = perform_all([task], Engine())
    table = series_of(task.scenarios[0], task.seed)[list(BY_NAME)].to_numpy(float)
    if done.packed is None or unpack(done.packed)["series"].tobytes() != table.tobytes():
        sys.exit("our runner and the model give different numbers")


PARTS = ("versus", "throughput", "overhead", "memory")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=10)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--citizens", type=int, default=1_000)
    parser.add_argument("--months", type=int, default=120)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    levels = [round(0.7 + 0.6 * k / max(chosen.policies - 1, 1), 6) for k in range(chosen.policies)]
    work = Work(levels, range(1, chosen.worlds + 1), chosen.citizens, chosen.months, chosen.jobs)
    if chosen.alone:
        print(alone(work, chosen.alone), flush=True)
        return
    warnings.filterwarnings("ignore", category=DeprecationWarning)
    print(machine())
    check(work)
    parts = chosen.only or PARTS
    for part, measure in (("versus", versus), ("throughput", throughput), ("overhead", overhead)):
        if part in parts:
            measure(work, chosen.repeats)
    if "memory" in parts:
        memory()


if __name__ == "__main__":
    main()
