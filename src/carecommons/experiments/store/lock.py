"""One writer to a folder: a lock that the system takes back when its holder dies, however it dies."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple, Self

from carecommons.errors import one_line
from carecommons.experiments.store.errors import BusyError, shown, told

NAME: Final = "lock"
PATIENCE: Final = 0.8  # seconds in which a new holder will have written its name
_PAUSE: Final = 0.02
_LONGEST: Final = 4096  # bytes of its text

_take: Callable[[int], bool]
if sys.platform == "win32":
    import msvcrt

    _BEYOND: Final = 1 << 30  # a byte that is locked but never written, so that the text stays readable

    def _take(fd: int) -> bool:
        os.lseek(fd, _BEYOND, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _alive(pid: int) -> bool:
        return True  # asking would end the process there
else:
    import fcntl

    def _take(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _alive(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


class Holder(NamedTuple):
    """Who writes a folder, since when, and by which command."""

    pid: int
    host: str
    command: str
    since: str

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}, since {self.since}"


_HELD: Final[dict[Path, Lock]] = {}  # by this process


class Lock:
    """The right to write a folder, from here until `release` or the end of the process.

    The file is never removed: who would remove it could pull it from under another that has just opened it. What it
    says is for people; what counts is the system's lock on it, which ends with the process, even one that was killed.
    On a network file system this holds as far as the server passes `flock` on (NFS does so from version 4, if mounted
    without `nolock`); where it does not, keep to one writer yourself.

    Raises
    ------
    BusyError
        Another process, or another store in this one, holds it: named within a second.
    StoreError
        The file cannot be written.
    """

    def __init__(self, folder: Path, command: str) -> None:
        self.path = folder / NAME
        self._fd = -1
        with told(self.path, "taking the folder for writing"):
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            try:
                self._wait()
                self._sign(command)
            except BaseException:
                os.close(self._fd)
                raise
        _stay_with_the_parent()
        _HELD[folder.resolve()] = self

    def release(self) -> None:
        """Give the folder back."""
        if self._fd < 0:
            return
        _HELD.pop(self.path.parent.resolve(), None)
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
        os.close(self._fd)
        self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def _wait(self) -> None:
        """Take the lock, or say who has it; a text that no living process wrote means that a new holder is about to."""
        until = time.monotonic() + PATIENCE
        while not _take(self._fd):
            found = _read(self._fd)
            if found is None and time.monotonic() < until:
                time.sleep(_PAUSE)
                continue
            who = str(found) if found else "another process"
            raise BusyError(f"{shown(self.path.parent)}: is being written by {who}; wait for it, or stop it first")

    def _sign(self, command: str) -> None:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps(Holder(os.getpid(), socket.gethostname(), one_line(command, 400), since)._asdict()).encode()
        os.lseek(self._fd, 0, os.SEEK_SET)
        os.write(self._fd, text)  # in one go, then the rest of a longer text before it is cut off
        os.ftruncate(self._fd, len(text))

    def _leave_to_parent(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1


def holds(folder: Path) -> bool:
    """Whether this process may write the folder."""
    return folder.resolve() in _HELD


def holder(folder: Path) -> Holder | None:
    """Who writes the folder now, if anybody does."""
    if holds(folder):
        with (folder / NAME).open("rb") as file:
            return _read(file.fileno())
    try:
        fd = os.open(folder / NAME, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return None
    try:
        return None if _take(fd) else _read(fd)
    finally:
        os.close(fd)


def signed(folder: Path) -> bool:
    """Whether the file of that name in a folder is a lock: empty, or begun as one."""
    with told(folder / NAME, "reading it"), (folder / NAME).open("rb") as file:
        text = file.read(_LONGEST)
    return not text or text.startswith(b'{"pid": ')


def _read(fd: int) -> Holder | None:
    """Who the lock says holds it; None while that is not written yet, or only by one that is dead."""
    os.lseek(fd, 0, os.SEEK_SET)
    found = _parsed(os.read(fd, _LONGEST))
    return None if found and found.host == socket.gethostname() and not _alive(found.pid) else found


def _parsed(text: bytes) -> Holder | None:
    try:
        found: Any = json.loads(text)
        return Holder(int(found["pid"]), str(found["host"]), str(found["command"]), str(found["since"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


@cache
def _stay_with_the_parent() -> None:
    """A forked child shares its parent's locks, and would keep them after its death: it lets go of them at birth."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_let_go)


def _let_go() -> None:
    for lock in list(_HELD.values()):
        lock._leave_to_parent()
    _HELD.clear()
