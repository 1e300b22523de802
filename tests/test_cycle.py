"""The month is a list of processes that one can read, print, add to and take from."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import pytest

import small
from carecommons.cycle import CYCLE, Cycle
from carecommons.errors import InputError
from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.processes.asking import Asking
from carecommons.processes.need import Need
from carecommons.processes.process import Process
from carecommons.processes.turnover import Turnover
from carecommons.processes.wellbeing import Wellbeing
from carecommons.scenario import Scenario

MONTH = [entry.section() for entry in CYCLE]


class OwnNote(Process):
    """Notes when it is called, in the savings of the first citizen."""

    writes: ClassVar[tuple[str, ...]] = ("savings",)

    def step(self, place: Place, luck: Luck) -> None:
        """Note the month."""
        place.citizens.savings[0] = luck.month


def names(cycle: Cycle) -> list[str]:
    return [entry.section() for entry in cycle]


def test_a_month_is_printed_in_its_order() -> None:
    assert repr(CYCLE) == " > ".join(MONTH)
    assert MONTH[0] == "turnover" and MONTH[-1] == "wellbeing" and "informal_care" in MONTH


def test_needs_come_before_asking_asking_before_assessment_and_that_before_care_is_bought() -> None:
    order = [MONTH.index(n) for n in ("need", "asking", "council", "assessment", "charging", "provision", "wellbeing")]
    assert order == sorted(order)


def test_each_process_of_the_month_is_a_section_of_the_scenario_of_its_own_class() -> None:
    assert len(set(MONTH)) == len(MONTH)
    for entry in CYCLE:
        assert isinstance(entry, type) and isinstance(Scenario().process(entry), entry)
        assert type(getattr(Scenario(), entry.section())) is entry


@pytest.mark.parametrize("where", ["asking", Asking, Asking(door=0.5)], ids=["by name", "by class", "by instance"])
def test_a_process_is_put_before_after_and_taken_out(where: str | type[Process] | Process) -> None:
    k = MONTH.index("asking")
    mine = OwnNote()
    assert names(CYCLE.before(where, mine)) == [*MONTH[:k], "own_note", *MONTH[k:]]
    assert names(CYCLE.after(where, mine)) == [*MONTH[: k + 1], "own_note", *MONTH[k + 1 :]]
    assert names(CYCLE.without(where)) == [*MONTH[:k], *MONTH[k + 1 :]]
    assert mine in tuple(CYCLE.after(where, mine))
    assert names(CYCLE) == MONTH  # nothing has happened to the month itself


def test_at_both_ends_too_and_one_after_the_other() -> None:
    assert names(CYCLE.before(Turnover, OwnNote())) == ["own_note", *MONTH]
    assert names(CYCLE.after(Wellbeing, OwnNote())) == [*MONTH, "own_note"]
    assert names(CYCLE.after("need", OwnNote()).without(OwnNote)) == MONTH
    twice = CYCLE.after("asking", OwnNote()).before("own_note", Need())
    assert names(twice)[MONTH.index("asking") + 1 :][:2] == ["need", "own_note"]


@pytest.mark.parametrize(
    "change",
    [lambda c: c.before("askin", OwnNote()), lambda c: c.after("askin", OwnNote()), lambda c: c.without("askin")],
)
def test_a_name_that_is_not_there_is_an_error_with_the_nearest(change: Callable[[Cycle], Cycle]) -> None:
    with pytest.raises(InputError, match=r"^no process 'askin' in the cycle; did you mean 'asking'\?$"):
        change(CYCLE)
    with pytest.raises(InputError, match=r"^no process 'own_note' in the cycle$"):
        CYCLE.without(OwnNote)


def test_a_class_name_is_written_as_a_section() -> None:
    assert OwnNote.section() == "own_note" and Asking.section() == "asking" and OwnNote().section() == "own_note"


def test_what_is_put_in_runs_every_month_and_what_is_taken_out_or_off_never() -> None:
    place = small.by_hand(3)
    scenario = small.SCENARIO.but({"citizens": 3})
    ran = Cycle((OwnNote(),))
    assert small.CareCommons(scenario, place=place, cycle=ran).run(3).place.citizens.savings[0] == 3
    for still in (ran.without("own_note"), Cycle((OwnNote(off=True),))):
        after = small.CareCommons(scenario, place=place, cycle=still).run(3).place
        assert small.differing(place, after) == [] and after.month == 3


def test_with_every_process_off_the_months_pass_and_nothing_happens() -> None:
    """R67: no process, no effect: people, ties, organisations, money and ledger stay what they were, exactly."""
    off = small.STIRRED.but({f"{name}.off": True for name in MONTH})
    place = small.run(small.STIRRED, months=2).place
    place.ledger.open_month()
    assert small.differing(place, small.run(off, place, months=4).place) == []


@pytest.mark.parametrize("name", MONTH)
def test_a_process_that_is_off_is_as_if_taken_out(name: str) -> None:
    place = small.founded(small.STIRRED)
    off = small.run(small.STIRRED.but({f"{name}.off": True}), place, months=4).place
    out = small.CareCommons(small.STIRRED, rng=1, place=place, cycle=CYCLE.without(name)).run(4).place
    assert small.differing(off, out) == []
    assert small.differing(off, small.run(small.STIRRED, place, months=4).place) != []
