"""What the same luck buys: a budget 10 % higher against today's, pair by pair.

Run: `python benchmarks/pairs.py [--pairs 60] [--citizens 1000] [--months 60]`. Targets: the variance of the difference
is cut at least 50 times for unmet hours and 20 times for isolation; a policy that changes nothing changes nothing at
all.
"""

from __future__ import annotations

import argparse

from harness import machine, verdict

import carecommons as cc

TARGETS = {"unmet_hours": 50.0, "isolation": 20.0}


def main() -> None:
    """Compare, and print the variance-reduction factors."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--citizens", type=int, default=1_000)
    parser.add_argument("--months", type=int, default=60)
    chosen = parser.parse_args()
    today = cc.Scenario(place="england", citizens=chosen.citizens, months=chosen.months)
    print(machine())
    table = cc.compare(today, today.but({"council.funding": 1.1}), seeds=range(chosen.pairs)).table
    print(table.loc[list(TARGETS)].to_string())
    for outcome, target in TARGETS.items():
        factor = float(table.loc[outcome, "variance_reduction"])
        print(f"{outcome}: variance cut {factor:,.0f} times  ({verdict(factor, target, at_least=True)})")
    nothing = cc.compare(today, today.but({"name": "the same"}), seeds=range(3)).table
    print("null policy: largest difference", float(nothing["difference"].abs().max()), "(must be 0)")


if __name__ == "__main__":
    main()
