"""An economic appraisal of one policy against another: worth its cost or not, for whom, at whose expense, how sure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from carecommons.analysis import economics, equity
from carecommons.analysis.discounting import Schedule, When, present_value, schedule_of
from carecommons.analysis.economics import Figure, average, share
from carecommons.analysis.perspectives import PERSPECTIVES, WORDS, Books, Party, books, parties_of
from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.evidence.prices import Money, price
from carecommons.experiments import show
from carecommons.experiments.comparison import Comparison
from carecommons.experiments.estimate import mean
from carecommons.experiments.performing import ARMS
from carecommons.kernels.arrays import F64
from carecommons.outcomes.quintiles import MEASURES
from carecommons.place.ledger import Account
from carecommons.units import MINUTES_AN_HOUR, MONTHS_A_YEAR, PENCE_A_POUND

PER: Final = 1_000  # adults that costs and effects are given for
NOT_KNOWN: Final = "cost not known, as no flow of the NHS is simulated"
PRICE_YEAR: Final = 2024
"""The year at whose prices the model's money is read: its fees are of 2022-23 to 2024-25, and taken as they stand."""

COMPONENTS: Final = ("borne", "spending", "financing", "resources")


class Effect(NamedTuple):
    """What is counted as good: a measure by quintile, summed over months, over `per`, which is below 0 for a harm."""

    name: str
    unit: str
    measure: str
    per: float
    price: str
    about: str


EFFECTS: Final[dict[str, Effect]] = {each.name: each for each in (
    Effect("scrqol_years", "years at full SCRQoL", "scrqol", 24 * MONTHS_A_YEAR, "scrqol_year",
           "adults' social care related quality of life, the unweighted 0-24 score over 24, by years here; not a QALY"),
    Effect("isolation_years", "years of isolation avoided", "isolated", -MONTHS_A_YEAR, "",
           "years that adults do not spend structurally isolated"),
    Effect("loneliness_years", "years of loneliness avoided", "lonely", -MONTHS_A_YEAR, "",
           "years that adults do not spend lonely often or always"),
    Effect("unmet_hours", "hours of unmet need avoided", "unmet_minutes", -MINUTES_AN_HOUR, "home_care_hour",
           "hours of personal-care need that do not go unmet"),
)}  # fmt: skip
"""No WELLBY and no QALY: life satisfaction from 0 to 10 and health are not simulated, and nothing else is called so."""


@dataclass(frozen=True)
class Appraisal:
    """What policy b costs and does beyond policy a, per 1,000 adults over all months of the runs, discounted.

    `table` holds the headline figures, `perspectives` who bears what, `ceac` the acceptability curve, `equity` the
    distributional table, `gradient` how the effect leans by deprivation. Every estimate has its interval, n and kind.
    """

    table: pd.DataFrame
    perspectives: pd.DataFrame
    ceac: pd.DataFrame
    equity: pd.DataFrame
    gradient: pd.DataFrame
    words: str
    method: dict[str, Any]

    def records(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
        names = ("table", "perspectives", "ceac", "equity", "gradient")
        return {"method": self.method, "words": self.words} | {
            name: getattr(self, name).to_dict("records") for name in names
        }

    def __rich_console__(self, console: Any, options: Any) -> Iterator[Any]:
        m = self.method
        over = f"b less a per {PER:,} adults over {_length(m['months'])}, {m['perspective']}"
        yield show.rows_table(f"{over}: {self.words}", _shown(self.table, ("what",)))
        who = self.perspectives
        borne = who[(who["component"] == "borne") | ((who["component"] == "financing") & (who["value"] != 0))]
        yield show.rows_table("Who bears the difference, pounds; financing buys nothing and nets to nought",
                              _shown(borne, ("party", "component")))  # fmt: skip
        marked = self.ceac[(self.ceac["mark"] != "") | (self.ceac["threshold"] == 0)]
        marked = marked.rename(columns={"probability": "value"})
        if len(marked):
            yield show.rows_table(f"Share of pairs in which b is worth its cost, by pounds for one of "
                                  f"{m['effect']['unit']}", _shown(marked, ("threshold", "mark")))  # fmt: skip
        first = self.equity[self.equity["gradient"] == self.equity["gradient"].iloc[0]]
        yield show.rows_table("By deprivation quintile, 1 the most deprived; opportunity cost equally distributed",
                              _shown(first, ("uptake", "part", "quintile")))  # fmt: skip
        yield show.rows_table(f"How {m['effect']['unit']} lean, an adult; below 0: towards the most deprived",
                              _shown(self.gradient, ("arm", "measure")))  # fmt: skip
        yield "\n".join(m["notes"])

    def __repr__(self) -> str:
        return f"Appraisal of {self.method['pairs']} pairs, {self.method['perspective']} perspective: {self.words}"

    def _repr_html_(self) -> str:
        return show.html(self)


def appraise(
    answers: Comparison | Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    effect: str = "scrqol_years",
    perspective: str = "council",
    threshold: Money | None = None,
    schedule: str | Schedule = "standard",
    effect_schedule: str | Schedule | None = None,
    when: When = "start",
    price_year: int = PRICE_YEAR,
    unpaid_hour: Money | None = None,
    seed: int = 0,
) -> Appraisal:
    """Appraise policy b against policy a from what paired runs answered.

    Parameters
    ----------
    answers
        A comparison; or its `answers()`, one mapping a pair, or one mapping of lists over pairs: `a.flows` and
        `b.flows` (years, accounts, accounts), pence; `a.quintiles` and `b.quintiles` (years, 5, measures); `a.series`
        and `b.series` (months, outcomes), which say how many months the years hold; others are not read.
    effect
        What counts as good, one of `EFFECTS`.
    perspective
        Whose costs count, one of `PERSPECTIVES`.
    threshold
        What a unit of effect is worth; by default the register's price for it, where there is one.
    schedule, effect_schedule
        Discount rates of money, and of effects (the same if not given), by name (`SCHEDULES`) or made.
    when
        Where in its year a flow stands; `start` leaves the first year undiscounted, as the Green Book does.
    price_year
        The year at whose prices the runs' money is read; prices of the register are brought to it.
    unpaid_hour
        An hour of unpaid time, by default the register's `unpaid_hour`; `Money(0, year)` leaves it out.
    seed
        The world of the bootstrap.

    Raises
    ------
    InputError
        Where a name is unknown, an array has the wrong shape, runs are not equally long, or money is of a year that
        cannot be brought to another.
    """
    good, chosen = _effect(effect), parties_of(perspective)
    hour = (price("unpaid_hour").amount if unpaid_hour is None else _money("unpaid_hour", unpaid_hour)).at(price_year)
    worth = _threshold(good, threshold).at(price_year)
    rates = schedule_of(schedule)
    effect_rates = rates if effect_schedule is None else schedule_of(effect_schedule)
    kept = _answers(answers)
    runs = {arm: _Arm.of(kept, arm, hour) for arm in ARMS}
    a, b = runs["a"], runs["b"]
    if a.sums.shape != b.sums.shape:
        raise InputError(f"appraise: arms of shapes {a.sums.shape} and {b.sums.shape}, must be equal")
    months = _months(kept, a.sums.shape[1])
    scale = PER / _adults(a, b, months)
    costs = {arm: scale * run.pounds(run.kept.borne, rates, when) for arm, run in runs.items()}
    gains = {arm: scale * run.effect(good, effect_rates, when) for arm, run in runs.items()}
    more = costs["b"] - costs["a"]
    cost, benefit = more[:, list(chosen)].sum(axis=1), gains["b"] - gains["a"]
    change = benefit.sum(axis=1)
    parts = {WORDS[party].split(":")[0]: more[:, party] for party in chosen if more[:, party].any()}
    ladder = economics.THRESHOLDS if good.name == "scrqol_years" else [worth.pounds * k / 10 for k in range(41)]
    money = scale * (b.received(rates, when) - a.received(rates, when))
    tables = [
        equity.distribution(benefit, cost, worth.pounds, a.column("in_need").sum(axis=1), uptake=way, received=money)
        for way in equity.UPTAKE
    ]
    known = chosen != PERSPECTIVES["nhs"]
    levels = {"a": gains["a"], "b": gains["b"], "b - a": benefit}
    adults = scale * a.column("people").sum(axis=1) / months
    return Appraisal(
        table=_headlines(cost, change, worth, good, parts, seed, known),
        perspectives=_bearers(a, b, scale, rates, when),
        ceac=economics.ceac(cost, change, ladder if known else [], marks=known and good.name == "scrqol_years"),
        equity=pd.concat(tables, ignore_index=True),
        gradient=pd.concat(
            [equity.gradient(level, adults).assign(arm=arm) for arm, level in levels.items()], ignore_index=True
        ),
        words=economics.icer(cost, change).words if known else NOT_KNOWN,
        method={"pairs": len(a.sums), "months": months}
        | _method(good, perspective, worth, hour, (rates, effect_rates), when, len(a.sums)),
    )


@dataclass(frozen=True)
class _Arm:
    """One policy's runs: what each party bore (n, years, parties), and sums by quintile (n, years, 5, measures)."""

    kept: Books
    sums: F64

    @classmethod
    def of(cls, answers: Any, arm: str, hour: Money) -> _Arm:
        flows, sums = (_stack(answers, f"{arm}.{name}") for name in ("flows", "quintiles"))
        if sums.ndim != 4 or sums.shape[2:] != (5, len(MEASURES)) or flows.shape[:2] != sums.shape[:2]:
            raise InputError(
                f"appraise: {arm}.quintiles {sums.shape} must be (pairs, years, 5, {len(MEASURES)}) beside {arm}.flows "
                f"(pairs, years, {len(Account)}, {len(Account)}), which is {flows.shape}"
            )
        unpaid, community = (
            sums[..., MEASURES.index(f"{who}_minutes")].sum(axis=-1) for who in ("unpaid", "community")
        )
        return cls(books(flows, unpaid, community, hour), sums)

    def column(self, measure: str) -> F64:
        """A measure by pair, year and quintile (n, years, 5)."""
        return self.sums[..., MEASURES.index(measure)]

    @staticmethod
    def pounds(pence: Any, rates: Schedule, when: When) -> F64:
        """Pence by pair and year (n, years, ...) as they are worth today, in pounds (n, ...)."""
        return np.asarray(present_value(np.swapaxes(pence, 0, 1), rates, when=when)) / PENCE_A_POUND

    def received(self, rates: Schedule, when: When) -> F64:
        """What the council paid for the care of people of each quintile (n, 5), pounds."""
        return self.pounds(self.column("council_pence"), rates, when)

    def effect(self, good: Effect, rates: Schedule, when: When) -> F64:
        """The effect by quintile over the years (n, 5)."""
        return np.asarray(present_value(np.swapaxes(self.column(good.measure), 0, 1), rates, when=when)) / good.per


def _answers(given: Any) -> Any:
    """What each pair answered."""
    found = given.answers() if isinstance(given, Comparison) else given
    if isinstance(given, Comparison) and not found:
        raise InputError("appraise: the comparison holds no pair that is done; run it, or retry what failed")
    listed = isinstance(found, Sequence) and all(isinstance(each, Mapping) for each in found)
    if not listed and not isinstance(found, Mapping):
        raise InputError(f"appraise: {one_line(type(given).__name__)} must be a comparison, or what its pairs answered")
    return found


def _each(answers: Any, name: str) -> Any:
    """An array of each pair."""
    given = answers.get(name) if isinstance(answers, Mapping) else [pair.get(name) for pair in answers]
    if given is None or len(given) == 0 or any(each is None for each in given):
        raise InputError(f"appraise: the answers lack '{name}', or there are none")
    return given


def _months(answers: Any, years: int) -> int:
    """How many months the runs have, of which the last year may hold fewer than twelve."""
    found = sorted({len(series) for arm in ARMS for series in _each(answers, f"{arm}.series")})
    if len(found) > 1 or -(-found[0] // MONTHS_A_YEAR) != years:
        told = " and ".join(map(str, found))
        raise InputError(f"appraise: series of {told} months beside flows of {years} years, must be of the same months")
    return found[0]


def _length(months: int) -> str:
    """So many months in words, in years where these are whole."""
    number, unit = (months, "month") if months % MONTHS_A_YEAR else (months // MONTHS_A_YEAR, "year")
    return f"{number} {unit}{'s' if number > 1 else ''}"


def _stack(answers: Any, name: str) -> Any:
    """An array of each pair, one after the other (pairs, ...)."""
    given = _each(answers, name)
    shapes = {np.shape(each) for each in given}
    if len(shapes) > 1:
        raise InputError(f"appraise: '{name}' differs in shape between pairs: {sorted(shapes)}")
    return np.stack([np.asarray(each) for each in given])


def _effect(name: str) -> Effect:
    if name not in EFFECTS:
        why = "; the model has no life satisfaction from 0 to 10 and no health" if name in ("wellby", "qaly") else ""
        known = why + (did_you_mean(str(name), EFFECTS) or f"; there are {', '.join(EFFECTS)}")
        raise InputError(f"appraise: unknown effect '{one_line(name)}'{known}")
    return EFFECTS[name]


def _money(name: str, given: Any) -> Money:
    if not isinstance(given, Money) or given.pence < 0:
        raise InputError(f"appraise: {name} = {one_line(given)} must be Money(pence, year) of 0 pence or more")
    return given


def _threshold(good: Effect, told: Money | None) -> Money:
    if told is None and not good.price:
        raise InputError(f"appraise: no price is known for one of '{good.unit}'; give --threshold POUNDS, or "
                         "threshold=Money(pence, year)")  # fmt: skip
    found = price(good.price).amount if told is None else _money("threshold", told)
    if found.pence <= 0:
        raise InputError(f"appraise: threshold = {found} must be above £0")
    return found


def _adults(a: _Arm, b: _Arm, months: int) -> float:
    """Adults living here, the mean over months, pairs and both arms."""
    lived = [value for arm in (a, b) for value in arm.column("people").sum(axis=(1, 2)).tolist()]
    found = mean(lived) / months
    if not found > 0:
        raise InputError("appraise: nobody lives in the places compared")
    return found


def _headlines(
    cost: F64, change: F64, worth: Money, good: Effect, parts: Mapping[str, F64], seed: int, costed: bool
) -> pd.DataFrame:
    found: list[tuple[str, str, Figure]] = [
        ("incremental cost", "pounds", average(cost)),
        ("incremental effect", good.unit, average(change)),
    ]
    if costed:
        net = economics.net_benefit(cost, change, worth.pounds)
        known = economics.evpi(cost, change, worth.pounds, seed=seed)
        known = known._replace(value=known.value / PER, low=known.low / PER, high=known.high / PER)
        found += [
            ("ICER", f"pounds for one of {good.unit}", economics.icer(cost, change).icer),
            (f"net benefit at {worth}", "pounds", average(net)),
            (f"worth its cost at {worth}", "share of pairs", share(int((net > 0).sum()), len(net))),
            ("EVPI", "pounds an adult", known),
        ]
    rows = [{"what": what, "unit": unit, **figure.row()} for what, unit, figure in found]
    switch = economics.switching_values(parts, change, worth.pounds) if costed and parts else pd.DataFrame()
    for row in switch.to_dict("records"):
        rows.append({
            "what": f"switching value: {row['what']}", "unit": "x its increment", "value": row["multiplier"],
            **{name: row[name] for name in ("low", "high", "n", "interval")},
        })  # fmt: skip
    return pd.DataFrame(rows)


def _bearers(a: _Arm, b: _Arm, scale: float, rates: Schedule, when: When) -> pd.DataFrame:
    """What parties and perspectives bear, pounds, by component: both arms and their difference with interval.

    Components are those of `perspectives`: spending and financing sum to nought over parties, and `borne` is spending
    and resources. Pence are added up before they are discounted, so that what nets to nought is nought.
    """
    paid = tuple(party for party in Party if party not in PERSPECTIVES["carers"])
    groups: dict[str, tuple[tuple[Party, ...], str]] = {party.name.lower(): ((party,), WORDS[party]) for party in Party}
    groups["public"] = PERSPECTIVES["public"], "government, council and NHS"
    groups["society"] = tuple(Party), "the sum over parties: what is used up"
    groups["society, unpaid time at 0"] = paid, "the same without carers' and volunteers' time"
    rows = []
    for component in COMPONENTS:
        for name, (parties, about) in groups.items():
            left, right = (
                scale * arm.pounds(getattr(arm.kept, component)[..., list(parties)].sum(axis=-1), rates, when)
                for arm in (a, b)
            )
            rows.append({
                "party": name, "component": component, "a": mean(left.tolist()), "b": mean(right.tolist()),
                **average(right - left).row(), "about": about,
            })  # fmt: skip
    return pd.DataFrame(rows)


def _method(
    good: Effect, perspective: str, worth: Money, hour: Money, rates: tuple[Schedule, Schedule], when: When, n: int
) -> dict[str, Any]:
    used = [price("unpaid_hour"), *([price(good.price)] if good.price else [])]
    return {
        "per_adults": PER, "perspective": perspective, "effect": good._asdict(),
        "threshold": str(worth), "unpaid_hour": str(hour), "price_year": hour.year, "when": when,
        "discount_money": rates[0].describe(), "discount_effects": rates[1].describe(),
        "prices": [each.row() for each in used],
        "notes": [
            f"Effect: {good.about}. One is taken to be worth {worth}, an hour of unpaid time {hour}.",
            f"Money is read at {hour.year} prices; the model's fees are of 2022-23 to 2024-25, and none is carried "
            "forward.",
            f"Discounted: money {rates[0].name}, effects {rates[1].name} ({rates[0].vintage}); flows at the {when} of "
            "their year.",
            f"Intervals, shares of pairs and EVPI are over {n} pairs: they tell of luck between worlds, which a larger "
            "place has less of, and of uncertain parameters only where pairs are draws of these.",
            "Thresholds of NICE and the Green Book are for a QALY, in cash. The NHS bears 0 because none of its flows "
            "are simulated.",
        ],
    }  # fmt: skip


def _shown(table: pd.DataFrame, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows for people: each value with its interval, n, and of what kind it is."""
    rows = []
    for row in table.to_dict("records"):
        head = {name: str(row[name]) if not isinstance(row[name], float) else row[name] for name in names}
        figures = {
            "value": _small(row["value"]),
            "95% interval": f"{_small(row['low'])} to {_small(row['high'])}", "n": row["n"],
        }  # fmt: skip
        rest = {name: row[name] for name in ("unit", "interval") if name in row}
        rows.append(head | figures | rest)
    return rows


def _small(value: float) -> str:
    """A number for people; what is too small for four places after the point keeps two digits of its own."""
    return f"{value:.1e}" if 0 < abs(value) < 0.001 else show.figure(value)
