"""Whatever befalls a worker costs the run it was at, which is named with its cause, and done when it is tried again."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest
from proving import FACTOR, Study, begun, needs_proc, one_line, run, tables

pytestmark = needs_proc
TIMEOUT = 12.0  # seconds: long against a run of a few milliseconds, short against one that hangs

# What goes wrong in a run, and what is said of it; a worker that is lost costs two more tries.
CAUSES = {
    "SIGKILL": "worker died (signal 9), 3 tries",
    "os._exit": "worker died (exit code 7), 3 tries",
    "segfault": "worker died (signal 11), 3 tries",
    "MemoryError": "MemoryError, 3 tries",
    "RLIMIT_AS": "MemoryError, 3 tries",
    "exception": "ValueError: an exception of two lines in a run",
    "OOM": "worker died (signal 9), 3 tries",
    "hang": f"not finished after {TIMEOUT:g} s, 3 tries",
}
IN_ANY = [each for each in CAUSES if each != "OOM"]  # the kernel kills for memory only where a group may be made
PASSING = ("once SIGKILL", "once os._exit", "once segfault", "once MemoryError", "once hang")

ALL = {f"{seed} {0.5 + cell / 5!r}": what
       for cell, seed, what in zip((0, 1, 2, 3, 4, 5, 0), range(1, 8), IN_ANY, strict=True)}  # fmt: skip


def spoilt(what: Mapping[str, str], folder: Path, small: Study, wanted: Mapping[str, bytes], **more: str) -> None:
    """A sweep with faults in some runs, and what is said and kept of it; and the same once the faults are gone."""
    (folder / "marks").mkdir()
    plan = {"faults": dict(what), "factor": FACTOR, "marks": str(folder / "marks"), **more}
    with begun(folder, small.words("out", "-j", "2", "--timeout", str(TIMEOUT)), plan) as program:
        ended = program.end()
        assert program.childless()
    assert sorted(each.name for each in (folder / "marks").iterdir()) == sorted(what)  # each fault took place
    lasting = {name: each for name, each in what.items() if not each.startswith("once ")}
    if lasting:
        assert ended.code == 3, ended.err
        said = one_line(ended.err)
        assert f"{len(lasting)} run" in said
        assert "'carecommons retry out'" in said
        assert "failures.csv" in said
        rows = list(csv.DictReader((folder / "out" / "failures.csv").open()))
        assert {f"{row['seed']} {float(row[FACTOR])!r}": row["cause"] for row in rows} == {
            name: CAUSES[each] for name, each in lasting.items()
        }
        assert len(list(csv.DictReader((folder / "out" / "runs.csv").open()))) == small.runs
        # What failed is not tried again unasked, and what was told is told again.
        assert run(folder, small.words("out", "-j", "2")).err == ended.err
        again = run(folder, ["retry", "out", "-j", "2"])
        assert (again.code, again.err) == (0, "")
    else:
        assert (ended.code, ended.err) == (0, "")
    assert tables(folder / "out") == wanted


def test_runs_whose_worker_dies_or_that_raise_cost_no_other_run(
    tmp_path: Path, small: Study, wanted: dict[str, bytes]
) -> None:
    spoilt({"2 0.7": "SIGKILL", "3 0.9": "exception"}, tmp_path, small, wanted)


@pytest.mark.proof
@pytest.mark.parametrize("what", IN_ANY)
def test_one_fault_costs_one_run(what: str, tmp_path: Path, small: Study, wanted: dict[str, bytes]) -> None:
    spoilt({"3 0.9": what}, tmp_path, small, wanted)


@pytest.fixture
def little_memory() -> Iterator[str]:
    """A group of processes that may hold 64 MB, of whichever version of cgroups there is."""
    limits = {"/sys/fs/cgroup/memory": "memory.limit_in_bytes", "/sys/fs/cgroup": "memory.max"}
    for home, limit in limits.items():
        group = Path(home, f"carecommons-{os.getpid()}")
        with suppress(OSError):
            group.mkdir()
            try:
                (group / limit).write_text(str(64 << 20))
                with suppress(OSError):
                    (group / "memory.swap.max").write_text("0")
                yield str(group)
                return
            finally:
                group.rmdir()
    pytest.skip("no group of processes may be made here")


@pytest.mark.proof
def test_a_worker_that_the_kernel_kills_for_its_memory_costs_its_run(
    tmp_path: Path, small: Study, wanted: dict[str, bytes], little_memory: str
) -> None:
    spoilt({"3 0.9": "OOM"}, tmp_path, small, wanted, group=little_memory)


@pytest.mark.proof
def test_all_faults_at_once_cost_their_runs_alone(tmp_path: Path, small: Study, wanted: dict[str, bytes]) -> None:
    spoilt(ALL, tmp_path, small, wanted)


@pytest.mark.proof
@pytest.mark.parametrize("what", PASSING)
def test_a_fault_that_passes_costs_nothing(what: str, tmp_path: Path, small: Study, wanted: dict[str, bytes]) -> None:
    spoilt({"3 0.9": what}, tmp_path, small, wanted)


@pytest.mark.proof
def test_many_runs_that_raise_cost_no_other(tmp_path: Path, small: Study, wanted: dict[str, bytes]) -> None:
    """Every fifth run, in this process and in threads too."""
    names = [f"{seed} {level!r}" for seed in range(1, small.replicates + 1) for level in small.levels][::5]
    plan = {"faults": dict.fromkeys(names, "exception"), "factor": FACTOR, "marks": str(tmp_path)}
    for engine in ("here", "threads", "processes"):
        ended = run(tmp_path, small.words(engine, "-j", "2", "--engine", engine), plan)
        assert ended.code == 3
        assert one_line(ended.err).startswith(f"carecommons: {len(names)} runs failed")
        again = run(tmp_path, ["retry", engine, "-j", "2", "--engine", engine])
        assert (again.code, again.err) == (0, "")
        assert tables(tmp_path / engine) == wanted
