"""A folder has one writer at a time; whoever comes second is told who that is."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from carecommons.experiments.store.errors import BusyError
from carecommons.experiments.store.lock import Lock, holder, holds

# Each waits for the barrier (a file), tries once, and says how that went; a winner keeps it until it is told to go.
RIVAL = """
import sys, time; from pathlib import Path
from carecommons.experiments.store.lock import Lock
from carecommons.experiments.store.errors import BusyError
folder = Path(sys.argv[1])
for line in sys.stdin:
    while not (folder / ("go" + line.strip())).exists():
        pass
    began = time.monotonic()
    try:
        lock = Lock(folder, "rival")
        print("won", flush=True); sys.stdin.readline(); lock.release()
    except BusyError as problem:
        print(time.monotonic() - began, problem, flush=True); sys.stdin.readline()
    print("ready", flush=True)
"""
STARTS = 40


@pytest.mark.skipif(os.name == "nt", reason="looks at process ids")
def test_of_several_that_start_together_one_wins_and_the_others_name_it(tmp_path: Path) -> None:
    rivals = [subprocess.Popen([sys.executable, "-c", RIVAL, str(tmp_path)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True, bufsize=1) for _ in range(3)]  # fmt: skip
    for start in range(STARTS):
        for each in rivals:
            assert each.stdin is not None
            each.stdin.write(f"{start}\n")
        (tmp_path / f"go{start}").touch()
        said = {each.pid: each.stdout.readline().strip() for each in rivals if each.stdout}
        winners = [pid for pid, text in said.items() if text == "won"]
        assert len(winners) == 1, said
        assert all(f"process {winners[0]} on " in text for text in said.values() if text != "won"), said
        for each in rivals:
            assert each.stdin is not None
            each.stdin.write("\n")
        for each in rivals:  # nobody holds it any more when the next start comes
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
    for each in rivals:
        each.communicate()


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_holder_leaves_no_lock_but_its_forked_children_would_not_have_kept_it_either(tmp_path: Path) -> None:
    script = (
        "import os, sys, time; from pathlib import Path\n"
        "from carecommons.experiments.store.lock import Lock\n"
        f"lock = Lock(Path({str(tmp_path)!r}), 'holder')\n"
        "child = os.fork()\n"
        "if not child: time.sleep(60); os._exit(0)\n"
        "print(child, flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        found = holder(tmp_path)
        assert found is not None
        assert (found.pid, found.command) == (process.pid, "holder")
        process.kill()
        process.wait()
        try:
            assert holder(tmp_path) is None
            with Lock(tmp_path, "next"):
                assert holds(tmp_path)
        finally:
            os.kill(child, 9)


def test_within_one_process_the_second_is_refused_within_a_second(tmp_path: Path) -> None:
    with Lock(tmp_path, "first"):
        began = time.monotonic()
        with pytest.raises(BusyError, match=f"process {os.getpid()} on ") as told:
            Lock(tmp_path, "second")
        assert time.monotonic() - began < 1
        assert told.value.exit_code == 4
    with Lock(tmp_path, "third"):
        assert holder(tmp_path) is not None
    assert not holds(tmp_path)
    assert holder(tmp_path) is None


@pytest.mark.parametrize(
    "text", ["", "{", '{"pid": 1', json.dumps({"pid": 2**22 + 1, "host": "", "command": "", "since": ""})]
)
def test_what_the_file_says_holds_nobody_back(text: str, tmp_path: Path) -> None:
    (tmp_path / "lock").write_text(text)
    assert holder(tmp_path) is None
    with Lock(tmp_path, "mine"):
        found = holder(tmp_path)
        assert found is not None
        assert found.pid == os.getpid()


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork")
def test_a_forked_child_does_not_take_the_lock_from_its_parent(tmp_path: Path) -> None:
    with Lock(tmp_path, "parent"):
        child = os.fork()
        if not child:
            os._exit(int(holds(tmp_path)))
        assert os.waitpid(child, 0)[1] == 0
        with pytest.raises(BusyError):
            Lock(tmp_path, "other")
