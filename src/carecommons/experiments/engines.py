"""Who does the runs: this process, workers beside it, or a cluster; and how long one may take."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from carecommons.errors import InputError, did_you_mean, one_line

KINDS: Final = ("here", "processes", "threads", "dask")
MOST_JOBS: Final = 1024
MOST_RETRIES: Final = 100

T = TypeVar("T")


@dataclass(frozen=True)
class Engine:
    """Who does the runs; every engine gives the same bytes.

    kind
        `here` (one after the other in this process), `processes` (workers of our own, of which a dead or hung one costs
        only its run), `threads` (of this process), or `dask` (a cluster of dask.distributed).
    jobs
        Workers; of `here` and `dask` it says nothing.
    timeout
        Seconds a run may take, or None.
    patience
        Seconds without a sign of life after which a worker counts as hung. It gives a sign every second while months
        pass, but none while it lays out a large place or compiles, which is why this is minutes.
    retries
        How often a run is tried again whose worker was lost.
    scheduler
        The address of a dask scheduler.
    """

    kind: str = "here"
    jobs: int = 1
    timeout: float | None = None
    patience: float = 300.0
    retries: int = 2
    scheduler: str = ""

    def __post_init__(self) -> None:
        check_engine(self)


def check_engine(engine: Engine) -> Engine:
    """`engine`, if it can be; an InputError of one line otherwise."""
    if not isinstance(engine, Engine):
        raise InputError(f"engine = {one_line(engine)} must be an Engine, such as cc.Engine('processes', 4)")
    if engine.kind not in KINDS:
        near = did_you_mean(str(engine.kind), KINDS)
        raise InputError(f"engine = {one_line(engine.kind)} is none of {', '.join(KINDS)}{near}")
    check_jobs(engine.jobs)
    if engine.timeout is not None:
        _check_seconds("timeout", engine.timeout)
    _check_seconds("patience", engine.patience)
    if not _whole(engine.retries, 0, MOST_RETRIES):
        raise InputError(f"retries = {one_line(engine.retries)} must be a whole number from 0 to {MOST_RETRIES}")
    if engine.kind == "dask" and not engine.scheduler:
        raise InputError("engine = dask needs the address of a scheduler, such as tcp://10.0.0.5:8786")
    if engine.kind != "dask" and engine.scheduler:
        raise InputError(f"scheduler = {one_line(engine.scheduler)} is for the engine dask, not for {engine.kind}")
    return engine


def check_jobs(jobs: int) -> int:
    """`jobs`, if it is a number of workers."""
    if not _whole(jobs, 1, MOST_JOBS):
        raise InputError(f"jobs = {one_line(jobs)} must be a whole number from 1 to {MOST_JOBS}")
    return jobs


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def shard(tasks: Sequence[T], part: str) -> list[T]:
    """Block i of n of a list, `part` being `i/n`: the blocks of 1/n to n/n are the whole, in order.

    A block is contiguous, so that runs of one world stay together.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,8})/([1-9][0-9]{0,8})", part)
    i, n = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= i <= n:
        raise InputError(f"shard = {one_line(part)} must be i/n with 1 <= i <= n, such as 3/8")
    return list(tasks[(i - 1) * len(tasks) // n : i * len(tasks) // n])


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _check_seconds(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1e9:
        raise InputError(f"{name} = {one_line(value)} must be seconds, above 0 and at most 1,000,000,000")
