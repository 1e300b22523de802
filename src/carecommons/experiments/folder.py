"""A folder of results: written beside its place and moved there when it is whole, with a manifest of how it came."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from carecommons.errors import InputError, one_line
from carecommons.experiments.formats import to_json
from carecommons.experiments.provenance import versions
from carecommons.experiments.store import files
from carecommons.experiments.store.errors import OccupiedError, StoreError
from carecommons.experiments.store.lock import holder

MANIFEST: Final = files.MANIFEST


class Folder:
    """Where the results of one experiment go.

    In a `with` block: what is added appears at `path` all at once at the end, and nothing does when the block fails. A
    folder that holds another experiment, or files that are nobody's results, is refused unless `force` is given; even
    then only what has the name of a new result is replaced, and only what is as we left it is taken away.

    Parameters
    ----------
    path
        The folder to be.
    experiment
        What the results are of: a short hash. A folder with the results of the same experiment is replaced.
    force
        Write into a folder of something else, but never into one of a sweep or comparison.

    Raises
    ------
    OccupiedError
        The folder holds something else.
    InputError
        The path is or lies in a file.
    StoreError
        The folder cannot be written.
    """

    def __init__(self, path: str | Path, experiment: str, *, force: bool = False) -> None:
        self.path, self.experiment, self._force = files.folder_of(path), experiment, force
        self._shown = one_line(path, limit=200)
        self._draft = self.path.parent / f".{self.path.name}.{os.getpid()}.part"
        self._files: dict[str, str] = {}
        self._started = time.time()
        self._refuse_others()

    def add(self, name: str, content: bytes) -> None:
        """Put a file among the results; its name may lead nowhere else."""
        if Path(name).name != name:
            raise InputError(f"{self._shown}: {one_line(name)} cannot be written: it is no plain name of a file")
        try:
            with (self._draft / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        except OSError as problem:
            raise StoreError(f"{self._shown}: {name} cannot be written: {problem.strerror or problem}") from None
        self._files[name] = sha256(content).hexdigest()

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Add the manifest: `facts` about the experiment, the versions of everything, the time, a hash of each file."""
        manifest = {
            "experiment": self.experiment,
            **facts,
            "versions": versions(),
            "time": {
                "finished": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(time.time() - self._started, 1),
            },
            "files": dict(sorted(self._files.items())),
        }
        self.add(MANIFEST, (to_json(manifest) + "\n").encode())

    def __enter__(self) -> Self:
        try:
            shutil.rmtree(self._draft, ignore_errors=True)  # left by a process of the same number that was killed
            self._draft.mkdir(parents=True)
        except (OSError, ValueError) as problem:
            raise self._failed(problem) from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._move_in()
        except OSError as failure:
            raise self._failed(failure) from None
        finally:
            shutil.rmtree(self._draft, ignore_errors=True)

    def _move_in(self) -> None:
        if not self.path.exists():
            self._draft.rename(self.path)
            return
        self._refuse_results()  # once more: a run may take hours, in which others came
        stale = self._stale()
        for name in sorted(self._files, key=lambda name: name == MANIFEST):
            (self._draft / name).replace(self.path / name)
        for name in stale:
            (self.path / name).unlink(missing_ok=True)

    def _stale(self) -> list[str]:
        """What the results before these left and these lack, as far as it is still what was written."""
        held = self._held()
        known = held.get("files") if isinstance(held.get("experiment"), str) else None
        return [name for name, then in (known if isinstance(known, dict) else {}).items()
                if name not in self._files and Path(name).name == name and self._hash_now(name) == then]  # fmt: skip

    def _hash_now(self, name: str) -> str:
        with suppress(OSError, ValueError):
            return sha256((self.path / name).read_bytes()).hexdigest()
        return ""

    def _refuse_others(self) -> None:
        self._refuse_results()
        try:
            holds = self.path.is_dir() and any(self.path.iterdir())
        except (OSError, ValueError) as problem:
            raise self._failed(problem) from None
        if holds and not self._held() and not self._force:
            raise self._occupied("other files")

    def _refuse_results(self) -> None:
        """Refuse results that are not of this experiment; of a sweep even when forced: theirs are lock and manifest."""
        held = self._held()
        try:
            many = (self.path / files.DATABASE).exists() or "store" in held or holder(self.path) is not None
        except (OSError, ValueError) as problem:
            raise self._failed(problem) from None
        if many:
            raise OccupiedError(
                f"{self._shown}: holds a sweep or a comparison, or tables of one; choose another folder"
            )
        if held and not self._force and held.get("experiment") != self.experiment:
            raise self._occupied("the results of another experiment")

    def _occupied(self, what: str) -> OccupiedError:
        return OccupiedError(f"{self._shown}: holds {what}; choose another folder, or --force to write there anyway")

    def _failed(self, problem: OSError | ValueError) -> StoreError:
        reason = getattr(problem, "strerror", None) or problem
        return StoreError(f"{self._shown}: cannot be written: {one_line(reason)}")

    def _held(self) -> dict[str, Any]:
        """The manifest of the folder as it is, empty when there is none that can be read."""
        with suppress(OSError, ValueError, RecursionError):
            held = json.loads((self.path / MANIFEST).read_text("utf-8"))
            return held if isinstance(held, dict) else {}
        return {}
