"""Set a damaged database aside, and go on with every row of it that is still what was written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments.store import files
from carecommons.experiments.store.asked import again
from carecommons.experiments.store.errors import shown, told
from carecommons.experiments.store.lock import Lock
from carecommons.experiments.store.opening import created
from carecommons.experiments.store.sealed import TABLES, Row, Sealed
from carecommons.experiments.store.verify import Finding, verify

_ASIDE: Final = f"{files.DATABASE}.damaged-{{}}"
_LOST: Final = '{"command": "", "started": ""}'  # what is said of a session whose row is damaged


class Report(NamedTuple):
    """What was wrong, and what was done.

    `aside` is the name that the damaged database has now, "" if there was none to move; `kept` how many runs remain in
    the new one; `whole` says that nothing had to be done, `lost` that a design is gone, and `command` what to give
    again, "" where that is not known.
    """

    findings: list[Finding]
    aside: str = ""
    kept: int = 0
    whole: bool = False
    lost: bool = False
    command: str = ""

    def __str__(self) -> str:
        if self.whole:
            end = "The runs are whole; nothing was changed."
        elif not self.aside:
            end = "All runs are lost, the folder holds none now. Give the same command again"
            end += f": {self.command}" if self.command else "."
        else:
            end = f"Kept {self.kept:,} runs; the damaged file is now {self.aside}. "
            end += "A design was lost: give every command again that was run here." if self.lost else (
                "Give the same command again for the rest.")  # fmt: skip
        return "\n".join([*map(str, self.findings), end])


def repair(path: str | Path) -> Report:
    """Mend a folder of runs, if it needs it; the same command as before then runs again what was lost.

    The damaged database is renamed to `results.sqlite.damaged-1` (or the next free number) and otherwise left as it
    is; a new one takes its place, with every row whose sum holds. Derived tables are not touched.
    """
    folder = files.folder_of(path)
    if not (folder / files.DATABASE).exists() and not files.read_manifest(folder):
        raise InputError(f"{shown(folder)}: holds no runs, must be a folder that a sweep or a comparison wrote")
    with Lock(folder, "carecommons repair"):
        findings = verify(folder)
        if all(each.file != files.DATABASE for each in findings):
            return Report(findings, whole=True)
        manifest, aside = files.read_manifest(folder), _set_aside(folder)
        kept, lost = _begin_again(folder, aside)
    command = again(str(manifest.get("command", "")), folder, str(manifest.get("shard", "")))
    return Report(findings, aside.name if aside else "", kept, lost=lost, command=command)


def _set_aside(folder: Path) -> Path | None:
    """Rename the damaged database; where it is gone, what an interrupted repair has set aside stands for it."""
    if (folder / files.DATABASE).exists():
        name = files.free_name(folder, _ASIDE)
        files.rename_database(folder, files.DATABASE, name)
        return folder / name
    numbers = [each.name.rpartition("-")[2] for each in folder.glob(_ASIDE.format("*"))]
    newest = max((int(number) for number in numbers if number.isdecimal()), default=0)
    return folder / _ASIDE.format(newest) if newest else None


def _begin_again(folder: Path, aside: Path | None) -> tuple[int, bool]:
    """Write the new database -> how many runs it has, and whether it lacks a design."""
    file, manifest = folder / files.DATABASE, files.read_manifest(folder)
    with told(file, "writing what is kept"):
        # An empty file has nothing to offer, and is no database.
        with closing(Sealed(aside if aside and aside.stat().st_size else None, "salvage")) as old:
            lost = _lost_a_design(old)
            known = {row[0]: row[1] for row, _ in old.salvage("about")}
            identity = known.get("identity") or manifest.get("identity")
            if not identity:
                files.write_manifest(folder, manifest | {"store": "aside"})
                return 0, lost
            sealed = created(file, json.loads(identity), lambda new: _fill(new, old))
        kept = sum(1 for _ in sealed.rows("run"))
        sealed.close()
        sums = manifest.get("sums", {}) | {file.name: files.hash_of(file)}
    files.write_manifest(folder, manifest | {"store": "closed", "identity": identity, "sums": sums})
    return kept, lost


def _lost_a_design(old: Sealed) -> bool:
    try:
        return not all(good for _, good in old.scan("design"))
    except CareCommonsError:
        return True


def _fill(new: Sealed, old: Sealed) -> None:
    """Bring over what holds; a run whose point is lost is left out, since nothing says any more what was run."""
    subjects: dict[str, None] = {}
    sessions: dict[str, None] = {}
    with new.transaction("writing what is kept"):
        for table, row, content in _salvaged(old):
            if table == "point":
                subjects[row[0]] = None
            elif table == "session":
                sessions[row[0]] = None
            elif table == "run":
                if row[1] not in subjects:
                    continue
                if row[8] not in sessions:
                    sessions[row[8]] = None
                    new.put("session", (row[8], _LOST))
            new.put(table, row, content)


def _salvaged(old: Sealed) -> Iterator[tuple[str, Row, bytes | None]]:
    for table in TABLES:  # runs last
        for row, content in old.salvage(table):
            yield table, row, content
