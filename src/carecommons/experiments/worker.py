"""A worker process: performs tasks that it reads from its input, one a line, and answers on its output."""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from carecommons.experiments.runner import Answer, Worlds, perform
from carecommons.scenario import Scenario


def main() -> None:
    """Answer until the input closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what anybody prints must not stand between the answers
    worlds = Worlds()
    for order in _orders(sys.stdin.buffer):
        try:
            answer = perform([Scenario.of(values) for values in order["scenarios"]], order["seed"], worlds)
        except Exception as problem:  # the asker says which run it was and stops
            _send(out, {"error": f"{type(problem).__name__}: {problem}"})
        else:
            _send(out, {"arrays": [_header(array) for array in answer]}, answer)


def _orders(lines: BinaryIO) -> Iterator[dict[str, Any]]:
    """The orders as they come; a thread reads them, so that the process ends at once when the asker is gone."""
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in lines:
            waiting.put(line)
        os._exit(0)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(waiting.get())


def _header(array: Any) -> dict[str, Any]:
    return {"type": array.dtype.str, "shape": array.shape, "bytes": array.nbytes}


def _send(out: BinaryIO, header: dict[str, Any], arrays: Answer = ()) -> None:
    out.write(json.dumps(header).encode() + b"\n")
    for array in arrays:
        out.write(np.ascontiguousarray(array).tobytes())
    out.flush()


if __name__ == "__main__":
    main()
