"""What can be wrong with a store of runs, each in one line."""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from carecommons.errors import CareCommonsError, InputError, one_line


class StoreError(CareCommonsError):
    """A store that cannot be read or written as it stands: no room, no permission, a failing disk."""

    exit_code = 3


class BusyError(CareCommonsError):
    """A store that another process is writing."""

    exit_code = 4


class IncompatibleError(CareCommonsError):
    """A store of other runs: another scenario, other code, other figures of a place."""

    exit_code = 4


class OccupiedError(InputError):
    """A folder that holds something else: results of another kind, or files that are nobody's results."""

    exit_code = 4


class DamagedError(CareCommonsError):
    """A store that is not what was written: `found` says where."""

    exit_code = 4

    def __init__(self, message: str, found: str = "") -> None:
        super().__init__(message)
        self.found = found or message


# What SQLite says when the surroundings fail; whatever else it says of our own queries, the file is not ours any more.
_SURROUNDINGS: Final = {
    sqlite3.SQLITE_FULL: "no room left on the disk, or the file may not grow",
    sqlite3.SQLITE_IOERR: "the disk failed, is full, or the file may not grow",
    sqlite3.SQLITE_CANTOPEN: "the file or one beside it cannot be opened",
    sqlite3.SQLITE_READONLY: "no permission to write",
    sqlite3.SQLITE_PERM: "no permission",
    sqlite3.SQLITE_BUSY: "another program has it locked",
    sqlite3.SQLITE_LOCKED: "another program has it locked",
    sqlite3.SQLITE_NOMEM: "no memory left",
    sqlite3.SQLITE_INTERRUPT: "interrupted",
}


def shown(path: str | Path | None) -> str:
    """A path as errors show it."""
    return "the store in memory" if path is None else one_line(path, limit=200)


def pasted(path: str | Path) -> str:
    """A path as a command holds it that somebody may paste."""
    text = str(path)
    return one_line(shlex.quote(f"./{text}" if text.startswith("-") else text), limit=200)


def damaged(path: str | Path | None, found: str) -> DamagedError:
    """The error for a store in which `found` is wrong, with the command that mends it."""
    folder = Path(path).parent if path is not None else Path()
    command = f"carecommons repair {pasted(folder)}"
    return DamagedError(f"{shown(path)}: is damaged: {found}; set it aside and keep what is whole: {command}", found)


@contextmanager
def told(path: str | Path | None, doing: str) -> Iterator[None]:
    """Say in one line what went wrong while `doing` something to a file: either the file is to blame or its disk is."""
    try:
        yield
    except sqlite3.Error as problem:
        code = getattr(problem, "sqlite_errorcode", None) or 0
        cut_short = code == sqlite3.SQLITE_IOERR_SHORT_READ
        if code & 0xFF in _SURROUNDINGS and not cut_short:
            raise StoreError(
                f"{shown(path)}: cannot go on {doing}: {_SURROUNDINGS[code & 0xFF]} ({one_line(problem)})"
            ) from None
        raise damaged(path, one_line(problem)) from None
    except OSError as problem:
        raise StoreError(f"{shown(path)}: cannot go on {doing}: {problem.strerror or one_line(problem)}") from None
