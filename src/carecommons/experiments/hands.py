"""Those who do the runs: a process of our own, which a bad run may take with it, or this process."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Protocol

from carecommons.experiments.performing import Beat, Try, Worlds, attempt, overdue, within
from carecommons.experiments.task import Task
from carecommons.experiments.worker import AGAIN, BEAT, DONE, FAILED, HEAD, KINDS, MOST, READY, order_of

_GRACE = 1.0  # seconds that a process which has fallen silent for good has to end by itself
_BROKEN = (OSError, EOFError, ValueError)  # a pipe that ended, or was closed by another thread


class NotStartedError(Exception):
    """A worker that ended before it could be asked anything: not the fault of any run."""


class Stopped(BaseException):
    """The end of all work, in the middle of a run."""


class Hand(Protocol):
    """One who does a run at a time."""

    def ready(self) -> None:
        """Wait until it can be asked; `NotStartedError` when it never will."""

    def perform(self, task: Task) -> Try:
        """Do a run; of a hand that is lost with it the try says so, and `lost` from then on."""

    @property
    def lost(self) -> bool:
        """Whether another hand is needed."""

    def look(self, now: float) -> None:
        """Give up what takes too long at `now` of the monotonic clock."""

    def stop(self) -> None:
        """End it, whatever it is doing."""


class Here:
    """This process, or a thread of it: quick to start, but what kills a run kills all."""

    def __init__(self, timeout: float | None) -> None:
        self._timeout, self._worlds, self._stopped = timeout, Worlds(), False

    @property
    def lost(self) -> bool:
        """Never."""
        return False

    def ready(self) -> None:
        """At once."""

    def perform(self, task: Task) -> Try:
        """Do a run."""
        tried = attempt(task, self._worlds, self._beat())
        if tried.again:
            self._worlds = Worlds()  # what memory it holds may be what is lacking
        return tried

    def _beat(self) -> Beat:
        timely = within(self._timeout)

        def beat() -> None:
            if self._stopped:
                raise Stopped
            timely()

        return beat

    def look(self, now: float) -> None:
        """Its own months look at the clock."""

    def stop(self) -> None:
        """Stop at the end of the month."""
        self._stopped = True


class Worker:
    """A Python process that performs tasks; it is told of them on its input and ends when that closes.

    It is started afresh rather than forked, so threads here cannot harm it, and it never imports the user's own script,
    so a script needs no guard around its main part. What goes over the pipes is text and packed arrays.
    """

    program: tuple[str, ...] = ("-P", "-m", "carecommons.experiments.worker")

    def __init__(self, timeout: float | None, patience: float) -> None:
        self._timeout, self._patience = timeout, patience
        self._lock = threading.Lock()
        self._seen: float | None = time.monotonic()  # None while nothing is asked of it
        self._end: float | None = None
        self._verdict = ""
        self._process = subprocess.Popen(
            [sys.executable, *self.program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for us; it sees its input close
        )

    @property
    def lost(self) -> bool:
        """Whether it has ended."""
        return bool(self._verdict)

    def ready(self) -> None:
        """Wait until it has imported what it needs."""
        try:
            kind, _, _ = self._hear()
            if kind != READY:
                raise EOFError
        except _BROKEN:
            raise NotStartedError(self._ended()) from None
        with self._lock:
            self._seen = None

    def perform(self, task: Task) -> Try:
        """Do a run; whatever ends the process is the cause of a try that may be repeated."""
        began, order = time.monotonic(), order_of(task)
        try:
            kind, content, seconds = self._exchange(order)
        except _BROKEN:
            return Try(None, self._ended(), True, time.monotonic() - began)
        if kind == DONE:
            return Try(content, "", False, seconds)
        if kind == AGAIN:  # what it lacked may be held by itself
            self._verdict = content.decode()
            self.stop()
        return Try(None, content.decode(), kind == AGAIN, seconds)

    def _exchange(self, order: bytes) -> tuple[bytes, bytes, float]:
        if self._process.stdin is None:
            raise EOFError
        with self._lock:
            self._seen = time.monotonic()
            self._end = None if self._timeout is None else self._seen + self._timeout
        self._process.stdin.write(order)
        self._process.stdin.flush()
        while True:
            kind, content, seconds = self._hear()
            if kind in (DONE, FAILED, AGAIN):
                with self._lock:
                    self._seen = None
                return kind, content, seconds
            if kind != BEAT:
                raise EOFError

    def _hear(self) -> tuple[bytes, bytes, float]:
        if self._process.stdout is None:
            raise EOFError
        head = self._process.stdout.read(HEAD.size)
        if len(head) != HEAD.size:
            raise EOFError
        kind, size, seconds = HEAD.unpack(head)
        if kind not in KINDS or size > MOST:  # not one of ours
            raise EOFError
        content = self._process.stdout.read(size) if size else b""
        if len(content) != size:
            raise EOFError
        with self._lock:
            self._seen = time.monotonic()
        return kind, content, seconds

    def look(self, now: float) -> None:
        """End it when its run is overdue, or when it has been silent for too long."""
        with self._lock:
            if self._seen is None or self._verdict:
                return
            if self._timeout is not None and self._end is not None and now > self._end:
                self._verdict = overdue(self._timeout)
            elif now - self._seen > self._patience:
                self._verdict = f"no sign of life for {self._patience:g} s"
            else:
                return
        self._process.kill()

    def _ended(self) -> str:
        """How it came to its end; it is given a moment to do so by itself."""
        try:
            code = self._process.wait(0 if self._verdict else _GRACE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        with self._lock:
            self._verdict = self._verdict or f"worker died ({f'signal {-code}' if code < 0 else f'exit code {code}'})"
        self.stop()
        return self._verdict

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not flushed to a dead process
                    continue


def _environment() -> dict[str, str]:
    path = os.pathsep.join(entry or str(Path.cwd()) for entry in sys.path)
    return {"OPENBLAS_NUM_THREADS": "1", **os.environ, "PYTHONPATH": path}
