"""Every outcome that the model reports, in the order in which tables show them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from carecommons.kernels.arrays import F64
from carecommons.outcomes.outcome import Outcome
from carecommons.outcomes.together import Entries, Together
from carecommons.place.ledger import Account, Event, Giver
from carecommons.place.place import Place
from carecommons.place.population import Contact, Route, Status
from carecommons.units import MINUTES_AN_HOUR, PENCE_A_POUND, WEEKS_A_MONTH

S = Status
USERS = S.ALIVE | S.USER
HOURS = 1 / MINUTES_AN_HOUR
WEEKLY = 1 / MINUTES_AN_HOUR / WEEKS_A_MONTH
POUNDS = 1 / PENCE_A_POUND


def _event(event: Event) -> Entries:
    return Entries("events", [event])


def _given(*givers: Giver) -> Entries:
    return Entries("minutes", givers, HOURS)


def _paid(payers: Iterable[Account], payees: Iterable[Account]) -> Entries:
    payees = tuple(payees)
    return Entries("flows", [payer * len(Account) + payee for payer in payers for payee in payees], POUNDS)


def _unpaid_value(place: Place) -> float:
    return _UNPAID_HOURS(place) * place.ledger.unpaid_price * POUNDS


def _full_cost(place: Place) -> float:
    return _CARE_COST(place) + _unpaid_value(place)


PROVIDERS = (Account.HOME_CARE, Account.CARE_HOMES, Account.ASSISTANTS, Account.ENTERPRISES)
COUNCIL, CITIZENS, REST = [Account.COUNCIL], [Account.CITIZENS], [Account.REST_OF_COUNCIL]
_UNPAID_HOURS = _given(Giver.UNPAID, Giver.COMMUNITY)
_CARE_COST = _paid(COUNCIL + CITIZENS, PROVIDERS)

OUTCOMES: tuple[Outcome, ...] = (
    Outcome("isolation", "% of adults", "network score under the LSNS-6 cut-off: counted from ties, not asked", "down",
            "isolated", scale=100),
    Outcome("isolation_in_need", "% of adults in need", "isolation among people with any need", "down", "isolated",
            among=S.ALIVE | S.IN_NEED, scale=100),
    Outcome("isolation_older", "% of people 65+", "isolation among people of 65 and over", "down", "isolated",
            among=S.ALIVE | S.OLDER, scale=100),
    Outcome("network", "points 0-30", "mean network score", "up", "network"),
    Outcome("loneliness", "% of adults", "feels lonely often or always: a feeling, not a count of ties", "down",
    "lonely",
            scale=100),
    Outcome("ucla", "points 3-9", "mean UCLA-3-like loneliness score", "down", "ucla"),
    Outcome("contact_enough", "% of council users", "users with as much contact as they want", "up", "contact",
            equals=int(Contact.ENOUGH), among=USERS, scale=100),
    Outcome("contact_adequate", "% of council users", "users with adequate contact", "neither", "contact",
            equals=int(Contact.ADEQUATE), among=USERS, scale=100),
    Outcome("contact_not_enough", "% of council users", "users with some contact but not enough", "down", "contact",
            equals=int(Contact.NOT_ENOUGH), among=USERS, scale=100),
    Outcome("contact_isolated", "% of council users", "users with little contact who feel isolated", "down", "contact",
            equals=int(Contact.ISOLATED), among=USERS, scale=100),
    Outcome("people", "adults", "adults living here", "neither", holds=S.ALIVE, total=True),
    Outcome("latent", "adults", "demand, latent: people in need", "down", holds=S.IN_NEED, total=True),
    Outcome("expressed", "adults", "demand, expressed: in need and have asked the council", "neither", holds=S.ASKED,
            among=S.ALIVE | S.IN_NEED, total=True),
    Outcome("requests", "requests", "requests for support this month: contacts, not people", "neither",
            of=_event(Event.REQUESTS)),
    Outcome("waiting", "adults", "people on the list for an assessment at the month's end", "down", holds=S.WAITING,
            total=True),
    Outcome("assessments", "assessments", "people assessed this month", "neither", of=_event(Event.ASSESSMENTS)),
    Outcome("eligible", "adults", "demand, eligible: found eligible", "neither", holds=S.ELIGIBLE, total=True),
    Outcome("funded", "adults", "demand, funded: the council arranged care this month", "neither", holds=S.FUNDED,
            total=True),
    Outcome("funded_hours", "hours", "care that the council arranged this month", "neither", "funded", total=True,
            scale=HOURS),
    Outcome("delivered", "adults", "demand, delivered: got paid care this month, from whomever", "neither",
            holds=S.DELIVERED, total=True),
    Outcome("delivered_hours", "hours", "paid care delivered this month", "neither",
            of=_given(Giver.COUNCIL, Giver.OWN_MONEY)),
    Outcome("crises", "crises", "falls, hospital stays, sudden loss of care this month", "down",
    of=_event(Event.CRISES)),
    Outcome("breaches", "adults", "eligible people who got less than their assessment allows", "down",
            of=_event(Event.BREACHES)),
    Outcome("need_hours", "hours", "personal-care need this month", "down", "need", total=True, scale=HOURS),
    Outcome("unmet_hours", "hours", "personal-care need that nobody met", "down", "unmet", total=True, scale=HOURS),
    Outcome("unmet_people", "% of adults in need", "people in need some of whose need nobody met", "down",
    holds=S.UNMET,
            among=S.ALIVE | S.IN_NEED, scale=100),
    Outcome("unmet_each", "hours a week", "unmet need of a person in need", "down", "unmet", among=S.ALIVE | S.IN_NEED,
            scale=WEEKLY),
    Outcome("unmet_each_user", "hours a week", "unmet need of a council user", "down", "unmet", among=S.ALIVE | S.USER,
            scale=WEEKLY),
    Outcome("helped", "% of adults in need", "people in need who get any help", "up", holds=S.WITH_HELP,
            among=S.ALIVE | S.IN_NEED, scale=100),
    Outcome("satisfied_users", "% of council users", "users very or extremely satisfied", "up", "satisfied",
            among=S.ALIVE | S.USER, scale=100),
    Outcome("satisfied_in_need", "% of adults in need", "the same over everybody in need", "up", "satisfied",
            among=S.ALIVE | S.IN_NEED, scale=100),
    Outcome("scrqol_users", "points 0-24", "social care related quality of life of council users", "up", "scrqol",
            among=S.ALIVE | S.USER),
    Outcome("scrqol_in_need", "points 0-24", "the same over everybody in need", "up", "scrqol",
    among=S.ALIVE | S.IN_NEED),
    Outcome("carers", "% of adults", "adults who gave unpaid care this month", "neither", holds=S.CARER, scale=100),
    Outcome("carer_strain", "share", "mean strain of unpaid carers", "down", "strain", among=S.ALIVE | S.CARER),
    Outcome("breakdowns", "carers", "carers who stopped this month from strain", "down", of=_event(Event.BREAKDOWNS)),
    Outcome("unpaid_hours", "hours", "care given by partners, family, friends and neighbours", "neither",
            of=_given(Giver.UNPAID)),
    Outcome("community_hours", "hours", "help given by members of groups", "up", of=_given(Giver.COMMUNITY)),
    Outcome("council_hours", "hours", "delivered care that the council paid for", "neither", of=_given(Giver.COUNCIL)),
    Outcome("own_hours", "hours", "delivered care that people paid for themselves", "neither",
    of=_given(Giver.OWN_MONEY)),
    Outcome("managed", "adults", "council-managed care", "neither", "route", equals=int(Route.MANAGED),
            total=True),
    Outcome("service_fund", "adults", "care through an individual service fund", "neither", "route",
    equals=int(Route.SERVICE_FUND),
            total=True),
    Outcome("direct_payment", "adults", "care through a direct payment", "neither", "route",
    equals=int(Route.DIRECT_PAYMENT),
            total=True),
    Outcome("mixed_route", "adults", "direct payment beside managed care", "neither", "route", equals=int(Route.MIXED),
            total=True),
    Outcome("self_funder", "adults", "pay for themselves", "neither", "route", equals=int(Route.SELF_FUNDER),
            total=True),
    Outcome("outside", "adults", "in need, without council care and not paying for themselves", "down", "route",
    equals=int(Route.INELIGIBLE),
            total=True),
    Outcome("council_spend", "pounds", "what the council paid out this month, charges it took in included", "neither",
            of=_paid(COUNCIL, Account)),
    Outcome("care_spend", "pounds", "of which for packages of care", "neither", of=_paid(COUNCIL, PROVIDERS)),
    Outcome("charges", "pounds", "what clients paid to the council", "neither", of=_paid(CITIZENS, COUNCIL)),
    Outcome("own_spend", "pounds", "what people paid for care in all", "down", of=_paid(CITIZENS, Account)),
    Outcome("unpaid_value", "pounds",
    "unpaid care and community help at the price of unpaid time (informal_care.worth)",
            "neither", of=_unpaid_value),
    Outcome("full_cost", "pounds", "what care cost everybody: packages, own money and unpaid time at its price", "down",
            of=_full_cost),
    Outcome("overspend", "pounds", "what the rest of the council had to add this month", "down",
            of=_paid(REST, COUNCIL)),
    Outcome("reserves", "pounds", "the council's reserves at the month's end", "up",
    of=lambda p: p.council.reserves * POUNDS),
    Outcome("enterprises", "micro-enterprises", "open micro-enterprises", "neither",
    of=lambda p: int(p.enterprises.open.sum())),
    Outcome("enterprise_clients", "adults", "people whom a micro-enterprise has on its books", "neither",
            of=lambda p: p.enterprises.clients.sum()),
    Outcome("groups", "groups", "community groups that meet", "up", of=lambda p: int(p.groups.open.sum())),
    Outcome("members", "members", "memberships of community groups", "up", of=lambda p: p.groups.members.sum()),
    Outcome("ties", "ties", "ties between people here", "up", of=lambda p: p.ties.degree.sum() / 2),
)  # fmt: skip

BY_NAME: dict[str, Outcome] = {outcome.name: outcome for outcome in OUTCOMES}


_ALL: Final = Together(OUTCOMES)


def measure(place: Place) -> F64:
    """Every outcome of the place as it stands, in the order of the catalogue (outcomes,)."""
    return _ALL.take(place)


def observe(place: Place) -> dict[str, float]:
    """One row: every outcome of the place as it stands, by name."""
    return dict(zip(BY_NAME, measure(place).tolist(), strict=True))
