"""Results stay what they were: two small runs against frozen ones.

When a change is meant to move results, refresh the frozen ones with

    python tests/test_baseline.py

and put the line that this prints into CHANGELOG.md, with the reason: the last test looks for it.
"""

from __future__ import annotations

import json
import math
import sys
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from carecommons.model import CareCommons
from carecommons.place.population import Citizens
from carecommons.scenario import Scenario

FROZEN = Path(__file__).with_name("baseline.json")
CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"
SEED, CITIZENS, MONTHS = 1, 600, 24
KEPT_MONTHS = (1, 12, 24)
WORLDS: dict[str, dict[str, Any]] = {
    "England as it is": {"place": "england"},
    "Derby, strict and short of money": {"place": "derby", "council.funding": 0.8, "assessment.threshold": 3},
}
# Sums and counts are exact everywhere; exponentials may differ in their last place from one mathematical library to the
# next, and with them the few columns and means that are not whole numbers.
TOLERANCE = 1e-6


@cache
def lived(world: str) -> CareCommons:
    scenario = Scenario.of({**WORLDS[world], "citizens": CITIZENS, "months": MONTHS})
    return CareCommons(scenario, rng=SEED).run()


def outcomes(world: str) -> dict[str, dict[str, float | None]]:
    """Every outcome in some months, None for a mean over nobody."""
    rows = lived(world).series.loc[list(KEPT_MONTHS)]
    return {
        str(month): {name: None if math.isnan(value) else float(value) for name, value in row.items()}
        for month, row in rows.iterrows()
    }


def people(world: str) -> dict[str, str]:
    """A short hash of every whole-numbered column of the citizens at the end, and of who knows whom."""
    place = lived(world).place
    columns = {c.name: getattr(place.citizens, c.name) for c in Citizens.describe() if not c.dtype.startswith("float")}
    used = place.ties.used
    columns |= {f"ties.{name}": getattr(place.ties, name)[used] for name in ("neighbour", "kind", "bond", "minutes")}
    whole = {name: values.astype(np.int64).tobytes() for name, values in columns.items()}
    return {name: blake2b(numbers, digest_size=4).hexdigest() for name, numbers in whole.items()}


def found() -> dict[str, Any]:
    return {world: {"outcomes": outcomes(world), "people": people(world)} for world in WORLDS}


def digest(results: dict[str, Any]) -> str:
    """What names a baseline in the changelog."""
    return blake2b(json.dumps(results, sort_keys=True).encode(), digest_size=4).hexdigest()


def frozen() -> dict[str, Any]:
    return json.loads(FROZEN.read_text(encoding="utf-8"))


@pytest.mark.parametrize("world", WORLDS)
def test_outcomes_are_what_they_were(world: str) -> None:
    kept = frozen()[world]["outcomes"]
    for month, row in outcomes(world).items():
        assert row == pytest.approx(kept[month], rel=TOLERANCE, abs=1e-12), f"month {month}"


@pytest.mark.parametrize("world", WORLDS)
def test_everybody_is_who_and_where_they_were(world: str) -> None:
    kept = frozen()[world]["people"]
    assert {name for name, value in people(world).items() if kept.get(name) != value} == set()
    assert set(kept) == set(people(world))


def test_the_changelog_says_why_results_moved_last() -> None:
    assert f"baseline {digest(frozen())}" in CHANGELOG.read_text(encoding="utf-8")


if __name__ == "__main__":
    FROZEN.write_text(json.dumps(found(), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"{FROZEN} is new; CHANGELOG.md must say: Results moved (baseline {digest(frozen())}): why.\n")
