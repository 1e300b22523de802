"""Share out what is scarce: in order of priority, the last one reached in part, whole numbers only."""

from __future__ import annotations

from typing import Any

import numpy as np

from carecommons.kernels.arrays import I32, I64
from carecommons.kernels.compiled import compiled


def order_by(priority: I64, name: I64) -> I64:
    """Positions (n,) from the highest priority to the lowest; equal priorities in the order of their names."""
    return np.lexsort((name, -priority))


@compiled
def share_out(total: int, claims: I64, order: I64) -> I64:
    """Meet claims (n,) from `total` in `order`; the last one reached is met in part -> (n,), same unit."""
    given = np.zeros(claims.shape[0], np.int64)
    for i in order:
        given[i] = min(claims[i], total)
        total -= given[i]
    return given


@compiled
def price_of(quantity: Any, price: Any) -> Any:
    """Cost of `quantity` minutes at `price` an hour, rounded half up to whole pence."""
    return (quantity * price + 30) // 60


@compiled
def buy(
    order: I64, claim: I32, price: I32, own: I32, pool: I32, whole: I64, whole_own: I32, stock: I64, budget: int,
    got: I32, paid: I32, own_paid: I32,
) -> int:  # fmt: skip
    """Buy claims (n,) in `order` from one budget and limited pools -> what is left of the budget.

    Each buyer adds `own` pence to what the budget pays; `price` is pence for 60 units and `pool` says whose stock is
    used. Where `whole` is positive the claim is bought outright for that many pence, of which the buyer pays up to
    `whole_own`, without touching a stock; when the budget cannot bear it, the part that it can bear is bought by the
    unit, and nobody further is served, as after anybody who is served in part for want of money. Writes units `got`,
    budget money `paid` and `own_paid`. More budget never gives anybody less (tests/kernels/test_allocate.py).
    """
    got[:], paid[:], own_paid[:] = 0, 0, 0
    for i in order:
        if budget <= 0 or claim[i] <= 0:
            continue
        if whole[i] > 0:
            share = max(0, whole[i] - whole_own[i])
            if share <= budget:
                got[i], paid[i], own_paid[i] = claim[i], share, whole[i] - share
                budget -= share
                continue
        quantity = min(np.int64(claim[i]), stock[pool[i]])
        cost = price_of(quantity, price[i])
        last = whole[i] > 0 or cost - own[i] > budget
        if cost - own[i] > budget:
            quantity = (budget + own[i]) * 60 // price[i]
            cost = price_of(quantity, price[i])
        got[i], paid[i], own_paid[i] = quantity, max(0, cost - own[i]), min(cost, np.int64(own[i]))
        stock[pool[i]] -= quantity
        budget -= paid[i]
        if last:
            break
    return budget
