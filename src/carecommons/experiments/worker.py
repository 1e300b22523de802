"""A worker process: performs tasks that it reads from its input, one a line, and answers on its output."""

from __future__ import annotations

import json
import os
import queue
import signal
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import BinaryIO, Final

from carecommons.experiments.performing import Worlds, attempt
from carecommons.experiments.task import Task
from carecommons.scenario import Scenario

# What a worker says: what follows, in how many bytes, and the seconds that it took.
HEAD: Final = struct.Struct(">cQd")
KINDS: Final = (b"R", b"B", b"D", b"F", b"A")
READY, BEAT, DONE, FAILED, AGAIN = KINDS
MOST: Final = 2**40  # bytes of an answer
PULSE: Final = 1.0  # seconds between signs of life


def main() -> None:
    """Answer until the input closes."""
    try:
        _serve()
    except SystemExit as end:  # the thread that reads would have the interpreter abort on its way out
        os._exit(end.code if isinstance(end.code, int) else 1)


def _serve() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.stderr is None:  # closed by whoever began the sweep; our answers must not take its place
        os.open(os.devnull, os.O_WRONLY)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(2, sys.stdout.fileno())  # what anybody prints must not stand between the answers
    worlds = Worlds()
    _say(out, READY)
    for task in _orders(sys.stdin.buffer):
        tried = attempt(task, worlds, _pulse(out))
        if tried.packed is not None:
            _say(out, DONE, tried.packed, tried.seconds)
        else:
            _say(out, AGAIN if tried.again else FAILED, tried.cause.encode(), tried.seconds)


def order_of(task: Task) -> bytes:
    """A task as a worker reads it."""
    scenarios = [_text(each) for each in task.scenarios]
    return json.dumps({"seed": task.seed, "subject": task.subject, "scenarios": scenarios}).encode() + b"\n"


def _orders(lines: BinaryIO) -> Iterator[Task]:
    """The orders as they come; a thread reads them, so that the process ends at once when the asker is gone.

    Another looks who the parent is: a process that the asker forked would hold our input open.
    """
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    asker = os.getppid()

    def read() -> None:
        for line in lines:
            waiting.put(line)
        os._exit(0)

    def look() -> None:
        while os.getppid() == asker:
            time.sleep(PULSE)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    threading.Thread(target=look, daemon=True).start()
    while True:
        order = json.loads(waiting.get())
        scenarios = tuple(_scenario(text) for text in order["scenarios"])
        yield Task("", scenarios, order["seed"], subject=order["subject"])


# The same policies come in world after world.
@lru_cache(maxsize=256)
def _text(scenario: Scenario) -> str:
    return json.dumps(scenario.flat())


@lru_cache(maxsize=256)
def _scenario(text: str) -> Scenario:
    return Scenario.of(json.loads(text))


def _pulse(out: BinaryIO) -> Callable[[], None]:
    """A beat that says so, but not more often than is needed."""
    last = time.monotonic()

    def beat() -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PULSE:
            last = now
            _say(out, BEAT)

    return beat


def _say(out: BinaryIO, kind: bytes, content: bytes = b"", seconds: float = 0.0) -> None:
    out.write(HEAD.pack(kind, len(content), seconds) + content)
    out.flush()


if __name__ == "__main__":
    main()
