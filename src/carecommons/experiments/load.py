"""Take up results where they lie: load a folder, run again what failed in it, and join the shards of one experiment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from carecommons.errors import InputError, one_line
from carecommons.experiments import compare, sweep, tables
from carecommons.experiments.campaign import nothing, writing
from carecommons.experiments.comparison import Comparison
from carecommons.experiments.engines import Engine
from carecommons.experiments.store import files
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.merge import merge as merge_stores
from carecommons.experiments.store.publish import publish
from carecommons.experiments.sweep import Sweep

Files = Iterable[tuple[str, bytes]]


def load(path: str | Path) -> Sweep | Comparison:
    """The results in a folder, as `sweep` or `compare` gave them; a folder that is being written shows what it has.

    Both have the tables `runs`, `parameters`, `series`, `summary` and `failures`, and `to_xarray()`.

    Raises
    ------
    InputError
        The folder holds no runs.
    DamagedError
        Something in it is not what was written.
    """
    store = Store.read(path)
    try:
        if not store.designs():
            raise InputError(f"{one_line(path, 200)}: nothing was run in it yet")
        return of(store)
    except BaseException:
        store.close()
        raise


def retry(
    path: str | Path,
    engine: Engine,
    *,
    command: str = "carecommons.retry",
    force: bool = False,
    progress: bool = False,
    draw_sweep: Callable[[Sweep], Files] = nothing,
    draw_comparison: Callable[[Comparison], Files] = nothing,
) -> Sweep | Comparison:
    """Run once more what failed in a folder, with today's code, which must be the code of the other runs."""
    held = load(path)
    held.store.close()
    if isinstance(held, Comparison):
        return compare.run(held.scenario_a, held.scenario_b, held.seeds, engine, path, last=held.last, stop=held.stop,
                           command=command, force=force, progress=progress, again=True,
                           draw=draw_comparison)  # fmt: skip
    return sweep.run(held.design, engine, path, command=command, force=force, progress=progress, again=True,
                     draw=draw_sweep)  # fmt: skip


def merge(
    path: str | Path,
    sources: Sequence[str | Path] = (),
    *,
    command: str = "carecommons.merge",
    force: bool = False,
    draw_sweep: Callable[[Sweep], Files] = nothing,
    draw_comparison: Callable[[Comparison], Files] = nothing,
) -> Sweep | Comparison:
    """Add the runs of other folders, or of the shards within this one, and write its tables; the sources stay."""
    others = [Path(each) for each in sources] or sorted(Path(path).glob(files.SHARDS))
    if not others:
        raise InputError(f"{one_line(path, 200)}: holds no shards; name the folders to merge into it")
    merge_stores(path, others, command=command)
    held = load(path)
    held.store.close()
    with writing(path, held.store.identity, command, force) as store:
        found = of(store)
        drawn = draw_comparison(found) if isinstance(found, Comparison) else draw_sweep(found)
        publish(store, {**tables.files(store), **found.more_tables(), **dict(drawn)}, force=force)
    return load(path)


def of(store: Store) -> Sweep | Comparison:
    """What an open store holds, by its newest design."""
    return Comparison.of(store) if store.identity["kind"] == "comparison" else Sweep.of(store)
