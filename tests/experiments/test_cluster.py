"""A cluster gives the same bytes as this process, also when one of its workers is killed under way."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from carecommons.errors import InputError
from carecommons.experiments import cluster
from carecommons.experiments.engines import Engine
from carecommons.experiments.performing import RunError
from carecommons.experiments.runner import perform_all
from carecommons.experiments.task import Task, tasks_of
from small import SCENARIO

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")

A = SCENARIO.but({"citizens": 150, "months": 4})
B = A.but({"council.funding": 0.5, "assessment.threshold": 4})
TASKS = tasks_of([(A,), (B,), (A, B)], range(1, 9))
POISON = 2**40  # the world in which a worker dies

# What every worker of the cluster does before it is asked anything.
PRELOAD = f"""
import os
from carecommons.experiments import cluster
from carecommons.experiments.performing import attempt
def poisoned(task, worlds, beat):
    if task.seed == {POISON}:
        os.kill(os.getpid(), 9)
    return attempt(task, worlds, beat)
cluster.attempt = poisoned
"""


@pytest.fixture(scope="module")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home = tmp_path_factory.mktemp("cluster")
    preload = home / "poisoned.py"
    preload.write_text(PRELOAD)
    here = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)
    settings = {
        "distributed.worker.preload": [str(preload)],
        "distributed.scheduler.allowed-failures": 0,
        "distributed.comm.timeouts.connect": "10s",
    }
    try:
        with (
            dask.config.set(settings),
            distributed.LocalCluster(
                n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, local_directory=str(home)
            ) as found,
        ):
            yield found
    finally:
        if here is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = here


@pytest.fixture(scope="module")
def wanted() -> dict[str, bytes | None]:
    return {done.task.key: done.packed for done in perform_all(TASKS)}


def pids(two_workers: Any) -> list[int]:
    with distributed.Client(two_workers.scheduler_address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        return list(client.run(os.getpid).values())


@pytest.mark.slow
def test_a_cluster_gives_the_same_bytes_as_this_process(two_workers: Any, wanted: dict[str, bytes]) -> None:
    engine = Engine("dask", scheduler=two_workers.scheduler_address)
    found = list(perform_all(TASKS, engine))
    assert len(found) == len(TASKS)
    assert {done.task.key: done.packed for done in found} == wanted
    assert {(done.cause, done.tries) for done in found} == {("", 1)}


@pytest.mark.slow
def test_a_worker_killed_under_way_costs_no_run(two_workers: Any, wanted: dict[str, bytes]) -> None:
    engine = Engine("dask", scheduler=two_workers.scheduler_address)
    victim = pids(two_workers)[0]
    found = {}
    for done in perform_all(TASKS, engine):
        found[done.task.key] = done.packed
        if len(found) == 3:
            os.kill(victim, 9)
    assert found == wanted


@pytest.mark.slow
def test_a_run_that_kills_its_worker_is_a_failure_and_all_others_are_done(
    two_workers: Any, wanted: dict[str, bytes]
) -> None:
    bad = Task("poison", (A,), POISON)
    engine = Engine("dask", scheduler=two_workers.scheduler_address, retries=1)
    found = {done.task.key: done for done in perform_all([*TASKS[:4], bad, *TASKS[4:8]], engine)}
    assert (found["poison"].packed, found["poison"].cause) == (None, "worker died, 2 tries")
    assert all(found[task.key].packed == wanted[task.key] for task in TASKS[:8])


@pytest.mark.slow
def test_an_exception_and_a_run_that_takes_too_long_are_failures(two_workers: Any, wanted: dict[str, bytes]) -> None:
    raising = Task("raising", (A,), -1)
    long = Task("long", (A.but({"citizens": 20_000, "months": 1200}),), 1)
    engine = Engine("dask", scheduler=two_workers.scheduler_address, timeout=2.0, retries=1)
    found = {done.task.key: done for done in perform_all([raising, long, TASKS[0]], engine)}
    assert found["raising"].cause == "InputError: seed = -1 is not a whole number from 0 to 2**63 - 1"
    assert found["long"].cause == "not finished after 2 s, 2 tries"
    assert found[TASKS[0].key].packed == wanted[TASKS[0].key]


@pytest.mark.slow
def test_a_cluster_with_other_code_is_refused(two_workers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "fingerprint", lambda: "0123")
    with pytest.raises(InputError, match=r"^scheduler = tcp://.*: its code of carecommons is .* and ours 0123$"):
        list(perform_all(TASKS, Engine("dask", scheduler=two_workers.scheduler_address)))


@pytest.mark.slow
def test_a_cluster_without_workers_is_not_waited_for_without_end() -> None:
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as bare:
        engine = Engine("dask", scheduler=bare.scheduler_address, patience=1.0)
        with pytest.raises(InputError, match=r"^scheduler = tcp://.*: it has had no worker for 1 s$"):
            list(perform_all(TASKS, engine))


@pytest.mark.slow
def test_a_cluster_that_has_lost_its_workers_is_not_waited_for_without_end() -> None:
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None) as thin:
        engine = Engine("dask", scheduler=thin.scheduler_address, patience=2.0)
        with pytest.raises(RunError, match=r"^scheduler = .*: it has had no worker for 2 s$"):
            for _ in perform_all(TASKS, engine):
                thin.scale(0)


@pytest.mark.slow
def test_closing_leaves_nothing_on_the_cluster(two_workers: Any) -> None:
    answers = perform_all(TASKS, Engine("dask", scheduler=two_workers.scheduler_address))
    next(answers)
    answers.close()
    with distributed.Client(two_workers.scheduler_address, set_as_default=False) as client:
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.clients)) <= 2  # us, and itself


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense://a:1", "tcp://a b", "tcp://127.0.0.1:99999999"])
def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(cluster, "_PATIENCE", 0.5)
    with pytest.raises(InputError) as caught:
        list(perform_all(TASKS, Engine("dask", scheduler=address)))
    assert str(caught.value).startswith(f"scheduler = {address}: ")
    assert len(str(caught.value).splitlines()) == 1


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"needs the extra 'cluster': pip install carecommons\[cluster\]"):
        list(perform_all(TASKS, Engine("dask", scheduler="tcp://127.0.0.1:9")))
