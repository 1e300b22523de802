"""Do runs of a folder again, from what the folder alone says of them, and see whether the same numbers come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.errors import InputError, one_line
from carecommons.experiments import show
from carecommons.experiments.campaign import identity, workers
from carecommons.experiments.difference import apart
from carecommons.experiments.engines import Engine, check_engine
from carecommons.experiments.packing import unpack
from carecommons.experiments.pilot import check_memory
from carecommons.experiments.progress import bar
from carecommons.experiments.provenance import versions
from carecommons.experiments.runner import perform_all
from carecommons.experiments.store.database import DONE, Run, Store
from carecommons.experiments.store.errors import shown
from carecommons.experiments.store.identity import differences
from carecommons.experiments.task import Done, Task, tasks_of
from carecommons.guests.rich import Group, Text
from carecommons.scenario import Scenario

MOST: Final = 12  # runs that a table names


class Again(NamedTuple):
    """A run that was done again: whether it is what is kept, to the last bit, and else how it parts from that.

    `failed` says that it could not be done now; `how` is then the cause.
    """

    key: str
    seed: int
    same: bool
    failed: bool
    how: str


@dataclass(frozen=True)
class Reproduction:
    """Runs of a folder that were done again; `held` is how many it has, `notes` what has changed since they were made.

    Runs are named by their keys, as in the table `runs`.
    """

    folder: str
    runs: tuple[Again, ...]
    held: int
    notes: tuple[str, ...]

    @property
    def other(self) -> tuple[Again, ...]:
        """The runs that came out in another way, or not at all."""
        return tuple(run for run in self.runs if not run.same)

    @property
    def same(self) -> bool:
        """Whether every run that was done again is what is kept, to the last bit."""
        return not self.other

    def headline(self) -> str:
        """How many came out the same, in a sentence."""
        same = len(self.runs) - len(self.other)
        told = f"{same:,} of {len(self.runs):,} runs done again are the same to the last bit"
        return f"{told}; {self.folder} holds {self.held:,}"

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"folder": self.folder, "held": self.held, "same": self.same, "notes": list(self.notes),
                "runs": [run._asdict() for run in self.runs]}  # fmt: skip

    def __rich__(self) -> Group:
        parts: list[Any] = [Text(self.headline(), style="bold")]
        if self.other:
            rows = [{"run": run.key, "world": run.seed, "how it differs": run.how} for run in self.other[:MOST]]
            more = len(self.other) - MOST
            parts.append(show.rows_table("", rows))
            parts += [Text(f"and {more:,} more")] if more > 0 else []
        return Group(*parts)

    def __repr__(self) -> str:
        return f"Reproduction: {self.headline()}"


def reproduce(
    path: str | Path, runs: int = 20, *, jobs: int = 1, engine: Engine | None = None, progress: bool = False
) -> Reproduction:
    """Do runs of a folder again from their kept parameters and worlds, with today's code; the folder is not changed.

    Parameters
    ----------
    path
        A folder of a sweep or a comparison.
    runs
        How many, spread over the folder by chance, and the same ones every time; all where it holds no more.
    jobs, engine
        Who does them; the numbers do not depend on it.

    Raises
    ------
    InputError
        The folder holds no runs that are done, or a place's file that they need is gone.
    DamagedError
        Something in it is not what was written.
    """
    if isinstance(runs, bool) or not isinstance(runs, int) or runs < 1:
        raise InputError(f"runs = {one_line(repr(runs))} must be a whole number of at least 1")
    engine = check_engine(engine) if engine else workers(jobs)
    with Store.read(path) as store:
        done = [run for run in store.runs() if run.status == DONE]
        if not done:
            raise InputError(f"{shown(path)}: holds no runs that are done")
        chosen = {task.key: (task, run) for task, run in _tasks(store, sorted(done)[:runs])}  # keys are hashes
        tasks = [task for task, _ in chosen.values()]
        check_memory(tasks, engine)
        again: list[Again] = []
        with bar("runs", len(tasks), shown=progress) as advance, closing(perform_all(tasks, engine)) as dones:
            for each in dones:
                again.append(_compared(store, chosen[each.task.key][1], each))
                advance()
        return Reproduction(shown(path), tuple(sorted(again)), len(done), tuple(_changes(store, tasks)))


def _tasks(store: Store, runs: list[Run]) -> Iterator[tuple[Task, Run]]:
    """What is to be done to have these runs again."""
    points = store.points
    cells: dict[str, tuple[Scenario, ...]] = {}
    for run in runs:
        if run.subject not in cells:
            cells[run.subject] = tuple(Scenario.of(values, str(store.folder)) for values in points[run.subject])
        yield tasks_of([cells[run.subject]], [run.seed])[0], run


def _compared(store: Store, run: Run, done: Done) -> Again:
    if done.packed is None:
        return Again(run.key, run.seed, same=False, failed=True, how=done.cause)
    how = parting(store.answer(run.key), unpack(done.packed), list(store.columns))
    return Again(run.key, run.seed, same=not how, failed=False, how=how)


def parting(kept: Mapping[str, Any], now: Mapping[str, Any], outcomes: list[str]) -> str:
    """Where two runs' arrays differ, in words: the first month in which an outcome does, if any; "" for nowhere."""
    for name in sorted({**kept, **now}, key=lambda each: (not each.endswith("series"), each)):
        was, new = kept.get(name), now.get(name)
        if was is None or new is None or was.shape != new.shape:
            return f"{name}: {_shape(was)} kept, {_shape(new)} now"
        differing = np.argwhere(apart(was, new))
        if not len(differing):
            continue
        at = tuple(differing[0])
        values = f"{was[at].item()!r} kept, {new[at].item()!r} now"
        if not name.endswith("series"):
            return f"{name}: {values}"
        arm = f" of {name[0]}" if name != "series" else ""
        return f"{outcomes[at[1]]}{arm} from month {at[0] + 1}: {values}"
    return ""


def _shape(array: Any) -> str:
    return "nothing" if array is None else " x ".join(map(str, array.shape))


def _changes(store: Store, tasks: list[Task]) -> Iterator[str]:
    """What is not as it was when the runs were made: code, places' figures, libraries."""
    held = store.identity
    scenarios = [scenario for task in tasks for scenario in task.scenarios]
    today = identity(held["kind"], held["scenario"], scenarios, held["factors"])
    if changed := differences(held, today, ()):
        yield changed
    made = [facts.get("versions", {}) for facts in store.sessions().values()]
    others = [
        f"{library} {' and '.join(found)} (now {number})"
        for library, number in versions().items()
        if (found := sorted({str(each[library]) for each in made if each.get(library, number) != number}))
    ]
    if others:
        yield f"made with {', '.join(others)}"
