"""Two runs part after a decision that writes what differs, and equal runs never part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import small
from carecommons.cycle import CYCLE
from carecommons.errors import InputError
from carecommons.experiments import difference
from carecommons.experiments.difference import FOUNDING, Difference, compared, diff
from carecommons.model import CareCommons
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.place.ledger import Account, Giver
from carecommons.place.place import Place
from carecommons.place.population import Citizens
from carecommons.scenario import Scenario

SCENARIO = small.STIRRED.but(citizens=400, months=8)
# A change and the decision at which it acts first, each in the first month or before.
FIRST: dict[str, tuple[Mapping[str, Any], int, str]] = {
    "reserves": ({"council.funding": 0.7}, 0, FOUNDING),
    "threshold": ({"assessment.threshold": 4}, 0, FOUNDING),
    "neighbours": ({"society.neighbourly": 0.9}, 0, FOUNDING),
    "deaths": ({"turnover.mortality": 0.0}, 1, "turnover"),
    "couples": ({"pairing.find": (0.0,) * 8}, 1, "pairing"),
    "meeting": ({"ties.meet": 0.0}, 1, "ties"),
    "joining": ({"groups.join": 0.0}, 1, "groups"),
    "breakdown": ({"informal_care.breakdown": 0.0}, 1, "informal_care"),
    "asking": ({"asking.rate": (0.0, 0.0, 0.0)}, 1, "asking"),
    "assessors": ({"council.assessment_cost": 5000.0}, 1, "council"),
    "limit": ({"council.overspend_limit": 1.0}, 1, "council"),
    "at the door": ({"assessment.at_the_door": (0.0, 0.0, 0.0)}, 1, "assessment"),
    "price": ({"provision.home_care_fee": 40.0}, 1, "provision"),
}


@cache
def parted(case: str, every: bool = False) -> Difference:
    return diff(SCENARIO, SCENARIO.but(FIRST[case][0]), every=every)


@pytest.mark.parametrize("case", FIRST)
def test_runs_part_where_the_policy_acts(case: str) -> None:
    _, month, process = FIRST[case]
    first = parted(case).first
    assert first is not None
    assert (first.month, first.process) == (month, process)


@pytest.mark.parametrize("case", [case for case in FIRST if FIRST[case][1]])
def test_what_differs_first_was_written_by_that_decision(case: str) -> None:
    first = parted(case).first
    assert first is not None
    declared = next(entry for entry in CYCLE if entry.section() == first.process).writes
    written = [change.what.split(":")[0].split(".") for change in first.changes]
    names = ["ties" if change.what == "people: ties" else words[-1] if words[0] == "people" else words[0]
             for change, words in zip(first.changes, written, strict=True)]  # fmt: skip
    assert "*" in declared or set(names) <= set(declared), (names, declared)


@pytest.mark.parametrize("case", FIRST)
def test_the_first_month_is_that_of_whole_months_compared_by_other_means(case: str) -> None:
    other = SCENARIO.but(FIRST[case][0])
    a, b = CareCommons(SCENARIO, rng=1), CareCommons(other, rng=1)
    while not (apart := small.differing(a.place, b.place)):
        a.step()
        b.step()
    first = parted(case).first
    assert first is not None and first.month == a.place.month
    if first.month == 0:
        told = [change.what.split(":")[-1].strip() if change.what == "people: ties" else change.what.split(".")[-1]
                for change in first.changes if change.of_people]  # fmt: skip
        assert told == [name for name in apart if name in (*Citizens.names(), "ties")]


@pytest.mark.parametrize("case", ["reserves", "limit", "at the door"])
def test_outcomes_differ_first_where_the_runs_of_each_alone_do(case: str) -> None:
    """Stepping decision by decision is the model's own month."""
    series = [
        CareCommons(each, rng=1).run().series.to_numpy(np.float64) for each in (SCENARIO, SCENARIO.but(FIRST[case][0]))
    ]
    found = parted(case, every=True)
    apart = ~((series[0] == series[1]) | (np.isnan(series[0]) & np.isnan(series[1])))
    columns = zip(BY_NAME, apart.T, strict=True)
    alone = {name: int(column.argmax()) + 1 if column.any() else None for name, column in columns}
    assert found.months == SCENARIO.months == len(apart)
    assert found.outcomes == alone and any(alone.values())
    first = min(month for month in alone.values() if month)
    assert found.first_outcomes == tuple(name for name, month in alone.items() if month == first)


def test_it_stops_once_people_and_an_outcome_differ() -> None:
    short, long = parted("at the door"), parted("at the door", every=True)
    assert short.months == 1 < long.months
    assert (short.first, short.people) == (long.first, long.people)
    known = {name: month for name, month in long.outcomes.items() if month == 1}
    assert {name: month for name, month in short.outcomes.items() if month} == known


def test_money_may_differ_before_anybody_feels_it() -> None:
    found = parted("reserves")
    assert found.first is not None and found.people is not None
    assert not any(change.of_people for change in found.first.changes)
    assert all(change.of_people for change in found.people.changes)
    assert found.people.month >= 1
    shown = rendered(found)
    assert "before the first month: council.reserves is" in shown
    assert f"people differ first in month {found.people.month}, {found.people.process}: people." in shown


def test_equal_scenarios_are_the_same_to_the_last_digit_whatever_their_name() -> None:
    found = diff(SCENARIO, SCENARIO.but(name="other"), every=True)
    assert found.same and found.first is None and not any(found.outcomes.values())
    assert rendered(found).splitlines() == [
        "a and b are the same in all 8 months of world 1, to the last digit", "no parameter was changed",
    ]  # fmt: skip


def test_a_policy_without_effect_is_no_policy_and_still_named() -> None:
    """Enterprises that are off have parameters that change nothing (law 27)."""
    off = SCENARIO.but({"enterprises.off": True})
    found = diff(off, off.but({"enterprises.aided": 5.0}))
    assert found.same
    assert rendered(found).splitlines()[-1] == "parameters changed: enterprises.aided = 200.0 in a, 5.0 in b"


def test_swapping_the_scenarios_swaps_the_values_and_nothing_else() -> None:
    change = FIRST["at the door"][0]
    there, back = parted("at the door"), diff(SCENARIO.but(change), SCENARIO)
    assert there.first is not None and back.first is not None
    assert there.outcomes == back.outcomes
    assert there.first[:2] == back.first[:2]
    turned = [[(each.identity, each.b, each.a) for each in change.examples] for change in back.first.changes]
    assert [[tuple(each) for each in change.examples] for change in there.first.changes] == turned


def test_nothing_is_changed_by_looking() -> None:
    """The same twice, so no state is kept between."""
    assert diff(SCENARIO, SCENARIO.but(FIRST["limit"][0])).records() == parted("limit").records()


def test_the_records_are_plain_and_complete() -> None:
    found = parted("limit")
    records = json.loads(json.dumps(found.records()))
    assert records["first"]["month"] == 1 and records["first"]["process"] == "council"
    assert records["first"]["changes"][0]["what"] == "council.allowance"
    assert records["parameters"] == {"council.overspend_limit": {"a": 0.03, "b": 1.0}}
    assert set(records["outcomes"]) == set(BY_NAME)


def rendered(found: Difference) -> str:
    console = Console(width=200)
    with console.capture() as shown:
        console.print(found)
    return "\n".join(line.rstrip() for line in shown.get().splitlines())


def test_the_last_line_names_the_parameters() -> None:
    for case in FIRST:
        last = rendered(parted(case)).splitlines()[-1]
        assert last.startswith(f"parameters changed: {next(iter(FIRST[case][0]))} = "), case
        assert "month" in repr(parted(case))


@pytest.mark.parametrize("changes", [{"citizens": 399}, {"months": 7}])
def test_scenarios_of_other_sizes_are_refused_in_one_line(changes: Mapping[str, Any]) -> None:
    with pytest.raises(InputError, match="must be equal in both scenarios"):
        diff(SCENARIO, SCENARIO.but(changes))


def test_no_months_leave_the_founding() -> None:
    never = Scenario(citizens=50, months=0)
    assert diff(never, never).same and diff(never, never).months == 0
    assert diff(never, never.but({"council.funding": 0.5})).first is not None


# --- places ---


def names_of(a: Place, b: Place) -> list[str]:
    return [change.what for change in compared(a, b)]


def test_every_column_is_looked_at_and_its_people_named(lived_in: Place) -> None:
    assert compared(lived_in, lived_in.copy()) == ()
    for name in Citizens.names():
        if name == "id":
            continue
        other = lived_in.copy()
        column = getattr(other.citizens, name)
        column[[3, 5]] = ~column[[3, 5]] if column.dtype == np.bool_ else column[[3, 5]] + 1
        (change,) = compared(lived_in, other)
        assert (change.what, change.number) == (f"people.{name}", 2)
        assert [each.identity for each in change.examples] == lived_in.citizens.id[[3, 5]].tolist()
        assert change.examples[0].b == column[3].item() and change.of_people


def test_every_account_is_looked_at(lived_in: Place) -> None:
    other = lived_in.copy()
    other.ledger.flows[Account.COUNCIL, Account.HOME_CARE] += 1
    other.ledger.minutes[Giver.UNPAID] += 1
    other.ledger.balances[Account.GROUPS] += 1
    other.ledger.unpaid_price += 1
    other.council.care_pot += 1
    other.groups.members[0] += 1
    other.enterprises.load[0] += 1
    other.neighbourhoods.receptiveness[0] += 1
    assert names_of(lived_in, other) == [
        "groups.members", "enterprises.load", "council.care_pot", "ledger: pence from council to home_care",
        "ledger.minutes: unpaid", "ledger.balances: groups", "ledger.unpaid_price", "neighbourhoods.receptiveness",
    ]  # fmt: skip


def test_ties_are_compared_by_what_they_hold_and_not_by_where_they_lie(lived_in: Place) -> None:
    roomy = lived_in.copy()
    roomy.ties.make_room(20)
    assert compared(lived_in, roomy) == ()
    person = int(np.flatnonzero(roomy.ties.degree)[0])
    roomy.ties.minutes[roomy.ties.start[person]] += 1
    (change,) = compared(lived_in, roomy)
    assert (change.what, change.number, change.examples[0].identity) == (
        "people: ties", 1, int(lived_in.citizens.id[person]),
    )  # fmt: skip


def test_what_nobody_knows_is_equal_to_itself(lived_in: Place) -> None:
    blank = lived_in.copy()
    blank.citizens.desire[:3] = np.nan
    assert compared(blank, blank.copy()) == ()
    assert compared(lived_in, blank)[0].number == 3


def test_only_the_first_few_are_shown(lived_in: Place) -> None:
    other = lived_in.copy()
    other.citizens.unmet += 1
    (change,) = compared(lived_in, other)
    assert change.number == len(lived_in.citizens) and len(change.examples) == difference.SHOWN


@pytest.mark.parametrize("wrong", ["derby", None, 3])
def test_what_is_no_scenario_is_refused_in_one_line(wrong: Any) -> None:
    for pair in ((SCENARIO, wrong), (wrong, SCENARIO)):
        with pytest.raises(
            InputError, match=rf"^diff: {wrong!r} must be a Scenario, such as Scenario\(place='derby'\)$"
        ):
            diff(*pair)
