"""How a folder of runs stands: what is done, what is missing, who is at it, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from typing import Any, NamedTuple

from carecommons.errors import CareCommonsError
from carecommons.experiments.engines import shard
from carecommons.experiments.provenance import code
from carecommons.experiments.store import files
from carecommons.experiments.store.asked import again, asked
from carecommons.experiments.store.database import DONE, FAILED, Store
from carecommons.experiments.store.errors import pasted, shown
from carecommons.experiments.store.identity import differences
from carecommons.experiments.store.lock import Holder, holder
from carecommons.experiments.store.publish import stamp
from carecommons.experiments.task import key_of


class Place(NamedTuple):
    """Where a run stands in a design."""

    cell: int
    replicate: int
    seed: int
    key: str


class Progress(NamedTuple):
    """How many runs of a design there are, and how they went."""

    title: str
    cells: int
    done: int
    failed: int
    missing: int


@dataclass(frozen=True)
class State:
    """A folder of runs at a glance: `designs` newest last, `seconds` of compute, `size` in bytes.

    `failed` are runs of its designs; others, such as worlds that a replication rule did not need in the end, are
    nobody's concern. `shard` is the block of its designs that the folder is for, such as "3/8", "" where it is for all
    of them; other blocks count nowhere. `unmerged` says whether shards within have runs that it lacks, `unfinished`
    whether a replication rule had not ended and may ask for more worlds. `versions` are those of the newest session,
    `mixed` says which differ among the runs, and `code` in which parts the code that made them is not today's.
    """

    folder: Path
    kind: str
    shard: str
    done: int
    failed: int
    designs: tuple[Progress, ...]
    seconds: float
    size: int
    holder: Holder | None
    unmerged: bool
    unfinished: bool
    stale: bool
    command: str
    versions: Mapping[str, str]
    mixed: str
    code: str

    @property
    def missing(self) -> int:
        """Runs of the newest design that were not tried yet."""
        return self.designs[-1].missing if self.designs else 0

    @property
    def advice(self) -> str:
        """What to do next."""
        if self.holder:
            return f"wait for {self.holder}"
        if self.unmerged:
            return f"bring in what its shards hold: carecommons merge {pasted(self.folder)}"
        if not self.designs:
            return self._again("what was asked for is not known here")
        if self.missing:
            return self._again(f"{self.missing:,} run{'s are' if self.missing > 1 else ' is'} left")
        if self.unfinished:
            return self._again("more worlds may be needed")
        if self.failed:
            return f"run once more what failed: carecommons retry {pasted(self.folder)}"
        if self.shard:
            return f"when all shards are done: carecommons merge {pasted(self.folder.parent)}"
        if not (self.folder / "summary.csv").exists():
            return self._again("its tables are not there yet")
        if self.stale:
            return self._again("its tables are older than its runs")
        return f"look at {shown(self.folder / 'summary.csv')}"

    def _again(self, why: str) -> str:
        command = again(self.command, self.folder, self.shard)
        return f"give the same command again, {why}" + (f": {command}" if command else "")

    def records(self) -> dict[str, Any]:
        """The same as plain values, for tables and JSON."""
        return {
            "kind": self.kind, **({"shard": self.shard} if self.shard else {}),
            "done": self.done, "failed": self.failed, "missing": self.missing,
            **({"replication rule": "not ended"} if self.unfinished else {}),
            "designs": len(self.designs), "seconds of compute": round(self.seconds, 1), "bytes": self.size,
            "written now by": str(self.holder) if self.holder else "nobody", "command": self.command,
            "code": self.code or "today's", "mixed versions": self.mixed or "none",
            **{f"version of {name}": each for name, each in self.versions.items()},
        }  # fmt: skip


def state(path: str | Path) -> State:
    """Look at a folder of runs, also while it is being written."""
    with Store.read(path) as store:
        runs = list(store.runs())
        status = {run.key: run.status for run in runs}
        sessions = sorted(store.sessions().values(), key=lambda each: str(each["started"]))
        folder, designs = store.folder or Path(), store.designs()
        manifest = files.read_manifest(folder)
        part = str(manifest.get("shard", ""))
        keys = dict.fromkeys(place.key for record in designs for place in places(record))
        left = {key: status.get(key) for key in keys if status.get(key) != DONE}
        return State(
            folder=folder,
            kind=str(store.identity.get("kind", "")),
            shard=part,
            done=sum(run.status == DONE for run in runs),
            failed=sum(how == FAILED for how in left.values()),
            designs=tuple(_progress(record, status, part) for record in designs),
            seconds=fsum(run.seconds for run in runs),
            size=sum(file.stat().st_size for file in folder.glob(f"{files.DATABASE}*") if file.is_file()),
            holder=holder(folder),
            unmerged=not part and _in_shards(folder, left),
            stale=manifest.get("of", "") not in ("", stamp(store)),
            unfinished=bool(designs) and not (designs[-1].get("stop") or {}).get("over", True),
            command=asked(sessions) or str(manifest.get("command", "")),
            versions=sessions[-1].get("versions", {}) if sessions else {},
            mixed=store.mixed,
            code=differences({"code": store.identity.get("code", {})}, {"code": dict(code())}, ()),
        )


def worlds(record: Mapping[str, Any]) -> list[int]:
    """The seeds of a design: as they are listed, or so many from the first."""
    return list(record["seeds"]) if "seeds" in record else [record["seed"] + k for k in range(record["replicates"])]


def places(record: Mapping[str, Any]) -> Iterator[Place]:
    """Every run of a design, cell by cell."""
    for cell, subject in enumerate(record["subjects"]):
        for replicate, seed in enumerate(worlds(record)):
            yield Place(cell, replicate, seed, key_of(subject, seed))


def _progress(record: Mapping[str, Any], status: Mapping[str, str], part: str) -> Progress:
    keys = [place.key for place in sorted(places(record), key=lambda each: (each.replicate, each.cell))]  # as they run
    found = [status.get(key) for key in dict.fromkeys(shard(keys, part) if part else keys)]
    title, cells = str(record.get("title", "")), len(record["subjects"])
    return Progress(title, cells, found.count(DONE), found.count(FAILED), found.count(None))


def _in_shards(folder: Path, left: Mapping[str, str | None]) -> bool:
    """Whether a shard within holds a run that is `left` to do, or has done one that failed."""
    for file in sorted(folder.glob(f"{files.SHARDS}/{files.DATABASE}")) if left else ():
        with suppress(CareCommonsError), Store.read(file.parent) as store:  # a damaged one is no help
            if any(run.key in left and left[run.key] != run.status for run in store.runs()):
                return True
    return False
