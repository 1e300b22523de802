"""One run: what is run, the name that its content gives it, and how it went."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from carecommons.experiments.provenance import fingerprint
from carecommons.scenario import Scenario


class Task(NamedTuple):
    """A scenario in one world, or two in step (arms a and b of a comparison).

    `key` is what it is known by everywhere, made of its world and its `subject` (see `subject_of`); `cell` and
    `replicate` say where it stands in its design.
    """

    key: str
    scenarios: tuple[Scenario, ...]
    seed: int
    cell: int = 0
    replicate: int = 0
    subject: str = ""


class Done(NamedTuple):
    """How a task went: its arrays as `packing.pack` gives them, or the cause why there are none."""

    task: Task
    packed: bytes | None
    cause: str = ""
    tries: int = 1
    seconds: float = 0.0


def subject_of(scenarios: Sequence[Scenario]) -> str:
    """A hash of all that decides a run but its world: the code, every parameter, and the places' figures."""
    parts = [[each.digest, each.profile().model_dump_json()] for each in scenarios]
    return blake2b(json.dumps([fingerprint(), parts]).encode(), digest_size=16).hexdigest()


def unchanged(task: Task) -> bool:
    """Whether code and places' figures are those that a task was made with; true of one that has no subject."""
    return not task.subject or subject_of(task.scenarios) == task.subject


def key_of(subject: str, seed: int) -> str:
    """What a run is known by: a hash of its subject and its world."""
    return blake2b(f"{subject} {seed}".encode(), digest_size=16).hexdigest()


def tasks_of(cells: Sequence[tuple[Scenario, ...]], seeds: Sequence[int]) -> list[Task]:
    """Every cell in every world; runs of one world stand together, so that its place is laid out once."""
    subjects = [subject_of(scenarios) for scenarios in cells]
    return [
        Task(key_of(subjects[cell], seed), scenarios, seed, cell, replicate, subjects[cell])
        for replicate, seed in enumerate(seeds)
        for cell, scenarios in enumerate(cells)
    ]
