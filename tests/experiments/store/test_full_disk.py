"""When nothing more can be written, one line says so, what was there stays, and the same command goes on later."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import kept
import pytest

from carecommons.experiments.store.database import Store
from carecommons.experiments.store.errors import StoreError
from carecommons.experiments.store.publish import publish
from carecommons.experiments.store.verify import verify
from carecommons.experiments.tables import files

# A disk that is full: no file may grow beyond so many bytes.
WRITER = """
import resource, sys; sys.path[:0] = {path!r}
from pathlib import Path
import kept
from carecommons.errors import CareCommonsError
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
try:
    with kept.Store.write(Path({folder!r}), kept.identity(), command="the writer") as store:
        store.add_design(kept.record(replicates=20))
        for task in kept.tasks(replicates=20):
            store.add(kept.done(task), task.subject)
            print(task.key, flush=True)
except CareCommonsError as problem:
    print(problem, file=sys.stderr)
    sys.exit(problem.exit_code)
"""


def write_with(limit: int, folder: Path) -> subprocess.CompletedProcess[str]:
    script = WRITER.format(path=[each for each in sys.path if each], folder=str(folder), limit=limit)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.skipif(os.name == "nt", reason="limits of a process")
@pytest.mark.parametrize("limit", [0, 100, 5_000, 33_000, 60_000, 70_000, 90_000, 110_000])
def test_a_full_disk_costs_no_run_and_leaves_a_store_that_goes_on(limit: int, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    kept.fill(folder, map(kept.done, kept.tasks(replicates=1)), kept.record(replicates=20))
    before = kept.read_all(folder)
    ended = write_with(limit, folder)
    assert ended.returncode == 3, ended.stderr
    assert ended.stderr.count("\n") == 1
    assert str(folder) in ended.stderr
    now = kept.read_all(folder)
    assert {key: now[key] for key in before} == before
    assert set(ended.stdout.split()) <= set(now)
    tasks = kept.tasks(replicates=20)
    kept.fill(folder, map(kept.done, tasks), kept.record(replicates=20))
    kept.fill(tmp_path / "plain", map(kept.done, tasks), kept.record(replicates=20))
    assert kept.exported(folder, tmp_path / "x") == kept.exported(tmp_path / "plain", tmp_path / "y")
    assert verify(folder) == []


CALLS = ("os.fsync", "pathlib.Path.replace", "pathlib.Path.write_bytes", "pathlib.Path.rename", "pathlib.Path.unlink")


@pytest.mark.parametrize("call", CALLS)
def test_whichever_call_to_the_system_fails_old_runs_and_tables_stay(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The k-th call fails, for every k until none does; what was acknowledged before is there afterwards."""
    tasks = kept.tasks()
    kept.fill(tmp_path / "plain", map(kept.done, tasks))
    plain = kept.exported(tmp_path / "plain", tmp_path / "tables")
    for k in range(1, 50):
        folder = tmp_path / str(k)
        kept.fill(folder, map(kept.done, tasks[:6]))
        acknowledged = {task.key for task in tasks[:6]}
        with monkeypatch.context() as broken:
            fault = Fault(call, k)
            broken.setattr(call, fault)
            try:
                with Store.write(folder, kept.identity(), command="test") as store:
                    for task in tasks[6:]:
                        store.add(kept.done(task), task.subject)
                        acknowledged.add(task.key)
                    publish(store, files(store))
            except StoreError as problem:
                assert "\n" not in str(problem)
        with Store.read(folder) as store:
            assert acknowledged <= set(store.status())
        kept.fill(folder, map(kept.done, tasks))
        assert verify(folder) == []
        assert kept.exported(folder, folder) == plain
        assert [path.name for path in folder.glob(".*")] == []
        if fault.left > 0:
            return
    pytest.fail("there is always another call")


class Fault:
    """A call that fails the k-th time."""

    def __init__(self, call: str, k: int) -> None:
        owner: Any = Path if call.startswith("pathlib") else os
        self.real, self.left = getattr(owner, call.rpartition(".")[2]), k

    def __get__(self, instance: object, owner: type) -> Any:
        return self if instance is None else lambda *args, **more: self(instance, *args, **more)

    def __call__(self, *args: Any, **more: Any) -> Any:
        self.left -= 1
        if not self.left:
            raise OSError(28, "No space left on device")
        return self.real(*args, **more)
