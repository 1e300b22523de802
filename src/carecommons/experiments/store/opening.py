"""What is looked at before a folder of runs is opened: whose it is, whether it is whole, and which runs it holds."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from carecommons.errors import InputError, one_line
from carecommons.experiments.store import files
from carecommons.experiments.store.errors import (
    IncompatibleError,
    OccupiedError,
    StoreError,
    damaged,
    pasted,
    shown,
    told,
)
from carecommons.experiments.store.identity import differences, places_of, plain
from carecommons.experiments.store.lock import NAME as LOCK
from carecommons.experiments.store.lock import signed
from carecommons.experiments.store.sealed import NAMED, TABLES, Sealed
from carecommons.experiments.store.verify import faults, strange
from carecommons.outcomes.catalogue import BY_NAME

_OURS = (files.DATABASE, f".{files.DATABASE}", f".{files.MANIFEST}")  # how the names begin that we give for a moment
_PAGE = 4096  # bytes of a database in which its tables are declared


def found(path: Path) -> tuple[Path, Path]:
    """The folder and the database that a path stands for."""
    if path.is_file() and not _is_database(path):
        raise InputError(f"{shown(path)}: is a file, must be a folder that a sweep or a comparison wrote")
    if not path.exists() and path.name != files.DATABASE:
        raise InputError(f"{shown(path)}: holds no runs, there is no such folder")
    folder, file = (path, path / files.DATABASE) if path.is_dir() else (path.parent, path)
    if not file.is_file():
        if files.read_manifest(folder).get("store") in ("open", "closed"):
            raise damaged(folder / files.DATABASE, "it is missing")
        shards = sorted(each.parent for each in folder.glob(f"{files.SHARDS}/{files.DATABASE}"))
        if path.is_dir() and shards:
            raise InputError(
                f"{shown(path)}: holds shards and no runs of its own; name one, such as {shown(shards[0])}, "
                f"or bring them together: carecommons merge {pasted(path)}"
            )
        raise InputError(f"{shown(path)}: holds no runs, must be a folder that a sweep or a comparison wrote")
    return folder, file


def _is_database(file: Path) -> bool:
    """Whether a file is one of ours, by its name or, wherever it lies, by the tables that it begins with."""
    if file.name == files.DATABASE or file.name in files.read_manifest(file.parent).get("sums", {}):
        return True
    with told(file, "reading it"), file.open("rb") as opened_:
        head = opened_.read(_PAGE)
    return head.startswith(b"SQLite format 3\0") and all(f"CREATE TABLE {each} ".encode() in head for each in TABLES)


def whole(file: Path) -> None:
    """Refuse a database that was closed and is not what it was then."""
    with told(file, "reading it"):
        for _ in range(2):
            known = files.read_manifest(file.parent).get("sums", {}).get(file.name)
            log = file.with_name(f"{file.name}-wal")
            if known is None or (files.hash_of(file) == known and not (log.exists() and log.stat().st_size)):
                return
        # Twice, as a writer may have begun between the two looks; it takes the hash out of the manifest first.
    raise damaged(file, listed(list(faults(file))) or "it is not what it was when it was closed")


def sound(sealed: Sealed) -> None:
    """Refuse a database whose rows are not what was written, or that is not this folder's."""
    wrong = list(sealed.faults()) or list(strange(sealed))
    if wrong:
        raise damaged(sealed.path, listed(wrong))


def listed(wrong: list[str]) -> str:
    """The first few faults, and how many more there are."""
    more = f", and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
    return one_line(", ".join(wrong[:NAMED]), 400) + more


def created(file: Path | None, identity: Mapping[str, Any], fill: Callable[[Sealed], None] | None = None) -> Sealed:
    """A new database, there with all that belongs in it from its first moment, or not at all."""
    if file is None:
        return _begun(None, identity, fill)
    draft = file.with_name(f".{file.name}.part")
    with told(draft, "writing it"):
        _remove(draft)  # left by one that was killed here
    try:
        _begun(draft, identity, fill).close()
        with told(file, "beginning it"):
            draft.replace(file)
            files.sync(file.parent)
    except BaseException:
        with suppress(OSError):
            _remove(draft)
        raise
    return Sealed(file, "write")


def _begun(file: Path | None, identity: Mapping[str, Any], fill: Callable[[Sealed], None] | None) -> Sealed:
    sealed = Sealed(file, "create")
    try:
        with sealed.transaction("beginning it"):
            sealed.put("about", ("identity", json.dumps(identity)))
            sealed.put("about", ("columns", json.dumps([[name, each.unit] for name, each in BY_NAME.items()])))
        if fill is not None:
            fill(sealed)
    except BaseException:
        sealed.close()
        raise
    return sealed


def _remove(draft: Path) -> None:
    for end in ("", *files.BESIDE):
        draft.with_name(draft.name + end).unlink(missing_ok=True)


def welcome(folder: Path, force: bool) -> None:
    """See that the folder is there, and that what it holds is ours."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = sorted(each.name for each in folder.iterdir())
    except (OSError, ValueError) as problem:
        reason = getattr(problem, "strerror", None) or one_line(problem)
        raise StoreError(f"{shown(folder)}: cannot be written: {reason}") from None
    held = files.read_manifest(folder)
    if files.DATABASE in names or held.get("store", "none") != "none":
        return
    for name, known in ((files.MANIFEST, bool(held)), (LOCK, LOCK in names and signed(folder))):
        if name in names and not known:  # where ours would have to stand: not even when forced
            raise OccupiedError(f"{shown(folder / name)}: is of something else; choose another folder")
    others = [name for name in names if not _is_ours(folder, name)]
    if others and not force:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise OccupiedError(
            f"{shown(folder)}: holds other files ({one_line(others[0])}{more}) and no runs; "
            "choose another folder, or --force to write there anyway"
        )


def _is_ours(folder: Path, name: str) -> bool:
    """Also a shard within: a folder with a store of its own."""
    return name == LOCK or name.startswith(_OURS) or (folder / name / files.DATABASE).exists()


def opened(folder: Path, identity: Mapping[str, Any], force: bool) -> Sealed:
    """The folder's database, when it is whole and of this identity; else a new one, if there is none or we may."""
    file, state = folder / files.DATABASE, files.read_manifest(folder).get("store")
    if not file.exists():
        if state in ("open", "closed") and not force:
            raise damaged(file, "it is missing")
        return created(file, identity)
    whole(file)
    sealed = Sealed(file, "write")
    try:
        sound(sealed)
        wrong = [] if state == "closed" else sealed.integrity()  # writing to a broken structure would break more
        if wrong:
            raise damaged(file, listed(wrong))
        about: dict[str, str] = dict(sealed.rows("about"))
        varied = [key for row in sealed.rows("design") for key in json.loads(row[1]).get("factors", {})]
        held, given = json.loads(about["identity"]), plain(identity)
        if not {*given["places"]} <= {*held["places"]}:
            held["places"] = places_of(held, sealed.rows("point"))
        different = differences(held, given, varied)
        if different and not force:
            raise IncompatibleError(
                f"{shown(folder)}: holds other runs: {different}; choose another folder, "
                "or --force to set them aside there and begin anew"
            )
        if not different:
            return sealed
    except BaseException:
        sealed.close()
        raise
    sealed.close()
    _set_aside(folder)
    return created(file, identity)


def _set_aside(folder: Path) -> None:
    """Give what the folder holds another name, and keep its hash under that."""
    held = files.read_manifest(folder)
    name = files.free_name(folder, "results-{}.sqlite")
    sums = held.get("sums", {})
    if files.DATABASE in sums:
        sums[name] = sums.pop(files.DATABASE)
    files.write_manifest(folder, held | {"store": "aside", "sums": sums})
    files.rename_database(folder, files.DATABASE, name)
