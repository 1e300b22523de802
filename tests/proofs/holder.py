"""Two who want to write one folder at the same moment, time after time; started as a program, it tells on stdout."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import warnings
from pathlib import Path

from carecommons.errors import CareCommonsError
from carecommons.experiments.campaign import identity
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.lock import holder
from carecommons.scenario import Scenario

HOLD = 0.05  # seconds that it is written for
LEAD = 0.02  # seconds to the barrier
BASE = Scenario(citizens=60, months=6)


def contender(folder: Path, at: float, out: int, patient: bool = True) -> None:
    """Try to write a folder from `at` on, and say how that went, in a process of its own."""
    while time.monotonic() < at:
        pass
    began = time.monotonic()
    told: dict[str, object] = {"pid": os.getpid(), "began": began}
    try:
        with Store.write(folder, identity("sweep", BASE.flat(), [BASE]), command="carecommons sweep derby"):
            told["held"] = time.monotonic()
            if not patient:
                os.write(out, (json.dumps(told) + "\n").encode())
                signal.pause()
            time.sleep(HOLD)
            told["freed"] = time.monotonic()
    except CareCommonsError as problem:
        told |= {"error": str(problem), "code": problem.exit_code}
    told["ended"] = time.monotonic()
    os.write(out, (json.dumps(told) + "\n").encode())
    os._exit(0)


def born(folder: Path, at: float, out: int, patient: bool = True) -> int:
    """A process that contends -> its number."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # numpy has threads of its own, which the child never needs
        pid = os.fork()
    if pid == 0:
        try:
            contender(folder, at, out, patient)
        finally:
            os._exit(1)
    return pid


def main(where: Path, times: int) -> None:
    """Each time a line of JSON: what the two did, who held a folder as one was killed, and what came after."""
    folder = where / "0"
    for number in range(times):
        if number % 4 == 0:  # one that is new; else one that was written and freed, or whose writer was killed
            folder = where / str(number)
        ours, theirs = os.pipe()
        at = time.monotonic() + LEAD
        pids = [born(folder, at, theirs) for _ in range(2)]
        for pid in pids:
            os.waitpid(pid, 0)
        found = [json.loads(line) for line in os.read(ours, 1 << 16).splitlines()]
        if number % 4 == 1:
            pid = born(folder, 0.0, theirs, patient=False)
            killed = json.loads(os.read(ours, 1 << 16))
            named = holder(folder)
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            killed |= {"named": named.pid if named else 0, "after": str(holder(folder))}
            found.append(killed)
        for each in (ours, theirs):
            os.close(each)
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    print(json.dumps(socket.gethostname()), flush=True)
    main(Path(sys.argv[1]), int(sys.argv[2]))
