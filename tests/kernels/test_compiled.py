"""What is compiled is kept on disk, and never outlives any of the sources that went into it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CALLEE = """
from carecommons.kernels.compiled import compiled
@compiled
def deepest(x):
    return x + {added}
"""
BETWEEN = """
from deep import deepest
from carecommons.kernels.compiled import compiled
@compiled
def between(x):
    return deepest(x)
"""
CALLER = """
import json
import numpy as np
from numbers_of_mine import TIMES, EACH
from middle import between
from carecommons.kernels.compiled import compiled
@compiled
def first(x):
    return second(x)  # which is not there yet
@compiled
def second(x):
    return between(x) * TIMES + EACH[1]
print(json.dumps([first(1), sum(first.stats.cache_hits.values()), sum(first.stats.cache_misses.values())]))
"""


def write(folder: Path, added: int = 1, times: int = 1, each: str = "(0, 0)") -> None:
    """Four modules: one names values, three have kernels that call one another."""
    contents = {
        "deep": CALLEE.format(added=added), "middle": BETWEEN, "top": CALLER,
        "numbers_of_mine": f"import numpy as np\nTIMES = {times}\nEACH = {each}\n",
    }  # fmt: skip
    for name, content in contents.items():
        file = folder / f"{name}.py"
        if not file.exists() or file.read_text() != content:
            file.write_text(content)


def said(folder: Path, module: str) -> str:
    """What a module prints in a process of its own."""
    env = os.environ | {"NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
    env["PYTHONPATH"] = os.pathsep.join([str(folder), *sys.path])
    command = [sys.executable, str(folder / f"{module}.py")]
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.strip()


def top(folder: Path) -> list[int]:
    """What the caller gives, and how often it was read from the disk, and compiled."""
    return list(json.loads(said(folder, "top")))


@pytest.mark.parametrize("each", ["(0, {})", "np.array([0, {}])", "np.arange(5000) * {}"])
def test_what_is_kept_is_what_the_sources_say(tmp_path: Path, each: str) -> None:
    write(tmp_path, each=each.format(0))
    assert top(tmp_path) == [2, 0, 1]
    assert top(tmp_path) == [2, 1, 0]  # read from the disk
    write(tmp_path, added=4, each=each.format(0))  # two files away
    assert top(tmp_path) == [5, 0, 1]
    assert top(tmp_path) == [5, 1, 0]
    write(tmp_path, added=4, times=3, each=each.format(0))  # a number, in another file
    assert top(tmp_path) == [15, 0, 1]
    write(tmp_path, added=4, times=3, each=each.format(7))  # an array
    assert top(tmp_path) == [22, 0, 1]
    assert top(tmp_path) == [22, 1, 0]


def test_what_was_edited_after_it_was_read_is_not_kept_as_what_it_says_now(tmp_path: Path) -> None:
    """In a session that goes on while files change: the old code runs there, and nobody else is given it."""
    write(tmp_path)
    (tmp_path / "session.py").write_text(
        "import pathlib, deep, middle\n"
        "pathlib.Path(deep.__file__).write_text(pathlib.Path(deep.__file__).read_text().replace('+ 1', '+ 100'))\n"
        "print(middle.between(1), deep.deepest(1))\n"
    )
    assert said(tmp_path, "session") == "2 2"
    assert top(tmp_path) == [101, 0, 1]
