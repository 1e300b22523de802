"""The tables are the same bytes whoever does the runs, in whatever order, in one piece or in several."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import pytest
from proving import Study, begun, count, needs_proc, run, tables

pytestmark = needs_proc

WAYS = {
    "one worker": ["-j", "1", "--engine", "processes"],
    "two workers": ["-j", "2"],
    "eight workers": ["-j", "8"],
    "here": ["--engine", "here"],
    "threads": ["-j", "2", "--engine", "threads"],
    "eight threads": ["-j", "8", "--engine", "threads"],
}


@pytest.mark.proof
@pytest.mark.parametrize("hashes", ["0", "1", "random"])
@pytest.mark.parametrize("way", WAYS)
def test_who_does_the_runs_changes_no_byte(
    way: str, hashes: str, small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    ended = run(tmp_path, small.words("out", *WAYS[way]), PYTHONHASHSEED=hashes)
    assert (ended.code, ended.err) == (0, "")
    assert tables(tmp_path / "out") == wanted


@pytest.mark.parametrize("shuffle", [1, *(pytest.param(number, marks=pytest.mark.proof) for number in range(2, 6))])
def test_the_order_of_the_runs_changes_no_byte(
    shuffle: int, small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    words = small.words("out", "-j", "1" if shuffle % 2 else "2")
    ended = run(tmp_path, words, {"shuffle": shuffle}, PYTHONHASHSEED=str(shuffle))
    assert (ended.code, ended.err) == (0, "")
    assert tables(tmp_path / "out") == wanted


def sharded(folder: Path, study: Study, order: Sequence[int], merges: Sequence[Sequence[str]]) -> None:
    """Three shards, each by itself, and then merged."""
    for part in order:
        assert run(folder, study.words("out", "-j", "1", "--shard", f"{part}/3")).code == 0
    for sources in merges:
        ended = run(folder, ["merge", *sources])
        assert (ended.code, ended.err) == (0, "")


SHARDS = [f"out/shard-{part}-of-3" for part in (1, 2, 3)]


@pytest.mark.proof
@pytest.mark.parametrize(
    ("order", "merges", "at"),
    [
        pytest.param((1, 2, 3), [["out"]], "out", id="in order"),
        pytest.param((3, 1, 2), [["all", *SHARDS[::-1]]], "all", id="in another order"),
        pytest.param((2, 3, 1), [["some", SHARDS[2], SHARDS[0]], ["all", SHARDS[1], "some", SHARDS[0]]], "all",
                     id="some of them twice"),
    ],
)  # fmt: skip
def test_shards_in_any_order_come_together_to_the_same_bytes(
    order: Sequence[int], merges: Sequence[Sequence[str]], at: str,
    small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:  # fmt: skip
    sharded(tmp_path, small, order, merges)
    assert tables(tmp_path / at) == wanted


@pytest.mark.proof
def test_a_sweep_in_steps_by_different_engines_is_the_same_as_in_one_go(
    small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    """Fewer worlds first, then some by threads, stopped and killed on the way, then all."""
    acks = tmp_path / "acks"
    assert run(tmp_path, small._replace(replicates=2).words("out", "-j", "2")).code == 0
    for way, sent in (("threads", signal.SIGTERM), ("here", signal.SIGKILL), ("processes", signal.SIGINT)):
        done = count(acks)
        with begun(tmp_path, small.words("out", "-j", "2", "--engine", way), {"acks": str(acks)}) as program:
            program.reached(acks, done + 5)
            program.process.send_signal(sent)
            program.end()
    assert run(tmp_path, small.words("out", "-j", "2")).code == 0
    assert tables(tmp_path / "out") == wanted


@pytest.mark.proof
def test_fewer_worlds_after_more_are_the_table_of_the_last_command(
    small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    """What was done beyond the newest design stays, and is in the tables."""
    assert run(tmp_path, small.words("out", "-j", "1")).code == 0
    assert run(tmp_path, small._replace(replicates=3).words("out", "-j", "1")).code == 0
    assert run(tmp_path, small.words("out", "-j", "1")).code == 0
    assert tables(tmp_path / "out") == wanted
