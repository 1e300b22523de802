"""Turn what pydantic found wrong into one line that says what to mend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, time
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from carecommons.errors import InputError, did_you_mean, one_line

_LINE: Final = 200
_ENOUGH: Final = 20
_EXPECTED: Final = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "finite": "a finite number",
    "bool": "true or false",
    "string": "text",
    "path": "a path",
    "date": "a date",
    "tuple": "a list",
    "list": "a list",
    "set": "a list",
    "frozen": "a list",
    "model": "a table",
    "dict": "a table",
    "mapping": "a table",
    "dataclass": "a table",
}
_WRONG_TYPE: Final = re.compile(r"_(type|parsing|parsing_size|from_float|number|unicode)$")
_BOUNDS: Final = {
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "multiple_of": "must be a multiple of {multiple_of}",
    "too_short": "holds {actual_length} values, must hold at least {min_length}",
    "too_long": "holds {actual_length} values, must hold at most {max_length}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
}
_UNION_BRANCH: Final = re.compile(
    r"(int|float|str|bool|none|date|datetime|lax-or-strict|json-or-python|constrained-\w+)$|function-|[\w-]*\["
)


def explain(error: ValidationError, where: str, known: Iterable[str]) -> InputError:
    """Say what is wrong first in `error`, in one line that opens with `where`; the caller raises it.

    `known` are the dotted keys that would have been right, and what each may be where `keys_of` lists those of a model.
    Unknown keys come first, and what is missing only because its name was misspelt is not counted again. Lists count
    from 1: `women #4`.
    """
    names = known if isinstance(known, Mapping) else dict.fromkeys(known, "")
    details = sorted(_details(error), key=lambda one: one["type"] != "extra_forbidden")
    problems: dict[str, ErrorDetails] = {}
    for one in details:
        problems.setdefault(_key(one, names), one)
    unknown = [key for key, one in problems.items() if one["type"] == "extra_forbidden"]
    meant = {_meant(key, names) for key in unknown[:_ENOUGH]}
    problems = {
        key: one for key, one in problems.items() if one["type"] != "missing" or f"; did you mean '{key}'?" not in meant
    }
    key, one = next(iter(problems.items()))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return InputError(f"{where}: {_line(key, one, details, names)}{more}".removeprefix(": "))


def keys_of(model: type[BaseModel], prefix: str = "") -> dict[str, str]:
    """Every dotted key `model` accepts, tables and what they hold, each with its range: 'from 0 to 10 hours' or ''."""
    found = {}
    for name, field in model.model_fields.items():
        found[prefix + name] = _range(field)
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= keys_of(kind, f"{prefix}{name}.")
    return found


def _range(field: FieldInfo) -> str:
    """The bounds a parameter was declared with, or those of pydantic's own `ge` and `le`."""
    extra = field.json_schema_extra
    if isinstance(extra, dict) and "low" in extra:
        return f"from {extra['low']} to {extra['high']} {extra['unit']}"
    bounds = {name: getattr(each, name) for each in field.metadata for name in ("ge", "le") if hasattr(each, name)}
    return f"from {bounds['ge']} to {bounds['le']}" if len(bounds) == 2 else ""


def shown(value: object) -> str:
    """`value` as its owner would have written it, on one short line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date | time):
        return value.isoformat()
    try:
        return one_line(repr(_lists(value)))
    except ValueError:  # CPython refuses to write out a whole number of more than 4,300 digits
        return "a very long number"
    except RecursionError:
        return "a very deep list"


def _lists(value: object) -> object:
    """Tuples as the lists that their owner wrote."""
    return [_lists(each) for each in value] if isinstance(value, tuple | list) else value


def _details(error: ValidationError) -> list[ErrorDetails]:
    try:
        return error.errors(include_url=False)
    except ValueError:  # a whole number too long to write out
        return error.errors(include_url=False, include_context=False, include_input=False)


def _key(one: ErrorDetails, known: Mapping[str, str]) -> str:
    key = plain = ""
    last = len(one["loc"]) - 1
    for place, part in enumerate(one["loc"]):
        if isinstance(part, int):
            key += f" #{part + 1}"
            continue
        dotted = f"{plain}.{part}" if plain else part
        named_by_owner = place == last and one["type"] in ("extra_forbidden", "missing")
        if dotted in known or named_by_owner or not _UNION_BRANCH.match(part):
            key, plain = f"{key}.{part}" if key else part, dotted
    if one["type"] == "missing" and isinstance(one["loc"][-1], int):
        key = key.rpartition(" #")[0]
    return one_line(key)


def _meant(key: str, known: Mapping[str, str]) -> str:
    key = _plain(key)
    tables = [] if "." in key else [each.partition(".")[0] for each in known]
    return did_you_mean(key, dict.fromkeys([*known, *tables]))


def _plain(key: str) -> str:
    """A key without its places in lists."""
    return re.sub(r" #[0-9]+", "", key)


def _line(key: str, one: ErrorDetails, details: Sequence[ErrorDetails], known: Mapping[str, str]) -> str:
    fault, value, context = one["type"], one.get("input"), one.get("ctx", {})
    allowed = f" {known.get(_plain(key), '')}".rstrip()
    if fault == "extra_forbidden":
        return f"unknown key '{key}'{_meant(key, known)}"
    if fault == "missing":
        return _missing(key, one, details)
    if fault in ("literal_error", "enum"):
        return _not_among(key, value, str(context.get("expected", "")))
    if fault == "union_tag_invalid":
        inner = str(context["discriminator"]).strip("'")
        return _not_among(f"{key}.{inner}" if key else inner, context["tag"], str(context["expected_tags"]))
    if fault == "union_tag_not_found":
        inner = str(context["discriminator"]).strip("'")
        return f"'{key}.{inner}' is missing" if key else f"'{inner}' is missing"
    expected = _EXPECTED.get(fault.partition("_")[0])
    if expected and _WRONG_TYPE.search(fault):
        return _wrong_type(key, value, f"{expected} of numbers{allowed}" if allowed and "list" in expected else
                           f"{expected}{allowed}")  # fmt: skip
    if fault in _BOUNDS:
        return f"{key} = {shown(value)} {_BOUNDS[fault].format(**context)}"
    return _own_words(key, one, context) + (allowed if fault == "not_a_number" else "")


def _missing(key: str, one: ErrorDetails, details: Sequence[ErrorDetails]) -> str:
    *table, last = one["loc"]
    if not isinstance(last, int):
        return f"'{key}' is missing"
    held = len(one["input"]) if isinstance(one.get("input"), Sequence) else last
    ends = [each["loc"][-1] for each in details if each["type"] == "missing" and list(each["loc"][:-1]) == table]
    right = max(end for end in ends if isinstance(end, int)) + 1
    return f"{key} = {shown(one.get('input'))} holds {held} values, must hold {right}"


def _not_among(key: str, value: object, expected: str) -> str:
    near = did_you_mean(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else ""
    return f"{key} = {shown(value)} is not {expected}{near}"


def _wrong_type(key: str, value: object, expected: str) -> str:
    if isinstance(value, Mapping | BaseModel):
        return f"{key} is a table, must be {expected}"
    return f"{key} = {shown(value)} is not {expected}" if key else f"{shown(value)} is not {expected}"


def _own_words(key: str, one: ErrorDetails, context: Mapping[str, Any]) -> str:
    """A check written by us: a message whose context has a `value` opens with it, any other stands after the key."""
    message = one_line(one["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, "), _LINE)
    if not key:
        return message
    if "value" in context:
        value = context["value"] if isinstance(context["value"], int | float | str) else None
        return f"{_position(key, one.get('input'), value)} = {message}"
    if isinstance(one.get("input"), Mapping | BaseModel):
        return _of_a_table(key, one["input"], message)
    return f"{key} = {shown(one.get('input'))}: {message}"


def _of_a_table(key: str, table: object, message: str) -> str:
    """A message about several values of a table, which opens with the key of one that the owner may have written."""
    name, _, rest = message.partition(" ")
    if not isinstance(table, Mapping) or name not in table:
        return f"{key}: {message}"
    return f"{key}.{message}" if rest.startswith("= ") else f"{key}.{name} = {shown(table[name])} {rest}"


def _position(key: str, values: object, value: float | str | None) -> str:
    """`key`, with the place of `value` in it when it holds a list."""
    if value is None or not isinstance(values, list | tuple):
        return key
    # An integer that pydantic made a float of is met as that float.
    said = [float(each) if isinstance(each, int) and isinstance(value, float) else each for each in values]
    places = [place for place, each in enumerate(said, start=1) if each is value or each == value]
    return f"{key} #{places[0]}" if places else key
