"""What do a million citizens over ten years cost, in memory and in time?  `python benchmarks/scale.py`

Everything is measured in one fresh process, so that its peak memory is its own. The 10,000 citizens it is compared
with are run there before and after the million.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from harness import best_of, machine, show, verdict

if TYPE_CHECKING:
    from carecommons import CareCommons

SMALL = 10_000
SMALL_MONTHS = 25  # the first is not timed
FOUNDING_TARGET = 60.0  # of its own months, at 10,000 citizens


def peak() -> int:
    """Most memory this process has ever held, bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def found(citizens: int, months: int) -> CareCommons:
    """A model ready for its first month."""
    import carecommons as cc

    return cc.CareCommons(cc.Scenario(place="england", citizens=citizens, months=months), rng=1)


def months_of(model: CareCommons, months: int) -> float:
    """Seconds of so many months; a line a year where the run is long enough to wonder."""
    start = time.perf_counter()
    for month in range(1, months + 1):
        model.step()
        if month % 12 == 0 and time.perf_counter() - start > 10:
            print(f"  month {month} of {months}, {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
    return time.perf_counter() - start


def small_founding() -> float:
    """Seconds to found the small place."""
    start = time.perf_counter()
    found(SMALL, SMALL_MONTHS)
    return time.perf_counter() - start


def small_month() -> float:
    """Seconds of one of the small place's months."""
    model = found(SMALL, SMALL_MONTHS)
    model.step()
    return months_of(model, SMALL_MONTHS - 1) / (SMALL_MONTHS - 1)


def measure(citizens: int, months: int) -> dict[str, float]:
    """All figures, in this process: seconds and bytes."""
    import carecommons  # noqa: F401

    imported = peak()
    small_month()  # compiles
    warm = peak()
    founding, before = best_of(small_founding, 3), best_of(small_month, 3)
    start = time.perf_counter()
    model = found(citizens, months)
    large_founding = time.perf_counter() - start
    founded = peak()
    large = months_of(model, months)
    most = peak()
    del model
    after = best_of(small_month, 3)
    return {
        "imported": imported,
        "warm": warm,
        "founded": founded,
        "most": most,
        "small_founding": founding,
        "small_before": before,
        "small_after": after,
        "large_founding": large_founding,
        "large": large,
    }


def in_fresh_process(citizens: int, months: int) -> dict[str, float]:
    """The figures of a process that has done nothing else."""
    command = [sys.executable, __file__, "--here", "--citizens", str(citizens), "--months", str(months)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"the measuring process ended with {done.returncode}; its own words are above")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def rows(figures: dict[str, float], citizens: int, months: int) -> list[list[str]]:
    """The figures in words."""
    mib = 1024**2
    small = min(figures["small_before"], figures["small_after"])
    each, small_each = figures["large"] / (citizens * months), small / SMALL
    founding = figures["small_founding"] / small
    held = figures["most"] - figures["imported"]
    return [
        ["memory after imports", f"{figures['imported'] / mib:,.0f} MiB", ""],
        ["memory after compiling", f"{figures['warm'] / mib:,.0f} MiB", ""],
        ["peak memory, founded", f"{figures['founded'] / mib:,.0f} MiB", ""],
        ["peak memory, whole run", f"{figures['most'] / mib:,.0f} MiB", ""],
        ["peak memory a citizen", f"{figures['most'] / citizens:,.0f} bytes", ""],
        ["peak memory a citizen, less imports", f"{held / citizens:,.0f} bytes", ""],
        [f"founding {citizens:,}", f"{figures['large_founding']:.2f} s", ""],
        [f"{months} months of {citizens:,}", f"{figures['large']:.1f} s", ""],
        [f"a citizen-month at {citizens:,}", f"{1e6 * each:.3f} microseconds", ""],
        [f"a citizen-month at {SMALL:,}, before", f"{1e6 * figures['small_before'] / SMALL:.3f} microseconds", ""],
        [f"a citizen-month at {SMALL:,}, after", f"{1e6 * figures['small_after'] / SMALL:.3f} microseconds", ""],
        [f"cost against {SMALL:,}", f"{each / small_each:.2f} times", ""],
        [f"founding {SMALL:,}", f"{founding:.1f} months", verdict(founding, FOUNDING_TARGET, at_least=False)],
    ]


def main() -> None:
    """Measure in a fresh process and print one table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--citizens", type=int, default=1_000_000)
    options.add_argument("--months", type=int, default=120)
    options.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.here:
        try:
            from carecommons import CareCommons, Scenario  # noqa: F401
        except ImportError as error:
            sys.exit(f"carecommons cannot be measured: {error}")
        print(json.dumps(measure(chosen.citizens, chosen.months)))
        return
    print(machine())
    figures = in_fresh_process(chosen.citizens, chosen.months)
    show(
        f"{chosen.citizens:,} citizens x {chosen.months} months, one process",
        ("what", "measured", "target"),
        rows(figures, chosen.citizens, chosen.months),
    )


if __name__ == "__main__":
    main()
