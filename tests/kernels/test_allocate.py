"""Scarce things are shared out in order of priority, in whole units, and more never hurts anybody."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.kernels.allocate import buy, order_by, price_of, share_out


@dataclass(frozen=True)
class Market:
    """Buyers in the order of their turn, with what each claims, can be charged, and would pay for a whole place."""

    claim: tuple[int, ...]
    own: tuple[int, ...]
    pool: tuple[int, ...]
    whole: tuple[int, ...]
    price: tuple[int, ...]  # by pool
    stock: tuple[int, ...]  # by pool
    budget: int


@dataclass(frozen=True)
class Bought:
    got: np.ndarray
    paid: np.ndarray
    own_paid: np.ndarray
    stock: np.ndarray
    left: int


@st.composite
def markets(draw: st.DrawFn, wholes: bool = True) -> Market:
    n = draw(st.integers(0, 7))
    pools = draw(st.integers(1, 3))

    def many(numbers: st.SearchStrategy[int]) -> tuple[int, ...]:
        return tuple(draw(st.lists(numbers, min_size=n, max_size=n)))

    return Market(
        claim=many(st.integers(0, 500)),
        own=many(st.sampled_from([0, 0, 40, 700, 5000])),
        pool=many(st.integers(0, pools - 1)),
        whole=many(st.sampled_from([0, 0, 300, 900])) if wholes else (0,) * n,
        price=tuple(draw(st.lists(st.integers(1, 300), min_size=pools, max_size=pools))),
        stock=tuple(draw(st.lists(st.sampled_from([0, 100, 600, 10**6]), min_size=pools, max_size=pools))),
        budget=draw(st.integers(0, 3000)),
    )


def deal(m: Market, order: np.ndarray | None = None) -> Bought:
    """Run the market; by default buyers come in the order in which they are listed."""
    n = len(m.claim)
    got, paid, own_paid = (np.full(n, -7, np.int32) for _ in range(3))
    pool, stock = np.array(m.pool, np.int32), np.array(m.stock, np.int64)
    price = np.array(m.price, np.int32)[pool] if n else np.empty(0, np.int32)
    left = buy(
        np.arange(n) if order is None else order, np.array(m.claim, np.int32), price, np.array(m.own, np.int32), pool,
        np.array(m.whole, np.int64), np.array(m.own, np.int32), stock, m.budget, got, paid, own_paid,
    )  # fmt: skip
    return Bought(got, paid, own_paid, stock, left)


# --- O10: divisible hours in the order of need ---


@given(st.lists(st.integers(0, 1000), max_size=12), st.integers(0, 6000))
def test_hours_go_to_a_prefix_of_cumulative_need_and_the_last_person_is_served_in_part(
    claims: list[int], total: int
) -> None:
    claim = np.array(claims, np.int64)
    before = np.cumsum(claim) - claim
    assert share_out(total, claim, np.arange(len(claim))).tolist() == np.clip(total - before, 0, claim).tolist()


def test_who_needs_most_is_served_first_and_the_third_in_part() -> None:
    need = np.array([10, 40, 25, 30, 5])
    order = order_by(need, np.arange(5))
    assert order.tolist() == [1, 3, 2, 0, 4]
    assert share_out(80, need, order).tolist() == [0, 40, 10, 30, 0]


def test_the_same_five_people_buy_the_same_hours_from_a_budget() -> None:
    need = (40, 30, 25, 10, 5)
    market = Market(need, (0,) * 5, (0,) * 5, (0,) * 5, price=(60,), stock=(10**6,), budget=80)
    assert deal(market).got.tolist() == [40, 30, 10, 0, 0]


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=9), st.integers(0, 4000), st.integers(0, 500))
def test_more_to_share_never_gives_anybody_less(claims: list[int], total: int, more: int) -> None:
    claim = np.array(claims, np.int64)
    order = order_by(claim, np.arange(len(claim)))
    assert (share_out(total + more, claim, order) >= share_out(total, claim, order)).all()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 10**6)), unique_by=lambda pair: pair[1], max_size=12))
def test_equal_priorities_go_by_name_and_never_by_position(people: list[tuple[int, int]]) -> None:
    priority = np.array([p for p, _ in people], np.int64)
    name = np.array([n for _, n in people], np.int64)
    by_hand = sorted(people, key=lambda pair: (-pair[0], pair[1]))
    assert [people[k] for k in order_by(priority, name)] == by_hand


# --- buying ---


@pytest.mark.parametrize(
    ("minutes", "an_hour", "pence"), [(60, 2321, 2321), (1, 30, 1), (1, 29, 0), (90, 1, 2), (0, 5, 0)]
)
def test_a_price_is_rounded_half_up_to_whole_pence(minutes: int, an_hour: int, pence: int) -> None:
    assert price_of(minutes, an_hour) == pence


@given(markets())
def test_the_budget_is_never_overspent_and_the_pence_add_up(m: Market) -> None:
    b = deal(m)
    assert b.left >= 0
    assert b.paid.sum() == m.budget - b.left


@given(markets())
def test_no_stock_is_overdrawn_and_what_leaves_it_is_what_was_bought_by_the_unit(m: Market) -> None:
    b = deal(m)
    by_unit = [got for got, *rest in zip(b.got, b.paid, b.own_paid, m.whole, strict=True) if not outright(*rest)]
    assert (b.stock >= 0).all()
    assert sum(m.stock) - b.stock.sum() == sum(by_unit)


def outright(paid: int, own_paid: int, whole: int) -> bool:
    return whole > 0 and paid + own_paid == whole


@given(markets(wholes=False))
def test_each_buyers_two_shares_make_the_price_and_nobody_pays_above_his_means(m: Market) -> None:
    b = deal(m)
    price = np.array(m.price)[list(m.pool)] if m.pool else np.empty(0, int)
    assert (b.paid + b.own_paid == price_of(b.got.astype(int), price)).all()
    assert ((b.paid >= 0) & (b.own_paid >= 0) & (b.own_paid <= np.array(m.own, int))).all()
    assert ((b.got >= 0) & (b.got <= np.array(m.claim, int))).all()


@given(markets())
def test_a_place_that_is_bought_outright_costs_its_price_and_is_had_in_full(m: Market) -> None:
    b = deal(replace(m, budget=10**6))
    for k, whole in enumerate(m.whole):
        if whole > 0 and m.claim[k] > 0:
            assert b.got[k] == m.claim[k]
            assert b.paid[k] + b.own_paid[k] == whole
            assert b.own_paid[k] == min(m.own[k], whole)


@settings(max_examples=300)
@given(markets(), st.integers(1, 1500))
def test_more_budget_never_gives_anybody_less(m: Market, more: int) -> None:
    assert (deal(replace(m, budget=m.budget + more)).got >= deal(m).got).all()


def test_more_budget_never_gives_the_next_person_less_when_a_whole_place_comes_within_reach() -> None:
    """A whole place costs 900, the same minutes by the unit 200: who can pay 900 must not starve the next."""
    poor = Market((200, 300), (0, 0), (0, 0), (900, 0), price=(60,), stock=(10**6,), budget=800)
    assert (deal(replace(poor, budget=900)).got >= deal(poor).got).all()


@given(markets(wholes=False))
def test_after_the_first_person_whom_money_does_not_reach_nobody_is_served(m: Market) -> None:
    b = deal(m)
    rich = deal(replace(m, budget=10**9))
    short = [k for k in range(len(m.claim)) if b.got[k] < rich.got[k]]
    if short:
        assert (b.got[short[0] + 1 :] == 0).all()
        assert (b.got[: short[0]] == rich.got[: short[0]]).all()


@given(markets(), st.randoms(use_true_random=False))
def test_the_order_of_storage_decides_nothing(m: Market, random: object) -> None:
    n = len(m.claim)
    shuffled = list(range(n))
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    stored = replace(
        m, **{name: tuple(getattr(m, name)[k] for k in shuffled) for name in ("claim", "own", "pool", "whole")}
    )
    turn = np.argsort(shuffled).astype(np.int64)
    here, there = deal(m), deal(stored, turn)
    assert there.got.tolist() == here.got[shuffled].tolist()
    assert there.paid.tolist() == here.paid[shuffled].tolist()
    assert (there.left, there.stock.tolist()) == (here.left, here.stock.tolist())


@given(markets(), st.integers(0, 2), st.integers(1, 1000))
def test_more_stock_never_delivers_less_when_money_does_not_bind(m: Market, which: int, more: int) -> None:
    m = replace(m, budget=10**9)
    stock = tuple(s + more * (k == which) for k, s in enumerate(m.stock))
    assert deal(replace(m, stock=stock)).got.sum() >= deal(m).got.sum()


@given(markets(wholes=False), st.integers(0, 200))
def test_a_higher_price_never_gives_anybody_more_from_the_same_budget(m: Market, more: int) -> None:
    dearer = replace(m, price=tuple(p + more for p in m.price))
    assert (deal(dearer).got <= deal(m).got).all() or more == 0


@given(markets())
def test_nothing_is_bought_without_a_budget(m: Market) -> None:
    b = deal(replace(m, budget=0))
    assert b.got.sum() == b.paid.sum() == b.own_paid.sum() == b.left == 0


@given(markets(), st.integers(0, 10**6))
def test_a_budget_beyond_what_can_be_bought_changes_nothing(m: Market, more: int) -> None:
    enough, plenty = deal(replace(m, budget=10**6)), deal(replace(m, budget=10**6 + more))
    assert plenty.got.tolist() == enough.got.tolist()
    assert plenty.left - enough.left == more
