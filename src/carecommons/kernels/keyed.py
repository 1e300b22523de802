"""Random numbers keyed by who, what and when: Philox 4x64-10, the generator of `numpy.random.Philox`, without its
state.

A draw is a pure function of (seed, decision, month, who, whom, k). Nothing is consumed, so one draw more or less
changes no other, and two arms of a comparison meet the same luck. Source: Salmon et al. 2011, Parallel random numbers:
as easy as 1, 2, 3; word for word equal to numpy's own output (tests/kernels/test_keyed.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from carecommons.kernels.compiled import compiled

M0 = np.uint64(0xD2E7470EE14C6C93)
M1 = np.uint64(0xCA5A826395121157)
W0 = 0x9E3779B97F4A7C15
W1 = 0xBB67AE8584CAA73B
MASK = 0xFFFFFFFFFFFFFFFF
_UNIT = 1.0 / 9007199254740992.0
_ELEVEN = np.uint64(11)

Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]
Uniforms = tuple[float, float, float, float]

if getattr(config, "DISABLE_JIT", False):

    def _product(a: Any, b: Any) -> Any:
        wide = int(a) * int(b)
        return np.uint64(wide >> 64), np.uint64(wide & MASK)

    def _plus(a: Any, b: Any) -> Any:
        return np.uint64(int(a) + int(b) & MASK)

else:

    @intrinsic  # type: ignore[untyped-decorator,unused-ignore]
    def _product(typing_context: Any, a: Any, b: Any) -> Any:
        """Upper and lower 64 bits of the product of two uint64, from one multiplication."""

        def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            wide, word = ir.IntType(128), ir.IntType(64)
            product = builder.mul(*(builder.zext(arg, wide) for arg in args))
            upper = builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), word)
            return context.make_tuple(builder, signature.return_type, (upper, builder.trunc(product, word)))

        pair_of: Any = types.UniTuple
        return pair_of(types.uint64, 2)(types.uint64, types.uint64), build

    @njit(inline="always")
    def _plus(a: Any, b: Any) -> Any:
        return a + b


@compiled
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four 64-bit words for a 256-bit counter and a 128-bit key, ten rounds."""
    for turn in range(10):
        if turn > 0:
            k0 = _plus(k0, np.uint64(W0))
            k1 = _plus(k1, np.uint64(W1))
        h0, l0 = _product(M0, c0)
        h1, l1 = _product(M1, c2)
        c0, c1, c2, c3 = h1 ^ c1 ^ k0, l1, h0 ^ c3 ^ k1, l0
    return c0, c1, c2, c3


@compiled
def unit(word: Any) -> Any:
    """A 64-bit word as a float in [0, 1), 53 bits, as numpy does it."""
    return (word >> _ELEVEN) * _UNIT


@compiled
def four(seed: Any, decision: Any, month: Any, who: Any) -> Any:
    """Four independent uniforms for one person's decision in one month."""
    a, b, c, d = philox(
        np.uint64(who), np.uint64(0), np.uint64(month), np.uint64(0), np.uint64(seed), np.uint64(decision)
    )
    return unit(a), unit(b), unit(c), unit(d)


@compiled
def one(seed: Any, decision: Any, month: Any, who: Any) -> Any:
    """The first of `four`."""
    a, _, _, _ = philox(
        np.uint64(who), np.uint64(0), np.uint64(month), np.uint64(0), np.uint64(seed), np.uint64(decision)
    )
    return unit(a)


@compiled
def pair(seed: Any, decision: Any, month: Any, a: Any, b: Any) -> Any:
    """One uniform for an unordered pair: both ends of a tie draw the same number."""
    low, high = (a, b) if a < b else (b, a)
    w, _, _, _ = philox(
        np.uint64(low), np.uint64(high) + np.uint64(1), np.uint64(month), np.uint64(0), np.uint64(seed),
        np.uint64(decision)
    )  # fmt: skip
    return unit(w)


@compiled
def pairs(seed: Any, decision: Any, month: Any, ids: Any, a: Any, b: Any) -> Any:
    """The draw of each pair of rows a, b (m,) as a 16-bit whole number."""
    out = np.empty(a.shape[0], np.uint16)
    for t in range(a.shape[0]):
        out[t] = np.uint16(pair(seed, decision, month, ids[a[t]], ids[b[t]]) * 65536.0)
    return out


@compiled
def fill(seed: Any, decision: Any, month: Any, who: Any, out: Any) -> None:
    """Write the four uniforms of each of `who` (n,) into `out` (n, 4)."""
    for i in range(who.shape[0]):
        out[i, 0], out[i, 1], out[i, 2], out[i, 3] = four(seed, decision, month, who[i])


@compiled
def lot(u: Any) -> Any:
    """A uniform as a 53-bit whole number."""
    return np.int64(u * 9007199254740992.0)


@compiled
def lots(seed: Any, decision: Any, month: Any, who: Any) -> Any:
    """The first draw of each of `who` (n,) as a 53-bit whole number."""
    out = np.empty(who.shape[0], np.int64)
    for i in range(who.shape[0]):
        out[i] = lot(one(seed, decision, month, who[i]))
    return out


@compiled
def normal(u: Any) -> Any:
    """The standard normal quantile of u in (0, 1), relative error under 1.2e-9 (Acklam's rational approximation)."""
    u = min(max(u, 1e-15), 1.0 - 1e-15)
    if u < 0.02425 or u > 0.97575:
        q = np.sqrt(-2.0 * np.log(u if u < 0.5 else 1.0 - u))
        top = (-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838
        top = ((top * q - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783
        bottom = (7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996
        bottom = (bottom * q + 3.754408661907416) * q + 1.0
        return top / bottom if u < 0.5 else -top / bottom
    q = u - 0.5
    r = q * q
    top = (-3.969683028665376e01 * r + 2.209460984245205e02) * r - 2.759285104469687e02
    top = ((top * r + 1.383577518672690e02) * r - 3.066479806614716e01) * r + 2.506628277459239
    bottom = (-5.447609879822406e01 * r + 1.615858368580409e02) * r - 1.556989798598866e02
    bottom = ((bottom * r + 6.680131188771972e01) * r - 1.328068155288572e01) * r + 1.0
    return top * q / bottom
