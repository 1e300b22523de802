"""Run two policies in the same worlds, in as many as asked or until the difference is known precisely enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from carecommons.errors import InputError, one_line
from carecommons.experiments import tables
from carecommons.experiments.campaign import carry_out, chosen, identity, nothing, workers, writing
from carecommons.experiments.comparison import Comparison, Stop
from carecommons.experiments.design import LARGEST_SEED
from carecommons.experiments.engines import Engine, check_engine
from carecommons.experiments.estimate import LAST
from carecommons.experiments.performing import ARMS
from carecommons.experiments.sequential import AHEAD, LEAST, Replication
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.publish import publish
from carecommons.experiments.task import tasks_of
from carecommons.scenario import Scenario, expect


def compare(
    scenario_a: Scenario,
    scenario_b: Scenario,
    seeds: Iterable[int] = range(30),
    *,
    jobs: int = 1,
    last: int = LAST,
    out: str | Path | None = None,
    force: bool = False,
    progress: bool = False,
    engine: Engine | None = None,
    stop: Stop | None = None,
) -> Comparison:
    """Run both scenarios in the same worlds, month by month in step.

    Parameters
    ----------
    scenario_a, scenario_b
        What is compared; both must have the same citizens and months.
    seeds
        The worlds, one a pair; with `stop` the first of them, which counts on.
    jobs
        Worker processes; the numbers do not depend on it.
    last
        Months at the end over which a run counts.
    out
        A folder in which every pair is kept as it ends. The same call again goes on where it was, more seeds add to
        what is there; other code or other scenarios are refused unless `force`.
    progress
        Show a bar, where there is a terminal to show it on.
    engine
        Who does the runs, and how long one may take; `jobs` processes by default.
    stop
        Go on until an outcome's difference is known precisely enough.
    """
    if stop is not None and not isinstance(stop, Stop):
        raise InputError(f"compare: stop = {one_line(stop)} must be a Stop, such as Stop('funded', Precision(0.1))")
    worlds = check(scenario_a, scenario_b, seeds, last, stop)
    engine = workers(jobs) if engine is None else check_engine(engine)
    return run(scenario_a, scenario_b, worlds, engine, out, last=last, force=force, progress=progress,
               stop=stop)  # fmt: skip


def check(
    a: Scenario, b: Scenario, seeds: Iterable[int], last: int = LAST, stop: Stop | None = None
) -> tuple[int, ...]:
    """The worlds, when the two can be compared in them; with `stop` the first, from which all that it may add count."""
    for scenario in (a, b):
        expect(scenario, "compare").profile()
    if not isinstance(seeds, Iterable):
        raise InputError(f"compare: seeds = {one_line(seeds)} must be whole numbers, such as range({one_line(seeds)})")
    for key in ("citizens", "months"):
        if a.get(key) != b.get(key):
            raise InputError(f"compare: {key} = {a.get(key)} and {b.get(key)}, must be equal in both scenarios")
    if isinstance(last, bool) or not isinstance(last, int) or last < 1:
        raise InputError(f"compare: last = {one_line(last)} must be a whole number of at least 1")
    worlds = tuple(seed.item() if hasattr(seed, "item") else seed for seed in seeds)
    if stop is not None:
        worlds = worlds[:1]
        if worlds and isinstance(worlds[0], int) and worlds[0] + stop.most - 1 > LARGEST_SEED:
            raise InputError(f"compare: {stop.most:,} pairs (--at-most) from seed {worlds[0]} on go beyond 2**63 - 1")
    for seed in worlds:
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed <= LARGEST_SEED:
            raise InputError(f"compare: seed {one_line(seed)} must be a whole number from 0 to 2**63 - 1")
    if not worlds or len(set(worlds)) < len(worlds):
        raise InputError("compare: seeds must be given, and each only once")
    return worlds


def identity_of(a: Scenario, b: Scenario) -> dict[str, Any]:
    """What must agree for two comparisons to share a folder."""
    base = {f"{arm}.{key}": value for arm, each in zip(ARMS, (a, b), strict=True) for key, value in each.flat().items()}
    return identity("comparison", base, (a, b))


def run(
    a: Scenario,
    b: Scenario,
    worlds: tuple[int, ...],
    engine: Engine,
    out: str | Path | None = None,
    *,
    last: int = LAST,
    command: str = "carecommons.compare",
    force: bool = False,
    progress: bool = False,
    stop: Stop | None = None,
    again: bool = False,
    draw: Callable[[Comparison], Iterable[tuple[str, bytes]]] = nothing,
) -> Comparison:
    """Run the pairs that are missing, or `again` those that failed, and write the tables beside them.

    With `stop`, worlds are added in turns until the rule is content: first as many as it asks for at least, then as
    many as the spread so far says are needed. Which pairs count does not depend on how many were run at a time.
    """
    # What is to be run once more is in the store as it is: nothing may set that aside.
    with writing(out, identity_of(a, b), command, force and not again) as store:
        if stop is not None and not again:
            worlds = tuple(range(worlds[0], worlds[0] + LEAST + AHEAD))
        subject = tasks_of([(a, b)], worlds[:1])[0].subject
        if not again:
            store.add_design(_record(Comparison(a, b, worlds, store, subject, last, stop), over=False))
        earlier = [seed for record in store.designs() for seed in record["seeds"]] if again else []
        over = False
        while True:
            tasks = tasks_of([(a, b)], [*dict.fromkeys([*earlier, *worlds])])
            carry_out(store, chosen(store, tasks, again), engine, what="pairs", progress=progress)
            found = Comparison(a, b, worlds, store, subject, last, stop)
            if stop is None:
                break
            rule = found.judged(stop)
            over = rule.over or not found.ends  # where every pair fails, more of them do not help
            if over or again:
                found = replace(found, seeds=worlds[: len(rule.differences)], verdict=rule.verdict)
                break
            worlds = tuple(range(worlds[0], worlds[0] + _enough(rule, len(worlds), stop.most)))
        store.add_design(_record(found, over))
        if out is not None:
            publish(store, {**tables.files(store), **found.more_tables(), **dict(draw(found))}, force=force)
    if out is None:
        return found
    return replace(found, store=Store.read(out))


def _enough(rule: Replication, pairs: int, most: int) -> int:
    """How many pairs to have next: what is still needed and those that look ahead, at most twice as many as now."""
    needed = rule.verdict.still_needed
    return min(pairs + (pairs if needed is None else min(needed + AHEAD, pairs)), most)


def _record(found: Comparison, over: bool) -> dict[str, Any]:
    """The design of a comparison as plain values; with a rule, whether that has ended or may ask for more worlds."""
    a, b, stop = found.scenario_a, found.scenario_b, found.stop
    return {
        "kind": "comparison", "title": "", "arms": [a.flat(), b.flat()], "subjects": [found.subject],
        "seeds": list(found.seeds), "last": found.last, "factors": {},
        "stop": stop and {
            "outcome": stop.outcome, "half_width": stop.precision.half_width, "relative": stop.precision.relative,
            "most": stop.most, "over": over,
        },
    }  # fmt: skip
