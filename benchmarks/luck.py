"""What luck that belongs to people costs: the same months with keyed draws and with draws from one sequential stream.

The stream is a copy of the package in a temporary folder whose draws call numba's own generator. Run:
`python benchmarks/luck.py [--citizens 10000] [--months 60]`. Target: keyed draws cost at most 1.3 times as much.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from harness import in_turn, machine, verdict

TARGET = 1.3
STREAM = """

@njit(nogil=True)
def four(seed, decision, month, who):
    return np.random.random(), np.random.random(), np.random.random(), np.random.random()


@njit(nogil=True)
def one(seed, decision, month, who):
    return np.random.random()


@njit(nogil=True)
def pair(seed, decision, month, a, b):
    return np.random.random()
"""
TIMED = """
import sys, time
import carecommons as cc
citizens, months = int(sys.argv[1]), int(sys.argv[2])
model = cc.CareCommons(cc.Scenario(citizens=citizens, months=months + 13), rng=1)
model.run(13)
for line in sys.stdin:
    start = time.perf_counter()
    model.run(months // 6)
    print(time.perf_counter() - start, flush=True)
"""


class Worker:
    """A process that runs so many months whenever it is asked, and says how long they took."""

    def __init__(self, path: Path, citizens: int, months: int) -> None:
        environment = {**os.environ, "PYTHONPATH": str(path), "NUMBA_CACHE_DIR": str(path / "cache")}
        self.process = subprocess.Popen(
            [sys.executable, "-c", TIMED, str(citizens), str(months)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def __call__(self) -> float:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())


def with_a_stream(folder: Path) -> Path:
    """A copy of the package under `folder` whose draws come from one stream."""
    spec = find_spec("carecommons")
    assert spec is not None and spec.origin is not None
    copy = folder / "stream"
    shutil.copytree(Path(spec.origin).parent, copy / "carecommons", ignore=shutil.ignore_patterns("__pycache__"))
    keyed = copy / "carecommons" / "kernels" / "keyed.py"
    text = keyed.read_text()
    cut = text.index("@compiled\ndef four")
    rest = text.index("@compiled\ndef pairs")
    keyed.write_text(text[:cut] + STREAM.strip() + "\n\n\n" + text[rest:])
    return copy


def main() -> None:
    """Time both, turn about, and print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--citizens", type=int, default=10_000)
    parser.add_argument("--months", type=int, default=60)
    chosen = parser.parse_args()
    spec = find_spec("carecommons")
    assert spec is not None and spec.origin is not None
    with tempfile.TemporaryDirectory() as folder:
        keyed = Worker(Path(spec.origin).parent.parent, chosen.citizens, chosen.months)
        stream = Worker(with_a_stream(Path(folder)), chosen.citizens, chosen.months)
        costs = in_turn({"keyed": keyed, "stream": stream}, 6)
        for worker in (keyed, stream):
            worker.process.kill()
    print(machine())
    unit = chosen.citizens * (chosen.months // 6)
    for name, cost in costs.items():
        print(f"{name:8s} {1e9 * cost.median / unit:8.0f} ns a citizen-month")
    ratio = costs["keyed"].times(costs["stream"])
    print(f"keyed / stream = {ratio:.2f}  ({verdict(ratio, TARGET, at_least=False)})")


if __name__ == "__main__":
    main()
