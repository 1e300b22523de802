"""What the runs of a store have in common, and how another set of runs differs from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from carecommons.errors import one_line
from carecommons.experiments.store.sealed import Row
from carecommons.scenario import Scenario

NAMED: Final = 3  # changed keys that a message names


def plain(content: Any) -> Any:
    """Content as JSON gives it back: lists for tuples, text for keys."""
    return json.loads(json.dumps(content))


def differences(held: Mapping[str, Any], given: Mapping[str, Any], varied: Iterable[str]) -> str:
    """What keeps runs of `given` from joining those of `held`, in a few words; "" when nothing does.

    Keys that are varied in either are not compared, nor is the scenario's name; of another kind nothing else is said,
    since a sweep and a comparison have no key in common.
    """
    if held.get("kind") != given.get("kind"):
        return f"kind was {one_line(held.get('kind'))}, now {one_line(given.get('kind'))}"
    free = [*varied, *held.get("factors", ()), *given.get("factors", ())]
    return "; ".join([
        *([f"format was {one_line(held.get('format'))}, now {one_line(given.get('format'))}"]
          if held.get("format") != given.get("format") else []),
        *_named([f"{key} was {one_line(was)}, now {one_line(now)}"
                 for key, was, now in _changed(held, given, "scenario") if key not in free and not _is_name(key)]),
        *_parts(held, given),
        *(f"the figures of {one_line(place, 200)} changed" for place, was, now in _changed(held, given, "places")
          if was is not None and now is not None),
    ])  # fmt: skip


def places_of(identity: Mapping[str, Any], points: Iterable[Row]) -> dict[str, str]:
    """The digest of each place's figures, also of those that came after the first command, by the rows of `point`."""
    return {place: digest for row in points for place, digest in json.loads(row[2]).items()} | identity["places"]


def _changed(held: Mapping[str, Any], given: Mapping[str, Any], part: str) -> Iterator[tuple[str, Any, Any]]:
    was, now = held.get(part, {}), given.get(part, {})
    for key in dict.fromkeys([*now, *was]):
        if was.get(key) != now.get(key):
            yield key, was.get(key), now.get(key)


def _named(changes: list[str]) -> list[str]:
    more = len(changes) - NAMED
    return [", ".join(changes[:NAMED]) + (f" and {more} more" if more > 0 else "")] if changes else []


def _parts(held: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    parts = [part for part, _, _ in _changed(held, given, "code")]
    return [f"code changed in {', '.join(sorted(parts))}"] if parts else []


def _is_name(key: str) -> bool:
    return key in ("name", "a.name", "b.name")  # also of either arm of a comparison


def arms(scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The flat values of each scenario: one, or the two of a comparison, whose keys begin with "a." and "b."."""
    if not any(key.startswith("a.") for key in scenario):
        return [dict(scenario)]
    return [{key[2:]: value for key, value in scenario.items() if key.startswith(arm)} for arm in ("a.", "b.")]


def texts(scenario: Mapping[str, Any]) -> list[str]:
    """Each scenario as TOML, with everything in it."""
    return [Scenario.of(values).to_toml(everything=True) for values in arms(scenario)]
