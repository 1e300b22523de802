"""A sweep that somebody stops says how to go on, leaves nothing behind, and can go on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from proving import (
    STOP,
    Ended,
    Program,
    Study,
    acknowledged,
    begun,
    command_in,
    count,
    fraction,
    kept,
    left_over,
    needs_proc,
    one_line,
    path,
    repetitions,
    run,
    tables,
    until,
)

pytestmark = needs_proc
CHAIN = 5  # stops of one sweep before it may come to its end
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def moment(number: int, program: Program, acks: Path, study: Study) -> None:
    """Wait for the moment of that number: in the beginning, after some run, or while the tables are written."""
    program.listening()
    luck, done = fraction("stop", number), count(acks)
    stage = number % CHAIN
    if stage == 0:
        time.sleep(luck)  # up to its first runs
    elif stage == CHAIN - 1:
        program.reached(acks, study.runs)
        time.sleep(luck * 0.5)
    else:
        share = 1 + int((stage - 1 + luck) / (CHAIN - 2) * (study.runs - 1))
        program.reached(acks, max(share, min(done + 1, study.runs)))  # one of its own, or it may not have begun
        time.sleep(0.03 * fraction("delay", number))


def stopped(program: Program, number: int) -> Ended:
    """How it ended after a signal, which it does in time, with nobody and nothing left behind."""
    ended = program.end(STOP)
    assert program.childless(), number
    assert list(program.temporary.iterdir()) == [], number
    return ended


@repetitions(1, 10)
def test_the_command_that_a_stopped_sweep_prints_goes_on_where_it_was(
    times: int, small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    for sweep in range(times):
        out, acks = tmp_path / f"out {sweep}", tmp_path / f"acks {sweep}"
        words = small.words(out.name, "-j", "2" if sweep % 3 else "1")
        stages = range(CHAIN) if times > 1 else (2,)
        for number in (sweep * CHAIN + stage for stage in stages):
            done = count(acks) == small.runs  # then no run tells when it has begun, and it may be stopped before
            with begun(tmp_path, words, {"acks": str(acks)}) as program:
                moment(number, program, acks, small)
                sent = SIGNALS[number % 2]
                program.process.send_signal(sent)
                ended = stopped(program, number)
            assert not out.exists() or left_over(out) == [], number
            if ended.code in (0, -sent):  # it had come to its end, and may have been on its way out
                assert (len(kept(out)), ended.err) == (small.runs, ""), number
                continue
            assert ended.code == 128 + sent, (number, ended)
            one_line(ended.err)
            if "go on with: " in ended.err:
                assert command_in(ended.err) == words, number
                words = command_in(ended.err)
            else:  # it had not begun, or had written its tables
                assert ended.err == "carecommons: stopped\n", number
                assert done or not out.exists() or count(acks) == small.runs, (number, count(acks))
        assert run(tmp_path, words).code == 0
        assert len(set(acknowledged(acks))) == len(acknowledged(acks))
        assert tables(out) == wanted


# What a signal raises in the middle of a `__del__`, or while numpy looks for an attribute, is dropped.
DROPPED = """
import os, signal, time
from carecommons.cli import group
from carecommons.cli.shell import Interrupted
class Deaf:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
group.listen()
try:
    try:
        Deaf()
        time.sleep(60)
    finally:
        time.sleep(5 * group.AGAIN)
        print("tidied up")
except Interrupted as stop:
    print(stop.code)
"""


def test_a_stop_that_was_dropped_on_the_way_is_repeated_but_not_while_things_are_tidied_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", DROPPED], capture_output=True, text=True, timeout=30,
        env={**os.environ, "PYTHONPATH": path()},
    )  # fmt: skip
    assert (done.stdout.split("\n"), done.stderr) == (["tidied up", "143", ""], "")


@repetitions(1, 20)
def test_a_second_signal_ends_it_at_once(times: int, small: Study, wanted: dict[str, bytes], tmp_path: Path) -> None:
    acks = tmp_path / "acks"
    for number in range(times):
        with begun(tmp_path, small.words("out", "-j", "2"), {"acks": str(acks)}) as program:
            moment(number % 4, program, acks, small)
            first, second = SIGNALS[number % 2], SIGNALS[number // 2 % 2]
            program.process.send_signal(first)
            time.sleep(0.05 * fraction("second", number))
            program.process.send_signal(second)
            ended = program.end(1.0 if times > 1 else STOP)
            assert program.childless(), number
        # On its way out the interpreter handles no signal any more: then one ends it, and a shell says the same.
        assert ended.code in (0, 128 + first, 128 + second, -first, -second), ended
        assert ended.err.count("\n") <= 1, ended.err
    assert run(tmp_path, small.words("out")).code == 0
    assert tables(tmp_path / "out") == wanted


@pytest.mark.proof
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda sent: sent.name)
def test_workers_in_a_long_run_end_with_their_parent(sent: signal.Signals, tmp_path: Path) -> None:
    """Twice: as they lay out a place of 100,000, and when months pass in it."""
    study = Study(cells=2, replicates=2, citizens=100_000, months=600)
    for busy in (3.0, 40.0):
        with begun(tmp_path, study.words(f"out {busy:g}", "-j", "2")) as program:
            assert until(lambda: min(map(cpu, program.children()), default=0.0) > busy, pause=0.05)  # noqa: B023
            assert len(program.children()) == 2
            program.process.send_signal(sent)
            ended = program.end(STOP)
            assert program.childless(), f"alive 5 s after {sent.name}: {program.children()}"
        if sent == signal.SIGKILL:
            assert ended.code == -sent
        else:
            assert ended.code == 128 + sent
            assert command_in(one_line(ended.err)) == study.words(f"out {busy:g}", "-j", "2")


def cpu(pid: int) -> float:
    """Seconds of processor that a process has taken."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
