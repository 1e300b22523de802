"""Have runs done by a cluster of dask.distributed: plain values go there, packed arrays come back."""

from __future__ import annotations

import gc
import importlib
import json
import queue
import threading
from collections import deque
from collections.abc import Generator, Sequence
from typing import Any, Final

from carecommons.errors import InputError, one_line
from carecommons.experiments.engines import Engine
from carecommons.experiments.performing import RunError, Try, Worlds, attempt, cause_of, done, within
from carecommons.experiments.provenance import fingerprint
from carecommons.experiments.task import Done, Task
from carecommons.scenario import Scenario

AHEAD: Final = 3  # tasks in flight for each thread of the cluster, so that none waits for us
_PATIENCE: Final = 15.0  # seconds for the scheduler to answer

Answer = tuple[bytes | None, str, bool, float]
"""The fields of a `Try`, as plain values."""

_mine = threading.local()


def perform_there(seed: int, scenarios: Sequence[str], timeout: float | None, code: str, subject: str) -> Answer:
    """Do a run on a worker of the cluster; its scenarios are JSON of `Scenario.flat()`, `code` is the asker's."""
    if code != fingerprint():
        return None, f"its code of carecommons is {fingerprint()} and ours {code}", False, -1.0
    if not hasattr(_mine, "worlds"):
        _mine.worlds = Worlds()
    try:
        task = Task("", tuple(Scenario.of(json.loads(text)) for text in scenarios), seed, subject=subject)
        tried = attempt(task, _mine.worlds, within(timeout))
    except Exception as problem:  # none may travel: a client that cannot read one waits for ever
        return None, cause_of(problem), False, 0.0
    return tried.packed, tried.cause, tried.again, tried.seconds


def perform_all(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
    """Each task as the cluster did it, in the order in which they finish; closing the generator cancels the rest.

    Dask itself does a run again whose worker died, and gives it up after some deaths, together with what happened to
    wait at the same workers. Such runs are therefore asked for once more when all others are done, one by one: an
    innocent run then completes, and one that kills its worker is a failure.
    """
    distributed = _distributed()
    client = _client(distributed, engine.scheduler)
    try:
        _await_workers(client, engine)
        yield from _Flight(distributed, client, tasks, engine).answers()
    finally:
        client.close(timeout=_PATIENCE)


def _client(distributed: Any, scheduler: str) -> Any:
    try:
        return distributed.Client(scheduler, timeout=_PATIENCE, set_as_default=False, name="carecommons")
    except (OSError, ValueError, TypeError) as problem:
        cause = cause_of(problem)
    except MemoryError:  # what another kind of server says, read as the length of a message
        cause = "does not answer as a dask scheduler does"
    # What is left of the client is cleared away here and now: were it done later, by chance in the thread of another
    # client that is being started, the two would wait for each other.
    gc.collect()
    raise InputError(f"scheduler = {one_line(scheduler)}: {cause}")


def _await_workers(client: Any, engine: Engine) -> None:
    try:
        client.wait_for_workers(1, timeout=engine.patience)
    except TimeoutError:
        raise InputError(_bare(engine)) from None


def _bare(engine: Engine) -> str:
    return f"scheduler = {one_line(engine.scheduler)}: it has had no worker for {engine.patience:g} s"


class _Flight:
    """Tasks on their way: those that wait, those that the cluster has, and those that were with a worker that died."""

    def __init__(self, distributed: Any, client: Any, tasks: Sequence[Task], engine: Engine) -> None:
        self._distributed, self._client, self._engine = distributed, client, engine
        self._waiting, self._suspect = deque(tasks), deque[Task]()
        self._tries: dict[str, int] = {}
        self._there: dict[str, Task] = {}
        self._futures: dict[str, Any] = {}
        self._landed: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def answers(self) -> Generator[Done, None, None]:
        try:
            while self._waiting or self._there or self._suspect:
                self._send()
                future = self._next()
                task = self._there.pop(future.key)
                del self._futures[future.key]
                tried = self._result(future)
                future.release()
                if (done := self._judged(task, tried)) is not None:
                    yield done
        finally:
            self._client.cancel(list(self._futures.values()))

    def _send(self) -> None:
        room = AHEAD * max(1, sum(self._client.nthreads().values()))
        while self._waiting and len(self._there) < room:
            self._submit(self._waiting.popleft())
        if not self._there and self._suspect:
            self._submit(self._suspect.popleft())

    def _next(self) -> Any:
        """The next future that has landed; a cluster may be slow, but not without workers for long."""
        while True:
            try:
                return self._landed.get(timeout=self._engine.patience)
            except queue.Empty:
                self._check_workers()

    def _check_workers(self) -> None:
        if not self._client.nthreads():
            raise RunError(_bare(self._engine))

    def _submit(self, task: Task) -> None:
        tries = self._tries[task.key] = self._tries.get(task.key, 0) + 1
        key = task.key if tries == 1 else f"{task.key}-{tries}"
        texts = [json.dumps(each.flat()) for each in task.scenarios]
        order = (task.seed, texts, self._engine.timeout, fingerprint(), task.subject)
        future = self._client.submit(perform_there, *order, key=key, pure=True, retries=self._engine.retries)
        self._there[key], self._futures[key] = task, future
        future.add_done_callback(self._landed.put)

    def _result(self, future: Any) -> Try:
        try:
            return Try(*future.result(timeout=self._engine.patience))
        except self._distributed.TimeoutError:  # its worker may have died before it could hand over what it had
            self._check_workers()
            return Try(None, f"no answer for {self._engine.patience:g} s", True, 0.0)
        except self._distributed.scheduler.KilledWorker as problem:
            deaths = problem.allowed_failures + 1
            return Try(None, "worker died" if deaths == 1 else f"worker died {deaths} times", True, 0.0)
        except Exception as problem:  # what the cluster itself could not do, such as importing carecommons
            return Try(None, cause_of(problem), True, 0.0)

    def _judged(self, task: Task, tried: Try) -> Done | None:
        if tried.seconds < 0:
            raise InputError(f"scheduler = {one_line(self._engine.scheduler)}: {tried.cause}")
        tries = self._tries[task.key]
        if tried.again and tries <= self._engine.retries:
            self._suspect.append(task)
            return None
        return done(task, tried, tries)


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError:
        raise InputError("engine = dask needs the extra 'cluster': pip install carecommons[cluster]") from None
