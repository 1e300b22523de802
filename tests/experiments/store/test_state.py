"""How a folder stands, and what to do next: no advice leads to what is done already, not there, or elsewhere."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import kept
import pytest

from carecommons.experiments.store import files
from carecommons.experiments.store.asked import again, asked
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.merge import merge
from carecommons.experiments.store.publish import publish
from carecommons.experiments.store.state import State, state
from carecommons.experiments.task import Done


def stated(folder: Path, runs: Iterable[Done], design: Mapping[str, Any], **tables: bytes) -> State:
    """The state of a folder after a command that kept these."""
    with Store.write(folder, kept.identity(), command="carecommons sweep x") as store:
        store.add_design(design)
        for each in runs:
            store.add(each, each.task.subject)
        publish(store, {f"{name}.csv": content for name, content in tables.items()})
    return state(folder)


def test_a_failure_that_stands_in_no_design_is_not_to_be_run_again(tmp_path: Path) -> None:
    tasks = kept.tasks()
    runs = [kept.failed(each) if each.seed == 8 else kept.done(each) for each in tasks]  # the last of four worlds
    found = stated(tmp_path / "a folder", runs, kept.record(replicates=3), summary=b"1")
    assert (found.done, found.failed, found.missing) == (9, 0, 0) and "look at" in found.advice
    found = stated(tmp_path / "a folder", [], kept.record(replicates=4))
    assert found.failed == 3 and found.advice.endswith(f"carecommons retry '{found.folder}'")


def test_a_rule_that_had_not_ended_is_to_be_gone_on_with(tmp_path: Path) -> None:
    def rule(**more: bool) -> dict[str, Any]:
        return kept.record(stop={"outcome": "people", "half_width": 1.0, "relative": False, "most": 99, **more})

    found = stated(tmp_path / "a", map(kept.done, kept.tasks()), rule(over=False), summary=b"of an earlier command")
    assert found.unfinished and "carecommons sweep x" in found.advice and "summary.csv" not in found.advice
    assert found.records()["replication rule"] == "not ended"
    for ended in (rule(over=True), rule(), kept.record(stop=None)):  # also as it was written before there was a word
        found = stated(tmp_path / "a", [], ended)
        assert not found.unfinished and "summary.csv" in found.advice and "replication rule" not in found.records()


def test_tables_that_are_not_there_are_not_pointed_to(tmp_path: Path) -> None:
    found = stated(tmp_path / "a", map(kept.done, kept.tasks()), kept.record())
    assert "summary.csv" not in found.advice and "carecommons sweep x" in found.advice


def test_where_no_design_is_known_the_command_is_to_be_given_again(tmp_path: Path) -> None:
    with Store.write(tmp_path / "a", kept.identity(), command="carecommons sweep x") as store:
        publish(store, {"summary.csv": b"stale"})
    assert "carecommons sweep x" in state(tmp_path / "a").advice


def test_shards_that_are_not_merged_yet_are_pointed_to(tmp_path: Path) -> None:
    folder, tasks, asking = tmp_path / "out", kept.tasks(), f"carecommons sweep x -o {tmp_path / 'out'}"
    first, second = (folder / f"shard-{part}-of-2" for part in (1, 2))

    def ran(part: int, *runs: Done) -> None:
        with Store.write(
            folder / f"shard-{part}-of-2", kept.identity(), command=f"{asking} --shard {part}/2", shard=f"{part}/2"
        ) as store:
            store.add_design(kept.record())
            store.forget_failures()
            for each in runs:
                store.add(each, each.task.subject)

    ran(1, *map(kept.done, tasks[:5]))
    assert state(first).advice == f"give the same command again, 1 run is left: {asking} --shard 1/2"
    ran(1, kept.done(tasks[5]))
    assert state(first).advice == f"when all shards are done: carecommons merge {folder}"
    merge(folder, [first])
    assert state(folder).advice == f"give the same command again, 6 runs are left: {asking}"
    ran(2, kept.done(tasks[6]), kept.failed(tasks[7]))
    assert state(folder).advice == f"bring in what its shards hold: carecommons merge {folder}"
    merge(folder, [second])
    assert state(folder).advice == f"give the same command again, 4 runs are left: {asking}"
    ran(2, kept.done(tasks[7]))
    assert state(folder).advice == f"bring in what its shards hold: carecommons merge {folder}"
    (second / files.DATABASE).write_bytes(b"damaged")
    assert state(folder).advice == f"give the same command again, 4 runs are left: {asking}"


@pytest.mark.parametrize("option", ["-o out", "-oout", "--out out", "--out=out"])
def test_a_command_that_names_another_folder_from_here_says_so(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = f"carecommons sweep x {option} -r 3"
    monkeypatch.chdir(tmp_path)
    kept.fill(tmp_path / "out", [])
    assert again(command, Path("out")) == command
    assert again(f"{command} --shard 1/2", Path("out/shard-1-of-2"), "1/2") == f"{command} --shard 1/2"
    assert again(f"{command} --shard=1/2", Path("out")) == command
    shutil.copytree("out", "copy")
    assert (
        again(command, Path("copy"))
        == f"{command} (given elsewhere or for another folder: from here, with copy for out)"
    )
    monkeypatch.chdir(tmp_path / "out")
    assert "from here, with . for out" in again(command, Path())
    assert again("carecommons.sweep", Path()) == "carecommons.sweep"
    assert again("carecommons sweep 'cut sh", Path()) == "carecommons sweep 'cut sh"


def test_the_command_that_asked_is_the_newest_that_asks_for_a_design() -> None:
    commands = ["carecommons sweep x", "carecommons sweep y", "carecommons retry y", "carecommons.merge", ""]
    sessions = [{"command": each, "started": str(k)} for k, each in enumerate(commands)]
    assert asked(reversed(sessions)) == "carecommons sweep y"
    assert asked(sessions[2:]) == ""
