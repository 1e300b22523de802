"""Nothing that was damaged is ever read as if it were whole, and what is whole can always be kept."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import kept
import pytest

from carecommons.errors import CareCommonsError
from carecommons.experiments.store import files
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.errors import DamagedError
from carecommons.experiments.store.repair import repair
from carecommons.experiments.store.state import state
from carecommons.experiments.store.verify import verify
from damage import cut, empty, flip, scribble

TIMES = 100
NAME = files.DATABASE


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that was closed as it should be."""
    folder = tmp_path_factory.mktemp("closed") / "a"
    kept.fill(folder, [*map(kept.done, kept.tasks()[:-1]), kept.failed(kept.tasks()[-1])])
    return folder


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store as a writer leaves it that is killed: half of it in the database, half in its log."""
    folder = tmp_path_factory.mktemp("killed") / "a"
    copy = folder.with_name("copy")
    kept.fill(folder, map(kept.done, kept.tasks()[:6]))
    with Store.write(folder, kept.identity(), command="test") as store:
        for task in kept.tasks()[6:]:
            store.add(kept.done(task), task.subject)
        shutil.copytree(folder, copy)
    (copy / f"{NAME}-shm").unlink()
    assert (copy / f"{NAME}-wal").stat().st_size > 10_000
    return copy


@pytest.mark.parametrize(("damage", "times"), [(flip, TIMES), (cut, TIMES), (scribble, TIMES), (empty, 1)])
def test_a_closed_store_with_one_thing_changed_is_refused(
    damage: Callable[[Path, random.Random], None], times: int, closed: Path, tmp_path: Path
) -> None:
    luck = random.Random(3)
    for k in range(times):
        folder = shutil.copytree(closed, tmp_path / str(k))
        damage(folder / NAME, luck)
        for opened in (Store.read, lambda path: Store.write(path, kept.identity(), command="test")):
            with pytest.raises(DamagedError, match=f"repair .*{tmp_path.name}") as told:
                opened(folder)
            assert "\n" not in str(told.value)
            assert told.value.exit_code == 4
        assert any(each.file == NAME for each in verify(folder))


@pytest.mark.parametrize(("damage", "times"), [(flip, TIMES), (cut, TIMES), (scribble, TIMES), (empty, 1)])
@pytest.mark.parametrize("file", [NAME, f"{NAME}-wal"])
def test_a_damaged_store_of_a_killed_writer_is_refused_or_reads_as_it_was(
    damage: Callable[[Path, random.Random], None], times: int, file: str, killed: Path, tmp_path: Path
) -> None:
    """What is read is what was written; runs whose place in the log is damaged may be missing, and are run again."""
    whole, luck = kept.read_all(shutil.copytree(killed, tmp_path / "whole")), random.Random(4)
    for k in range(times):
        folder = shutil.copytree(killed, tmp_path / str(k))
        damage(folder / file, luck)
        try:
            found = kept.read_all(folder)
        except DamagedError:
            assert verify(folder) != []
            continue
        assert {key: whole[key] for key in found if key != "points"} == {
            key: value for key, value in found.items() if key != "points"
        }


@pytest.mark.parametrize(("damage", "times"), [(flip, 8), (cut, 8), (scribble, 8), (empty, 1)])
@pytest.mark.parametrize("state", ["closed", "killed"])
def test_after_repair_what_holds_is_kept_and_the_same_command_runs_the_rest(
    state: str, damage: Callable[[Path, random.Random], None], times: int, tmp_path: Path,
    request: pytest.FixtureRequest
) -> None:  # fmt: skip
    origin, luck = request.getfixturevalue(state), random.Random(5)
    whole = kept.read_all(shutil.copytree(origin, tmp_path / "whole"))
    kept.fill(tmp_path / "plain", map(kept.done, kept.tasks()))
    plain = kept.exported(tmp_path / "plain", tmp_path / "tables")
    for k in range(times):
        folder = shutil.copytree(origin, tmp_path / str(k))
        damage(folder / NAME, luck)
        before = (folder / NAME).read_bytes()
        report = repair(folder)
        if report.aside:
            assert (folder / report.aside).read_bytes() == before
        found = kept.read_all(folder)
        assert all(whole[key] == found[key] for key in found if len(key) == 32)
        with Store.write(folder, kept.identity(), command="test") as store:
            store.forget_failures()
            store.add_design(kept.record())
            for task in kept.tasks():
                if task.key not in store.status():
                    store.add(kept.done(task), task.subject)
        assert verify(folder) == []
        assert kept.exported(folder, folder / "tables") == plain


def rewritten(folder: Path, *statements: str) -> None:
    """Change rows behind the store's back, with everything else in order."""
    with sqlite3.connect(folder / NAME) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    manifest = files.read_manifest(folder)
    files.write_manifest(folder, manifest | {"sums": {NAME: files.hash_of(folder / NAME)}})


SWAP = "UPDATE run SET {0} = (SELECT {0} FROM run AS other WHERE other.rowid = 3 - run.rowid) WHERE rowid < 3"


@pytest.mark.parametrize(
    "statements",
    [
        [SWAP.format("data")],
        [SWAP.format("data"), SWAP.format("digest")],
        ["UPDATE run SET key = 'x' || key WHERE rowid < 3",
         SWAP.format("key").replace("SELECT key", "SELECT substr(key, 2)")],
        ["UPDATE run SET seed = seed + 1 WHERE rowid = 1"],
        ["UPDATE run SET status = 'done' WHERE status = 'failed'"],
        ["UPDATE run SET seconds = 9 WHERE rowid = 2"],
        ["DELETE FROM run WHERE rowid = 2"],
        ["DELETE FROM design"],
        ["INSERT INTO run SELECT 'x', subject, seed, status, cause, tries, seconds, finished, session, digest, sum,"
         " data FROM run LIMIT 1"],
        ["UPDATE point SET parameters = replace(parameters, '0.8', '0.9')"],
        ["UPDATE design SET content = replace(content, ': 12', ': 11')"],
        ["UPDATE about SET value = replace(value, 'sweep', 'swoop')"],
        ["UPDATE session SET facts = replace(facts, 'a test', 'no test')"],
        ["DELETE FROM tally"],
        ["DROP TABLE run"],
    ],
)  # fmt: skip
def test_rows_that_were_swapped_changed_removed_or_added_are_found(
    statements: list[str], closed: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(closed, tmp_path / "a")
    rewritten(folder, *statements)
    with pytest.raises(DamagedError):
        kept.read_all(folder)
    assert verify(folder) != []


def test_the_damaged_runs_are_named(closed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(closed, tmp_path / "a")
    rewritten(folder, "UPDATE run SET seed = seed + 1 WHERE rowid IN (1, 3)")
    first, _, third = kept.tasks()[:3]
    with pytest.raises(DamagedError) as told:
        Store.read(folder)
    assert first.key in str(told.value)
    assert third.key in str(told.value)


def test_a_missing_database_is_named_and_begun_anew_only_when_told(closed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(closed, tmp_path / "a")
    (folder / NAME).unlink()
    for opened in (Store.read, lambda path: Store.write(path, kept.identity(), command="test")):
        with pytest.raises(DamagedError, match="it is missing"):
            opened(folder)
    assert [each.found for each in verify(folder) if each.file == NAME] != []
    report = repair(folder)
    lines = str(report).splitlines()
    assert not report.whole and len(lines) == len(set(lines)) == 2
    assert lines[0] == f"{NAME}: is missing"
    assert lines[1] == "All runs are lost, the folder holds none now. Give the same command again: a test"
    (folder / "summary.csv").write_text("stale")
    assert state(folder).advice.endswith(": a test")
    with Store.write(folder, kept.identity(), command="test") as store:
        assert store.status() == {}


def test_a_whole_folder_is_said_to_be_whole(closed: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(closed, tmp_path / "a")
    assert str(repair(folder)) == "The runs are whole; nothing was changed."
    assert [path.name for path in folder.glob("*damaged*")] == []


def test_a_design_that_was_lost_is_said_to_be(closed: Path, tmp_path: Path) -> None:
    for k, (statement, said) in enumerate((
        ("UPDATE design SET content = replace(content, ': 12', ': 11')", "A design was lost: give every command again"),
        ("UPDATE run SET seed = seed + 1 WHERE rowid = 1", "Give the same command again for the rest."),
    )):  # fmt: skip
        folder = shutil.copytree(closed, tmp_path / str(k))
        rewritten(folder, statement)
        lines = str(repair(folder)).splitlines()
        assert said in lines[-1] and len(lines) == len(set(lines))
        assert ("not known" in state(folder).advice) == (k == 0)


def test_a_manifest_that_is_lost_or_damaged_costs_no_run(closed: Path, tmp_path: Path) -> None:
    for k, content in enumerate([None, b"", b"{", b"[]", b"\xff"]):
        folder = shutil.copytree(closed, tmp_path / str(k))
        (folder / files.MANIFEST).unlink()
        if content is not None:
            (folder / files.MANIFEST).write_bytes(content)
        assert verify(folder) != []
        with Store.write(folder, kept.identity(), command="test") as store:
            assert len(store.status()) == 12
        assert verify(folder) == []


def test_a_repair_that_was_cut_short_is_finished_by_the_next(
    killed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(killed, tmp_path / "a")
    flip(folder / NAME, random.Random(1))
    with monkeypatch.context() as broken, pytest.raises(CareCommonsError):
        broken.setattr("carecommons.experiments.store.repair.created", _fail)
        (folder / NAME).write_bytes((folder / NAME).read_bytes()[:-100])
        repair(folder)
    assert not (folder / NAME).exists()
    assert repair(folder).kept > 0
    kept.read_all(folder)


def _fail(*_: object) -> None:
    raise OSError(28, "No space left on device")
