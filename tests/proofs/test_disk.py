"""Wherever the disk is full, a sweep says so in a line, what was kept is whole, and with room it goes on."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from proving import LIMIT, Study, fraction, kept, left_over, needs_proc, one_line, path, repetitions, run, tables

pytestmark = needs_proc
BEFORE = Study(replicates=3)  # what is there already, half the time
ROOM = 2_000_000  # bytes: more than any file of the small sweep takes, its log included


def offset(number: int, size: int) -> int:
    """How large a file may become: every second time within the size that the database has at last."""
    luck = fraction("full", number)
    return int(luck * size) if number % 2 else int(4096 * (ROOM / 4096) ** luck)


@repetitions(1, 50)
def test_a_file_that_may_not_grow_costs_nothing_that_was_kept(
    times: int, small: Study, wanted: dict[str, bytes], calm: Path, tmp_path: Path
) -> None:
    whole, size = kept(calm), (calm / "results.sqlite").stat().st_size
    assert run(tmp_path, BEFORE.words("before", "-j", "1")).code == 0
    before = kept(tmp_path / "before")
    for number in range(times):
        out, most = tmp_path / f"out {number}", offset(number, size)
        if number % 4 < 2:
            shutil.copytree(tmp_path / "before", out)
        words = small.words(out.name, "-j", "1" if number % 5 else "2")
        ended = run(tmp_path, words, limit=lambda most=most: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
        if ended.code == 0:
            assert most > size, (number, most)
            assert ended.err == ""
        else:
            assert ended.code == 3, (number, most, ended)
            one_line(ended.err)
            held = kept(out) if out.exists() else {}
            assert held.items() <= whole.items()
            if number % 4 < 2:
                assert before.items() <= held.items(), (number, most)
            assert [name for name in left_over(out) if name.endswith(".part")] == [], (number, most)
        again = run(tmp_path, words)
        assert (again.code, again.err) == (0, ""), (number, most)
        assert tables(out) == wanted, (number, most)
        shutil.rmtree(out)


# In a namespace of its own, so that the disk is gone with the script, however that ends.
ON_A_SMALL_DISK = """
set -u
mount -t tmpfs -o size="$1" tmpfs disk || exit 99
shift
"$@" > first.out 2> first.err; echo $? > first.code
cp -r disk/. after
mount -o remount,size=64m disk
"$@" > second.out 2> second.err; echo $? > second.code
cp -r disk/. disk.copy
"""
NAMESPACE = ["unshare", "--map-root-user", "--mount"]


def can_mount() -> bool:
    words = [*NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.skipif(sys.platform != "linux" or not can_mount(), reason="may not mount a small disk")
@repetitions(1, 12)
def test_a_disk_that_is_full_costs_nothing_that_was_kept(
    times: int, small: Study, wanted: dict[str, bytes], calm: Path, tmp_path: Path
) -> None:
    whole, size = kept(calm), sum(each.stat().st_size for each in calm.iterdir())
    for number in range(times):
        folder = tmp_path / str(number)
        for name in ("disk", "after", "disk.copy"):
            (folder / name).mkdir(parents=True)
        most = 8192 + int(fraction("disk", number) * size)
        words = [sys.executable, "-m", "carecommons", *small.words("disk/out", "-j", "1")]
        done = subprocess.run(
            [*NAMESPACE, "sh", "-c", ON_A_SMALL_DISK, "sh", str(most), *words], cwd=folder, capture_output=True,
            env={**os.environ, "PYTHONPATH": path()}, timeout=LIMIT, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        first, second = ((folder / name).read_text().strip() for name in ("first.code", "second.code"))
        assert first == "3", (number, most, (folder / "first.err").read_text())
        one_line((folder / "first.err").read_text())
        assert kept(folder / "after" / "out").items() <= whole.items()
        assert (second, (folder / "second.err").read_text()) == ("0", ""), (number, most)
        assert tables(folder / "disk.copy" / "out") == wanted, (number, most)
