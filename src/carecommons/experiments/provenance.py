"""Where results come from: the code that decides them, part by part, the versions under it, and the machine."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from carecommons import __version__

LIBRARIES: Final = ("mesa", "networkx", "numba", "numpy", "pandas", "pydantic", "scipy")
# What decides a run's numbers; the rest of the package only asks for runs and shows them.
PARTS: Final = (
    "agents", "cycle", "founding", "kernels", "model", "outcomes", "params", "place", "processes", "rules", "scenario",
    "units", "experiments/packing", "experiments/performing",
)  # fmt: skip


def versions() -> dict[str, str]:
    """The versions that results depend on."""
    found = {"carecommons": __version__, "python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def machine() -> dict[str, str]:
    """What the numbers were made on."""
    return {"system": platform.system(), "machine": platform.machine(), "python": platform.python_implementation()}


@cache
def code() -> Mapping[str, str]:
    """A short hash of each part of the package that decides a run's numbers, data files included."""
    home = files("carecommons")
    return {part: _hash(home / part if (home / part).is_dir() else home / f"{part}.py") for part in PARTS}


@cache
def fingerprint() -> str:
    """A short hash of all code that decides a run's numbers."""
    return blake2b("".join(code().values()).encode(), digest_size=8).hexdigest()


def _hash(entry: Traversable) -> str:
    found = blake2b(digest_size=8)
    for name, content in _contents(entry):
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _contents(entry: Traversable) -> list[tuple[str, bytes]]:
    if entry.is_file():
        return [(entry.name, entry.read_bytes())]
    kept = (each for each in entry.iterdir() if each.is_dir() or each.name.rpartition(".")[2] in ("py", "toml", "csv"))
    inner = sorted((each for each in kept if each.name != "__pycache__"), key=lambda each: each.name)
    return [(f"{entry.name}/{name}", content) for each in inner for name, content in _contents(each)]
