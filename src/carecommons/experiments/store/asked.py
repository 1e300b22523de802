"""The command that asked for the runs of a folder, and how to give it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from carecommons.errors import one_line
from carecommons.experiments.store.errors import shown

# These only mend or join: they ask for no design.
_OTHERS: Final = tuple(f"carecommons{mark}{name}" for mark in " ." for name in ("retry", "merge", "repair"))


def asks(command: str) -> bool:
    """Whether a command asks for a design."""
    return bool(command) and not command.startswith(_OTHERS)


def asked(sessions: Iterable[Mapping[str, Any]]) -> str:
    """The newest command that asked for a design; "" where none is known."""
    commands = [str(each["command"]) for each in sorted(sessions, key=lambda each: str(each["started"]))]
    return next((each for each in reversed(commands) if asks(each)), "")


def again(command: str, folder: Path, shard: str = "") -> str:
    """A command as it goes on with a folder: its block alone only for a shard, and where it names another, which."""
    try:
        words = shlex.split(command)
    except ValueError:  # it was too long to be kept whole
        return command
    part, others = _without(words, "--shard")
    if part and not shard:
        command = shlex.join(others)
    out, _ = _without(words, "-o", "--out")
    whole = folder.parent if shard else folder
    if not out or Path(out).resolve() == whole.resolve():
        return command
    return f"{command} (given elsewhere or for another folder: from here, with {shown(whole)} for {one_line(out, 200)})"


def _without(words: list[str], *names: str) -> tuple[str, list[str]]:
    """The value of an option, "" if it is not given, and the words without both."""
    for k, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word in names:
            return " ".join(words[k + 1 : k + 2]), words[:k] + words[k + 2 :]
        if equals and name in names:
            return value, words[:k] + words[k + 1 :]
        if word[:2] in names:  # a short one with its value at its heel
            return word[2:], words[:k] + words[k + 1 :]
    return "", words
