"""Bring the runs of several stores, such as the shards of one sweep, together in one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

from carecommons.errors import InputError
from carecommons.experiments.store import files
from carecommons.experiments.store.database import DONE, Run, Store
from carecommons.experiments.store.errors import IncompatibleError, shown
from carecommons.experiments.store.identity import differences, places_of
from carecommons.experiments.store.sealed import Row

_BATCH: Final = 200  # rows that are brought over at once


def merge(target: str | Path, sources: Sequence[str | Path], *, command: str = "carecommons merge") -> None:
    """Bring all runs of `sources` into `target`, which may be new; the sources are not changed.

    The same whichever order or grouping they come in, and however often. A failed run gives way to one that was done.

    Raises
    ------
    IncompatibleError
        A source holds runs of another identity, of which nothing is brought, or equal runs gave different results.
    InputError
        A source holds no runs; nothing is made or changed then.
    """
    if not sources:
        raise InputError("merge: no folders to merge from")
    for source in sources:
        if Path(source).resolve() == Path(target).resolve():
            raise InputError(f"merge: {shown(source)} cannot be merged into itself")
    # Looked at all together, before a folder is made or changed for one.
    held = [_held(source) for source in (*_there(target), *sources)]
    varied = sorted({key for each in held for key in each.varied})
    for each in held:
        _agree(held[0], each, varied)
    with Store.write(target, {**held[0].identity, "factors": varied}, command=command, shard="") as store:
        for source in sources:
            # Of one moment, as it may be written meanwhile: a run without what it points to would be damage.
            with Store.read(source) as other, other.sealed.snapshot():
                _agree(_Held.by(store), _Held.by(other), varied)
                _bring(store, other)


def _there(target: str | Path) -> list[str | Path]:
    """The target, if it holds runs already."""
    return [target] if str(target) and (Path(target) / files.DATABASE).exists() else []


class _Held(NamedTuple):
    """What a folder's runs are of, and the keys that differ between them."""

    folder: Path | None
    identity: Mapping[str, Any]
    varied: list[str]

    @classmethod
    def by(cls, store: Store) -> _Held:
        factors = [key for each in store.designs() for key in each.get("factors", {})]
        identity = {**store.identity, "places": places_of(store.identity, store.rows("point"))}
        return cls(store.folder, identity, [*factors, *store.identity["factors"]])


def _held(source: str | Path) -> _Held:
    with Store.read(source) as store:
        return _Held.by(store)


def _agree(one: _Held, other: _Held, varied: Sequence[str]) -> None:
    different = differences(one.identity, other.identity, [*varied, *one.varied, *other.varied])
    if different:
        raise IncompatibleError(f"{shown(other.folder)}: holds other runs than {shown(one.folder)}: {different}")


def _bring(store: Store, other: Store) -> None:
    news = _news(store, other)
    while batch := list(islice(news, _BATCH)):
        with store.sealed.transaction("writing what another store holds"):
            for table, row in batch:
                store.sealed.put(table, row, other.sealed.data(row[0]) if table == "run" else None)


def _news(store: Store, other: Store) -> Iterator[tuple[str, Row]]:
    """The rows that are to be written: those that are not there, and those that win over what is."""
    for table in ("session", "point", "design", "run"):
        for row in other.sealed.rows(table):
            held = store.sealed.get(table, row[0])
            if held is None or (held != row and _wins(table, row, held, other)):
                yield table, row


def _wins(table: str, row: Row, held: Row, other: Store) -> bool:
    """Which of two rows of one name stays: a choice by their content alone, so that no order matters."""
    if table == "design":
        return row > held  # what was asked for last
    if table != "run":
        return row < held
    new, old = Run(*row), Run(*held)
    if new.status != old.status:
        return new.status == DONE
    if new.status == DONE and new.digest != old.digest:
        raise IncompatibleError(f"{shown(other.folder)}: run {new.key} has other results than in the other folders")
    return new[4:] < old[4:]
