"""Do runs of a folder again, from what it says of them, and see whether every number comes out as it is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from carecommons.errors import InputError, one_line
from carecommons.experiments import show
from carecommons.experiments.campaign import identity, workers
from carecommons.experiments.difference import apart
from carecommons.experiments.engines import Engine, check_engine, check_jobs
from carecommons.experiments.packing import unpack
from carecommons.experiments.pilot import check_memory
from carecommons.experiments.progress import bar
from carecommons.experiments.provenance import machine, versions
from carecommons.experiments.runner import perform_all
from carecommons.experiments.store.database import DONE, Run, Store
from carecommons.experiments.store.errors import IncompatibleError, shown
from carecommons.experiments.store.identity import differences
from carecommons.experiments.store.sealed import digest_of
from carecommons.experiments.task import Done, Task, tasks_of, unchanged
from carecommons.guests.rich import Group, Text
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

RUNS: Final = 20  # done again where nobody says how many
MOST: Final = 12  # runs that a table names


class Rerun(NamedTuple):
    """A kept run, by the key it has in the table `runs`, and how it came out this time.

    `same` means every number, to the last bit; otherwise `how` names the first month and outcome that differ, with both
    values. With `failed` it could not be done again, and `how` is the cause.
    """

    key: str
    seed: int
    same: bool
    failed: bool
    how: str


@dataclass(frozen=True)
class Reproduction:
    """Runs of a folder that were done again.

    `held` is how many runs that are done it has; `notes` says what is not as it was when these runs were made: code,
    figures of places, outcomes, libraries, machine.
    """

    folder: str
    runs: tuple[Rerun, ...]
    held: int
    notes: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether every one of them came out as it is kept, to the last bit."""
        return all(run.same for run in self.runs)

    @property
    def failed(self) -> int:
        """How many could not be done again."""
        return sum(run.failed for run in self.runs)

    @property
    def different(self) -> int:
        """How many came out otherwise."""
        return sum(not run.same and not run.failed for run in self.runs)

    def headline(self) -> str:
        """How many came out the same, in a sentence."""
        finished = len(self.runs) - self.failed
        lost = f", {self.failed:,} could not be" if self.failed else ""
        done = f"{finished - self.different:,} of {finished:,} runs done again are the same to the last bit{lost}"
        return f"{done}; {self.folder} holds {self.held:,}"

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        return {"folder": self.folder, "held": self.held, "same": self.same, "notes": list(self.notes),
                "runs": [run._asdict() for run in self.runs]}  # fmt: skip

    def __rich__(self) -> Group:
        others = [run for run in self.runs if not run.same]
        rows = [{"run": run.key, "world": run.seed, "how": run.how} for run in others[:MOST]]
        parts: list[Any] = [Text(self.headline(), style="bold"), *(Text(note) for note in self.notes)]
        parts += [show.rows_table("", rows)] if rows else []
        parts += [Text(f"and {len(others) - MOST:,} more")] if len(others) > MOST else []
        return Group(*parts)

    def __repr__(self) -> str:
        return "\n".join([f"Reproduction: {self.headline()}", *self.notes])


def reproduce(
    path: str | Path, runs: int = RUNS, *, jobs: int = 1, engine: Engine | None = None, progress: bool = False
) -> Reproduction:
    """Do runs of a folder again from their kept parameters and worlds, with today's code; the folder is not changed.

    Parameters
    ----------
    path
        A folder of a sweep or a comparison. Files of places that are not shipped must lie where they lay.
    runs
        How many, at least 1: spread over the folder by chance, but the same ones every time; all if it holds no more.
    jobs, engine
        Who does them, `jobs` processes by default; the numbers do not depend on it.
    progress
        Show a bar, where there is a terminal to show it on.

    Raises
    ------
    InputError
        The folder holds no runs that are done; `runs`, `jobs` or `engine` cannot be; a place's file is gone, or is
        changed meanwhile; there is not memory enough.
    IncompatibleError
        Today's code does not know a parameter of these runs, or the folder's format.
    DamagedError
        Something in the folder is not what was written.
    RunError
        Workers cannot be started.
    """
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        raise InputError(f"runs = {one_line(repr(runs))} must be a whole number of at least 1")
    check_jobs(jobs)
    engine = workers(jobs) if engine is None else check_engine(engine)
    with Store.read(path) as store:
        done = [run for run in store.runs() if run.status == DONE]
        if not done:
            raise InputError(f"{shown(path)}: holds no runs that are done")
        kept = sorted(done)[: int(runs)]  # by their keys, which are hashes
        cells = _cells(store, {run.subject for run in kept})
        notes = tuple(_notes(store, kept, cells))
        # Of two sets of figures under one name both runs may be kept; today they are one and the same.
        meant: dict[str, list[Run]] = {}
        tasks: dict[str, Task] = {}
        for run in kept:
            (task,) = tasks_of([cells[run.subject]], [run.seed])
            meant.setdefault(task.key, []).append(run)
            tasks[task.key] = task
        check_memory(list(tasks.values()), engine)
        reruns: list[Rerun] = []
        with (
            bar("runs", len(tasks), shown=progress) as advance,
            closing(perform_all(list(tasks.values()), engine)) as dones,
        ):
            for each in dones:
                if each.packed is None and not unchanged(each.task):
                    raise InputError(f"{each.cause.removeprefix('InputError: ')}; give the same command again")
                reruns += (_rerun(store, run, each) for run in meant[each.task.key])
                advance()
    return Reproduction(shown(path), tuple(sorted(reruns)), len(done), notes)


def _cells(store: Store, subjects: set[str]) -> dict[str, tuple[Scenario, ...]]:
    """By subject its scenario, or those of both arms, as today's code and files have them."""
    points, where = store.points, shown(store.folder)
    try:
        found = {each: [Scenario.of(values) for values in points[each]] for each in sorted(subjects)}
    except InputError as problem:
        raise IncompatibleError(f"{where}: is of another version of carecommons: {problem}") from None
    return {each: tuple(scenario.placed(where) for scenario in cell) for each, cell in found.items()}


def _rerun(store: Store, run: Run, done: Done) -> Rerun:
    if done.packed is None:
        return Rerun(run.key, run.seed, same=False, failed=True, how=done.cause)
    kept_outcomes, outcomes = list(store.columns), list(BY_NAME)
    if digest_of(done.packed) == run.digest and kept_outcomes == outcomes:
        return Rerun(run.key, run.seed, same=True, failed=False, how="")
    how = parting(by_outcome(store.answer(run.key), kept_outcomes), by_outcome(unpack(done.packed), outcomes))
    return Rerun(run.key, run.seed, same=not how, failed=False, how=how)


def by_outcome(arrays: Mapping[str, Any], outcomes: Sequence[str]) -> dict[str, Any]:
    """A run's arrays, each series by the names of its outcomes: `a.series` becomes `isolation of a`, and so on."""
    series = {name: array for name, array in arrays.items() if name.endswith("series")}
    named = {
        f"{outcome}{f' of {name[0]}' if name != 'series' else ''}": array[:, column]
        for name, array in series.items()
        for column, outcome in enumerate(outcomes)
    }
    return named | {name: array for name, array in arrays.items() if name not in series}


def parting(kept: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Where what is kept differs from what came out now, in words, first in time; "" where it is the same to the bit.

    What only came out now is no difference: there is nothing to hold it against.
    """
    for name in kept:
        if _form(kept[name]) != _form(now.get(name)):
            return f"{name}: {_form(kept[name])} kept, {_form(now.get(name))} now"
    others = [name for name in kept if kept[name].tobytes() != now[name].tobytes()]
    if not others:
        return ""
    # Series have one dimension, a month a row; accounts come after them.
    _, _, name = min((kept[name].ndim, _first(kept[name], now[name])[0], name) for name in others)
    at = _first(kept[name], now[name])
    when = f" from month {at[0] + 1}" if kept[name].ndim == 1 else ""
    return f"{name}{when}: {kept[name][at].item()!r} kept, {now[name][at].item()!r} now"


def _first(kept: Any, now: Any) -> tuple[int, ...]:
    """Where two arrays of one shape differ first; -0.0 and 0.0 do, if nothing else does."""
    found = np.argwhere(apart(kept, now))
    if not len(found):
        found = np.argwhere(np.signbit(kept) != np.signbit(now))
    return tuple(found[0]) if len(found) else (0,) * kept.ndim


def _form(array: Any) -> str:
    return "nothing" if array is None else f"{' x '.join(map(str, array.shape))} of {array.dtype}"


def _notes(store: Store, kept: Sequence[Run], cells: Mapping[str, tuple[Scenario, ...]]) -> Iterator[str]:
    """What is not as it was when these runs were made."""
    held = store.identity
    figures = {row[0]: json.loads(row[2]) for row in store.rows("point") if row[0] in cells}
    for subject, scenarios in cells.items():
        today = identity(held["kind"], held["scenario"], scenarios, held["factors"])
        changed = differences({**held, "places": figures[subject]}, today, ())
        if changed:
            yield changed
            break
    came, went = (list(dict.fromkeys(a).keys() - b) for a, b in ((BY_NAME, store.columns), (store.columns, BY_NAME)))
    if came or went:
        yield "; ".join(f"outcomes that {how}: {', '.join(sorted(names))}"
                        for how, names in (("came", came), ("went", went)) if names)  # fmt: skip
    used = {run.session for run in kept}
    made = [facts for name, facts in store.sessions().items() if name in used]
    for what, now in (("versions", versions()), ("machine", machine())):
        others = [
            f"{part} {' and '.join(found)} (now {value})"
            for part, value in now.items()
            if (found := sorted({str(each.get(what, {}).get(part, value)) for each in made} - {value}))
        ]
        if others:
            yield f"made with {', '.join(others)}"
