"""How long does a newcomer wait for a first run, and for the help text?  `python benchmarks/first_run.py`

The first run starts with nothing compiled: numba's cache is an empty folder. The second finds what the first left.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from harness import Costs, machine, show, verdict, wall

FIRST_RUN_TARGET = 30.0  # seconds
HELP_TARGET = 0.3  # seconds
RUN = """
import sys
try:
    from carecommons import CareCommons, Scenario
except ImportError as error:
    sys.exit(f"carecommons cannot be measured: {error}")
citizens, months = int(sys.argv[1]), int(sys.argv[2])
model = CareCommons(Scenario(place="england", citizens=citizens, months=months), rng=1)
for _ in range(months):
    model.step()
"""


def finish(command: Sequence[str], cache: str) -> None:
    """Run a command to its end with that folder as numba's cache; stop here if it fails."""
    surroundings = {**os.environ, "NUMBA_CACHE_DIR": cache}
    surroundings.pop("PYTHONDONTWRITEBYTECODE", None)  # otherwise every child would compile Mesa's source again
    done = subprocess.run(command, env=surroundings, stdout=subprocess.DEVNULL, check=False)
    if done.returncode:
        sys.exit(f"a run ended with {done.returncode}; its own words are above")


def help_command() -> list[str]:
    """The installed command beside this Python, else the module."""
    beside = Path(sys.executable).with_name("carecommons")
    return [str(beside), "--help"] if beside.exists() else [sys.executable, "-m", "carecommons", "--help"]


def main() -> None:
    """Time a first run, a second one, and the help."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--citizens", type=int, default=1_000)
    options.add_argument("--months", type=int, default=12)
    options.add_argument("--repeats", type=int, default=5, help="of the help (default 5)")
    chosen = options.parse_args()
    print(machine())
    run = [sys.executable, "-c", RUN, str(chosen.citizens), str(chosen.months)]
    with tempfile.TemporaryDirectory() as cache:
        start = wall(partial(finish, run, cache))
        first, second = start(), start()
        asked = wall(partial(finish, help_command(), cache))
        asked()  # writes the byte code an installer would have written
        help_text = Costs(tuple(asked() for _ in range(chosen.repeats)))
    show(
        f"First use, {chosen.citizens:,} citizens x {chosen.months} months",
        ("what", "seconds", "target"),
        [
            ["first run, compiling", f"{first:.1f}", verdict(first, FIRST_RUN_TARGET, at_least=False)],
            ["second run", f"{second:.1f}", ""],
            ["--help, median", f"{help_text.median:.2f}", verdict(help_text.median, HELP_TARGET, at_least=False)],
            ["--help, best", f"{help_text.best:.2f}", ""],
        ],
    )


if __name__ == "__main__":
    main()
