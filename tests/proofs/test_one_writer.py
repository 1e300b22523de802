"""Of those who want to write one folder, one does, and the others are told at once who that is."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from proving import HERE, LIMIT, STOP, Study, begun, needs_proc, one_line, path, repetitions, run, tables

pytestmark = needs_proc
AT_ONCE = 1.0  # seconds in which the loser knows


@repetitions(20, 200)
def test_two_that_start_at_the_same_moment_never_both_write(times: int, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, HERE / "holder.py", tmp_path, str(times)], capture_output=True, text=True, timeout=LIMIT,
        env={**os.environ, "PYTHONPATH": path()},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    host, *rounds = map(json.loads, done.stdout.splitlines())
    assert (host, len(rounds)) == (socket.gethostname(), times)
    for number, (one, other, *killed) in enumerate(rounds):
        writers = sorted((each for each in (one, other) if "held" in each), key=lambda each: each["held"])
        assert writers, number
        if len(writers) == 2:  # one after the other
            assert writers[0]["freed"] <= writers[1]["held"], number
        for each, rival in ((one, other), (other, one)):
            assert each["ended"] - each["began"] < AT_ONCE + STOP * ("held" in each), (number, each)
            if "error" in each:
                assert each["code"] == 4
                assert "\n" not in each["error"]
                assert f"process {rival['pid']} on {host}" in each["error"], (number, each)
        for each in killed:  # holds it, is named, and takes its hold with it
            assert (each["pid"], "None") == (each["named"], each["after"]), number


@pytest.mark.proof
def test_a_second_sweep_into_a_folder_names_the_first_and_harms_nothing(
    small: Study, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    study, acks = Study(replicates=400), tmp_path / "acks"
    with begun(tmp_path, study.words("out", "-j", "1"), {"acks": str(acks)}) as first:
        first.reached(acks, 20)
        with begun(tmp_path, study.words("out", "-j", "1")) as second:
            ended = second.end()
        assert not first.over
        assert ended.code == 4
        assert f"process {first.process.pid} on {socket.gethostname()}" in one_line(ended.err)
        first.kill()
    began = time.monotonic()
    ended = run(tmp_path, small.words("out", "-j", "1"))
    assert ended.code == 0, (ended, time.monotonic() - began)
    assert run(tmp_path, small.words("plain", "-j", "1")).code == 0
    assert tables(tmp_path / "plain") == wanted
    with_more = tables(tmp_path / "out")  # the runs of the longer sweep that were kept stay
    assert set(wanted["runs.csv"].splitlines()) <= set(with_more["runs.csv"].splitlines())
