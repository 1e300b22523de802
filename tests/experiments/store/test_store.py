"""What a store acknowledges is there, under the name of its content, and never mixed with anything else."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import kept
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.store import files
from carecommons.experiments.store.database import FORMAT, Store
from carecommons.experiments.store.errors import BusyError, DamagedError, IncompatibleError, OccupiedError, StoreError
from carecommons.experiments.store.publish import publish
from carecommons.experiments.store.state import state
from carecommons.experiments.store.verify import verify


@pytest.mark.parametrize("where", ["folder", None])
def test_a_run_comes_back_as_it_was_added(where: str | None, tmp_path: Path) -> None:
    task = kept.tasks()[0]
    with Store.write(where and tmp_path / where, kept.identity(), command="test") as store:
        store.add(kept.done(task), task.subject)
        for name, array in kept.answer(task).items():
            np.testing.assert_array_equal(store.answer(task.key)[name], array)
        run = store.row(task.key)
        assert (run.seed, run.status, run.subject) == (task.seed, "done", task.subject)
        assert store.sessions()[run.session]["command"] == "test"
        assert store.points[run.subject][0]["council.funding"] == 0.8


def test_what_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    task, other = kept.tasks()[:2]
    with Store.write(tmp_path / "a", kept.identity(), command="test") as store:
        store.add(kept.failed(task), task.subject)
        for ask in (lambda: store.answer(task.key), lambda: store.answer(other.key), lambda: store.row(other.key)):
            with pytest.raises(KeyError):
                ask()


def test_reading_changes_nothing_and_sees_what_a_writer_has_acknowledged(tmp_path: Path) -> None:
    folder, tasks = tmp_path / "a", kept.tasks()
    with Store.write(folder, kept.identity(), command="test") as store, Store.read(folder) as reader:
        for number, task in enumerate(tasks, start=1):
            store.add(kept.done(task), task.subject)
            assert len(reader.status()) == number
    held = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    kept.read_all(folder)
    assert state(folder).done == len(tasks)
    assert verify(folder) == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()} == held


def test_a_reader_stays_right_while_writers_come_and_go(tmp_path: Path) -> None:
    folder, tasks = tmp_path / "a", kept.tasks()
    kept.fill(folder, map(kept.done, tasks[:3]))
    with Store.read(folder) as reader:
        for number in range(4, 8):
            kept.fill(folder, [kept.done(tasks[number - 1])])
            assert len(reader.status()) == number
            assert verify(folder) == []
            np.testing.assert_array_equal(
                reader.answer(tasks[number - 1].key)["series"], kept.answer(tasks[number - 1])["series"]
            )


def test_a_folder_that_may_not_be_written_can_be_read(tmp_path: Path) -> None:
    folder = kept.fill(tmp_path / "a", map(kept.done, kept.tasks()))
    assert folder is not None
    folder.chmod(0o555)
    try:
        assert len(kept.read_all(folder)) == 12 + 2
    finally:
        folder.chmod(0o755)


def test_the_same_result_again_changes_nothing_and_another_is_an_error(tmp_path: Path) -> None:
    task, other = kept.tasks()[:2]
    with Store.write(tmp_path / "a", kept.identity(), command="test") as store:
        store.add(kept.done(task), task.subject)
        before = store.row(task.key)
        store.add(kept.done(task, seconds=9.0), task.subject)
        assert store.row(task.key) == before
        with pytest.raises(StoreError, match="went another way"):
            store.add(kept.done(other)._replace(task=task), task.subject)
        with pytest.raises(StoreError, match="went another way"):
            store.add(kept.failed(task), task.subject)
        with pytest.raises(ValueError, match="is not of subject"):
            store.add(kept.done(task), other.subject)


def test_a_failure_is_replaced_only_when_it_was_asked_for(tmp_path: Path) -> None:
    folder, (task, other) = tmp_path / "a", kept.tasks()[:2]
    with Store.write(folder, kept.identity(), command="test") as store:
        store.add(kept.failed(task), task.subject)
        store.add(kept.done(other), other.subject)
        with pytest.raises(StoreError):
            store.add(kept.done(task), task.subject)
        assert store.forget_failures([task.key, other.key]) == [task.key]
        assert store.status() == {other.key: "done"}
    with Store.write(folder, kept.identity(), command="test") as store:
        assert store.status() == {task.key: "failed", other.key: "done"}  # until there is another result
        assert store.forget_failures() == [task.key]
        store.add(kept.done(task), task.subject)
        assert store.status() == {task.key: "done", other.key: "done"}
    assert verify(folder) == []


def test_the_design_that_was_asked_for_last_is_the_newest(tmp_path: Path) -> None:
    small, large = kept.record(replicates=2), kept.record(replicates=4)
    with Store.write(tmp_path / "a", kept.identity(), command="test") as store:
        for each in (small, large, large, small):
            store.add_design(each)
        assert [each["replicates"] for each in store.designs()] == [4, 2]


@settings(max_examples=10)
@given(order=st.permutations(range(12)), stops=st.lists(st.integers(0, 12), max_size=4))
def test_order_and_interruptions_leave_no_trace_in_the_tables(
    order: list[int], stops: list[int], tmp_path_factory: pytest.TempPathFactory
) -> None:
    tmp_path, tasks = tmp_path_factory.mktemp("order"), kept.tasks()
    kept.fill(tmp_path / "plain", map(kept.done, tasks))
    cuts = [0, *sorted(stops), len(tasks)]
    for begin, end in pairwise(cuts):
        kept.fill(tmp_path / "other", [kept.done(tasks[k]) for k in order[begin:end]])
    assert kept.exported(tmp_path / "plain", tmp_path / "p") == kept.exported(tmp_path / "other", tmp_path / "o")


# --- other runs in the same folder ---


def changed(changes: dict[str, object]) -> dict[str, object]:
    return kept.identity(kept.BASE.but(changes))


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        (changed({"months": 24}), "months was 14, now 24;"),
        (changed({"months": 24, "citizens": 9, "turnover.arrival": 0.1, "need.off": True, "ties.off": True}),
         "and 2 more"),
        (kept.identity(code={**kept.identity()["code"], "rules": "x", "processes": "y"}),
         "code changed in processes, rules;"),
        (kept.identity(places={"england": "other"}), "the figures of england changed"),
        (kept.identity(kind="comparison", scenario={"a.months": 3, "b.months": 3}, code={"rules": "x"}),
         ": kind was sweep, now comparison; choose"),
        (kept.identity(format=FORMAT + 1), f"format was {FORMAT}, now {FORMAT + 1}"),
    ],
)  # fmt: skip
def test_other_runs_are_refused_in_one_line_that_says_what_differs(
    given_: dict[str, object], said: str, tmp_path: Path
) -> None:
    folder = kept.fill(tmp_path / "a", map(kept.done, kept.tasks()))
    assert folder is not None
    before = kept.read_all(folder)
    with pytest.raises(IncompatibleError) as told:
        Store.write(folder, given_, command="test")
    assert said in str(told.value)
    assert "\n" not in str(told.value)
    assert told.value.exit_code == 4
    assert kept.read_all(folder) == before
    with Store.write(folder, given_, command="test", force=True) as store:
        assert store.status() == {}
    assert kept.read_all(folder / "results-1.sqlite") == before


@pytest.mark.parametrize(
    "given_",
    [
        changed({"name": "another"}),
        changed({kept.FACTOR: 0.5}),
        kept.identity(kept.BASE.but({"months": 24}), factors=["months"]),
        kept.identity(places={"derby": "another place"}),
    ],
)
def test_a_name_and_what_is_varied_make_no_other_experiment(given_: dict[str, object], tmp_path: Path) -> None:
    folder = kept.fill(tmp_path / "a", map(kept.done, kept.tasks()))
    with Store.write(folder, given_, command="test") as store:
        assert len(store.status()) == 12


def test_generations_are_set_aside_one_after_the_other_and_none_is_lost(tmp_path: Path) -> None:
    for months in (14, 15, 16):
        with Store.write(tmp_path / "a", changed({"months": months}), command="test", force=True):
            pass
    assert sorted(path.name for path in (tmp_path / "a").glob("results*")) == [
        "results-1.sqlite", "results-2.sqlite", "results.sqlite",
    ]  # fmt: skip
    assert verify(tmp_path / "a") == []


def test_a_folder_of_other_files_is_refused_and_they_stay_even_when_forced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(OccupiedError, match=r"holds other files \(thesis.txt\)") as told:
        Store.write(tmp_path, kept.identity(), command="test")
    assert told.value.exit_code == 4
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]
    kept.fill(tmp_path / "shards" / "shard-1-of-2", [])
    with Store.write(tmp_path / "shards", kept.identity(), command="test"):
        pass  # shards within are not other files
    with Store.write(tmp_path, kept.identity(), command="test", force=True):
        pass
    assert (tmp_path / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize("name", ["manifest.json", "lock"])
def test_where_a_file_of_somebody_elses_stands_ours_is_not_written(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(OccupiedError, match="is of something else"):
        Store.write(tmp_path, kept.identity(), command="test", force=True)
    assert (tmp_path / name).read_text() == "mine"


def test_what_holds_no_runs_is_refused_for_reading(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match="holds no runs"):
            Store.read(path)


def test_a_path_without_a_name_or_through_a_file_is_refused_for_writing(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    for path, said in (
        ("", "empty"),
        (tmp_path / "notes.md", "notes.md: is a file, must be a folder"),
        (tmp_path / "notes.md" / "x" / "y", "notes.md: is a file, must be a folder"),
    ):
        for opened in (lambda path: Store.write(path, kept.identity(), command="test"), lambda path: publish(path, {})):
            with pytest.raises(InputError, match=said) as told:
                opened(path)
            assert told.value.exit_code == 2
    assert [each.name for each in tmp_path.iterdir()] == ["notes.md"]


def test_a_file_is_read_only_where_it_is_one_of_ours(tmp_path: Path) -> None:
    folder = kept.fill(tmp_path / "a", map(kept.done, kept.tasks()))
    assert folder is not None
    publish(folder, {"summary.csv": b"1"})
    copy = tmp_path / "elsewhere.db"
    copy.write_bytes((folder / files.DATABASE).read_bytes())
    with Store.read(copy) as store:
        assert len(store.status()) == 12
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE notes (text)")
    other.close()
    for path in (folder / "summary.csv", tmp_path / "other.db"):
        with pytest.raises(InputError, match=f"{path.name}: is a file, must be a folder") as told:
            state(path)
        assert told.value.exit_code == 2
    for path in (folder / files.DATABASE, copy):  # ours, and damaged
        path.write_bytes(path.read_bytes()[:-4096])
        with pytest.raises(DamagedError):
            state(path)


def test_the_manifest_says_how_the_runs_came(tmp_path: Path) -> None:
    folder = kept.fill(tmp_path / "a", [*map(kept.done, kept.tasks()[:3]), kept.failed(kept.tasks()[3])])
    assert folder is not None
    held = files.read_manifest(folder)
    assert held["runs"] == {"done": 3, "failed": 1}
    assert held["time"]["seconds_of_compute"] == 0.75
    assert held["scenario"] == [kept.BASE.to_toml(everything=True)]
    assert held["versions"]["numpy"] == np.__version__
    assert held["sums"] == {"results.sqlite": files.hash_of(folder / "results.sqlite")}


def test_the_state_says_what_is_left_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with Store.write(folder, kept.identity(), command="carecommons sweep x") as store:
        store.add_design(kept.record())
        store.add(kept.failed(kept.tasks()[0]), kept.tasks()[0].subject)
        during = state(folder)
        assert during.holder is not None
        assert during.holder.pid == os.getpid()
    found = state(folder)
    assert (found.done, found.failed, found.missing, found.holder) == (0, 1, 11, None)
    assert "carecommons sweep x" in found.advice
    assert found.code == ""


# --- the end of the writing process ---

WRITER = """
import sys; sys.path[:0] = {path!r}
from pathlib import Path
import kept
from carecommons.experiments.store.database import Store
store = Store.write(Path({folder!r}), kept.identity(), command="the writer")
store.add_design(kept.record())
for task in kept.tasks():
    store.add(kept.done(task), task.subject)
    print(task.key, flush=True)
sys.stdin.read()
"""


def writer(folder: Path) -> subprocess.Popen[str]:
    script = WRITER.format(path=[each for each in sys.path if each], folder=str(folder))
    return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("after", [1, 5, 12])
def test_a_killed_writer_loses_nothing_that_was_acknowledged(after: int, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    process = writer(folder)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().strip() for _ in range(after)]
    with pytest.raises(BusyError, match=f"process {process.pid} on .*, since "):
        Store.write(folder, kept.identity(), command="test")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Store.read(folder) as store:
        assert set(acknowledged) <= set(store.status())
    assert state(folder).holder is None
    kept.fill(folder, map(kept.done, kept.tasks()))
    kept.fill(tmp_path / "plain", map(kept.done, kept.tasks()))
    assert kept.exported(folder, tmp_path / "x") == kept.exported(tmp_path / "plain", tmp_path / "y")
    assert verify(folder) == []


def test_a_folder_of_another_format_is_never_read_as_one_of_ours(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with Store.write(folder, kept.identity(format=FORMAT - 1), command="test"):
        pass
    for opened in (Store.read, lambda path: Store.write(path, kept.identity(), command="test")):
        with pytest.raises(IncompatibleError, match=f"format.* {FORMAT - 1}.* {FORMAT}"):
            opened(folder)
