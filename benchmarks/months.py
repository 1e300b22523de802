"""How many times faster are carecommons' months than plain Mesa's?  `python benchmarks/months.py`

Both are measured in one run, turn about. Making the citizens is timed in neither, nor the compilation. Plain Mesa does
only need, isolation, neighbour help and the budget; carecommons does its whole month: the ratio leans towards Mesa.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import partial

import plain_mesa
from harness import Cost, Costs, in_turn, machine, show, verdict

TARGETS = {10_000: 30.0, 100_000: 50.0}  # times faster than plain Mesa
VIEWS, TUNED, FADING, OURS = "plain Mesa", "plain Mesa, tuned", "plain Mesa, ties fade", "carecommons"
PLAIN_CITIZEN_MONTHS = 500_000  # at most, a turn: plain Mesa's months are alike, and long at 100,000


def plain(citizens: int, months: int, *, tuned: bool = False, fading: bool = False) -> float:
    """Seconds a citizen-month in plain Mesa."""
    return plain_mesa.run(citizens, months, seed=1, tuned=tuned, fading=fading) / (citizens * months)


def ours(citizens: int, months: int) -> float:
    """Seconds a citizen-month in carecommons, from the second month on."""
    import carecommons as cc

    model = cc.CareCommons(cc.Scenario(place="england", citizens=citizens, months=months), rng=1)
    model.step()
    start = time.perf_counter()
    for _ in range(months - 1):
        model.step()
    return (time.perf_counter() - start) / (citizens * (months - 1))


def missing() -> str:
    """Why carecommons cannot be measured here; empty when it can."""
    try:
        from carecommons import CareCommons, Scenario  # noqa: F401
    except ImportError as error:
        return str(error)
    return ""


def compare(citizens: int, months: int, repeats: int, *, with_ours: bool) -> list[list[str]]:
    """The table's rows for one size."""
    plain_months = max(2, min(months - 1, PLAIN_CITIZEN_MONTHS // citizens))
    costs: dict[str, Cost] = {
        VIEWS: partial(plain, citizens, plain_months),
        TUNED: partial(plain, citizens, plain_months, tuned=True),
        FADING: partial(plain, citizens, plain_months, fading=True),
    }
    if with_ours:
        costs[OURS] = partial(ours, citizens, months)
    found = in_turn(costs, repeats)
    timed = dict.fromkeys((VIEWS, TUNED, FADING), plain_months) | {OURS: months - 1}
    return [
        [f"{citizens:,}", name, str(timed[name]), *speed(cost), *beside(name, cost, found.get(OURS), citizens)]
        for name, cost in found.items()
    ]


def speed(cost: Costs) -> tuple[str, str, str]:
    """Citizen-months a second, median and best, and microseconds each."""
    return f"{1 / cost.median:,.0f}", f"{1 / cost.best:,.0f}", f"{1e6 * cost.median:.3g}"


def beside(name: str, cost: Costs, our_cost: Costs | None, citizens: int) -> tuple[str, str]:
    """How many times faster carecommons is than this one, and whether that is enough."""
    if our_cost is None or name == OURS:
        return "", ""
    ratio = cost.times(our_cost)
    target = TARGETS.get(citizens)
    return f"{ratio:.1f}", verdict(ratio, target, at_least=True) if target else "no target"


def whole(least: int) -> Callable[[str], int]:
    """A reader of whole numbers from `least` up."""

    def read(text: str) -> int:
        number = int(text)
        if number < least:
            raise argparse.ArgumentTypeError(f"{number} is below {least}")
        return number

    return read


def main() -> None:
    """Measure every size and print one table."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--citizens", type=whole(2), nargs="+", default=[1_000, 10_000, 100_000])
    options.add_argument("--months", type=whole(2), default=24, help="the first is not timed (default 24)")
    options.add_argument("--repeats", type=whole(1), default=3, help="turns of each (default 3)")
    chosen = options.parse_args()
    print(machine())
    reason = missing()
    if reason:
        print(f"carecommons cannot be measured, plain Mesa stands alone below: {reason}")
    rows = [
        row
        for citizens in chosen.citizens
        for row in compare(citizens, chosen.months, chosen.repeats, with_ours=not reason)
    ]
    head = ("citizens", "model", "months timed", "citizen-months/s", "best", "microseconds each", "ours is x", "target")
    show(f"Months, {chosen.repeats} turns, median (and best)", head, rows)


if __name__ == "__main__":
    main()
