"""Have runs done, by one or by many: the same bytes either way, and a run that fails costs no other."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from typing import Final

from carecommons.experiments import cluster
from carecommons.experiments.engines import Engine
from carecommons.experiments.hands import Hand, Here, NotStartedError, Stopped, Worker
from carecommons.experiments.performing import RunError, Try, done
from carecommons.experiments.task import Done, Task

_LOOK: Final = 0.25  # seconds between looks at the workers
_FAREWELL: Final = 1.0  # seconds for a thread to see that all is over; it is a daemon and holds nobody up
_STARTS: Final = 3  # how often a worker may fail to start, one time after the other


def perform_all(tasks: Sequence[Task], engine: Engine | None = None) -> Generator[Done, None, None]:
    """Each task as it was done, in the order in which they finish; closing the generator ends the workers.

    An exception in a run is its failure, at once. A run whose worker dies, hangs or is overdue is tried again on
    another worker, `engine.retries` times, and then is a failure; so is one for which memory was lacking. No other run
    is lost with it. Runs of one world go to one worker as far as possible, which lays out the place once.

    RunError when workers cannot be started at all.
    """
    engine = engine or Engine()
    if not tasks:
        return
    if engine.kind == "dask":
        yield from cluster.perform_all(tasks, engine)
    elif engine.kind == "here":
        yield from _one_by_one(tasks, engine)
    else:
        yield from _Crew(tasks, engine).answers()


def _one_by_one(tasks: Sequence[Task], engine: Engine) -> Generator[Done, None, None]:
    waiting, hand, world = _Waiting(tasks), Here(engine.timeout), None
    while (task := waiting.take(world)) is not None:
        world = task.seed
        yield _tried(task, hand.perform, engine.retries)


def _tried(task: Task, perform: Callable[[Task], Try], retries: int) -> Done:
    """A task as it was done at last: tried again as long as another try may go better."""
    tries, tried = 1, perform(task)
    while tried.again and tries <= retries:
        tries, tried = tries + 1, perform(task)
    return done(task, tried, tries)


class _Waiting:
    """Tasks that nobody has begun, world by world."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._worlds: dict[int, deque[Task]] = {}
        for task in tasks:
            self._worlds.setdefault(task.seed, deque()).append(task)
        self._untouched = deque(self._worlds)

    def take(self, world: int | None) -> Task | None:
        """The next of `world`; else of a world that nobody is in; else of that in which most is left to do."""
        if world not in self._worlds:
            if self._untouched:
                world = self._untouched.popleft()
            elif self._worlds:
                world = max(self._worlds, key=lambda each: len(self._worlds[each]))
            else:
                return None
        left = self._worlds[world]
        task = left.popleft()
        if not left:
            del self._worlds[world]
        return task


class _Crew:
    """Hands, each with a thread that gives it one task after the other, and takes another when it is lost."""

    def __init__(self, tasks: Sequence[Task], engine: Engine) -> None:
        self._count, self._engine = len(tasks), engine
        self._hire: Callable[[], Hand] = (
            (lambda: Here(engine.timeout))
            if engine.kind == "threads"
            else (lambda: Worker(engine.timeout, engine.patience))
        )
        self._waiting = _Waiting(tasks)
        self._turn = threading.Lock()
        self._done: queue.SimpleQueue[Done | BaseException] = queue.SimpleQueue()
        self._hands: list[Hand] = []
        self._over = False
        self._looked = time.monotonic()

    def answers(self) -> Generator[Done, None, None]:
        jobs = min(self._engine.jobs, self._count)
        threads = [threading.Thread(target=self._keep_busy, daemon=True) for _ in range(jobs)]
        try:
            for thread in threads:
                thread.start()
            for _ in range(self._count):
                yield self._next()
        finally:
            with self._turn:
                self._over = True
                for hand in self._hands:
                    hand.stop()
            for thread in threads:
                if thread.ident is not None:
                    thread.join(_FAREWELL)

    def _next(self) -> Done:
        while True:
            self._look()
            try:
                found = self._done.get(timeout=_LOOK)
            except queue.Empty:
                continue
            if isinstance(found, BaseException):
                raise found
            return found

    def _look(self) -> None:
        """See to it that nobody takes too long; after an absence of our own, give them time to be heard first."""
        now = time.monotonic()
        away, due = now - self._looked > 4 * _LOOK, now - self._looked >= _LOOK / 2
        if away or due:
            self._looked = now
        if due and not away:
            with self._turn:
                hands = list(self._hands)
            for hand in hands:
                hand.look(now)

    def _keep_busy(self) -> None:
        hand: Hand | None = None
        world: int | None = None

        def perform(task: Task) -> Try:
            nonlocal hand
            if hand is None or hand.lost:
                hand = self._another(hand)
            return hand.perform(task)

        try:
            while (task := self._take(world)) is not None:
                world = task.seed
                self._done.put(_tried(task, perform, self._engine.retries))
        except Stopped:
            return
        except BaseException as problem:  # it is raised where the answers are read
            self._done.put(problem)
        finally:
            if hand is not None:
                hand.stop()

    def _take(self, world: int | None) -> Task | None:
        with self._turn:
            return None if self._over else self._waiting.take(world)

    def _another(self, lost: Hand | None) -> Hand:
        """A new hand in the place of one that was lost, if any."""
        cause = ""
        for _ in range(_STARTS):
            with self._turn:
                if self._over:
                    raise Stopped
                if lost in self._hands:
                    self._hands.remove(lost)
                hand = self._hire()
                self._hands.append(hand)
            try:
                hand.ready()
            except NotStartedError as problem:
                lost, cause = hand, str(problem)
            else:
                return hand
        raise RunError(f"workers do not start: {cause.removeprefix('worker ')}, {_STARTS} times one after the other")
