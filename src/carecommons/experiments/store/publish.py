"""Put tables and pictures into a folder, each whole or not at all, and never over what somebody else wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import Any, Final

from carecommons.errors import InputError, one_line
from carecommons.experiments.store import files
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.errors import OccupiedError, shown, told
from carecommons.experiments.store.files import Content
from carecommons.experiments.store.lock import NAME as LOCK
from carecommons.experiments.store.lock import Lock, holds
from carecommons.experiments.store.sealed import digest_of

# Letters that look alike elsewhere, dots that climb, drives, streams and devices: none of it can be written with these.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_. -]{0,98}[A-Za-z0-9]")
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_OURS: Final = re.compile(rf"({LOCK}|{files.MANIFEST}|results(-\d+)?\.sqlite.*)", re.IGNORECASE)


def publish(
    where: Store | str | Path, contents: Mapping[str, Content | None], *, force: bool = False, of: str = ""
) -> None:
    """Write files into the folder of a store, or any other, and note their hashes in its manifest.

    Parameters
    ----------
    where
        A store that is open for writing, or a folder, which is then taken for the time.
    contents
        By name, bytes or what writes itself to the path it is given; None takes away what we wrote under that name.
    force
        Also over files that are not ours, or were changed since we wrote them.
    of
        What the files are of, where the folder is no store's: those of something else are not replaced.

    Raises
    ------
    InputError
        A name that is not plain, or a file where the folder should be; nothing is written then.
    OccupiedError
        A file that is not as we left it; nothing is written then.
    StoreError
        A file cannot be written; those before it are in place.
    """
    folder = where.folder if isinstance(where, Store) else files.folder_of(where)
    if folder is None:
        raise InputError("a store in memory has no folder for tables")
    for name in contents:
        check_name(name)
    with told(folder, "writing there"):
        folder.mkdir(parents=True, exist_ok=True)
    ours = not (folder / files.DATABASE).exists() or holds(folder)
    with nullcontext() if ours else Lock(folder, "carecommons: writing tables"):
        _publish(folder, contents, force, stamp(where) if isinstance(where, Store) else of)


def stamp(store: Store) -> str:
    """A hash of what the tables of a store are made from: its designs, and which runs it has."""
    held = [sorted(store.status().items()), store.designs()]
    return digest_of(json.dumps(held).encode()).hex()


def check_name(name: str) -> None:
    """Refuse a name that could lead out of the folder, or to a file that is not for tables and pictures."""
    if not _NAME.fullmatch(name) or _DEVICES.fullmatch(name) or ".." in name:
        raise InputError(f"file name '{one_line(name)}': must be up to 100 plain letters, digits, '.', '-' and '_'")
    if _OURS.fullmatch(name):
        raise InputError(f"file name '{one_line(name)}': is kept for the store itself")


def _publish(folder: Path, contents: Mapping[str, Content | None], force: bool, of: str) -> None:
    held = files.read_manifest(folder)
    if not held and (folder / files.MANIFEST).exists() and not (folder / files.DATABASE).exists():
        raise OccupiedError(f"{shown(folder / files.MANIFEST)}: is of something else; choose another folder")
    held.setdefault("store", "none")
    if held["store"] == "none" and held.get("files") and held.get("of", of) != of and not force:
        raise OccupiedError(f"{shown(folder)}: holds the tables of other runs; choose another folder, or --force")
    known: dict[str, str] = held.setdefault("files", {})
    drafts: dict[str, str] = {}
    try:
        for name, content in contents.items():
            if content is not None:
                drafts[name] = files.draft(folder / name, content)
        for name in drafts:
            if (folder / name).is_dir() and not (folder / name).is_symlink():
                raise OccupiedError(f"{shown(folder / name)}: is a folder; move it away")
        if not force:
            _refuse_changed(folder, contents, drafts, held)
        # Before any is in place: should we be killed among them, each is either as it was or as it is to be.
        files.write_manifest(folder, held | {"coming": drafts})
        for name in drafts:
            files.place(folder / name)
    finally:
        with suppress(OSError):
            for name in drafts:
                files.beside(folder / name).unlink(missing_ok=True)
    with told(folder, "writing there"):
        for name in contents:
            if name not in drafts and known.pop(name, ""):
                (folder / name).unlink(missing_ok=True)
    known |= drafts
    held.pop("coming", None)
    files.write_manifest(folder, held | {"of": of, "files": dict(sorted(known.items()))})


def _refuse_changed(
    folder: Path, contents: Mapping[str, Content | None], drafts: Mapping[str, str], held: Mapping[str, Any]
) -> None:
    """A file may be replaced that is as we left it, or as we would leave it; one we did not write may stay."""
    for name in contents:
        path, known, draft = folder / name, held["files"].get(name), drafts.get(name)
        if not (path.exists() or path.is_symlink()) or (draft is None and known is None):
            continue
        with told(path, "reading it"):
            now = files.hash_of(path) if path.is_file() else ""
        if now not in (known, held.get("coming", {}).get(name), draft):
            raise OccupiedError(
                f"{shown(path)}: was changed since it was written, or is of something else; "
                "move it away, or --force to replace it"
            )
