"""The levels of what is varied, read from texts such as `council.funding=0.7:1.3:7`, exact to the last digit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import Any, Final

from carecommons.errors import InputError, one_line
from carecommons.scenario import Scenario, keys, unknown_key

MOST_LEVELS: Final = 1_000
NUMBER: Final = r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?"

_RANGE: Final = re.compile(rf"\s*({NUMBER})\s*:\s*({NUMBER})\s*:\s*(\d{{1,9}})\s*")

Levels = tuple[Any, ...]


def levels_of(factors: Mapping[str, Any], where: str = "vary", *, again: bool = False) -> dict[str, Levels]:
    """The levels of each factor: a list of values, or "from:to:levels" as on the command line.

    A table in a table counts as a dotted key, since `council.funding = ...` means that in TOML. With `again` a level
    may come more than once, as it may where factors are varied together.
    """
    return {key: _levels(key, given, where, again) for key, given in dotted(factors)}


def parse_vary(texts: Sequence[str], where: str = "--vary", *, again: bool = False) -> dict[str, Levels]:
    """Factors from texts such as `council.funding=0.7:1.3:7` or `assessment.stance=deficit,carer_blind`."""
    return levels_of(dict(assignments(texts, where, "key=from:to:levels or key=value,value")), where, again=again)


def parse_set(texts: Sequence[str], where: str = "--set") -> dict[str, Any]:
    """Changes from texts such as `council.funding=0.9`."""
    found = {}
    for key, value in assignments(texts, where, "key=value"):
        if key not in keys():
            raise unknown_key(key, where)
        found[key] = _literal(value)
    return found


def dotted(factors: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """What tables hold, under dotted keys."""
    for key, value in factors.items():
        if isinstance(value, Mapping):
            yield from dotted(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def kind_of(key: str) -> Any:
    """The type of the values under a dotted key: int, float, bool, str, a choice or a tuple."""
    section, _, name = key.rpartition(".")
    owner = type(Scenario.model_fields[section].default) if section else Scenario
    return owner.model_fields[name].annotation


def plain(value: Any, kind: Any) -> Any:
    """A level as the scenario will hold it: numbers out of numpy arrays are plain numbers, lists are tuples."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, list | tuple):
        return tuple(plain(part, float) for part in value)
    with suppress(OverflowError):  # such a number is refused as it is, where its range is known
        return float(value) if kind is float and isinstance(value, int) and not isinstance(value, bool) else value
    return value


def assignments(texts: Sequence[str], where: str, form: str) -> list[tuple[str, str]]:
    """Key and value of texts such as `key=value`, in which `form` says what is wanted after `where`."""
    found: dict[str, str] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not (key and equals and value):
            raise InputError(f"{where} {one_line(text)!r}: must be {form}")
        if key in found:
            raise InputError(f"{where}: '{one_line(key)}' is given twice")
        found[key] = value
    return list(found.items())


def _levels(key: str, given: Any, where: str, again: bool) -> Levels:
    if key not in keys():
        raise unknown_key(key, where)
    if key == "name":
        raise InputError(f"{where}: 'name' changes nothing and cannot be varied")
    if isinstance(given, str):
        between = _RANGE.fullmatch(given)
        if not between and ":" in given and kind_of(key) in (int, float):
            raise InputError(
                f"{where}: {key} = {one_line(given)!r} must be from:to:levels, levels 2 to {MOST_LEVELS}, or a list of "
                "values"
            )
        values = _spread(key, between, where) if between else _listed(key, given, where)
    elif isinstance(given, Iterable):
        values = list(given)
    else:
        raise InputError(f"{where}: {key} = {one_line(given)} must be a list of levels or 'from:to:levels'")
    if not 1 <= len(values) <= MOST_LEVELS:
        raise InputError(f"{where}: {key} has {len(values)} levels, must have 1 to {MOST_LEVELS}")
    values = [plain(value, kind_of(key)) for value in values]
    if any(isinstance(part, Mapping) for value in values for part in (value if isinstance(value, tuple) else [value])):
        raise InputError(f"{where}: {key} holds a table, levels are numbers, words, true, false or lists of numbers")
    if not again and any(value in values[:place] for place, value in enumerate(values)):
        raise InputError(f"{where}: {key} has the same level twice: {one_line(values)}")
    return tuple(values)


def _spread(key: str, between: re.Match[str], where: str) -> list[Any]:
    """So many values from low to high, both included, each the nearest number to the exact fraction."""
    low, high, levels = between.groups()
    kind, count = kind_of(key), int(levels)
    start, end = Fraction(low), Fraction(high)
    if kind not in (int, float):
        raise InputError(f"{where}: {key} is not a number, list its values: {key}=a,b")
    if not 1 <= count <= MOST_LEVELS:
        raise InputError(f"{where}: {key} has {levels} levels, must have 1 to {MOST_LEVELS}")
    if count == 1 and start != end:
        raise InputError(f"{where}: {key} has 1 level from {low} to {high}, must have at least 2")
    exact = [start + (end - start) * step / max(count - 1, 1) for step in range(count)]
    if kind is float:
        return [float(value) for value in exact]
    if any(value.denominator != 1 for value in exact):
        raise InputError(f"{where}: {key} takes whole numbers, and {low}:{high}:{levels} has others between")
    return [int(value) for value in exact]


def _listed(key: str, text: str, where: str) -> list[Any]:
    parts = [part.strip() for part in _apart(text)]
    if len(parts) > MOST_LEVELS:  # before each is read
        raise InputError(f"{where}: {key} has {len(parts)} levels, must have 1 to {MOST_LEVELS}")
    if any(not part for part in parts):
        raise InputError(f"{where}: {key} = {one_line(text)!r} has an empty level")
    return [_literal(part) for part in parts]


def _apart(text: str) -> list[str]:
    """The parts between commas that stand outside brackets, in one walk: a text may be as long as a file."""
    parts, end, inside = [], len(text), False
    for at in range(len(text) - 1, -1, -1):
        if text[at] in "[]":
            inside = text[at] == "]"
        elif text[at] == "," and not inside:
            parts.append(text[at + 1 : end])
            end = at
    return [text[:end], *reversed(parts)]


def _literal(text: str) -> Any:
    """A number, true, false or a list as TOML writes it; anything else is a word."""
    if re.fullmatch(NUMBER, text) and "." in text:
        return float(text)
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):  # TOMLDecodeError is a ValueError
        return text
    return read["value"] if list(read) == ["value"] else text
