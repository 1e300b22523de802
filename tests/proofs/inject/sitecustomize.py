"""Has a program told by the variable PROOF misbehave, or tell what it does; Python imports it before anything else."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

PLAN: dict[str, Any] = json.loads(os.environ.get("PROOF", "{}"))


def acknowledging(module: ModuleType) -> None:
    """Write the key of every run to a file, after `Store.add` has returned."""
    fd = os.open(PLAN["acks"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    add = module.Store.add

    def told(self: Any, done: Any, subject: str) -> None:
        add(self, done, subject)
        os.write(fd, f"{done.task.key}\n".encode())

    module.Store.add = told


def failing(module: ModuleType) -> None:
    """Have some runs, each known by its seed and its level, go wrong in one of the ways below."""
    perform = module.perform

    def spoilt(task: Any, *more: Any) -> Any:
        name = f"{task.seed} {task.scenarios[0].flat()[PLAN['factor']]!r}"
        what = PLAN["faults"].get(name)
        if what is not None:
            once, what = what.startswith("once "), what.removeprefix("once ")
            mark = Path(PLAN["marks"], name)
            if not (once and mark.exists()):
                mark.touch()
                FAULTS[what]()
        return perform(task, *more)

    module.perform = spoilt


def shuffling(module: ModuleType) -> None:
    """Hand out the runs in another order."""
    perform_all = module.perform_all
    module.perform_all = lambda tasks, engine: perform_all(
        sorted(tasks, key=lambda task: hash((PLAN["shuffle"], int(task.key, 16)))), engine
    )


def raising() -> None:
    raise ValueError("an exception\nof two lines in a run")


def without_memory() -> None:
    raise MemoryError


def with_little_memory() -> None:
    """Take no more than what is held now, and then ask for more."""
    held = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (held, held))
    bytearray(1 << 30)


def until_the_kernel_kills() -> None:
    """Enter a group that may hold little memory, and fill it page by page."""
    Path(PLAN["group"], "cgroup.procs").write_text(str(os.getpid()))
    held = []
    while True:
        held.append(b"\1" * (1 << 22))


FAULTS: dict[str, Callable[[], Any]] = {
    "SIGKILL": lambda: os.kill(os.getpid(), 9),
    "os._exit": lambda: os._exit(7),
    "exception": raising,
    "MemoryError": without_memory,
    "RLIMIT_AS": with_little_memory,
    "OOM": until_the_kernel_kills,
    "segfault": lambda: ctypes.string_at(0),
    "hang": lambda: time.sleep(600),
}


class After(MetaPathFinder):
    """Changes a module right after it was imported."""

    def __init__(self, changes: dict[str, Callable[[ModuleType], None]]) -> None:
        self._changes = changes

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        change = self._changes.pop(name, None)
        spec = None if change is None else importlib.util.find_spec(name)
        if change is None or spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def changed(module: ModuleType) -> None:
            load(module)
            change(module)

        spec.loader.exec_module = changed  # type: ignore[method-assign]
        return spec


EXPERIMENTS = "carecommons.experiments"
CHANGES = {
    "acks": (f"{EXPERIMENTS}.store.database", acknowledging),
    "faults": (f"{EXPERIMENTS}.performing", failing),
    "shuffle": (f"{EXPERIMENTS}.campaign", shuffling),
}
sys.meta_path.insert(0, After(dict(CHANGES[part] for part in CHANGES if part in PLAN)))
