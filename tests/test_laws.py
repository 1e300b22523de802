"""What holds in every month of every world: nothing is lost, nothing is made of nothing, and everybody is somewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import Phase, given, reject, settings
from hypothesis import strategies as st

import small
from carecommons.errors import InputError
from carecommons.kernels.allocate import price_of
from carecommons.outcomes.catalogue import OUTCOMES
from carecommons.place.ledger import Account, Event, Giver
from carecommons.place.place import Place
from carecommons.place.population import Citizens, Contact, Level, Route, Setting, Status
from carecommons.place.ties import Tie
from carecommons.scenario import Scenario, register
from carecommons.units import MINUTES_A_MONTH, minutes_a_month, pence, pence_a_month
from small import Month

Law = Callable[[Month], None]
LAWS: list[Law] = []
NEEDS: dict[Law, str] = {}
OWN_MONEY = (Route.DIRECT_PAYMENT, Route.MIXED, Route.SERVICE_FUND)
PROVIDERS = [Account.HOME_CARE, Account.CARE_HOMES, Account.ASSISTANTS, Account.ENTERPRISES]


def law(check: Law) -> Law:
    """Something that must hold in every month."""
    LAWS.append(check)
    return check


def law_of(process: str) -> Callable[[Law], Law]:
    """Something that must hold in every month in which `process` runs: off, it leaves its columns as they were."""

    def declare(check: Law) -> Law:
        NEEDS[check] = process
        return law(check)

    return declare


def hold(month: Month) -> None:
    """Check every law that applies to the month's scenario."""
    for check in LAWS:
        if check not in NEEDS or not getattr(month.scenario, NEEDS[check]).off:
            check(month)


# --- minutes ---


@law_of("wellbeing")
def needs_are_met_by_somebody_or_unmet(month: Month) -> None:
    c = month.after.citizens
    parts = (c.informal, c.community, c.from_council, c.from_own, c.unmet, c.spare_care, c.need)
    assert all((part >= 0).all() for part in parts)
    received = c.informal + c.community + c.from_council + c.from_own
    assert np.array_equal(c.need + c.spare_care, received + c.unmet)
    assert not (c.unmet * c.spare_care.astype(np.int64)).any()


@law
def minutes_given_are_minutes_received_whoever_gives(month: Month) -> None:
    c, t, given = month.after.citizens, month.after.ties, month.after.ledger.minutes
    used = t.used
    into = np.bincount(t.owner[used], t.minutes[used], minlength=len(c))
    out = np.bincount(t.neighbour[used], t.minutes[used], minlength=len(c))
    assert np.array_equal(into, c.informal) and np.array_equal(out, c.given)
    assert given[Giver.UNPAID] == c.informal.sum() == c.given.sum()
    assert given[Giver.COMMUNITY] == c.community.sum()
    assert given[Giver.COUNCIL] == c.from_council.sum()
    assert given[Giver.OWN_MONEY] == c.from_own.sum()


def homes_before_moves_into_care(month: Month) -> np.ndarray:
    """The household of everybody when care was given: moves to a care home come later in the month (n,)."""
    b, c = month.before.citizens, month.after.citizens
    moved = month.stayed & (c.setting == Setting.CARE_HOME) & (b.setting == Setting.HOME)
    with_partner = moved & (c.partner >= 0) & (c.setting[c.partner] == Setting.HOME)
    home = np.where(moved, b.household, c.household)
    home[with_partner] = home[c.partner[with_partner]]  # they may have moved in together this month
    return home


@law
def nobody_gives_more_than_he_has(month: Month) -> None:
    c, t, care = month.after.citizens, month.after.ties, month.scenario.informal_care
    here = c.spare * np.array([1.0, 0.7, 0.3, 0.0])[c.level]
    at_home = np.minimum(here * care.live_in, MINUTES_A_MONTH)
    home = homes_before_moves_into_care(month)
    shared = np.bincount(home[c.alive & (home >= 0)], minlength=3 * len(c))[home] > 1
    assert (c.given <= np.where(shared, np.maximum(at_home, here), here)).all()
    used = t.used
    giver, taker = t.neighbour[used], t.owner[used]
    together = home[giver] == home[taker]
    assert (t.minutes[used] <= np.where(together, at_home[giver], here[giver])).all()


@law
def the_dead_the_resting_and_residents_of_care_homes_give_nothing(month: Month) -> None:
    b, c = month.before.citizens, month.after.citizens
    assert not c.given[~c.alive].any()
    assert not c.given[month.stayed & b.resting].any()
    assert not c.given[month.stayed & (b.setting == Setting.CARE_HOME)].any()
    assert not c.given[c.level == Level.HIGH].any()


@law
def organisations_give_no_more_than_they_can_and_nothing_when_closed(month: Month) -> None:
    c, e, g, s = month.after.citizens, month.after.enterprises, month.after.groups, month.scenario
    assert (e.load <= np.where(e.open, e.capacity, 0)).all()
    assert (e.clients <= s.enterprises.most_clients).all() and not e.clients[~e.open].any()
    assert (g.members <= g.capacity).all()
    on_books = c.enterprise[c.enterprise >= 0]
    assert np.array_equal(np.bincount(on_books, minlength=len(e)), e.clients)
    belongs = np.concatenate([c.group_a[c.group_a >= 0], c.group_b[c.group_b >= 0]])
    assert np.array_equal(np.bincount(belongs, minlength=len(g)), g.members)
    in_groups = sum((np.isin(m, np.flatnonzero(g.open)) & (c.level == 0)).sum() for m in (c.group_a, c.group_b))
    assert c.community.sum() <= in_groups * s.groups.volunteer_minutes
    assert (c.community <= c.need).all()


@law
def paid_hours_come_out_of_the_hours_there_are(month: Month) -> None:
    c, p, e = month.after.citizens, month.scenario.provision, month.after.enterprises
    n = len(c)
    client = c.eligible & (c.route != Route.SELF_FUNDER)
    private = (c.route == Route.SELF_FUNDER) & (c.setting == Setting.HOME)
    own_money = client & np.isin(c.route, OWN_MONEY) & (c.setting == Setting.HOME)
    small_scale = c.enterprise >= 0
    managed = client & ~own_money & (c.setting == Setting.HOME)
    assert c.funded[managed].sum() <= minutes_a_month(p.home_care * n)
    assert c.funded[own_money & ~small_scale].sum() <= minutes_a_month(p.assistants * n)
    assert c.from_own[private & ~small_scale].sum() <= minutes_a_month(p.private_care * n)
    through = np.where(private, c.from_own, np.where(own_money, c.funded, 0))
    assert np.array_equal(np.bincount(c.enterprise[small_scale], through[small_scale], minlength=len(e)), e.load)


# --- money ---


@law
def every_penny_paid_is_a_penny_received(month: Month) -> None:
    before, ledger = month.before.ledger.balances, month.after.ledger
    assert ledger.balances.sum() == 0
    assert (ledger.flows >= 0).all() and not np.diag(ledger.flows).any()
    assert np.array_equal(ledger.balances - before, ledger.flows.sum(axis=0) - ledger.flows.sum(axis=1))


@law
def the_councils_pots_hold_what_came_in_less_what_went_out(month: Month) -> None:
    a, books, flows = Account, month.after.council, month.after.ledger.flows
    taken = flows[[a.GOVERNMENT, a.CITIZENS, a.REST_OF_COUNCIL], a.COUNCIL].sum()
    spent = flows[a.COUNCIL, [*PROVIDERS, a.STAFF, a.GROUPS]].sum()
    assert books.balance == month.before.council.balance + taken - spent
    assert books.balance == month.after.ledger.balances[a.COUNCIL]
    assert flows[:, a.COUNCIL].sum() == taken and flows[a.COUNCIL].sum() == spent
    assert min(books.care_pot, books.prevention_pot, books.running_pot, books.reserves, books.assessments) >= 0


@law
def what_the_council_lacked_is_recorded_and_within_its_limit(month: Month) -> None:
    books, flows = month.after.council, month.after.ledger.flows
    added = flows[Account.REST_OF_COUNCIL, Account.COUNCIL]
    assert books.overspend - month.before.council.overspend == added
    assert 0 <= added <= books.allowance


@law
def a_packages_two_shares_make_its_price(month: Month) -> None:
    c, p = month.after.citizens, month.scenario.provision
    client = np.flatnonzero(c.eligible & (c.route != Route.SELF_FUNDER) & (c.funded > 0))
    own_money = np.isin(c.route[client], OWN_MONEY)
    at_home = c.setting[client] == Setting.HOME
    hour = np.where(own_money, pence(p.assistant_rate), pence(p.home_care_fee))
    hour = np.where(at_home & own_money & (c.enterprise[client] >= 0), pence(p.enterprise_rate), hour)
    young, old = (pence_a_month(fee) for fee in p.care_home_fee)
    cost = c.council_cost[client] + c.own_cost[client]
    by_unit = cost == price_of(c.funded[client].astype(np.int64), hour)
    outright = ~at_home & (cost == np.where(c.age[client] < 65 * 12, young, old))
    assert (by_unit | outright).all()
    assert (c.own_cost[client] <= c.assessable[client]).all()
    assert not c.own_cost[client][c.short_term[client] > 0].any()
    assert np.array_equal(c.from_council[client] + c.from_own[client], c.funded[client])


@law
def the_ledger_is_the_sum_of_what_people_and_council_paid(month: Month) -> None:
    a, c, flows = Account, month.after.citizens, month.after.ledger.flows
    client = c.eligible & (c.route != Route.SELF_FUNDER)
    assert flows[a.CITIZENS, a.COUNCIL] == c.own_cost[client].sum()
    assert flows[a.CITIZENS, PROVIDERS].sum() == c.own_cost[~client].sum()
    assert flows[a.COUNCIL, PROVIDERS].sum() == c.council_cost.sum() + c.own_cost[client].sum()
    assert not c.council_cost[~client].any()


@law
def only_those_who_pay_for_themselves_draw_on_their_capital_and_no_more_than_they_paid(month: Month) -> None:
    b, c = month.before.citizens, month.after.citizens
    spent = (b.savings + b.home_value - c.savings - c.home_value)[month.stayed]
    private = (c.route == Route.SELF_FUNDER)[month.stayed]
    assert ((spent >= 0) & (spent <= np.where(private, c.own_cost[month.stayed], 0))).all()
    assert (c.savings >= 0).all() and (c.home_value >= 0).all()
    assert np.array_equal((c.care_paid - b.care_paid)[month.stayed], c.own_cost[month.stayed])


@law
def without_eligibility_there_is_no_package_and_without_an_assessment_no_eligibility(month: Month) -> None:
    b, c = month.before.citizens, month.after.citizens
    assert not (c.funded[~c.eligible].any() or c.council_cost[~c.eligible].any() or c.entitled[~c.eligible].any())
    assert c.assessed[c.eligible & (c.level > 0)].all()
    newly = c.eligible & ~(b.eligible & month.stayed)
    assert (newly <= (c.waited >= 0)).all()
    assert ((c.waited >= 0) <= ((c.requests > 0) | (month.stayed & (b.waiting_since >= 0)))).all()


# --- people, list, ties ---


@law_of("turnover")
def people_are_those_before_and_those_who_came_less_those_who_went(month: Month) -> None:
    b, c, happened = month.before.citizens, month.after.citizens, month.after.ledger.events
    went = happened[Event.DEATHS] + happened[Event.DEPARTURES]
    assert c.alive.sum() == b.alive.sum() + happened[Event.ARRIVALS] - went
    ids = c.id[c.alive]
    assert len(set(ids.tolist())) == len(ids)
    came = c.alive & ~month.stayed
    assert (c.id[came] > b.id.max(initial=0)).all() and (c.arrived[came] == month.after.month).all()
    assert np.array_equal(c.age[month.stayed], b.age[month.stayed] + 1)


@law
def those_who_are_gone_leave_nothing_behind(month: Month) -> None:
    c, t = month.after.citizens, month.after.ties
    gone = ~c.alive
    vacant = Citizens.vacant(1)
    for name in set(Citizens.names()) - {"address", "neighbourhood", "deprivation"}:
        assert (getattr(c, name)[gone] == getattr(vacant, name)[0]).all(), name
    assert not t.degree[gone].any()
    assert not gone[t.neighbour[t.used]].any()
    assert c.alive[c.partner[c.partner >= 0]].all()
    assert c.alive[month.after.enterprises.founder[month.after.enterprises.open]].all()


@law
def partners_are_each_others_partners(month: Month) -> None:
    c = month.after.citizens
    paired = np.flatnonzero(c.partner >= 0)
    assert np.array_equal(c.partner[c.partner[paired]], paired)


@law
def nobody_marries_kin(month: Month) -> None:
    c, t = month.after.citizens, month.before.ties
    used = t.used
    kin = used & (t.kind == Tie.KIN)
    i, j = t.owner[kin], t.neighbour[kin]
    both_stayed = month.stayed[i] & month.stayed[j]
    assert not (c.partner[i] == j)[both_stayed].any()


@law
def the_list_is_that_before_and_those_who_joined_less_those_who_left(month: Month) -> None:
    b, c, happened = month.before.citizens, month.after.citizens, month.after.ledger.events
    waiting, before = (c.waiting_since >= 0).sum(), (b.waiting_since >= 0).sum()
    assert waiting == before + happened[Event.JOINED_LIST] - happened[Event.LEFT_LIST]
    assert happened[Event.MONTHS_WAITED] == waiting
    left = (b.waiting_since >= 0) & ~month.stayed
    assert happened[Event.LEFT_LIST] == happened[Event.ASSESSMENTS] + left.sum()


@law_of("assessment")
def requests_are_answered_at_the_door_or_on_the_list(month: Month) -> None:
    c, happened = month.after.citizens, month.after.ledger.events
    sequels = happened[[Event.SIGNPOSTED, Event.NO_SERVICE, Event.LOW_LEVEL, Event.SHORT_TERM, Event.LONG_TERM]]
    assert happened[Event.REQUESTS] == c.requests.sum()
    assert sequels.sum() + happened[Event.JOINED_LIST] == happened[Event.REQUESTS] + happened[Event.ASSESSMENTS]


@law
def a_tie_is_known_to_both_and_both_are_alike(month: Month) -> None:
    t = month.after.ties
    used = t.used
    i, j = t.owner[used].astype(np.int64), t.neighbour[used].astype(np.int64)
    assert (i != j).all()
    n = len(t.degree)
    there, back = np.argsort(i * n + j), np.argsort(j * n + i)
    assert np.array_equal((i * n + j)[there], (j * n + i)[back])
    assert len(np.unique(i * n + j)) == len(i) == 2 * len(t)
    for name in ("kind", "strength", "bond"):
        assert np.array_equal(getattr(t, name)[used][there], getattr(t, name)[used][back])
    assert (t.start[:-1] + t.degree <= t.start[1:]).all()


@law
def ties_are_those_before_and_those_formed_less_those_faded_and_lost(month: Month) -> None:
    happened = month.after.ledger.events
    formed, ended = happened[Event.TIES_FORMED], happened[Event.TIES_FADED] + happened[Event.TIES_LOST]
    before, after = len(month.before.ties), len(month.after.ties)
    assert after == before + formed - ended


@law
def organisations_are_those_before_and_those_opened_less_those_closed(month: Month) -> None:
    b, a, happened = month.before, month.after, month.after.ledger.events
    for there, now, opened, closed in (
        (b.groups, a.groups, Event.GROUPS_OPENED, Event.GROUPS_CLOSED),
        (b.enterprises, a.enterprises, Event.ENTERPRISES_OPENED, Event.ENTERPRISES_CLOSED),
    ):
        assert now.open.sum() == there.open.sum() + happened[opened] - happened[closed]


# --- everybody is somewhere, nothing is out of bounds ---


@law_of("charging")
def everybody_is_in_exactly_one_level_route_and_quintile(month: Month) -> None:
    c = month.after.citizens
    alive = c.alive
    for values, allowed in ((c.level, Level), (c.route, Route), (c.deprivation, range(1, 6)), (c.contact, Contact)):
        assert sum((values[alive] == one).sum() for one in allowed) == alive.sum() == len(month.after)
    in_need_or_client = alive & ((c.level > 0) | c.eligible)
    assert np.array_equal(c.route != Route.NONE, in_need_or_client)


@law_of("wellbeing")
def flags_say_what_the_columns_say(month: Month) -> None:
    c = month.after.citizens
    said = {
        Status.ALIVE: c.alive, Status.IN_NEED: c.level > 0, Status.WAITING: c.waiting_since >= 0,
        Status.ELIGIBLE: c.eligible, Status.FUNDED: c.funded > 0, Status.DELIVERED: c.formal > 0,
        Status.USER: c.from_council > 0,
        Status.CARER: c.given > 0, Status.CARE_HOME: c.setting == Setting.CARE_HOME, Status.STIGMA: c.stigma,
        Status.UNMET: c.unmet > 0, Status.OLDER: c.alive & (c.age >= 780), Status.WORKING_AGE: c.alive & (c.age < 780),
    }  # fmt: skip
    for flag, truth in said.items():
        assert np.array_equal(c.status & np.uint32(flag.value) != 0, truth), flag


BOUNDS = {
    "level": (0, 3), "network": (0, 30), "ucla": (0, 9), "scrqol": (0, 24), "relational": (0, 2), "contact": (0, 3),
    "strain": (0, 1), "reach": (0, 1), "need": (0, MINUTES_A_MONTH), "deficits": (0, 1023), "age": (0, 130 * 12),
    "informal": (0, MINUTES_A_MONTH), "given": (0, MINUTES_A_MONTH), "income": (0, 2**31), "spare": (0, 168 * 60 * 5),
    "assessable": (0, 2**31), "entitled": (0, MINUTES_A_MONTH), "savings": (0, 10**15), "refusals": (0, 100),
    "short_term": (0, 12), "waited": (-1, 1200), "requests": (0, 1), "sequel": (0, 5), "sociability": (0, 1e9),
}  # fmt: skip


@law
def every_column_is_a_number_within_its_bounds(month: Month) -> None:
    c = month.after.citizens
    for name, values in small.columns(month.after).items():
        assert np.isfinite(values).all(), name
        low, high = BOUNDS.get(name, (-(2**62), 2**62))
        assert len(values) == 0 or (values.min() >= low and values.max() <= high), (name, values.min(), values.max())
    assert not ((c.need > 0) & (c.level == 0)).any()
    used = month.after.ties.used
    strength = month.after.ties.strength[used]
    assert ((strength >= 0) & (strength <= 1)).all()


@law_of("wellbeing")
def whoever_has_no_need_fails_no_outcome_and_everybody_has_a_score(month: Month) -> None:
    c = month.after.citizens
    assert not c.deficits[c.level == 0].any()
    assert (c.ucla[c.alive] >= 3).all()


@law
def every_outcome_is_a_finite_number_or_a_mean_over_nobody(month: Month) -> None:
    place = month.after
    for outcome in OUTCOMES:
        value = outcome.value(place)
        if not np.isfinite(value):
            status = place.citizens.status
            users_only = outcome.name.startswith("contact_")
            among = Status.ALIVE | Status.USER if users_only else outcome.among
            assert np.isnan(value) and not (status & among.value == among.value).any(), outcome.name
        if outcome.unit.startswith("%"):
            assert not value > 100.0 and not value < 0.0, outcome.name


@law
def the_whole_is_the_sum_of_its_groups(month: Month) -> None:
    place = month.after
    c = place.citizens
    groupings = {"deprivation": (c.deprivation - 1, 5), "route": (c.route, len(Route)), "sex": (c.sex, 2),
                 "neighbourhood": (c.neighbourhood, len(place.neighbourhoods.deprivation))}  # fmt: skip
    for outcome in OUTCOMES:
        if outcome.of is not None:
            continue
        whole = outcome.value(place)
        for name, (group, groups) in groupings.items():
            values, people = outcome.by(place, group.astype(np.int64), groups)
            if outcome.total and outcome.scale == 1.0:
                assert values.sum() == whole, (outcome.name, name)
            elif people.sum():
                parts = values.sum() if outcome.total else np.nansum(values * people) / people.sum()
                assert parts == pytest.approx(whole, rel=1e-12, abs=1e-12), (outcome.name, name)


# --- the laws in three worlds, and in worlds at the edges of what is accepted ---

WORLDS = {"today": small.SCENARIO, "stirred": small.STIRRED, "strict": small.STRICT}


@pytest.fixture(scope="module", params=list(WORLDS))
def history(request: pytest.FixtureRequest) -> list[Month]:
    scenario = WORLDS[request.param]
    return list(small.months(scenario, small.founded(scenario), 12))


@pytest.mark.parametrize("holds", LAWS, ids=lambda check: check.__name__)
def test_in_every_month(holds: Law, history: list[Month]) -> None:
    for month in history:
        holds(month)


def test_in_the_stirred_worlds_everything_happens(history: list[Month]) -> None:
    """A law that nothing puts to the test is worth nothing."""
    happened = sum(month.after.ledger.events for month in history)
    if history[0].scenario is small.STIRRED:
        assert [event for event in Event if happened[event] == 0] == []


@st.composite
def edges(draw: st.DrawFn, most: int = 8) -> dict[str, object]:
    """Some parameters at the ends of their ranges, or between."""
    movable = [p for p in register() if p.low is not None and p.key not in ("citizens", "months")]
    switches = [p for p in register() if isinstance(p.value, bool)]
    changes: dict[str, object] = {}
    for p in draw(st.lists(st.sampled_from(movable), max_size=most, unique_by=lambda p: p.key)):
        point = draw(st.sampled_from([0.0, 0.1, 0.5, 1.0]))
        number = p.low + point * (p.high - p.low)
        kind = type(p.value[0] if isinstance(p.value, tuple) else p.value)
        if p.key in ("council.shares", "people.prefers"):
            changes[p.key] = tuple(reversed(p.value))
        elif isinstance(p.value, tuple):
            changes[p.key] = tuple(kind(number) for _ in p.value)
        else:
            changes[p.key] = kind(number)
    for p in draw(st.lists(st.sampled_from(switches), max_size=2, unique_by=lambda p: p.key)):
        changes[p.key] = not p.value
    changes["assessment.rule"] = draw(st.sampled_from(["care_act", "facs"]))
    changes["assessment.stance"] = draw(st.sampled_from(["deficit", "carer_blind", "asset_first"]))
    return changes


@settings(max_examples=40, phases=(Phase.explicit, Phase.generate))  # shrinking a world takes minutes
@given(edges(), st.integers(0, 60), st.integers(0, 2**63 - 1))
def test_every_world_that_is_accepted_runs_and_keeps_the_laws(
    changes: dict[str, object], citizens: int, seed: int
) -> None:
    try:
        scenario = small.STIRRED.but({**changes, "citizens": citizens})
    except InputError:  # parameters that do not go together: refused in one line
        reject()
    for month in small.months(scenario, small.founded(scenario, seed), 4, seed):
        hold(month)


FAR = {
    "the richest": {
        "people.income_median": 10_000.0, "people.income_spread": 3.0, "people.savings_spread": 4.0,
        "people.savings_median": 1_000_000.0, "people.home_value": 5_000_000.0, "people.frailty_spread": 3.0,
    },
    "want and care bring people out": {"ties.without_care": -0.5, "ties.while_caring": -0.5},
    "the closest there can be": {"ties.closeness": 0.9, "ties.closeness_span": 1.0},
    "everybody is eligible": {"assessment.threshold": 0, "assessment.known": 1.0, "assessment.rule": "care_act"},
    "time without end": {
        "people.spare_hours": 168.0, "people.spare_hours_working": 168.0, "informal_care.live_in": 10.0,
    },
}  # fmt: skip


@pytest.mark.parametrize("what", FAR)
def test_worlds_at_the_far_end_of_what_is_accepted_keep_the_laws(what: str) -> None:
    scenario = small.spread(small.STIRRED, FAR[what])
    for month in small.months(scenario, small.founded(scenario), 3):
        hold(month)


@pytest.mark.parametrize("citizens", [0, 1, 2, 3])
def test_the_smallest_places_run_and_keep_the_laws(citizens: int) -> None:
    scenario = small.STIRRED.but({"citizens": citizens})
    for month in small.months(scenario, small.founded(scenario), 24):
        hold(month)


SCARCE: dict[str, dict[str, float]] = {
    "no carers": {"people.spare_hours": 0.0, "people.spare_hours_working": 0.0},
    "no providers": {"provision.home_care": 0.0, "provision.assistants": 0.0, "provision.private_care": 0.0,
                     "enterprises.pitches": 0.0},
    "no groups": {"groups.per_1000": 0.0},
    "everybody dies": {"turnover.arrival": 0.0, "turnover.mortality": 100_000.0},
    "no money": {"council.funding": 0.0},
}  # fmt: skip


@pytest.mark.parametrize("what", SCARCE)
def test_a_place_without_something_runs_and_keeps_the_laws(what: str) -> None:
    scenario = small.STIRRED.but(SCARCE[what])
    for month in small.months(scenario, small.founded(scenario), 6):
        hold(month)


def test_a_scenario_of_no_months_is_a_place_that_was_founded() -> None:
    scenario = small.SCENARIO.but({"months": 0})
    model = small.run(scenario)
    assert len(model.series) == 0 and not model.running
    assert small.differing(model.place, small.founded(scenario)) == []


def test_when_everybody_has_died_and_nobody_comes_nobody_is_left() -> None:
    scenario = small.SCENARIO.but({"turnover.arrival": 0.0, "turnover.mortality": 100_000.0})
    place: Place = small.run(scenario, months=3).place
    assert len(place) == 0 and len(place.ties) == 0 and place.citizens.need.sum() == 0


def test_identities_are_never_used_twice() -> None:
    seen: set[int] = set()
    here: set[int] = set()
    for month in small.months(small.STIRRED, small.founded(small.STIRRED), 36):
        now = set(month.after.citizens.id[month.after.citizens.alive].tolist())
        assert not (now - here) & seen
        here = now
        seen |= now
    assert len(seen) > 1500


def test_the_steps_that_people_waited_are_the_months_that_the_list_was_long() -> None:
    """O15: each person's months on the list, cut at the horizon, sum to the list's length over the months.

    The ledger holds the lengths (MONTHS_WAITED); `waited` tells the waits of those assessed, `waiting_since` of those
    who wait still. Who dies or moves while waiting leaves no column behind, so that his wait is read the month before.
    """
    lengths, waits = 0, 0
    scenario: Scenario = small.STIRRED
    for month in small.months(scenario, small.founded(scenario), 36):
        b, c, now = month.before.citizens, month.after.citizens, month.after.month
        lengths += month.after.ledger.events[Event.MONTHS_WAITED]
        waits += c.waited[c.waited >= 0].sum()
        gone = (b.waiting_since >= 0) & ~month.stayed
        waits += (now - b.waiting_since[gone]).sum()
    c = month.after.citizens
    waits += (month.after.month + 1 - c.waiting_since[c.waiting_since >= 0]).sum()
    assert waits == lengths > 1000
