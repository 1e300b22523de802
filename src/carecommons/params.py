"""Every number of the model stands once, with its unit, range, role, source and grade of evidence."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, NamedTuple, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError, PydanticKnownError


class Role(StrEnum):
    """What a parameter is for: a thing somebody could decide, a thing we do not know, or a thing that is given."""

    LEVER = "lever"
    UNCERTAIN = "uncertain"
    FIXED = "fixed"


class Grade(StrEnum):
    """How good the evidence is: A official statistics or law, B peer-reviewed, C grey or derived, D assumption."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


LEVER, UNCERTAIN, FIXED = Role.LEVER, Role.UNCERTAIN, Role.FIXED
A, B, C, D = Grade.A, Grade.B, Grade.C, Grade.D


def param(
    default: Any,
    about: str,
    *,
    unit: str,
    role: Role,
    source: str,
    grade: Grade,
    low: float | None = None,
    high: float | None = None,
) -> Any:
    """Declare a parameter; a tuple holds one value a place named in `about`, all within `low` to `high`."""
    extra: dict[str, Any] = {"unit": unit, "role": role.value, "source": source, "grade": grade.value}
    if low is not None and high is not None:
        extra |= {"low": low, "high": high}
    return Field(default, description=about, json_schema_extra=extra)


class Parameter(NamedTuple):
    """One entry of the register."""

    key: str
    value: Any
    unit: str
    low: float | None
    high: float | None
    role: str
    source: str
    grade: str
    about: str


class Parameters(BaseModel):
    """A frozen, typed set of parameters; anything unknown, out of range or not a number is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _nothing_guessed(cls, value: Any, info: ValidationInfo) -> Any:
        """A list is a tuple; true is no number and "5" is none either."""
        kind = cls.model_fields[info.field_name or ""].annotation
        if kind in (int, float) and isinstance(value, bool | str):
            raise PydanticKnownError("int_type" if kind is int else "float_type")
        if kind is bool and not isinstance(value, bool):
            raise PydanticKnownError("bool_type")
        if not isinstance(value, list | tuple):
            return value
        if {int, float} & set(get_args(kind)):
            for number in value:
                if isinstance(number, bool | str):
                    said = repr(number) if isinstance(number, str) else str(number).lower()
                    raise PydanticCustomError("not_a_number", "{said} is not a number", {"value": number, "said": said})
        return tuple(value)

    @field_validator("*", mode="after")
    @classmethod
    def _within_range(cls, value: Any, info: ValidationInfo) -> Any:
        extra = _extra(cls.model_fields[info.field_name or ""])
        if "low" not in extra or value is None:
            return value
        low, high = extra["low"], extra["high"]
        for number in value if isinstance(value, tuple) else (value,):
            if (isinstance(number, float) and math.isnan(number)) or not low <= number <= high:
                raise PydanticCustomError(
                    "out_of_range",
                    "{value} is outside {low} to {high} {unit}",
                    {"value": number, "low": low, "high": high, "unit": extra["unit"]},
                )
        return value

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, as pydantic has it, for which tables are worked out anew from its own parameters."""
        copy = super().model_copy(update=update, deep=deep)
        for kept in [name for name in copy.__dict__ if name not in type(self).model_fields]:
            del copy.__dict__[kept]
        return copy

    def __eq__(self, other: object) -> bool:
        """Equal when every parameter is; tables worked out from them and kept do not count."""
        if type(self) is not type(other):
            return False
        return all(getattr(self, name) == getattr(other, name) for name in type(self).model_fields)

    def __hash__(self) -> int:
        return hash((type(self), *(getattr(self, name) for name in type(self).model_fields)))

    def but(self, **changes: Any) -> Self:
        """A copy with `changes`, checked like the original."""
        return type(self).model_validate({**self.model_dump(), **changes})

    @classmethod
    def parameters(cls, prefix: str = "") -> Iterator[Parameter]:
        """Walk the parameters declared here as register entries, keys starting with `prefix`."""
        for name, field in cls.model_fields.items():
            extra = _extra(field)
            if "unit" in extra:
                yield Parameter(
                    f"{prefix}{name}", field.default, extra["unit"], extra.get("low"), extra.get("high"),
                    extra["role"], extra["source"], extra["grade"], field.description or "",
                )  # fmt: skip


def _extra(field: FieldInfo) -> dict[str, Any]:
    extra = field.json_schema_extra
    return extra if isinstance(extra, dict) else {}
