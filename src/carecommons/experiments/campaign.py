"""Carry out the runs that a store lacks, and keep each the moment it ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments.engines import Engine, check_jobs
from carecommons.experiments.pilot import check_memory
from carecommons.experiments.progress import bar
from carecommons.experiments.provenance import code
from carecommons.experiments.runner import perform_all
from carecommons.experiments.store.database import FAILED, FORMAT, Store, place_digest
from carecommons.experiments.store.files import DATABASE
from carecommons.experiments.task import Task, unchanged
from carecommons.scenario import Scenario


def carry_out(
    store: Store, tasks: Sequence[Task], engine: Engine, *, what: str = "runs", progress: bool = False
) -> int:
    """Run what the store lacks, each run kept by a transaction of its own -> how many have failed.

    What failed before is not tried again, unless `Store.forget_failures` was called. InputError when the runs need more
    than 80% of the available memory.
    """
    known = store.status()
    every = {task.key: task for task in tasks}  # a cell that stands twice in a design is run once
    left = [task for task in every.values() if task.key not in known]
    check_memory(left, engine)
    failed = sum(known.get(key) == FAILED for key in every)
    with (
        bar(what, len(every), done=len(every) - len(left), shown=progress) as advance,
        closing(perform_all(left, engine)) as dones,
    ):
        for done in dones:
            if done.packed is None and not unchanged(done.task):  # no other run could be made either
                cause = done.cause.removeprefix("InputError: ")
                raise InputError(f"{cause}; put the file back and go on, or begin in another folder")
            store.add(done, done.task.subject)
            failed += done.packed is None
            advance()
    return failed


def identity(
    kind: str, base: Mapping[str, Any], scenarios: Iterable[Scenario], factors: Sequence[str] = ()
) -> dict[str, Any]:
    """What must agree for two commands to share a folder: the kind, `base` less its factors, code and places."""
    places = {each.place: each for each in scenarios}
    return {
        "kind": kind, "format": FORMAT, "scenario": dict(base), "factors": list(factors), "code": dict(code()),
        "places": {name: place_digest(each) for name, each in places.items()},
    }  # fmt: skip


@contextmanager
def writing(
    folder: str | Path | None, identity: Mapping[str, Any], command: str, force: bool, shard: str | None = None
) -> Iterator[Store]:
    """A store to write to; one in a folder is closed at the end, a private one only when something goes wrong."""
    store = Store.write(folder, identity, command=command, force=force, shard=shard)
    try:
        yield store
    except BaseException:
        with suppress(CareCommonsError):  # the first problem is the one to tell
            store.close()
        raise
    if folder is not None:
        store.close()


def chosen(store: Store, tasks: Sequence[Task], again: bool) -> Sequence[Task]:
    """All tasks; or `again` those that have failed, which may then be run once more."""
    if not again:
        return tasks
    failed = set(store.forget_failures())
    return list({task.key: task for task in tasks if task.key in failed}.values())


def workers(jobs: int) -> Engine:
    """So many worker processes, or this process alone for one."""
    return Engine("processes" if check_jobs(jobs) > 1 else "here", jobs)


def shard_folder(out: str | Path | None, part: str) -> Path | None:
    """Where the runs of a shard are kept: `3/8` in `shard-3-of-8`, so that shards can run at the same time."""
    if out is None:
        return None
    return Path(out) / f"shard-{part.replace('/', '-of-')}" if part else Path(out)


def nothing(result: object) -> Iterable[tuple[str, bytes]]:
    """No pictures."""
    return ()


def known_in(folder: str | Path | None) -> Mapping[str, str]:
    """How the runs went that a folder holds by now; none where there is no folder yet."""
    if folder is None or not (Path(folder) / DATABASE).exists():
        return {}
    with Store.read(folder) as store:
        return store.status()
