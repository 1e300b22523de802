"""One run: a task's months one after the other, and the arrays that are kept of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.cycle import CYCLE, pass_month
from carecommons.errors import CareCommonsError, InputError, one_line
from carecommons.experiments.packing import pack
from carecommons.experiments.task import Done, Task, unchanged
from carecommons.founding.found import found
from carecommons.outcomes import quintiles
from carecommons.outcomes.attribution import Attribution, attribute
from carecommons.outcomes.catalogue import BY_NAME, measure
from carecommons.place.ledger import Account
from carecommons.place.place import Place
from carecommons.processes.process import Process
from carecommons.scenario import Scenario

ARMS: Final = ("a", "b")

Answer = dict[str, Any]
"""Arrays by name, as `perform` gives them."""

Beat = Callable[[], None]
"""What is called as often as a month passes; it may raise, to end the run."""


class RunError(CareCommonsError):
    """Runs that could not be finished."""

    exit_code = 3


class OverdueError(Exception):
    """A run that took longer than it may."""


class Try(NamedTuple):
    """How one try of a run went: its arrays as `pack` gives them, or the cause, and whether another may go better."""

    packed: bytes | None
    cause: str
    again: bool
    seconds: float


class Worlds:
    """Places as they were laid out, kept for the world at hand: scenarios that differ in processes alone share one."""

    def __init__(self) -> None:
        self._key: Any = None
        self._place: Place | None = None

    def settled(self, scenario: Scenario, seed: int) -> Place:
        """The place of a scenario before its first month, as `CareCommons.founded` gives it; the caller's own."""
        s = scenario
        key = (seed, s.place, s.citizens, s.people, s.homes, s.society)
        if self._place is None or key != self._key:
            self._place = None  # so that two are never held at once
            self._place = found(s.profile(), s.citizens, s.people, s.homes, s.society, seed)
            self._key = key
        return scenario.settle(self._place.copy(), seed)


def perform(task: Task, worlds: Worlds, beat: Beat | None = None) -> Answer:
    """Do what a task says, and give what is kept of it.

    Of one scenario: `series` (months, outcomes) float64 in the order of the catalogue; `flows` (years, accounts,
    accounts) int64 and `quintiles` (years, 5, measures) float64, both summed over the months of each year, the last of
    which may be short. Of two, in step: the same under `a.` and `b.`, and `split` (months, parts) int64, which says
    where the two come from (see `attribute`).

    InputError when a place's file was changed since the task was made, or while it was performed: its key would be of
    other figures.
    """
    if not 0 <= task.seed < 2**63:
        raise InputError(f"seed = {one_line(task.seed)} is not a whole number from 0 to 2**63 - 1")
    _refuse_changed(task)
    courses = [Course(scenario, task.seed, worlds) for scenario in task.scenarios]
    months = min(course.months for course in courses)
    split = np.zeros((months, len(Attribution._fields)), np.int64)
    for month in range(months):
        for course in courses:
            course.advance()
        if len(courses) > 1:
            split[month] = attribute(*(course.place for course in courses))
        if beat is not None:
            beat()
    _refuse_changed(task)
    if len(courses) == 1:
        return courses[0].kept
    arms = zip(ARMS, courses, strict=True)
    return {f"{arm}.{name}": array for arm, course in arms for name, array in course.kept.items()} | {"split": split}


def _refuse_changed(task: Task) -> None:
    if not unchanged(task):
        places = ", ".join(dict.fromkeys(one_line(each.place, 200) for each in task.scenarios))
        raise InputError(f"the figures of {places}, or the code, changed while the runs were under way")


class Course:
    """One scenario's months in one world, without the agents and tables of the model that people look at."""

    def __init__(self, scenario: Scenario, seed: int, worlds: Worlds) -> None:
        self.months = scenario.months
        self.place = worlds.settled(scenario, seed)
        self._seed = seed
        self._processes = _processes(scenario)
        years = -(-scenario.months // 12)
        self.kept: Answer = {
            "series": np.zeros((scenario.months, len(BY_NAME))),
            "flows": np.zeros((years, len(Account), len(Account)), np.int64),
            "quintiles": np.zeros((years, len(quintiles.QUINTILES), len(quintiles.MEASURES))),
        }

    def advance(self) -> None:
        """One month, and what is kept of it."""
        place, kept = self.place, self.kept
        month = place.month
        pass_month(place, self._processes, self._seed)
        kept["series"][month] = measure(place)
        kept["flows"][month // 12] += place.ledger.flows
        kept["quintiles"][month // 12] += quintiles.observe(place)


def _processes(scenario: Scenario) -> tuple[Process, ...]:
    own = (scenario.process(entry) for entry in CYCLE if isinstance(entry, type))
    return tuple(process for process in own if not process.off)


def attempt(task: Task, worlds: Worlds, beat: Beat | None = None) -> Try:
    """Perform a task and pack what it gives; whatever goes wrong in it is a cause in one line."""
    began = time.perf_counter()
    try:
        packed, cause, again = pack(perform(task, worlds, beat)), "", False
    except (MemoryError, OverdueError) as problem:  # bad luck, or a busy machine
        packed, cause, again = None, cause_of(problem), True
    except Exception as problem:  # the same run would raise it again
        _let_stop(problem)
        packed, cause, again = None, cause_of(problem), False
    return Try(packed, cause, again, time.perf_counter() - began)


def _let_stop(problem: BaseException) -> None:
    """Raise the stop that a problem hides: numba wraps one that comes in the middle of a call into compiled code."""
    hidden: BaseException | None = problem
    while hidden is not None:
        if not isinstance(hidden, Exception):
            raise hidden
        hidden = hidden.__cause__ or hidden.__context__


def done(task: Task, tried: Try, tries: int) -> Done:
    """A task as its last try left it."""
    cause = f"{tried.cause}, {tries} tries" if tried.again and tries > 1 else tried.cause
    return Done(task, tried.packed, cause, tries, tried.seconds)


def cause_of(problem: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(problem, OverdueError):
        return str(problem)
    return one_line(f"{type(problem).__name__}: {problem}", 200).removesuffix(": ")


def overdue(seconds: float) -> str:
    """The cause of a run that took longer than it may."""
    return f"not finished after {seconds:g} s"


def within(seconds: float | None) -> Beat:
    """A beat that ends a run which takes longer than it may, from now on."""
    end = None if seconds is None else time.monotonic() + seconds

    def beat() -> None:
        if end is not None and seconds is not None and time.monotonic() > end:
            raise OverdueError(overdue(seconds))

    return beat
