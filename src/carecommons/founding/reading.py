"""Read files that others wrote: whatever is in them, the answer is a table or one line that says what to mend."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

from carecommons.errors import InputError, one_line
from carecommons.explain import shown

SUFFIXES: Final = (".toml", ".csv")
_MOST_BYTES: Final = 1_000_000
_MOST_STOPS: Final = 1_100  # in a line: room for a thousand levels of a parameter
_MOST_PARTS: Final = 50_000  # tables and full stops: each costs tomllib a kilobyte or more
_DEEPEST: Final = 10
_MOST_DIGITS: Final = 40
_LONGEST_INTEGER: Final = 10**_MOST_DIGITS
_ENDLESS: Final = re.compile(r"(?<![0-9_])[0-9](?:_?[0-9]){4300,}")  # more digits than CPython reads

_Trail: TypeAlias = "tuple[()] | tuple[_Trail, str | int]"


def text_of(path: Path, where: str) -> str:
    """Read a text file somebody wrote; whatever is wrong with it is an InputError that opens with `where`."""
    try:
        if path.is_dir():
            raise InputError(f"{where}: is a directory, must be a file")
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever, reading a device never end
            raise InputError(f"{where}: is a pipe or a device, must be a file")
        if not path.is_file() and not path.is_symlink():
            raise InputError(f"{where}: no such file{_neighbour(path)}")
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{where}: cannot be read: {one_line(getattr(error, 'strerror', None) or error)}") from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{where}: is larger than {_MOST_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{where}: line {line}: is not UTF-8 text; save the file as UTF-8") from None


def _neighbour(path: Path) -> str:
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    stems = {entry.stem: entry.name for entry in beside if entry.suffix.lower() in SUFFIXES}
    near = get_close_matches(path.stem, stems, n=1)
    return f"; did you mean '{one_line(stems[near[0]])}'?" if near else ""


def table_of(text: str, where: str) -> dict[str, Any]:
    """Read TOML that may hold anything; whatever is wrong with it is an InputError that opens with `where`."""
    _refuse_stops(text, where)
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        ended = f"(at line {text.count(chr(10)) + 1}, the end)"
        message = str(error).replace("(at end of document)", ended)
        raise InputError(f"{where}: is not TOML: {one_line(message, limit=120)}{_line_at(message, text)}") from None
    except RecursionError:
        raise InputError(f"{where}: tables or lists stand more than {_DEEPEST} deep in one another") from None
    except ValueError:  # CPython refuses to read a whole number of more than 4,300 digits
        endless = _ENDLESS.search(text)
        line = f"line {text.count(chr(10), 0, endless.start()) + 1}: " if endless else ""
        raise InputError(f"{where}: {line}a whole number of more than {_MOST_DIGITS} digits") from None
    refuse_extremes(raw, where)
    return raw


def _line_at(message: str, text: str) -> str:
    """The line that a message of tomllib is about, so that key and value are seen with it."""
    number = re.search(r"\(at line ([0-9]+),", message)
    line = text.split("\n", int(number[1]))[int(number[1]) - 1].strip() if number else ""
    return f": {one_line(line)}" if line else ""


def _refuse_stops(text: str, where: str) -> None:
    """Refuse what tomllib would read too long or too large: a dotted key costs the square of its parts."""
    if text.count(".") + text.count("\n[") > _MOST_PARTS:
        raise InputError(f"{where}: has more than {_MOST_PARTS} tables and full stops")
    for number, line in enumerate(text.split("\n"), start=1):
        if line.count(".") > _MOST_STOPS:
            raise InputError(f"{where}: line {number}: has more than {_MOST_STOPS} full stops, break it in two")


def refuse_extremes(raw: dict[str, Any], where: str) -> None:
    """Refuse what stands too deep and numbers too long to be handled and written out, naming the key."""
    todo: list[tuple[_Trail, object, int]] = [((), raw, 0)]
    while todo:
        trail, value, depth = todo.pop()
        if depth > _DEEPEST:
            deep = f"tables or lists stand more than {_DEEPEST} deep in one another"
            raise InputError(f"{where}: {deep}: {_written(trail)}")
        if isinstance(value, int) and abs(value) >= _LONGEST_INTEGER:
            raise InputError(f"{where}: {_written(trail)} = {shown(value)} has more than {_MOST_DIGITS} digits")
        inside: Iterable[tuple[str | int, object]] = ()
        if isinstance(value, dict):
            inside = value.items()
        elif isinstance(value, list):
            inside = enumerate(value, start=1)
        todo.extend(((trail, name), each, depth + 1) for name, each in inside)


def _written(trail: _Trail) -> str:
    """The key that a trail of names and places leads to."""
    parts: list[str] = []
    while trail:
        trail, name = trail
        parts.append(f" #{name}" if isinstance(name, int) else f".{name}")
    return one_line("".join(reversed(parts)).removeprefix("."))
