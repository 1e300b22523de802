"""Integer minutes, integer pence, and what a month is."""

from __future__ import annotations

from typing import Final

MONTHS_A_YEAR: Final = 12
WEEKS_A_YEAR: Final = 365.25 / 7
WEEKS_A_MONTH: Final = WEEKS_A_YEAR / MONTHS_A_YEAR
DAYS_A_MONTH: Final = 365.25 / MONTHS_A_YEAR
MINUTES_AN_HOUR: Final = 60
MINUTES_A_MONTH: Final = round(365.25 * 24 * 60 / MONTHS_A_YEAR)
PENCE_A_POUND: Final = 100


def minutes_a_month(hours_a_week: float) -> int:
    """Hours a week as whole minutes a month."""
    return round(hours_a_week * MINUTES_AN_HOUR * WEEKS_A_MONTH)


def hours_a_week(minutes: float) -> float:
    """Minutes a month as hours a week."""
    return minutes / MINUTES_AN_HOUR / WEEKS_A_MONTH


def pence(pounds: float) -> int:
    """Pounds as whole pence."""
    return round(pounds * PENCE_A_POUND)


def pence_a_month(pounds_a_week: float) -> int:
    """Pounds a week as whole pence a month."""
    return round(pounds_a_week * PENCE_A_POUND * WEEKS_A_MONTH)


def monthly(annual: float) -> float:
    """The monthly probability that compounds to an annual one."""
    return 1.0 - (1.0 - annual) ** (1.0 / MONTHS_A_YEAR)
