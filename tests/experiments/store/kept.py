"""Small stores for tests: made-up numbers under the keys that real runs would have."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from carecommons.experiments.packing import pack
from carecommons.experiments.provenance import code
from carecommons.experiments.store.database import FORMAT, Store, place_digest
from carecommons.experiments.tables import export
from carecommons.experiments.task import Done, Task, tasks_of
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

BASE = Scenario(citizens=100, months=14)
FACTOR = "council.funding"
LEVELS = (0.8, 0.9, 1.0)


def identity(base: Scenario = BASE, factors: Iterable[str] = (FACTOR,), **changes: Any) -> dict[str, Any]:
    """What the runs of a made-up sweep share."""
    return {
        "kind": "sweep", "format": FORMAT, "scenario": base.flat(), "factors": list(factors), "code": dict(code()),
        "places": {base.place: place_digest(base)}, **changes,
    }  # fmt: skip


def tasks(levels: Iterable[float] = LEVELS, replicates: int = 4, seed: int = 5) -> list[Task]:
    """Each level in each world."""
    return list(_tasks(tuple(levels), replicates, seed))


@cache
def _tasks(levels: tuple[float, ...], replicates: int, seed: int) -> list[Task]:
    return tasks_of([(BASE.but({FACTOR: level}),) for level in levels], range(seed, seed + replicates))


def answer(task: Task, months: int = BASE.months) -> dict[str, Any]:
    """Numbers that depend on the key alone; some are nobody's mean."""
    bits = blake2b(task.key.encode(), digest_size=64).digest()
    numbers = np.frombuffer(bits, np.uint8).astype(float) - 128
    series = np.resize(np.concatenate([numbers, [np.nan, 0.0]]) / 7, (months, len(BY_NAME)))
    return {"series": series, "flows": np.resize(numbers, (2, 3, 3)).astype(np.int64)}


def done(task: Task, seconds: float = 0.25) -> Done:
    """A run that went well."""
    return Done(task, pack(answer(task)), seconds=seconds)


def failed(task: Task, cause: str = "its worker died") -> Done:
    """A run that did not."""
    return Done(task, None, cause, 3)


def record(levels: Iterable[float] = LEVELS, replicates: int = 4, seed: int = 5, **more: Any) -> dict[str, Any]:
    """The design of `tasks`."""
    levels = list(levels)
    subjects = [task.subject for task in tasks(levels, 1, seed)]
    return {
        "kind": "sweep", "title": "", "factors": {FACTOR: levels}, "cells": [{FACTOR: level} for level in levels],
        "subjects": subjects, "seed": seed, "replicates": replicates, "scenario": BASE.flat(), "last": 12, **more,
    }  # fmt: skip


def fill(folder: Path | None, runs: Iterable[Done], design: Mapping[str, Any] | None = None) -> Path | None:
    """Write runs into a folder as a sweep would."""
    with Store.write(folder, identity(), command="a test") as store:
        store.add_design(design or record())
        for each in runs:
            store.add(each, each.task.subject)
    return folder


def exported(folder: Path, to: Path) -> dict[str, bytes]:
    """All tables of a folder."""
    with Store.read(folder) as store:
        return {path.name: path.read_bytes() for path in export(store, to)}


def read_all(folder: Path) -> dict[str, str]:
    """Everything that a store says of its runs, each checked as it is read."""
    with Store.read(folder) as store:
        found = {run.key: str(run) for run in store.runs()}
        for key, status in store.status().items():
            if status == "done":
                found[key] += "".join(f"{name}{array.tobytes().hex()}" for name, array in store.answer(key).items())
        return found | {"points": json.dumps(store.points), "designs": json.dumps(store.designs())}
