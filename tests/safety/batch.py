"""Command lines run one after another in one process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]

_COMMANDS: Final = """
import contextlib, io, json, sys
from carecommons.cli import cli
found = []
for words in json.loads(sys.stdin.read()):
    said, out, code = io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(out):
        try:
            cli.main(args=words, prog_name="carecommons")
        except SystemExit as end:
            code = end.code
        except BaseException as error:
            code = f"TRACEBACK {error!r}"
    found.append([code, said.getvalue(), out.getvalue()])
print(json.dumps(found))
"""


def environment() -> dict[str, str]:
    """The environment of a process that finds the package and these tests."""
    paths = [str(ROOT / "src"), str(ROOT / "tests"), str(Path(__file__).parent)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def commands(lines: Sequence[Sequence[str]], folder: Path | None = None) -> list[tuple[Any, str, str]]:
    """What each command line ends with: exit code, stderr, stdout."""
    done = subprocess.run([sys.executable, "-c", _COMMANDS], input=json.dumps(lines), env=environment(), cwd=folder,
                          capture_output=True, text=True, check=True)  # fmt: skip
    return [(code, said, out) for code, said, out in json.loads(done.stdout)]
