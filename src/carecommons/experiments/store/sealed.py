"""A SQLite file in which every row carries a sum, and all rows together a tally: damage is found when it is read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self
from urllib.parse import quote

from carecommons.errors import one_line
from carecommons.experiments.store.errors import DamagedError, damaged, told

Row = tuple[Any, ...]

# The first column names a row. `digest` is the hash of a run's data: the sums can be checked without reading the data,
# which stands last, where SQLite passes over it.
TABLES: Final[dict[str, tuple[str, ...]]] = {
    "about": ("key", "value"),
    "session": ("id", "facts"),
    "design": ("id", "content", "added"),
    "point": ("subject", "parameters", "places"),
    "run": ("key", "subject", "seed", "status", "cause", "tries", "seconds", "finished", "session", "digest"),
}
_KINDS: Final = {"seed": "INTEGER", "tries": "INTEGER", "added": "INTEGER", "seconds": "REAL", "digest": "BLOB"}
_SCHEMA: Final = [
    f"CREATE TABLE {table} ({columns[0]} TEXT NOT NULL PRIMARY KEY, "
    + "".join(f"{name} {_KINDS.get(name, 'TEXT')} NOT NULL, " for name in columns[1:])
    + f"sum BLOB NOT NULL{', data BLOB' if table == 'run' else ''})"
    for table, columns in TABLES.items()
] + ["CREATE TABLE tally (id INTEGER PRIMARY KEY, rows INTEGER NOT NULL, total BLOB NOT NULL, sum BLOB NOT NULL)"]

_SIZE: Final = 16  # bytes of a sum
_BATCH: Final = 2_000  # rows read at once
_PATIENCE: Final = 10.0  # seconds to wait for another program that has the file locked
NAMED: Final = 3  # how many of the runs in which something is wrong a message names


def sum_of(table: str, row: Sequence[Any]) -> bytes:
    """What seals a row: a hash of its table and all its fields."""
    return blake2b(ascii((table, *row)).encode(), digest_size=_SIZE).digest()


def digest_of(data: bytes) -> bytes:
    """The hash of a run's data."""
    return blake2b(data, digest_size=_SIZE).digest()


class Sealed:
    """The file: rows by table, each checked as it is read.

    Parameters
    ----------
    path
        The database; None is a private one, in memory as far as there is room, that ends with its connection.
    mode
        "create" a new one, "write" or "read" one that is there, or "salvage" what can be read of one. Reading never
        changes the file.

    Raises
    ------
    DamagedError
        What is read is not what was written.
    StoreError
        The file cannot be read or written.
    """

    def __init__(self, path: Path | None, mode: str = "read") -> None:
        self.path = path
        self._tally: tuple[int, int] = (0, 0)
        with told(path, "opening it"):
            if mode != "create" and path is not None and not path.stat().st_size:
                raise damaged(path, "it is empty")  # SQLite would take it for a new one and drop its log
            way = {"create": "rwc", "write": "rw"}.get(mode, "ro")
            uri = "" if path is None else f"file:{quote(os.fsencode(path.absolute()))}?mode={way}"
            self._connection = sqlite3.connect(uri, uri=bool(uri), isolation_level=None, timeout=_PATIENCE)
        self._connection.text_factory = _text
        try:
            with told(path, "opening it"):
                self._connection.execute("PRAGMA cell_size_check=ON")
                if mode == "create":
                    self._create()
                if mode == "salvage":
                    self._connection.execute("PRAGMA writable_schema=ON")  # reads what is left of one that was cut
                else:
                    self._connection.execute("SELECT rows FROM tally").fetchone()  # a database, and one of ours
        except BaseException:
            self._connection.close()
            raise

    def _create(self) -> None:
        if self.path is None:
            self._connection.execute("PRAGMA journal_mode=MEMORY")
            self._connection.execute("PRAGMA synchronous=OFF")
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA:
            self._connection.execute(statement)
        self._write_tally()
        self._connection.execute("COMMIT")

    def begin_writing(self) -> None:
        """Write ahead to a log, so that others may read meanwhile, and let nothing count before it is on the disk."""
        with told(self.path, "opening it for writing"):
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute("PRAGMA fullfsync=ON")

    def close(self, *, settle: bool = False) -> bool:
        """Close; with `settle` all is moved from the log into the file first -> whether it could be."""
        settled = False
        if settle and self.path is not None:
            with suppress(sqlite3.Error):  # a reader is in the middle of it, or the disk is full: the log stays
                self._connection.execute("PRAGMA busy_timeout=1000")
                settled = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
                # Without a log in its header a file can be read where nothing may be written.
                self._connection.execute("PRAGMA journal_mode=DELETE")
        with told(self.path, "closing it"):
            self._connection.close()
        return settled

    @contextmanager
    def transaction(self, doing: str) -> Iterator[None]:
        """All that is put inside counts once this ends, and none of it before or when it fails."""
        with told(self.path, doing):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                self._tally = self._read_tally()
                yield
                self._write_tally()
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """What is read inside is of one moment, whatever others write meanwhile."""
        with told(self.path, "reading it"):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):
                self._connection.execute("COMMIT")

    def put(self, table: str, row: Row, data: bytes | None = None) -> None:
        """Write a row, in place of that of its name if there is one; inside a `transaction`."""
        names = [*TABLES[table], "sum"] + (["data"] if table == "run" else [])
        sealed = sum_of(table, row)
        old = self._connection.execute(f"SELECT sum FROM {table} WHERE {names[0]} = ?", row[:1]).fetchone()
        # Replaced in its place, not removed and added: the numbers of the rows stay without gaps (see `salvage`).
        again = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
        self._connection.execute(
            f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT ({names[0]}) DO UPDATE SET {again}",
            (*row, sealed, *([data] if table == "run" else [])),
        )
        count, total = self._tally
        total ^= int.from_bytes(sealed, "big") ^ (int.from_bytes(old[0], "big") if old else 0)
        self._tally = count + (not old), total

    def get(self, table: str, name: str, *, surely: bool = False) -> Row | None:
        """The row of that name, or None; `surely` looks past the index, which may be what is damaged."""
        columns = TABLES[table]
        column = f"+{columns[0]}" if surely else columns[0]
        query = f"SELECT {', '.join(columns)}, sum FROM {table} WHERE {column} = ?"
        with told(self.path, "reading it"):
            found = self._connection.execute(query, (name,)).fetchone()
        if found is not None and sum_of(table, found[:-1]) != found[-1]:
            raise damaged(self.path, _wrong(table, found[0]))
        return None if found is None else found[:-1]

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table, in the order in which they came."""
        for row, sealed in self.scan(table):
            if not sealed:
                raise damaged(self.path, _wrong(table, row[0]))
            yield row

    def data(self, key: str) -> bytes | None:
        """A run's data; None of one that failed, and of one that is not there."""
        row = self.get("run", key) or self.get("run", key, surely=True)
        if row is None:
            return None
        with told(self.path, "reading it"):
            found = self._connection.execute("SELECT data FROM run WHERE key = ?", (key,)).fetchone()
        content: bytes | None = found[0] if found else None
        if found is None or not is_data(content, row[-1]):
            raise damaged(self.path, f"the data of run {key} is not what was written")
        return content

    def scan(self, table: str) -> Iterator[tuple[Row, bytes]]:
        """Every row with its sum, which is empty where it is wrong; no more than a batch is held."""
        at, query = -(2**63), f"SELECT rowid, {', '.join(TABLES[table])}, sum FROM {table} WHERE rowid > ?"
        while True:
            with told(self.path, "reading it"):
                batch = self._connection.execute(f"{query} ORDER BY rowid LIMIT {_BATCH}", (at,)).fetchall()
            for found in batch:
                row, sealed = found[1:-1], found[-1]
                yield row, sealed if sum_of(table, row) == sealed else b""
            if len(batch) < _BATCH:
                return
            at = batch[-1][0]

    def faults(self) -> Iterator[str]:
        """Go through all rows but not their data, and say what is wrong with any, or with all of them together."""
        count = total = 0
        try:
            with self.snapshot():
                for table in TABLES:
                    for row, sealed in self.scan(table):
                        if not sealed:
                            yield _wrong(table, row[0])
                        count, total = count + 1, total ^ int.from_bytes(sealed, "big")
                if self._read_tally() != (count, total):
                    yield "rows are missing, or there are others"
        except DamagedError as problem:
            yield problem.found

    def integrity(self) -> list[str]:
        """What SQLite itself finds wrong with the structure of the file."""
        with told(self.path, "checking it"):
            found = self._connection.execute(f"PRAGMA integrity_check({NAMED})").fetchall()
        return [] if found == [("ok",)] else [line for (text,) in found for line in str(text).splitlines()]

    def salvage(self, table: str) -> Iterator[tuple[Row, bytes | None]]:
        """Every row that is still what was written, with its data, row by row around what is damaged."""
        columns = [*TABLES[table], "sum"] + (["data"] if table == "run" else [])
        for number in range(1, self._last(table) + 1):
            with suppress(sqlite3.Error):
                query = f"SELECT {', '.join(columns)} FROM {table} WHERE rowid = ?"
                found = self._connection.execute(query, (number,)).fetchone()
                if found is None:
                    continue
                data = found[-1] if table == "run" else None
                row = found[: len(TABLES[table])]
                if (table != "run" or is_data(data, row[-1])) and sum_of(table, row) == found[len(row)]:
                    yield row, data

    def _last(self, table: str) -> int:
        """The highest number a row of the table may have."""
        highest = 0
        for query in (f"SELECT max(rowid) FROM {table}", "SELECT rows FROM tally", "PRAGMA page_count"):
            with suppress(sqlite3.Error, TypeError, ValueError):
                # A number that is itself damaged must not have us count for ever.
                highest = max(highest, min(int(self._connection.execute(query).fetchone()[0]), 2_000_000))
        return highest

    def _read_tally(self) -> tuple[int, int]:
        with told(self.path, "reading it"):
            found = self._connection.execute("SELECT rows, total, sum FROM tally WHERE id = 1").fetchone()
        if found is None or sum_of("tally", found[:2]) != found[2]:
            raise damaged(self.path, "its tally of rows is wrong")
        return found[0], int.from_bytes(found[1], "big")

    def _write_tally(self) -> None:
        count, total = self._tally
        row = (count, total.to_bytes(_SIZE, "big"))
        self._connection.execute("INSERT OR REPLACE INTO tally VALUES (1, ?, ?, ?)", (*row, sum_of("tally", row)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_data(data: Any, digest: bytes) -> bool:
    """Whether this is the data whose digest that is; a failed run has none."""
    return isinstance(data, bytes | None) and digest_of(data or b"") == digest


def _wrong(table: str, name: Any) -> str:
    return f"the sum of {table} {one_line(name)} is wrong"


def _text(raw: bytes) -> str:
    """Text as it stands, even where it is damaged: its sum will tell."""
    return raw.decode("utf-8", "surrogateescape")
