"""Files that are there whole or not at all, and the manifest that says what a folder holds."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any, Final

from carecommons.errors import InputError
from carecommons.experiments.formats import to_json
from carecommons.experiments.store.errors import shown, told

DATABASE: Final = "results.sqlite"
MANIFEST: Final = "manifest.json"
SHARDS: Final = "shard-*-of-*"  # folders, within that of their experiment
BESIDE: Final = ("-wal", "-shm", "-journal")  # what SQLite puts beside a database while it is open

_NAMED: Final = ("sums", "files", "coming")  # what a manifest holds by the names of files

Content = bytes | Callable[[Path], None]  # bytes, or what writes itself to the path that it is given


def folder_of(path: str | Path) -> Path:
    """The path of a folder that is there or may be made; InputError when it has no name, or is or lies in a file."""
    if not str(path):
        raise InputError("the name of the folder is empty; name one, such as out/derby")
    folder = Path(path)
    with told(folder, "looking at it"):
        there = next((each for each in (folder, *folder.parents) if each.exists()), None)
        if there is not None and not there.is_dir():
            raise InputError(f"{shown(there)}: is a file, must be a folder")
    return folder


def write(path: Path, content: Content) -> str:
    """Put a file in place whole, or leave what was there -> its hash; raises `StoreError`."""
    found = draft(path, content)
    place(path)
    return found


def draft(path: Path, content: Content) -> str:
    """Write a file beside its place -> its hash; nothing is left of one that could not be written."""
    part = beside(path)
    with told(path, "writing it"):
        part.unlink(missing_ok=True)  # left by one that was killed here; and never write through another's link
        try:
            if isinstance(content, bytes):
                part.write_bytes(content)
            else:
                content(part)
            with part.open("rb+") as file:
                os.fsync(file.fileno())
            return hash_of(part)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise


def place(path: Path) -> None:
    """Put the draft of a file in its place."""
    with told(path, "putting it in place"):
        beside(path).replace(path)
        sync(path.parent)


def beside(path: Path) -> Path:
    """Where the draft of a file is written."""
    return path.with_name(f".{path.name}.part")


def sync(folder: Path) -> None:
    """Make the names in a folder as lasting as the files behind them."""
    if os.name == "nt":  # no such thing there
        return
    fd = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def hash_of(path: Path) -> str:
    """The hash of a file, read in pieces."""
    with path.open("rb") as file:
        return file_digest(file, lambda: blake2b(digest_size=32)).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """What a folder's manifest says; empty where there is none that a store wrote."""
    with suppress(OSError, ValueError, RecursionError):
        held = json.loads((folder / MANIFEST).read_bytes())
        if isinstance(held, dict) and isinstance(held.get("store"), str):
            return {key: value for key, value in held.items() if key not in _NAMED or _is_named(value)}
    return {}


def _is_named(value: Any) -> bool:
    """Whether it is hashes by name, as we write them."""
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def write_manifest(folder: Path, facts: Mapping[str, Any]) -> None:
    """Replace the manifest."""
    write(folder / MANIFEST, (to_json(facts) + "\n").encode())


def free_name(folder: Path, form: str) -> str:
    """The first of the names that `form` gives with 1, 2, ... that nothing in the folder has."""
    number = 1
    while any((folder / (form.format(number) + end)).exists() for end in ("", *BESIDE)):
        number += 1
    return form.format(number)


def rename_database(folder: Path, old: str, new: str) -> None:
    """Give a database another name, with what stands beside it: its log first, which must meet no other database."""
    with told(folder / old, f"renaming it to {new}"):
        for end in (*BESIDE, ""):
            if (folder / (old + end)).exists():
                (folder / (old + end)).rename(folder / (new + end))
        sync(folder)
