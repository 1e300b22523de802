"""Sweeps run as a user runs them, disturbed at moments that a number decides, and what must be left of them then."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from carecommons.experiments.store.database import Store
from carecommons.experiments.store.files import DATABASE
from carecommons.experiments.tables import export

HERE = Path(__file__).resolve().parent
FACTOR = "council.funding"
TABLES = ("runs.csv", "parameters.csv", "series.csv", "summary.csv", "failures.csv", "scenario.toml")
LIMIT = 300.0  # seconds for whatever is not what is timed: beyond that it hangs
STOP = 5.0  # seconds in which a stopped program has ended, and those it started
HEX = 32  # letters of a key

needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes in /proc")


class Study(NamedTuple):
    """A sweep of funding: small places, so that what is not the runs themselves has its share."""

    cells: int = 6
    replicates: int = 8
    citizens: int = 60
    months: int = 6
    seed: int = 1

    @property
    def runs(self) -> int:
        return self.cells * self.replicates

    @property
    def levels(self) -> list[float]:
        return [0.5 + k / (self.cells - 1) for k in range(self.cells)]

    def words(self, out: str, *more: str) -> list[str]:
        """The command, without the program."""
        vary = f"{FACTOR}=0.5:1.5:{self.cells}"
        return ["sweep", "derby", "--vary", vary, "--citizens", str(self.citizens), "--months", str(self.months),
                "-r", str(self.replicates), "--seed", str(self.seed), "-o", out, *more]  # fmt: skip


def repetitions(short: int, long: int) -> pytest.MarkDecorator:
    """A few repetitions always, and all of them where the proofs are asked for."""
    return pytest.mark.parametrize(
        "times", [pytest.param(short, id="short"), pytest.param(long, id="long", marks=pytest.mark.proof)]
    )


def fraction(*words: object) -> float:
    """A number from 0 to below 1 that these words decide."""
    digest = blake2b(" ".join(map(str, words)).encode(), digest_size=7).digest()
    return int.from_bytes(digest, "big") / 2**56


# --- programs ---


class Program:
    """`carecommons WORDS`, begun in a folder, in a session of its own, with a mark by which its children are found."""

    def __init__(self, folder: Path, words: Sequence[str], plan: Mapping[str, Any] | None = None,
                 limit: Callable[[], None] | None = None, **variables: str) -> None:  # fmt: skip
        self.mark = f"PROOF_MARK={uuid.uuid4().hex}"
        self.temporary = Path(tempfile.mkdtemp(prefix="temporary-", dir=folder))
        name, _, value = self.mark.partition("=")
        # Files, as a pipe could hold a child up.
        self.out, self.err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - `begun` closes them
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "carecommons", *words], cwd=folder, stdout=self.out, stderr=self.err,
            stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=limit,
            env={**os.environ, "PYTHONPATH": path(), "TMPDIR": str(self.temporary), "PROOF": json.dumps(plan or {}),
                 name: value, **variables},
        )  # fmt: skip

    @property
    def over(self) -> bool:
        return self.process.poll() is not None

    def end(self, within: float = LIMIT) -> Ended:
        """How it ended; a failure if it does not."""
        began = time.monotonic()
        try:
            self.process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within:g} s: {self.process.args}") from None
        finally:
            self.kill()
        took = time.monotonic() - began
        return Ended(self.process.returncode, read(self.out), read(self.err), took)

    def kill(self) -> None:
        """End the whole group, as the system does when memory is short: nobody can prepare for it."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def children(self) -> list[int]:
        """Who carries its mark and lives, itself left out."""
        return [pid for pid in marked(self.mark) if pid != self.process.pid]

    def childless(self, within: float = STOP) -> bool:
        return bool(until(lambda: not self.children(), within))

    def reached(self, acks: Path, runs: int) -> None:
        """Wait until so many runs are acknowledged in a file, or it has ended."""
        assert until(lambda: self.over or count(acks) >= runs, LIMIT, 0.001), f"{count(acks)} of {runs} runs"

    def listening(self) -> None:
        """Wait until it has said what is to happen when somebody stops it."""
        wanted = 1 << (signal.SIGINT - 1) | 1 << (signal.SIGTERM - 1)
        assert until(lambda: self.over or caught(self.process.pid) & wanted == wanted, LIMIT, 0.001)
        assert not self.over, read(self.err)


class Ended(NamedTuple):
    """How a program ended, what it said, and how long that took from when it was waited for."""

    code: int
    out: str
    err: str
    seconds: float


@contextmanager
def begun(folder: Path, words: Sequence[str], plan: Mapping[str, Any] | None = None,
          limit: Callable[[], None] | None = None, **variables: str) -> Iterator[Program]:  # fmt: skip
    """A program that does not outlive the test, whatever happens in it."""
    program = Program(folder, words, plan, limit, **variables)
    try:
        yield program
    finally:
        program.kill()
        for pid in program.children():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        program.out.close()
        program.err.close()


def run(folder: Path, words: Sequence[str], plan: Mapping[str, Any] | None = None,
        limit: Callable[[], None] | None = None, **variables: str) -> Ended:  # fmt: skip
    """Run a command to its end."""
    with begun(folder, words, plan, limit, **variables) as program:
        return program.end()


def path() -> str:
    """Where the same carecommons is found as here, after what makes it misbehave."""
    return os.pathsep.join([str(HERE / "inject"), *(entry for entry in sys.path if entry)])


def read(file: Any) -> str:
    file.seek(0)
    return str(file.read().decode())


def until(what: Callable[[], Any], within: float = LIMIT, pause: float = 0.005) -> Any:
    """What is asked for as soon as it is true; its last answer when that takes too long."""
    end = time.monotonic() + within
    while not (found := what()) and time.monotonic() < end:
        time.sleep(pause)
    return found or what()


def marked(mark: str) -> list[int]:
    """The living processes that have `mark` in their environment."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # it ended, or is not ours
            continue
    return found


def caught(pid: int) -> int:
    """The signals that a process handles, as bits."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1], 16) for line in lines if line.startswith("SigCgt")), 0)


# --- moments ---


def acknowledged(file: Path) -> list[str]:
    """The keys that were written to a file after their run was kept."""
    return file.read_text().split() if file.exists() else []


def count(file: Path) -> int:
    """How many there are."""
    return file.stat().st_size // (HEX + 1) if file.exists() else 0


class Pace(NamedTuple):
    """How long an undisturbed sweep takes to its first run, from its last to its end, and with nothing to run."""

    start: float
    close: float
    idle: float


def pace(folder: Path, study: Study, *more: str) -> Pace:
    """Have a sweep done undisturbed, and done again."""
    acks = folder / "acks of the calm"
    with begun(folder, study.words("calm", *more), {"acks": str(acks)}) as program:
        program.reached(acks, 1)
        first = time.monotonic()
        program.reached(acks, study.runs)
        last = time.monotonic()
        ended = program.end()
        assert (ended.code, ended.err, count(acks)) == (0, "", study.runs)
        end = time.monotonic()
    with begun(folder, study.words("calm", *more)) as again:
        assert again.end().code == 0
        return Pace(first - program.began, end - last, time.monotonic() - again.began)


# --- what must be left ---


def tables(folder: Path) -> dict[str, bytes]:
    """The tables that a sweep has written, each as it lies there, and once more as they are exported."""
    found = {each.name.removesuffix(".gz"): each.read_bytes() for each in sorted(folder.glob("*.csv*"))}
    found["scenario.toml"] = (folder / "scenario.toml").read_bytes()
    assert sorted(found) == sorted(TABLES)
    with tempfile.TemporaryDirectory(dir=folder.parent) as to, Store.read(folder) as store:
        for each in export(store, Path(to) / "tables"):
            assert each.read_bytes() == found[each.name.removesuffix(".gz")], each.name
    return found


def kept(folder: Path) -> dict[str, tuple[str, bytes]]:
    """The runs of a folder that may be in use, by key: how they went, and their data's hash; every answer is read."""
    if not (folder / DATABASE).exists():
        return {}
    with tempfile.TemporaryDirectory(dir=folder.parent) as to:
        copy = shutil.copytree(folder, Path(to) / folder.name)
        with Store.read(copy) as store:
            runs = list(store.runs())
            for each in runs:
                if each.status == "done":
                    store.answer(each.key)
    assert len({each.key for each in runs}) == len(runs)
    return {each.key: (each.status, each.digest) for each in runs}


def left_over(folder: Path) -> list[str]:
    """What lies in a folder that nobody should find there: drafts, and logs of a database that is closed."""
    return [each.name for each in folder.iterdir()
            if each.name.startswith(".") or each.name.endswith((".part", "-wal", "-shm", "-journal"))]  # fmt: skip


def one_line(err: str) -> str:
    """What a program said on stderr: a single line, and no traceback."""
    assert err.startswith("carecommons: ") and err.count("\n") == 1 and err.endswith("\n"), err
    return err.strip()


def command_in(err: str) -> list[str]:
    """The words of the command that a program says to go on with."""
    words = shlex.split(err.strip().rpartition("go on with: ")[2])
    assert words[0] == "carecommons", err
    return words[1:]
