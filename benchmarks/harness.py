"""Time things fairly, turn about, and print what was found."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Cost = Callable[[], float]
"""Does the work once and says what it cost, in seconds or in seconds a unit of work: set-up stays out of the figure."""


@dataclass(frozen=True)
class Costs:
    """What one thing cost, in the order it was measured."""

    each: tuple[float, ...]

    @property
    def best(self) -> float:
        """The least: what the machine can do when left in peace."""
        return min(self.each)

    @property
    def median(self) -> float:
        """The middle: what one run is like."""
        return statistics.median(self.each)

    def times(self, other: Costs) -> float:
        """How many times cheaper the other is: the median over turns, each measured beside its partner."""
        return statistics.median(mine / theirs for mine, theirs in zip(self.each, other.each, strict=True))


def wall(work: Callable[[], object]) -> Cost:
    """A piece of work as its own cost in seconds."""

    def cost() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return cost


def afresh(cost: Cost) -> float:
    """One measurement that does not pay for clearing up after the one before."""
    gc.collect()
    return cost()


def best_of(cost: Cost, repeats: int) -> float:
    """The least of several measurements."""
    return min(afresh(cost) for _ in range(repeats))


def in_turn(costs: Mapping[str, Cost], repeats: int) -> dict[str, Costs]:
    """Measure A B A B ..., so that a busy minute of the machine falls on all alike."""
    turns = [{name: afresh(cost) for name, cost in costs.items()} for _ in range(repeats)]
    return {name: Costs(tuple(turn[name] for turn in turns)) for name in costs}


def verdict(value: float, target: float, *, at_least: bool) -> str:
    """`pass` or `miss` beside the target, in words for a table."""
    met = value >= target if at_least else value <= target
    return f"{'at least' if at_least else 'at most'} {target:g}: {'pass' if met else 'MISS'}"


def machine() -> str:
    """One line on what the figures were taken with."""
    parts = [f"Python {platform.python_version()}"]
    for package in ("numpy", "numba", "mesa", "networkx", "carecommons"):
        try:
            parts.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            parts.append(f"{package} not installed")
    parts.append(f"{cores()} cores ({platform.system()} {platform.machine()})")
    if hasattr(os, "getloadavg"):
        parts.append(f"load {os.getloadavg()[0]:.1f}")
    return ", ".join(parts)


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table: by rich on a terminal that has it, in plain columns otherwise."""
    if sys.stdout.isatty():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass
        else:
            table = Table(*head, title=title, title_justify="left")
            for row in rows:
                table.add_row(*row)
            Console().print(table)
            return
    widths = [max(len(line[column]) for line in (head, *rows)) for column in range(len(head))]
    print(f"\n{title}")
    for line in (head, ["-" * width for width in widths], *rows):
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
