"""A store of runs as tidy tables: in pandas, in xarray, as CSV or Parquet, the same bytes for the same runs."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from carecommons.errors import InputError, one_line
from carecommons.experiments import formats
from carecommons.experiments.estimate import LAST, estimate, last_year
from carecommons.experiments.store.database import DONE, FAILED, Run, Store
from carecommons.experiments.store.errors import OccupiedError, shown
from carecommons.experiments.store.files import DATABASE, Content
from carecommons.experiments.store.publish import publish
from carecommons.experiments.store.sealed import digest_of
from carecommons.experiments.store.state import places, worlds
from carecommons.kernels.arrays import F64

FORMATS: Final = ("csv", "parquet")
_BATCH: Final = 10_000  # rows held at once
_WIDTH: Final = 8  # bytes of a number in a CSV, about: decides when series are packed

Values = tuple[Any, ...]


class Cell(NamedTuple):
    """A cell of the newest design, or of an earlier one: its factors' levels, and its runs, world by world."""

    number: int
    subject: str
    levels: dict[str, Any]
    runs: dict[int, str]  # key by seed
    replicates: dict[int, int]  # the number of a world by its seed, the same for all cells


class Table(NamedTuple):
    """Columns with what they hold ("int", "float", "bool" or "text"), and what gives the rows, one at a time."""

    columns: dict[str, str]
    rows: Callable[[], Iterator[Values]]


# --- what is in a store ---


def cells(store: Store) -> list[Cell]:
    """The cells of the newest design, and after them those of earlier ones that are not in it, the newest first.

    A cell has the worlds of every design that it is in. A factor that a design does not vary has the value of its
    scenario there. Worlds are numbered by their seeds, from 0, over all designs: an equal replicate is an equal world.
    """
    records = store.designs()[::-1]
    factors = dict.fromkeys(key for record in records for key in record.get("factors", {}))
    seeds = sorted({seed for record in records for seed in worlds(record)})
    replicates = {seed: replicate for replicate, seed in enumerate(seeds)}
    runs_of: dict[str, dict[int, str]] = {}
    found: list[Cell] = []
    for record in records:
        base, known = record.get("scenario", {}), dict(runs_of)
        for subject, levels in zip(record["subjects"], record.get("cells", [{}]), strict=True):
            if subject not in known:  # two cells of one design may come to the same: then both have its runs
                full = {key: _written(levels.get(key, base.get(key))) for key in factors}
                found.append(Cell(len(found), subject, full, runs_of.setdefault(subject, {}), replicates))
        for place in places(record):
            runs_of[record["subjects"][place.cell]].setdefault(place.seed, place.key)
    return found


def tried(store: Store, cell: Cell) -> Iterator[tuple[int, Run]]:
    """The runs of a cell that were tried, world by world, each with its replicate: its world's number in the folder."""
    for seed, key in sorted(cell.runs.items()):
        run = store.run(key)
        if run is not None:
            yield cell.replicates[seed], run


def arms(store: Store) -> tuple[str, ...]:
    """What a run consists of: the two arms of a comparison, or the one scenario, which needs no name."""
    return ("a", "b") if store.identity.get("kind") == "comparison" else ("",)


def series_of(store: Store, key: str) -> list[F64]:
    """The series (months, outcomes) of a run that is done, one an arm."""
    answer = store.answer(key)
    return [answer[f"{arm}.series" if arm else "series"] for arm in arms(store)]


# --- the tables ---


def runs(store: Store) -> pd.DataFrame:
    """A row a run (and arm): where it stands, how it went, its levels, and what it counts with in each outcome."""
    return _frame(_tables(store)["runs"])


def parameters(store: Store) -> pd.DataFrame:
    """A row a cell (and arm): the levels of its factors, and in a comparison whatever the arms differ in."""
    return _frame(_tables(store)["parameters"])


def series(store: Store) -> pd.DataFrame:
    """A row a run (and arm) and month, a column an outcome."""
    return _frame(_tables(store)["series"])


def summary(store: Store) -> pd.DataFrame:
    """A row a cell (and arm): its levels, and of each outcome the mean, the interval's ends and the number of runs."""
    return _frame(_tables(store)["summary"])


def failures(store: Store) -> pd.DataFrame:
    """A row a run that failed: where it stands, its levels, the cause, and how often it was tried."""
    return _frame(_tables(store)["failures"])


def to_xarray(store: Store) -> Any:
    """The series as an xarray.Dataset: a variable an outcome with its unit, over cell, seed, month (and arm).

    Needs the extra `data`. What was not run, or failed, is NaN.
    """
    xarray = _extra("xarray")
    held, sides, names = cells(store), arms(store), list(store.columns)
    seeds = sorted({seed for cell in held for seed in cell.runs})
    blocks = {(cell.number, seeds.index(run.seed)): series_of(store, run.key)
              for cell in held for _, run in tried(store, cell) if run.status == DONE}  # fmt: skip
    months = max((len(block) for both in blocks.values() for block in both), default=0)
    whole = np.full((len(names), len(held), len(seeds), months, len(sides)), np.nan)
    for (cell, seed), both in blocks.items():
        for arm, block in enumerate(both):
            whole[:, cell, seed, : len(block), arm] = block.T
    dims, coords = ["cell", "seed", "month"], {"cell": range(len(held)), "seed": seeds, "month": range(1, months + 1)}
    extra: dict[str, Any] = {"arm": list(sides)} if sides[0] else {}
    levels = {key: ("cell", [cell.levels[key] for cell in held]) for key in (held[0].levels if held else ())}
    variables = {
        name: ([*dims, *extra], whole[k] if extra else whole[k, ..., 0], {"units": store.columns[name]})
        for k, name in enumerate(names)
    }
    return xarray.Dataset(variables, {**coords, **extra, **levels})


def files(store: Store, format: str = "csv") -> dict[str, Content | None]:
    """All tables by the name of their file, to be written by `publish`; None is a name that is not used any more.

    They are made as they are written, run by run, so that no more than a few are in memory. As CSV, series of more
    than about a megabyte are packed (`series.csv.gz`). Parquet needs the extra `data`.
    """
    if format not in FORMATS:
        raise InputError(f"format = {one_line(format)} must be {' or '.join(FORMATS)}")
    found = _tables(store)
    if format == "parquet":
        _extra("pyarrow")
        return {f"{name}.parquet": partial(_parquet, table) for name, table in found.items()}
    contents: dict[str, Content | None] = {f"{name}.csv": partial(_csv, table) for name, table in found.items()}
    if _is_large(store):
        contents |= {"series.csv": None, "series.csv.gz": contents["series.csv"]}
    else:
        contents["series.csv.gz"] = None
    return contents


def export(store: Store, folder: str | Path, format: str = "csv", *, force: bool = False) -> list[Path]:
    """Write all tables into a folder -> the files; what is there and not as we left it is refused unless `force`."""
    contents, to = files(store, format), Path(folder)
    own = store.folder is not None and to.resolve() == store.folder.resolve()
    if (to / DATABASE).exists() and not own and not force:
        raise OccupiedError(f"{shown(to)}: holds runs and tables of its own; choose another folder, or --force")
    publish(folder, contents, force=force, of=digest_of(json.dumps(store.identity).encode()).hex())
    return [Path(folder) / name for name, content in contents.items() if content is not None]


def _tables(store: Store) -> dict[str, Table]:
    """Every table, none of it made yet."""
    held, sides = cells(store), arms(store)
    levels = _kinds([cell.levels for cell in held])
    apart = _differing(store, held) if sides[0] else [[{}] for _ in held]
    arm = {"arm": "text"} if sides[0] else {}
    outcomes = dict.fromkeys(store.columns, "float")
    estimates = {f"{name}{end}": kind for name in outcomes
                 for end, kind in (("", "float"), ("_low", "float"), ("_high", "float"), ("_n", "int"))}  # fmt: skip
    whole = {"cell": "int", "replicate": "int", "seed": "int", "key": "text"}
    own = _kinds([values for both in apart for values in both])
    return {
        "runs": Table({**whole, "status": "text", **arm, **levels, **outcomes}, partial(_runs, store, held)),
        "parameters": Table({"cell": "int", **arm, **levels, **own}, partial(_parameters, held, sides, apart)),
        "series": Table(
            {"cell": "int", "seed": "int", **arm, "month": "int", **outcomes}, partial(_series, store, held)
        ),
        "summary": Table({"cell": "int", **arm, **levels, **estimates}, partial(_summary, store, held)),
        "failures": Table({**whole, "cause": "text", "tries": "int", **levels}, partial(_failures, store, held)),
    }


# --- their rows ---


def _runs(store: Store, held: list[Cell]) -> Iterator[Values]:
    last, nothing = _last(store), [float("nan")] * len(store.columns)
    for cell in held:
        for replicate, run in tried(store, cell):
            ends = _ends(store, run, last) or [nothing for _ in arms(store)]
            for arm, values in zip(arms(store), ends, strict=True):
                head = cell.number, replicate, run.seed, run.key, run.status
                yield (*head, *_arm(arm), *cell.levels.values(), *values)


def _parameters(held: list[Cell], sides: tuple[str, ...], apart: list[list[dict[str, Any]]]) -> Iterator[Values]:
    for cell in held:
        for arm, own in zip(sides, apart[cell.number], strict=True):
            yield (cell.number, *_arm(arm), *cell.levels.values(), *own.values())


def _series(store: Store, held: list[Cell]) -> Iterator[Values]:
    for cell in held:
        for _, run in tried(store, cell):
            if run.status == DONE:
                for arm, block in zip(arms(store), series_of(store, run.key), strict=True):
                    head = cell.number, run.seed, *_arm(arm)
                    yield from ((*head, month, *values) for month, values in enumerate((block + 0.0).tolist(), start=1))


def _summary(store: Store, held: list[Cell]) -> Iterator[Values]:
    last = _last(store)
    for cell in held:
        ends = [_ends(store, run, last) for _, run in tried(store, cell) if run.status == DONE]
        for number, arm in enumerate(arms(store)):
            found = [estimate(both[number][k] for both in ends) for k in range(len(store.columns))]
            values = [x for each in found for x in (each.mean + 0.0, each.low + 0.0, each.high + 0.0, each.n)]
            yield (cell.number, *_arm(arm), *cell.levels.values(), *values)


def _failures(store: Store, held: list[Cell]) -> Iterator[Values]:
    for cell in held:
        for replicate, run in tried(store, cell):
            if run.status == FAILED:
                head = cell.number, replicate, run.seed, run.key
                yield (*head, run.cause, run.tries, *cell.levels.values())


def _ends(store: Store, run: Run, last: int) -> list[list[float]]:
    """What each arm of a run counts with, by outcome; nothing of a run that failed."""
    if run.status != DONE:
        return []
    return [[value + 0.0 for value in last_year(block, last)] for block in series_of(store, run.key)]


def _last(store: Store) -> int:
    records = store.designs()
    return int(records[-1].get("last", LAST)) if records else LAST


def _arm(arm: str) -> tuple[str, ...]:
    return (arm,) if arm else ()


def _differing(store: Store, held: list[Cell]) -> list[list[dict[str, Any]]]:
    """By cell and arm, the parameters that the arms of any cell differ in."""
    points = store.points
    both = [points.get(cell.subject, [{}, {}]) for cell in held]
    keys = dict.fromkeys(key for a, b in both for key in {**a, **b} if a.get(key) != b.get(key))
    return [[{key: _written(arm.get(key)) for key in keys} for arm in each] for each in both]


def _written(level: Any) -> Any:
    """A level as a table holds it: a list as one text."""
    return str(list(level)) if isinstance(level, list | tuple) else level


def _kinds(rows: list[dict[str, Any]]) -> dict[str, str]:
    """What each column of such rows holds: the narrowest kind that takes all its values."""
    found = {}
    for key in rows[0] if rows else ():
        types = {type(row[key]) for row in rows}
        found[key] = next((kind for kind, fit in _FIT if types <= fit), "text")
    return found


_FIT: Final[tuple[tuple[str, set[type]], ...]] = (("bool", {bool}), ("int", {int}), ("float", {int, float}))


# --- written out ---


def _frame(table: Table) -> pd.DataFrame:
    frames = list(_frames(table)) or [_typed(table, [])]
    return pd.concat(frames, ignore_index=True)


def _frames(table: Table) -> Iterator[pd.DataFrame]:
    rows = table.rows()
    while batch := list(islice(rows, _BATCH)):
        yield _typed(table, batch)


def _typed(table: Table, rows: list[Values]) -> pd.DataFrame:
    kinds = {"int": "int64", "float": "float64", "bool": "bool", "text": "str"}
    frame = pd.DataFrame.from_records(rows, columns=list(table.columns))
    return frame.astype({name: kinds[kind] for name, kind in table.columns.items()})


def _csv(table: Table, path: Path) -> None:
    """Text up to the last column of text, and numbers by one pattern from there: most of a table is numbers."""
    kinds = list(table.columns.values())
    text = max((k for k, kind in enumerate(kinds, start=1) if kind in ("text", "bool")), default=0)
    numbers = ",".join("%d" if kind == "int" else "%.12g" for kind in kinds[text:])
    with path.open("wb") as raw, _packing(raw, path) as file:
        file.write((",".join(map(formats.cell, table.columns)) + "\n").encode())
        for row in table.rows():
            parts = [*map(formats.cell, row[:text]), *([(numbers % row[text:]).replace("nan", "")] if numbers else [])]
            file.write((",".join(parts) + "\n").encode())


def _packing(raw: Any, path: Path) -> Any:
    # No name and no time in it: the same table is the same bytes.
    packed = ".csv.gz" in path.name
    return gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else nullcontext(raw)


def _is_large(store: Store) -> bool:
    """Whether the series come to more than a megabyte, as far as the designs can tell."""
    numbers = 0
    for record in store.designs()[-1:]:
        scenario = record.get("scenario") or record.get("arms", [{}])[0]
        runs = len(record["subjects"]) * len(worlds(record)) * len(arms(store))
        numbers = runs * scenario.get("months", 0) * len(store.columns)
    return numbers * _WIDTH > formats.SMALL


def _parquet(table: Table, path: Path) -> None:
    arrow, parquet = _extra("pyarrow"), _extra("pyarrow.parquet")
    kinds = {"int": arrow.int64(), "float": arrow.float64(), "bool": arrow.bool_(), "text": arrow.string()}
    schema = arrow.schema([(name, kinds[kind]) for name, kind in table.columns.items()])
    # A file, as pyarrow takes no path that is not UTF-8.
    with path.open("wb") as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        for frame in _frames(table):
            writer.write_table(arrow.Table.from_pandas(frame, schema=schema, preserve_index=False))


def _extra(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        raise InputError("this needs the extra 'data': pip install carecommons[data]") from None
