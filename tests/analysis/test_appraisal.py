"""Appraisals of paired runs: antisymmetric, nought where nothing differs, and every figure with its interval."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import carecommons as cc
import small
from carecommons.analysis import economics
from carecommons.analysis.appraisal import EFFECTS, NOT_KNOWN, PER, Appraisal, appraise
from carecommons.analysis.discounting import NONE, STANDARD, present_value
from carecommons.analysis.perspectives import PERSPECTIVES, Party
from carecommons.errors import InputError
from carecommons.evidence.prices import Money, price
from carecommons.outcomes.quintiles import MEASURES, observe
from carecommons.place.ledger import Account
from carecommons.scenario import Scenario

Pairs = list[dict[str, Any]]

BASE = Scenario(place="derby", citizens=300, months=24)
YEAR = 12
TABLES = ("table", "perspectives", "ceac", "equity", "gradient")


def run(scenario: Scenario, seed: int) -> dict[str, np.ndarray]:
    """Flows and sums by quintile of each year, and a series as long as the run."""
    model = small.CareCommons(scenario, rng=seed)
    flows, sums = [], []
    for _ in range(scenario.months):
        model.step()
        flows.append(model.place.ledger.flows.copy())
        sums.append(observe(model.place))
    years = scenario.months // YEAR
    yearly = (np.array(each).reshape(years, YEAR, *each[0].shape).sum(axis=1) for each in (flows, sums))
    return dict(zip(("flows", "quintiles"), yearly, strict=True)) | {"series": np.zeros((scenario.months, 1))}


@pytest.fixture(scope="module")
def pairs() -> Pairs:
    """Four worlds with and without a fifth more money."""
    found = []
    for seed in range(4):
        arms = {"a": run(BASE, seed), "b": run(BASE.but({"council.funding": 1.2}), seed)}
        found.append({f"{arm}.{name}": each for arm, kept in arms.items() for name, each in kept.items()})
    return found


@pytest.fixture(scope="module")
def appraisal(pairs: Pairs) -> Appraisal:
    return appraise(pairs)


def swapped(pairs: Pairs) -> Pairs:
    """The same pairs with the arms the other way round."""
    return [{f"{'b' if name[0] == 'a' else 'a'}{name[1:]}": value for name, value in pair.items()} for pair in pairs]


def value(table: pd.DataFrame, what: str) -> float:
    return float(table.set_index("what").loc[what, "value"])


def borne(appraisal: Appraisal, party: str, column: str = "value", component: str = "borne") -> float:
    table = appraisal.perspectives
    return float(table[table["component"] == component].set_index("party").loc[party, column])


# Laws


def test_swapping_the_arms_negates_every_difference(pairs: Pairs, appraisal: Appraisal) -> None:
    back = appraise(swapped(pairs))
    for what in ("incremental cost", "incremental effect", "net benefit at £20,000 (2024 prices)"):
        assert value(back.table, what) == pytest.approx(-value(appraisal.table, what), rel=1e-12)
    assert back.perspectives["value"].to_numpy() == pytest.approx(-appraisal.perspectives["value"].to_numpy())
    assert back.perspectives["a"].tolist() == appraisal.perspectives["b"].tolist()


@pytest.mark.parametrize("perspective", sorted(PERSPECTIVES))
def test_a_policy_against_itself_differs_by_nought(pairs: Pairs, perspective: str) -> None:
    same = [pair | {"b.flows": pair["a.flows"], "b.quintiles": pair["a.quintiles"]} for pair in pairs]
    found = appraise(same, perspective=perspective)
    assert found.words == (economics.SAME if perspective != "nhs" else NOT_KNOWN)
    assert not found.perspectives["value"].any() and not found.equity["value"].any()
    assert value(found.table, "incremental cost") == 0
    if perspective == "nhs":  # of a cost that nobody knows there is nothing to say
        assert list(found.table["what"]) == ["incremental cost", "incremental effect"] and not len(found.ceac)
    else:
        assert value(found.table, "EVPI") == 0


def test_society_bears_the_sum_over_parties_and_transfers_net_to_nought(appraisal: Appraisal) -> None:
    parties = [party.name.lower() for party in Party]
    for column in ("a", "b", "value"):
        total = sum(borne(appraisal, party, column) for party in parties)
        assert total == pytest.approx(borne(appraisal, "society", column), rel=1e-9)
        for component in ("spending", "financing"):
            assert borne(appraisal, "society", column, component) == 0
        assert borne(appraisal, "society", column) == borne(appraisal, "society", column, "resources")
    assert borne(appraisal, "nhs", "a") == borne(appraisal, "nhs", "b") == 0


def test_the_grant_is_shown_as_financing_on_both_sides(appraisal: Appraisal) -> None:
    grant = borne(appraisal, "government", component="financing")
    assert grant > 0 and borne(appraisal, "council", component="financing") == pytest.approx(-grant, rel=1e-12)


def test_without_discounting_the_cost_is_the_plain_difference_of_the_ledgers(pairs: Pairs) -> None:
    found = appraise(pairs, schedule=NONE)
    people = MEASURES.index("people")
    lived = np.mean([pair[f"{arm}.quintiles"][..., people].sum() for pair in pairs for arm in "ab"]) / BASE.months
    spent = [  # the council's account is number 1, citizens' number 2: what it paid out less what clients paid it
        pair["b.flows"][:, 1].sum() - pair["b.flows"][:, 2, 1].sum()
        - pair["a.flows"][:, 1].sum() + pair["a.flows"][:, 2, 1].sum()
        for pair in pairs
    ]  # fmt: skip
    expected = np.mean(spent) / 100 * PER / lived
    assert value(found.table, "incremental cost") == pytest.approx(expected, rel=1e-12)
    assert borne(found, "council") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", sorted(EFFECTS))
def test_an_effect_is_its_measure_discounted_and_quintiles_make_up_the_whole(pairs: Pairs, name: str) -> None:
    found = appraise(pairs, effect=name, threshold=Money.of(1000, 2024))
    good = EFFECTS[name]
    gains = []
    for pair in pairs:
        more = (pair["b.quintiles"] - pair["a.quintiles"])[..., MEASURES.index(good.measure)].sum(axis=1)
        gains.append(present_value(more, STANDARD) / good.per)
    people = MEASURES.index("people")
    lived = np.mean([pair[f"{arm}.quintiles"][..., people].sum() for pair in pairs for arm in "ab"]) / BASE.months
    whole = np.mean(gains) * PER / lived
    assert value(found.table, "incremental effect") == pytest.approx(whole, rel=1e-9, abs=1e-9)
    rows = found.equity[(found.equity["gradient"] == "equal") & (found.equity["part"] == "benefit")]
    for uptake, part in rows.groupby("uptake"):
        assert part[part["quintile"] != "all"]["value"].sum() == pytest.approx(whole, rel=1e-9, abs=1e-9), uptake


def test_the_costs_of_a_perspective_are_those_of_its_parties(pairs: Pairs) -> None:
    for name, parties in PERSPECTIVES.items():
        found = appraise(pairs, perspective=name)
        total = sum(borne(found, party.name.lower()) for party in parties)
        assert value(found.table, "incremental cost") == pytest.approx(total, rel=1e-9, abs=1e-9)


def test_unpaid_time_at_0_is_society_without_it(pairs: Pairs, appraisal: Appraisal) -> None:
    free = appraise(pairs, unpaid_hour=Money(0, 2024))
    assert borne(free, "carers") == borne(free, "volunteers") == 0
    assert borne(free, "society") == borne(free, "society, unpaid time at 0")
    assert borne(free, "society") == borne(appraisal, "society, unpaid time at 0")


def test_prices_are_brought_to_the_price_year_and_the_threshold_with_them(pairs: Pairs, appraisal: Appraisal) -> None:
    assert appraisal.method["unpaid_hour"] == str(price("unpaid_hour").amount.at(2024)) == "£29.19 (2024 prices)"
    older = appraise(pairs, price_year=2021)
    assert older.method["unpaid_hour"] == "£25 (2021 prices)"
    assert older.method["threshold"] == str(price("scrqol_year").amount.at(2021))
    with pytest.raises(InputError, match="no GDP deflator for 2031"):
        appraise(pairs, price_year=2031)


def test_costs_and_effects_may_have_their_own_rates(pairs: Pairs) -> None:
    both, health = appraise(pairs), appraise(pairs, effect_schedule="health")
    assert value(both.table, "incremental cost") == value(health.table, "incremental cost")
    assert value(both.table, "incremental effect") != value(health.table, "incremental effect")
    assert health.method["discount_effects"]["name"] == "health"


def test_carers_and_volunteers_bear_their_own_minutes(pairs: Pairs) -> None:
    found = appraise(pairs, schedule=NONE, unpaid_hour=Money(6000, 2024))  # a pound a minute
    society = borne(found, "society", "a") - borne(found, "society, unpaid time at 0", "a")
    sums = [pair["a.quintiles"].sum(axis=(0, 1)) for pair in pairs]
    unpaid, community = (np.mean([each[MEASURES.index(f"{who}_minutes")] for each in sums])
                         for who in ("unpaid", "community"))  # fmt: skip
    assert borne(found, "carers", "a") / borne(found, "volunteers", "a") == pytest.approx(unpaid / community, rel=1e-12)
    assert borne(found, "carers", "a") + borne(found, "volunteers", "a") == pytest.approx(society, rel=1e-9)


def by_hand(cost: int, points: int, months: int = YEAR, lean: int = 0) -> dict[str, Any]:
    """100 adults; arm b costs the council so many pounds a year more, and all have so many points more.

    With `lean` the points fall by so many from each quintile to the next.
    """
    held = np.diff([*range(0, months, YEAR), months])[:, None]  # months of each year
    flows, sums = np.zeros((2, len(held), 10, 10), np.int64), np.zeros((2, len(held), 5, len(MEASURES)))
    flows[1, :, Account.COUNCIL, Account.HOME_CARE] = 100 * cost * held[:, 0] // YEAR
    sums[..., MEASURES.index("people")] = 20 * held
    sums[1, ..., MEASURES.index("scrqol")] = 20 * held * (points - lean * np.arange(5))
    arms = {"a": (flows[0], sums[0]), "b": (flows[1], sums[1])}
    found = {
        f"{arm}.{name}": each
        for arm, kept in arms.items()
        for name, each in zip(("flows", "quintiles"), kept, strict=True)
    }
    return found | {f"{arm}.series": np.zeros((months, 1)) for arm in arms}


@pytest.mark.parametrize(
    ("months", "words"),
    [(1, "1 month"), (6, "6 months"), (12, "1 year"), (18, "18 months"), (24, "2 years"), (30, "30 months")],
)
def test_runs_of_any_length_give_the_figures_of_their_own_months(months: int, words: str) -> None:
    """What 100 adults cost and gain a month is the same, so that all but the gradient an adult goes with the months."""
    found = appraise([by_hand(4_800, 8, months, lean=1), by_hand(9_600, 8, months, lean=1)], schedule=NONE)
    years = months / YEAR
    assert value(found.table, "incremental cost") == pytest.approx(72_000 * years, rel=1e-12)
    assert value(found.table, "incremental effect") == pytest.approx(1000 * 6 / 24 * years, rel=1e-12)
    assert borne(found, "council") == pytest.approx(72_000 * years, rel=1e-12)
    slope = found.gradient.set_index(["arm", "measure"])["value"]["b - a", "slope index"]
    assert slope == pytest.approx(-5 / 24 * years, rel=1e-12)  # a point a quintile, over five quintiles
    out = io.StringIO()
    Console(file=out, width=200).print(found)
    assert f"b less a per 1,000 adults over {words}, council: " in out.getvalue() and found.method["months"] == months


def test_a_comparison_knows_its_own_months() -> None:
    base = Scenario(place="derby", citizens=120, months=18)
    held = cc.compare(base, base.but({"council.funding": 0.5}), range(2))
    found, told = appraise(held), appraise(held.answers())
    assert found.method["months"] == told.method["months"] == 18
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(told, name), check_exact=True)
    people = MEASURES.index("people")
    lived = np.mean([each[f"{arm}.quintiles"][..., people].sum() for each in held.answers() for arm in "ab"]) / 18
    spent = [(each["b.flows"] - each["a.flows"]).sum(axis=0) for each in held.answers()]
    expected = np.mean([each[1].sum() - each[2, 1] for each in spent]) / 100 * PER / lived
    assert value(appraise(held, schedule=NONE).table, "incremental cost") == pytest.approx(expected, rel=1e-12)


def test_a_verdict_says_when_it_is_not_clear() -> None:
    clear = [by_hand(-4_800 - 12 * k, -2) for k in range(4)]
    assert appraise(clear).words == economics.CHEAPER
    unclear = [by_hand(cost, -2) for cost in (-9_600, 4_800, -4_800)]
    words = f"not clear, the 95% interval of cost includes 0; on average: {economics.CHEAPER}"
    assert appraise(unclear).words == words


def test_three_worlds_by_hand() -> None:
    """100 adults with a point more for a year gain 100/24 years; at 2,400 pounds a year a point is worth 100 each."""
    found = appraise([by_hand(4_000, 1), by_hand(10_000, 2), by_hand(24_000, 1)], threshold=Money.of(2_400, 2024))
    table = found.table.set_index("what")["value"]
    assert table["incremental cost"] == pytest.approx((40_000 + 100_000 + 240_000) / 3)  # for 1,000 adults
    assert table["incremental effect"] == pytest.approx(1000 * (1 + 2 + 1) / 24 / 3)
    net = [100 - 40, 200 - 100, 100 - 240]  # pounds an adult
    assert table["net benefit at £2,400 (2024 prices)"] == pytest.approx(1000 * sum(net) / 3)
    assert table["worth its cost at £2,400 (2024 prices)"] == pytest.approx(2 / 3)
    assert table["ICER"] == pytest.approx(380 / 400 * 2_400)
    assert table["EVPI"] == pytest.approx((60 + 100 + 0) / 3 - 20 / 3)
    assert table["switching value: the council"] == pytest.approx(400 / 380)
    assert table["switching value: effect"] == pytest.approx(380 / 400)


def test_equal_uptake_goes_by_need_in_the_first_arm_and_cost_by_who_got_care(pairs: Pairs) -> None:
    found = appraise(pairs, schedule=NONE).equity
    rows = found[(found["gradient"] == "equal") & (found["uptake"] == "equal")].set_index(["part", "quintile"])["value"]
    people, lived, gained = MEASURES.index("people"), [], []
    cost = np.zeros(5)
    for pair in pairs:
        a, b = (pair[f"{arm}.quintiles"].sum(axis=0) for arm in "ab")
        lived += [each[:, people].sum() for each in (a, b)]
        in_need = a[:, MEASURES.index("in_need")]
        gained.append((b - a)[:, MEASURES.index("scrqol")].sum() / 24 / 12 * in_need / in_need.sum())
        cost += (b - a)[:, MEASURES.index("council_pence")] / 100 / len(pairs)
    scale = PER / (np.mean(lived) / BASE.months)
    assert [rows["benefit", k] for k in range(1, 6)] == pytest.approx((np.mean(gained, axis=0) * scale).tolist())
    assert [rows["cost", k] for k in range(1, 6)] == pytest.approx((cost * scale).tolist())
    assert cost.any()


# What it shows


def test_lists_over_pairs_say_the_same_as_pairs(pairs: Pairs, appraisal: Appraisal) -> None:
    found = appraise({name: [pair[name] for pair in pairs] for name in pairs[0]})
    for name in TABLES:
        pd.testing.assert_frame_equal(getattr(found, name), getattr(appraisal, name), check_exact=True)


@pytest.mark.parametrize("name", TABLES)
def test_every_estimate_has_its_interval_n_and_kind(appraisal: Appraisal, name: str) -> None:
    table = getattr(appraisal, name)
    assert {"low", "high", "n", "interval"} <= set(table.columns)
    assert table["n"].eq(4).all() and table["interval"].str.contains("95%").all()


def test_nothing_is_called_what_it_is_not(appraisal: Appraisal) -> None:
    said = json.dumps(appraisal.records())
    assert "not a QALY" in said and "WELLBY" not in said
    assert all("qaly" not in each.unit.lower() and "wellby" not in each.unit.lower() for each in EFFECTS.values())


def test_it_can_be_read_as_text_html_and_json(appraisal: Appraisal) -> None:
    out = io.StringIO()
    Console(file=out, width=200).print(appraisal)
    text = out.getvalue()
    for words in ("incremental cost", "95% interval", "society", "EVPI", "NHS bears 0", "slope index", "2024 prices"):
        assert words in text
    assert "incremental cost" in appraisal._repr_html_() and "4 pairs" in repr(appraisal)
    assert set(appraisal.records()) == {"method", "words", *TABLES}


def test_one_pair_has_no_interval_and_still_says_so(pairs: Pairs) -> None:
    found = appraise(pairs[:1])
    assert found.table["n"].eq(1).all() and np.isnan(value(found.table.assign(value=found.table["low"]), "EVPI"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"effect": "wellby"}, "unknown effect 'wellby'; the model has no life satisfaction from 0 to 10"),
        ({"effect": "unmet_hour"}, "unknown effect 'unmet_hour'; did you mean 'unmet_hours'?"),
        (
            {"effect": "isolation_years"},
            "no price is known for one of 'years of isolation avoided'; give --threshold POUNDS",
        ),
        ({"perspective": "counsil"}, "unknown perspective 'counsil'; did you mean 'council'?"),
        ({"schedule": "standad"}, "unknown discount schedule 'standad'; did you mean 'standard'?"),
        ({"threshold": Money(0, 2024)}, "threshold = £0 (2024 prices) must be above £0"),
        ({"threshold": 20_000}, "threshold = 20000 must be Money(pence, year)"),
        ({"unpaid_hour": 25}, "unpaid_hour = 25 must be Money(pence, year)"),
        ({"unpaid_hour": Money(-5, 2024)}, "unpaid_hour = -£0.05 (2024 prices) must be Money(pence, year) of 0 pence"),
        ({"effect": None}, "unknown effect 'None'; there are scrqol_years"),
        ({"seed": -1}, "seed = -1 must be a whole number from 0"),
    ],
)
def test_what_there_is_not_is_said_in_one_line(pairs: Pairs, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        appraise(pairs, **options)
    assert message in str(caught.value) and "\n" not in str(caught.value)


def test_answers_that_lack_something_or_do_not_fit_are_refused(pairs: Pairs) -> None:
    for answers, message in (
        ("derby", "appraise: str must be a comparison, or what its pairs answered"),
        (BASE, "appraise: Scenario must be a comparison, or what its pairs answered"),
        ([pairs[0] | {"a.series": np.zeros((12, 1))}], "series of 12 and 24 months beside flows of 2 years, must be"),
        ([pairs[0] | {f"{arm}.series": np.zeros((25, 1)) for arm in "ab"}], "series of 25 months beside flows of 2"),
        ([{name: each for name, each in pairs[0].items() if "series" not in name}], "the answers lack 'a.series'"),
        ([], "the answers lack 'a.flows'"),
        ([{"a.flows": pairs[0]["a.flows"]}], "the answers lack 'a.quintiles'"),
        ([pairs[0], pairs[1] | {"a.flows": pairs[1]["a.flows"][:1]}], "'a.flows' differs in shape between pairs"),
        ([pairs[0] | {"a.quintiles": pairs[0]["a.quintiles"][:, :4]}], "a.quintiles (1, 2, 4, 19) must be"),
        (
            [pairs[0] | {"a.flows": pairs[0]["a.flows"][:1], "a.quintiles": pairs[0]["a.quintiles"][:1]}],
            "arms of shapes (1, 1, 5, 19) and (1, 2, 5, 19), must be equal",
        ),
    ):
        with pytest.raises(InputError) as caught:
            appraise(answers)
        assert message in str(caught.value) and "\n" not in str(caught.value)
