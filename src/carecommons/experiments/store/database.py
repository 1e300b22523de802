"""A folder of runs that survives whatever happens to those who write it: what was acknowledged is there, and whole."""

from __future__ import annotations

import json
import math
import os
import socket
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from carecommons.errors import CareCommonsError, one_line
from carecommons.experiments.packing import PackingError, unpack
from carecommons.experiments.provenance import code, machine, versions
from carecommons.experiments.store import files
from carecommons.experiments.store.asked import asked, asks
from carecommons.experiments.store.errors import IncompatibleError, StoreError, damaged, shown
from carecommons.experiments.store.identity import texts
from carecommons.experiments.store.lock import Lock
from carecommons.experiments.store.opening import created, found, opened, sound, welcome, whole
from carecommons.experiments.store.sealed import Row, Sealed, digest_of
from carecommons.experiments.task import Done, Task, key_of
from carecommons.scenario import Scenario

FORMAT: Final = 2  # of the tables in the database, and of the arrays packed in them
DONE: Final = "done"
FAILED: Final = "failed"


class Run(NamedTuple):
    """A run as the store knows it: its subject and world, how it went, and in which session it was made when."""

    key: str
    subject: str
    seed: int
    status: str
    cause: str
    tries: int
    seconds: float
    finished: str
    session: str
    digest: bytes


class Store:
    """The runs of one experiment, by the keys that their content gives them.

    Open one with `Store.write` or `Store.read`; both are context managers. Every row carries a sum that is checked
    whenever it is read, and a store that was closed is checked as a whole before its first row is.
    """

    def __init__(self, sealed: Sealed, folder: Path | None, lock: Lock | None) -> None:
        about: dict[str, str] = dict(sealed.rows("about"))
        self.sealed, self.folder, self._lock = sealed, folder, lock
        self.identity: dict[str, Any] = json.loads(about["identity"])
        self.columns: dict[str, str] = dict(json.loads(about["columns"]))  # of a series: unit by name
        self._session = ""
        self._again: dict[str, None] = {}  # failed runs whose next result counts

    @classmethod
    def write(
        cls,
        path: str | Path | None,
        identity: Mapping[str, Any],
        *,
        command: str,
        force: bool = False,
        shard: str | None = None,
    ) -> Self:
        """Open a folder for writing, a new one or one with runs of the same identity.

        Parameters
        ----------
        path
            The folder; None keeps the runs in a private database that ends with the store.
        identity
            What all runs share: "kind", "scenario" (flat values; those of a comparison's arms under "a." and "b."),
            "factors" (keys varied), "code" (hash by part), "places" (digest of the figures by place), "format".
        command
            How it is run, for the provenance and for others who find the folder taken.
        force
            Write into a folder with other files, or set aside runs of another identity (`results-1.sqlite`) and begin
            anew; nothing is mixed, and nothing deleted.
        shard
            The block of its design that the folder is for, such as "3/8", "" for all of it; None leaves that as it is.

        Raises
        ------
        BusyError, IncompatibleError, DamagedError, StoreError
            Another process writes it; it holds other runs; it is not what was written; it cannot be written.
        OccupiedError
            The folder holds other files and no runs.
        InputError
            The path is empty, or is or lies in a file.
        """
        if path is None:
            return cls._signed(created(None, identity), None, None, command)
        folder = files.folder_of(path)
        welcome(folder, force)
        lock = Lock(folder, command)
        try:
            sealed = opened(folder, identity, force)
            try:
                held = files.read_manifest(folder)
                # From here until it is closed, only the rows' own sums speak for the file.
                held.get("sums", {}).pop(files.DATABASE, None)
                begun = {"store": "open", "format": FORMAT, "identity": json.dumps(identity)}
                if shard is not None:
                    begun["shard"] = shard
                if asks(command):
                    begun["command"] = one_line(command, 2000)
                files.write_manifest(folder, held | begun)
                sealed.begin_writing()
                return cls._signed(sealed, folder, lock, command)
            except BaseException:
                sealed.close()
                raise
        except BaseException:
            lock.release()
            raise

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Open a folder, or one database in it, for reading, also while another process writes it; changes nothing."""
        folder, file = found(Path(path))
        whole(file)
        sealed = Sealed(file)
        try:
            sound(sealed)
            store = cls(sealed, folder, None)
            if store.identity.get("format") != FORMAT:
                theirs = one_line(store.identity.get("format"))
                raise IncompatibleError(
                    f"{shown(path)}: was written in format {theirs} by another version of carecommons; ours is {FORMAT}"
                )
            return store
        except BaseException:
            sealed.close()
            raise

    @classmethod
    def _signed(cls, sealed: Sealed, folder: Path | None, lock: Lock | None, command: str) -> Self:
        """A store to write to, with a row that says who writes: each run points to it."""
        store = cls(sealed, folder, lock)
        facts = {
            "command": one_line(command, 2000), "started": _now(), "pid": os.getpid(), "host": socket.gethostname(),
            "versions": versions(), "machine": machine(), "code": dict(code()),
        }  # fmt: skip
        content = json.dumps(facts)
        store._session = digest_of(content.encode()).hex()
        with sealed.transaction("writing who writes"):
            sealed.put("session", (store._session, content))
        return store

    # --- writing ---

    def add(self, done: Done, subject: str) -> None:
        """Keep how a task went; once this returns it is on the disk.

        The same result of a run that is there already changes nothing; another result is an error, since equal keys
        stand for equal runs.
        """
        task = done.task
        if key_of(subject, task.seed) != task.key:
            raise ValueError(f"run {task.key} is not of subject {subject} and seed {task.seed}")
        status, digest = FAILED if done.packed is None else DONE, digest_of(done.packed or b"")
        held = self.run(task.key)
        if held is not None and not (held.status == FAILED and task.key in self._again):
            if (held.status, held.digest) != (status, digest):
                raise StoreError(f"{shown(self.folder)}: run {task.key} is there already, and went another way")
            return
        run = Run(task.key, subject, task.seed, status, one_line(done.cause, 400), done.tries, float(done.seconds),
                  _now(), self._session, digest)  # fmt: skip
        with self.sealed.transaction(f"writing a run of {len(done.packed or b'') / 1024:,.0f} KB"):
            if self.sealed.get("point", subject) is None:
                self.sealed.put("point", _point(subject, task))
            self.sealed.put("run", run, done.packed)
        self._again.pop(task.key, None)

    def forget_failures(self, keys: Iterable[str] | None = None) -> list[str]:
        """Let the next results of failed runs, all by default, take their place -> the keys; until then they stay."""
        chosen = None if keys is None else dict.fromkeys(keys)
        failed = [run.key for run in self.runs() if run.status == FAILED and (chosen is None or run.key in chosen)]
        self._again |= dict.fromkeys(failed)
        return failed

    def add_design(self, record: Mapping[str, Any]) -> None:
        """Make a design the newest one.

        It has the "subjects" of its cells and, unless it is one cell of no factors, their levels in "cells"; its worlds
        as "seeds", or as "seed" and "replicates"; and what else is to be known: "factors", "scenario", "last", ...
        """
        if len(record["subjects"]) != len(record.get("cells", [{}])):
            raise ValueError("a design has one subject a cell")
        content = json.dumps(record)
        name = digest_of(content.encode()).hex()
        held = [(added, known) for known, _, added in self.sealed.rows("design")]
        if held and max(held)[1] == name:
            return
        # Never before the newest one, whatever the clock says.
        now = max([int(datetime.now(UTC).timestamp() * 1e6), *(added + 1 for added, _ in held)])
        with self.sealed.transaction("writing the design"):
            self.sealed.put("design", (name, content, now))

    def close(self) -> None:
        """Close; a writer first moves everything into the one file, and its hash into the manifest."""
        if self._lock is None or self.folder is None:
            self.sealed.close()
            return
        try:
            facts = self._facts()
            settled = self.sealed.close(settle=True)
            held = files.read_manifest(self.folder)
            if settled:
                held.setdefault("sums", {})[files.DATABASE] = files.hash_of(self.folder / files.DATABASE)
            files.write_manifest(self.folder, held | facts | {"store": "closed" if settled else "open"})
        finally:
            self.sealed.close()
            self._lock.release()
            self._lock = None

    # --- reading ---

    def status(self) -> dict[str, str]:
        """How each run that was tried went, "done" or "failed", by key; those to be tried again are not in it."""
        return {run.key: run.status for run in self.runs() if run.key not in self._again}

    def runs(self) -> Iterator[Run]:
        """All runs, in the order in which they came."""
        return (Run(*row) for row in self.sealed.rows("run"))

    def run(self, key: str) -> Run | None:
        """One run, None when it was not tried."""
        row = self.sealed.get("run", key)
        return None if row is None else Run(*row)

    def row(self, key: str) -> Run:
        """One run; KeyError when it was not tried."""
        row = self.sealed.get("run", key) or self.sealed.get("run", key, surely=True)
        if row is None:
            raise KeyError(key)
        return Run(*row)

    def answer(self, key: str) -> dict[str, Any]:
        """The arrays of a run that is done, by name; KeyError when it is not."""
        content = self.sealed.data(key)
        if content is None:
            raise KeyError(key)
        try:
            return unpack(content)
        except PackingError as problem:
            raise damaged(self.sealed.path, f"run {key}: {problem}") from None

    def rows(self, table: str) -> Iterator[Row]:
        """All rows of a table as they stand: "about", "session", "design", "point" or "run"."""
        return self.sealed.rows(table)

    @property
    def points(self) -> dict[str, list[dict[str, Any]]]:
        """By subject, the flat values of its scenario, or of each arm's."""
        return {subject: json.loads(parameters) for subject, parameters, _ in self.sealed.rows("point")}

    def designs(self) -> list[dict[str, Any]]:
        """The design records, newest last."""
        rows = sorted(self.sealed.rows("design"), key=lambda row: (row[2], row[0]))
        return [json.loads(content) for _, content, _ in rows]

    def sessions(self) -> dict[str, dict[str, Any]]:
        """By the id that runs point to, who made them: command, versions, machine, code, and when it was begun."""
        return {name: json.loads(facts) for name, facts in self.sealed.rows("session")}

    @property
    def mixed(self) -> str:
        """Which versions differ among those that its runs were made with, such as "numpy 2.3.1 and 2.4.6"; or ""."""
        used = {run.session for run in self.runs()}
        found: dict[str, dict[str, None]] = {}
        for name, facts in self.sessions().items():
            for library, number in facts.get("versions", {}).items() if name in used else ():
                found.setdefault(library, {})[str(number)] = None
        return ", ".join(f"{library} {' and '.join(each)}" for library, each in sorted(found.items()) if len(each) > 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        # What went wrong first is what is told.
        with suppress(*([CareCommonsError] if kind else [])):
            self.close()

    def _facts(self) -> dict[str, Any]:
        """What the manifest says of the runs."""
        runs, designs = list(self.runs()), self.designs()
        return {
            "kind": self.identity.get("kind"), "title": designs[-1].get("title", "") if designs else "",
            "scenario": texts(self.identity.get("scenario", {})), "design": designs[-1] if designs else None,
            "command": asked(self.sessions().values()),
            "versions": versions(), "machine": machine(),
            "runs": {status: sum(run.status == status for run in runs) for status in (DONE, FAILED)},
            "time": {
                "started": min((each["started"] for each in self.sessions().values()), default=""), "finished": _now(),
                "seconds_of_compute": round(math.fsum(run.seconds for run in runs), 3),
            },
        }  # fmt: skip


def place_digest(scenario: Scenario) -> str:
    """A short hash of the published figures of a scenario's place."""
    return blake2b(scenario.profile().model_dump_json().encode(), digest_size=8).hexdigest()


def _point(subject: str, task: Task) -> Row:
    parameters = [{key: value for key, value in each.flat().items() if key != "name"} for each in task.scenarios]
    places = {each.place: place_digest(each) for each in task.scenarios}
    return subject, json.dumps(parameters), json.dumps(places)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
