"""How far counts and shares may lie from what chance alone would give: four standard errors, and no more."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

SIGMAS = 4.0  # one test in 16,000 would fail by chance; luck is keyed, so that none fails today and not tomorrow


def near(happened: Any, chance: float) -> bool:
    """Whether as many of `happened` (n,) are true as independent events of that chance give."""
    n, found = len(happened), int(np.count_nonzero(happened))
    return n > 0 and abs(found - n * chance) <= SIGMAS * math.sqrt(n * chance * (1 - chance))


def log_odds_ratio(exposed: Any, others: Any) -> tuple[float, float]:
    """Log odds ratio of an event among the exposed (n,) against others (m,), and its standard error (Woolf 1955)."""
    a, c = np.count_nonzero(exposed), np.count_nonzero(others)
    b, d = len(exposed) - a, len(others) - c
    return math.log(a * d / (b * c)), math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)


def off_zero(values: Any) -> float:
    """By how many standard errors the mean of independent values (n,) is above nought."""
    return float(np.mean(values) / (np.std(values, ddof=1) / math.sqrt(len(values))))
