"""What the library says when something is wrong: one line that names the thing, its value and what would be right."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class CareCommonsError(Exception):
    """A problem the user can mend; the command line prints it in one line and leaves with `exit_code`."""

    exit_code = 2


class InputError(CareCommonsError):
    """Something handed in (a scenario, a place, a graph, an option) is not what it must be."""


def one_line(text: object, limit: int = 80) -> str:
    """`text` on one printable line of at most `limit` characters."""
    shown = "".join(c if c.isprintable() else " " for c in str(text))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The nearest right name as a clause to end a message with, or nothing when none is near."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.6)
    if not near:
        tail = name.rsplit(".", 1)[-1]
        near = [full for full in names if get_close_matches(tail, [full.rsplit(".", 1)[-1]], n=1, cutoff=0.75)][:1]
    return f"; did you mean '{near[0]}'?" if near else ""
