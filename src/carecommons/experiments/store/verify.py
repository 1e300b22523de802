"""Look a store through from end to end, and say everything that is not what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments.packing import PackingError, unpack
from carecommons.experiments.store import files
from carecommons.experiments.store.errors import DamagedError, shown
from carecommons.experiments.store.identity import differences
from carecommons.experiments.store.sealed import Sealed


class Finding(NamedTuple):
    """What is wrong with a file."""

    file: str
    found: str

    def __str__(self) -> str:
        return f"{self.file}: {self.found}"


def verify(path: str | Path) -> list[Finding]:
    """Everything that is wrong with a folder of runs: nothing in a whole one.

    Looks at the hash of every file that the manifest knows, at the structure of the database, at the sum of each row,
    at their tally, at the data of each run, and whether all that a run points to is there. Changes nothing; a store
    that is being written is looked at as it stands.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(f"{shown(folder)}: must be a folder that a sweep or a comparison wrote")
    manifest = files.read_manifest(folder)
    findings = [Finding(*each) for each in _changed(folder, manifest.get("sums", {}) | manifest.get("files", {}))]
    if (folder / files.DATABASE).exists():
        findings += [Finding(files.DATABASE, fault) for fault in faults(folder / files.DATABASE)]
    elif manifest.get("store") in ("open", "closed"):
        findings.append(Finding(files.DATABASE, "is missing"))
    if not manifest:
        findings.append(Finding(files.MANIFEST, "is missing, or is not what was written"))
    return list(dict.fromkeys(findings))


def faults(file: Path) -> Iterator[str]:
    """What is wrong inside a database, however much of it can be read."""
    try:
        with Sealed(file) as sealed:
            yield from sealed.integrity()
            yield from sealed.faults()
            yield from strange(sealed)
            known = {table: {row[0] for row, _ in sealed.scan(table)} for table in ("point", "session")}
            for run, good in sealed.scan("run"):
                if not good:
                    continue
                key, subject, session = run[0], run[1], run[8]
                for table, name in (("point", subject), ("session", session)):
                    if name not in known[table]:
                        yield f"run {key} points to a {table} that is not there"
                try:
                    data = sealed.data(key)
                    if data is not None:
                        unpack(data)
                except (DamagedError, PackingError) as problem:
                    yield _inner(problem)
    except CareCommonsError as problem:
        yield _inner(problem)


def strange(sealed: Sealed) -> Iterator[str]:
    """Whether a folder's database is of other runs than its manifest says: the one of another folder, say."""
    if sealed.path is None or sealed.path.name != files.DATABASE:
        return
    manifest = files.read_manifest(sealed.path.parent)
    if manifest.get("store") not in ("open", "closed") or not isinstance(manifest.get("identity"), str):
        return
    try:
        said = json.loads(manifest["identity"])
        about: dict[str, str] = dict(sealed.rows("about"))
        held = json.loads(about["identity"])
        varied = [key for row in sealed.rows("design") for key in json.loads(row[1]).get("factors", {})]
        different = differences(said, held, varied)
    except (ValueError, KeyError, TypeError, AttributeError):  # the manifest is damaged, which costs no run
        return
    if different:
        yield f"it is not of this folder: by the manifest, {different}"


def _changed(folder: Path, known: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, sum_then in sorted(known.items()):
        file = folder / name
        if not file.exists():
            yield name, "is missing"
        elif files.hash_of(file) != sum_then:
            yield name, "is not what it was when it was written"


def _inner(problem: CareCommonsError) -> str:
    return problem.found if isinstance(problem, DamagedError) else str(problem)
