"""A bar for long work, where somebody can see it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from carecommons.guests.rich import BarColumn, Console, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn


@contextmanager
def bar(what: str, total: int, *, done: int = 0, shown: bool = True) -> Iterator[Callable[[], None]]:
    """A progress bar on stderr where somebody can see it, `done` of it done; call what it gives once for each more."""
    console = Console(stderr=True)
    columns = (
        TextColumn(f"{total:,} {what}"), BarColumn(None, complete_style="cyan", finished_style="green"),
        MofNCompleteColumn(), TimeRemainingColumn(elapsed_when_finished=True),
    )  # fmt: skip
    seen = shown and (console.is_terminal or console.is_jupyter)
    with Progress(*columns, console=console, disable=not seen, transient=True) as progress:
        task = progress.add_task(what, total=total, completed=done)
        yield lambda: progress.advance(task)
