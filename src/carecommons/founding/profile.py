"""Who lives in a place: published figures, shipped for England and 17 councils or written in a file of your own."""

from __future__ import annotations

import csv
import io
import math
import os
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, StrictFloat, StrictInt, StrictStr, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError

from carecommons.errors import InputError, did_you_mean, one_line
from carecommons.explain import explain, keys_of, shown
from carecommons.founding.reading import refuse_extremes
from carecommons.founding.reading import table_of as table_of
from carecommons.founding.reading import text_of as text_of
from carecommons.params import FIXED, A, Parameters, param

FIRST_AGES: Final = (18, 25, 35, 45, 55, 65, 75, 85)
"""The youngest age of each band of `adults_by_age`; the last band is open."""

LAST_AGE: Final = 100
FIRST_ADULT_AGE: Final = FIRST_AGES[0]

_MOST_PEOPLE: Final = 100_000_000
_LONGEST_NAME: Final = 80
_TELLING: Final = 4
_ROUNDING: Final = 0.001 + 1e-9
_ONE: Final = 1e-12
_DATA: Final = files("carecommons.founding") / "data"

_CENSUS: Final = "ONS Census 2021"
_ESTIMATES: Final = "ONS mid-2023 population estimates"

Counts: TypeAlias = tuple[StrictInt, StrictInt, StrictInt, StrictInt, StrictInt, StrictInt, StrictInt, StrictInt]
Fifths: TypeAlias = tuple[StrictFloat, StrictFloat, StrictFloat, StrictFloat, StrictFloat]


def _people(about: str, unit: str, source: str, least: int = 0) -> Any:
    return param(..., about, unit=unit, role=FIXED, source=source, grade=A, low=least, high=_MOST_PEOPLE)


def _share(about: str, of: str, source: str) -> Any:
    return param(..., about, unit=f"of {of}", role=FIXED, source=source, grade=A, low=0, high=1)


class Facts(Parameters):
    """Published figures; NaN and infinity are met by the range of each figure, so that the error can name it."""

    model_config = ConfigDict(allow_inf_nan=True)


class Shares(Facts):
    """Shares that make a whole: rounded figures are scaled to sum to 1."""

    @model_validator(mode="after")
    def _make_a_whole(self) -> Self:
        self.__dict__.update(zip(self.__dict__, _whole(tuple(self.__dict__.values())), strict=True))
        return self


class AdultsByAge(Facts):
    """Women and men by age band: 18-24, 25-34, 35-44, 45-54, 55-64, 65-74, 75-84, 85 and over."""

    women: Counts = _people("women in each age band", "women", _ESTIMATES)
    men: Counts = _people("men in each age band", "men", _ESTIMATES)


class Tenure(Shares):
    """How households hold their home."""

    owned_outright: StrictFloat = _share("owned outright", "households", f"{_CENSUS} TS054")
    owned_mortgage: StrictFloat = _share("owned with a mortgage, or shared", "households", f"{_CENSUS} TS054")
    social_rented: StrictFloat = _share("rented from a social landlord", "households", f"{_CENSUS} TS054")
    private_rented: StrictFloat = _share("rented privately, or rent free", "households", f"{_CENSUS} TS054")


class Ethnicity(Shares):
    """The five broad ethnic groups of the census."""

    white: StrictFloat = _share("White", "residents", f"{_CENSUS} TS021")
    asian: StrictFloat = _share("Asian", "residents", f"{_CENSUS} TS021")
    black: StrictFloat = _share("Black", "residents", f"{_CENSUS} TS021")
    mixed: StrictFloat = _share("Mixed", "residents", f"{_CENSUS} TS021")
    other: StrictFloat = _share("other ethnic group", "residents", f"{_CENSUS} TS021")


class LivingAlone(Facts):
    """Who lives alone, where a table was published for the place."""

    households: StrictFloat = _share("one-person households", "households", f"{_CENSUS} TS003")
    households_66_plus: StrictFloat = _share("one-person households aged 66 and over", "households", f"{_CENSUS} TS003")
    persons_66_plus: StrictFloat = _share("living alone", "residents aged 66 and over", f"{_CENSUS} TS003, TS007")

    @model_validator(mode="after")
    def _nested(self) -> Self:
        _no_more(self, "households_66_plus", "households")
        return self


class Targets(Facts):
    """What results are compared with; never an input."""

    unpaid_carers: StrictFloat = _share("give any unpaid care", "residents aged 5 and over", f"{_CENSUS} TS039")
    unpaid_carers_20h: StrictFloat = _share(
        "give 20 hours a week or more", "residents aged 5 and over", f"{_CENSUS} TS039"
    )
    unpaid_carers_50h: StrictFloat = _share(
        "give 50 hours a week or more", "residents aged 5 and over", f"{_CENSUS} TS039"
    )

    @model_validator(mode="after")
    def _nested(self) -> Self:
        _no_more(self, "unpaid_carers_50h", "unpaid_carers_20h")
        _no_more(self, "unpaid_carers_20h", "unpaid_carers")
        return self


class Profile(Facts):
    """Who lives in a place. Sources are those of the shipped places; a file of your own names its own."""

    name: StrictStr
    ons_code: StrictStr = ""
    region: StrictStr = ""
    year: StrictInt = param(
        ...,
        "year of residents and adults",
        unit="(a year)",
        role=FIXED,
        source=_ESTIMATES,
        grade=A,
        low=1991,
        high=2100,
    )
    residents: StrictInt = _people("usual residents, all ages", "people", _ESTIMATES, least=1)
    adults: StrictInt = _people("residents aged 18 and over", "people", _ESTIMATES, least=1)
    disabled_share: StrictFloat = _share(
        "day-to-day activities limited a little or a lot", "residents", f"{_CENSUS} TS038"
    )
    rural_share: StrictFloat = _share("in a rural neighbourhood", "residents", "ONS Rural-Urban Classification 2021")
    households: StrictInt = _people("households with a usual resident", "households", f"{_CENSUS} TS041", least=1)
    deprivation: Fifths = _share(
        "by national deprivation fifth of their neighbourhood, most deprived first",
        "residents",
        "MHCLG English Indices of Deprivation 2019, ONS mid-2020 residents",
    )
    adults_by_age: AdultsByAge
    tenure: Tenure
    ethnicity: Ethnicity
    living_alone: LivingAlone | None = None
    targets: Targets | None = None

    @field_validator("name", "ons_code", "region", mode="after")
    @classmethod
    def _short_text(cls, text: str) -> str:
        if not text.isprintable() or len(text) > _LONGEST_NAME:
            raise PydanticCustomError("text", f"must be one line of at most {_LONGEST_NAME} printable characters")
        return text.strip()

    @field_validator("name", mode="after")
    @classmethod
    def _not_blank(cls, text: str) -> str:
        if not text:
            raise PydanticCustomError("text", "must not be blank")
        return text

    @field_validator("deprivation", mode="after")
    @classmethod
    def _make_a_whole(cls, shares: tuple[float, ...]) -> tuple[float, ...]:
        return _whole(shares)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        counted = sum(self.adults_by_age.women) + sum(self.adults_by_age.men)
        if counted != self.adults:
            raise PydanticCustomError(
                "unequal",
                "adults = {adults} is not the sum of adults_by_age, which is {counted}",
                {"adults": self.adults, "counted": counted},
            )
        _no_more(self, "adults", "residents")
        _no_more(self, "households", "residents")
        return self


def places() -> list[str]:
    """The names of the places shipped, England first."""
    names = (entry.name.removesuffix(".toml") for entry in (_DATA / "places").iterdir() if entry.name.endswith(".toml"))
    return sorted(names, key=lambda name: (name != "england", name))


def load(name_or_path: str | Path) -> Profile:
    """The profile of a shipped place, by name ('Derby', 'isle-of-wight'), or of your own .toml or .csv file.

    A .csv has two columns, key and value: keys are dotted (`tenure.social_rented`), the values of a list parted by `;`,
    a line that opens with `#` is a comment.
    """
    if isinstance(name_or_path, str):
        name = re.sub(r"[\s_-]+", "_", name_or_path.strip().lower())
        if name in places():
            return _shipped(name)
        if not _is_path(name_or_path):
            raise InputError(f"no place '{one_line(name_or_path)}'{_nearest(name)}")
    elif not isinstance(name_or_path, Path):
        raise InputError(f"a place is a name or the path of a .toml or .csv file, not {shown(name_or_path)}")
    path = Path(name_or_path)
    where = one_line(path, limit=200)
    if path.suffix.lower() not in _READERS:
        raise InputError(f"{where}: must be a .toml or .csv file")
    return _profile(_READERS[path.suffix.lower()](text_of(path, where), where), where)


@cache
def _shipped(name: str) -> Profile:
    return _profile(table_of((_DATA / "places" / f"{name}.toml").read_text("utf-8"), name), name)


def life_table(year: Literal[2019, 2023] = 2019) -> npt.NDArray[np.float64]:
    """Yearly probability of dying by [sex (0 women, 1 men), age 0 to 100], (2, 101), read-only.

    Under 18 the value at 18 stands; for ages above 100 use the last. United Kingdom; 2019 is a past estimate, noisy at
    95 and over, 2023 is a projection.

    Source: ONS UK period mortality rates (founding/data/life_tables.csv).
    """
    if year not in (2019, 2023) or isinstance(year, bool):
        raise InputError(f"no life table for {shown(year)}; the years are 2019 and 2023")
    return _life_table(int(year))


@cache
def _life_table(year: int) -> npt.NDArray[np.float64]:
    lines = (_DATA / "life_tables.csv").read_text("utf-8").splitlines()
    table = np.full((2, LAST_AGE + 1), np.nan)
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        table[("women", "men").index(row["sex"]), int(row["age"])] = float(row[f"qx_{year}"])
    table[:, :FIRST_ADULT_AGE] = table[:, [FIRST_ADULT_AGE]]
    table.flags.writeable = False
    return table


def _whole(shares: tuple[float, ...]) -> tuple[float, ...]:
    total = math.fsum(shares)
    if abs(total - 1) > _ROUNDING:
        raise PydanticCustomError(
            "not_a_whole", "{value} sums to {total}, must be 1", {"value": shown(shares), "total": f"{total:.6g}"}
        )
    return shares if abs(total - 1) < _ONE else tuple(share / total for share in shares)


def _no_more(facts: Facts, part: str, whole: str) -> None:
    smaller, larger = getattr(facts, part), getattr(facts, whole)
    if smaller > larger:
        raise PydanticCustomError(
            "more_than_all",
            "{part} = {smaller} is more than {whole} = {larger}",
            {"part": part, "smaller": smaller, "whole": whole, "larger": larger},
        )


def _nearest(name: str) -> str:
    holding = [place for place in places() if len(name) >= _TELLING and name in place]
    near = f"; did you mean '{holding[0]}'?" if holding else did_you_mean(name, places())
    return near or f"; the places are {', '.join(places())}, or give a .toml or .csv file"


def _is_path(text: str) -> bool:
    return text.lower().endswith(tuple(_READERS)) or "/" in text or os.sep in text


def _profile(raw: dict[str, Any], where: str) -> Profile:
    try:
        return Profile.model_validate(raw)
    except ValidationError as error:
        raise explain(error, where, keys_of(Profile)) from None


def _csv(text: str, where: str) -> dict[str, Any]:
    known = keys_of(Profile)
    raw: dict[str, Any] = {}
    rows = csv.reader(io.StringIO(text, newline=""))
    try:
        for row in rows:
            cells = [cell.strip() for cell in row]
            while len(cells) > 2 and not cells[-1]:
                cells.pop()
            if not any(cells) or cells[0].startswith("#") or [cell.lower() for cell in cells] == ["key", "value"]:
                continue
            _put(raw, cells, known, f"{where}: line {rows.line_num}")
    except csv.Error as error:
        raise InputError(f"{where}: line {rows.line_num}: is not CSV: {one_line(error)}") from None
    refuse_extremes(raw, where)
    return raw


def _put(raw: dict[str, Any], cells: list[str], known: Mapping[str, str], where: str) -> None:
    if len(cells) != 2:
        raise InputError(f"{where}: has {len(cells)} column{'s' * (len(cells) > 1)}, must have 2: key, value")
    key, value = cells
    if key not in known:
        raise InputError(f"{where}: unknown key '{one_line(key)}'{did_you_mean(key, known)}")
    table, _, field = key.rpartition(".")
    held = raw.setdefault(table, {}) if table else raw
    if not isinstance(held, dict) or field in held:
        raise InputError(f"{where}: '{key}' is given twice")
    if key in ("name", "ons_code", "region"):
        held[field] = value
    elif key == "deprivation" or table == "adults_by_age":
        held[field] = [_number(each) for each in value.split(";")]
    else:
        held[field] = _number(value)


def _number(text: str) -> int | float | str:
    """A number where `text` is one; otherwise `text`, for the check of types to name."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text.strip()


_READERS: Final = {".toml": table_of, ".csv": _csv}
