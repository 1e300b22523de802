"""The commands that run many: sweeps, comparisons, and where two runs part."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from carecommons.cli.following import following
from carecommons.cli.group import cli, say
from carecommons.cli.options import (
    BUT,
    CHANGE,
    CREW,
    OUTCOME,
    REPORT,
    SHAPE,
    STOP,
    Change,
    Crew,
    Report,
    Shape,
    Until,
    example,
    replicates_of,
)
from carecommons.cli.shell import Interrupted, Stopped
from carecommons.errors import InputError, one_line

# Everything else is imported by the command that needs it, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.check import Check
    from carecommons.experiments.comparison import Comparison
    from carecommons.experiments.design import Design
    from carecommons.experiments.engines import Engine
    from carecommons.experiments.sweep import Sweep

FAILED = 3  # the exit code when some runs failed and all others are kept


@cli.command(short_help="Run it at many settings.", epilog=example(
    "carecommons sweep derby --vary council.funding=0.7:1.3:7 --vary assessment.threshold=1:5:5 -r 10 -o out/derby",
    "carecommons sweep derby --sample lhs:200 --over uncertain --vary council.funding=0.85,1.0 -o out/uncertain",
    "carecommons sweep experiments/funding_eligibility.toml --dry-run"))  # fmt: skip
@click.argument("subject")
@SHAPE
@replicates_of(10)
@CREW
@click.option("--shard", default="", metavar="I/N", help="Run only this block of the runs, in a folder of its own.")
@click.option("--dry-run", is_flag=True, help="Say what it would take, and run nothing but a pilot.")
@CHANGE
@OUTCOME
@REPORT
@click.pass_context
def sweep(ctx: click.Context, subject: str, shape: Shape, replicates: int | None, crew: Crew, shard: str,
          dry_run: bool, change: Change, outcomes: Sequence[str], report: Report) -> None:  # fmt: skip
    """Run SUBJECT at many settings: a place, a scenario's file or an experiment's file.

    Replicate k of every setting has the same seed, so that settings share their luck. With -o every run is kept as it
    ends: the same command goes on where it was stopped, more levels or replicates add to what is there.
    """
    from carecommons.experiments import sweep as sweeping
    from carecommons.experiments.campaign import shard_folder
    from carecommons.experiments.check import check_design, refuse
    from carecommons.experiments.study import plan

    design = plan(subject, shape.varies, change.sets, change.months, change.citizens, replicates, change.seed, outcomes,
                  shape.zips, shape.sample, shape.overs)  # fmt: skip
    if shard and not report.out:
        raise InputError("--shard: needs a folder to keep its runs in: -o FOLDER")
    checked = check_design(design)
    if dry_run:
        _forecast(design, checked, crew.of(), report, shard)
        refuse(checked, shape.forced)
        return
    refuse(checked, shape.forced)
    for line in checked.short:
        click.echo(f"carecommons: note: {line}", err=True)
    with resumable(report):
        found = sweeping.run(design, crew.of(), report.out, command=command_line(), force=report.force,
                             progress=not report.as_json, part=shard, draw=pictures)  # fmt: skip
        failed = len(found.failures)
        if shard:
            status = list(found.store.status().values())
            if not report.json({"shard": shard, "folder": str(shard_folder(report.out, shard)),
                                "done": status.count("done"), "failed": status.count("failed")}):  # fmt: skip
                click.echo(f"Next: 'carecommons merge {report.out}' when all shards are done.")
        elif not report.json({"title": design.title, "replicates": design.replicates, "seeds": list(design.seeds),
                              "months": design.scenario.months, "cells": found.records()}):  # fmt: skip
            if design.title:
                say(one_line(design.title, 120))
            say(found)
            then = following(found, subject, change, report.out)
            report.next(then, *(f"{name}.png" for name in drawn(found)), "summary.csv")
    end(ctx, failed, str(shard_folder(report.out, shard)) if report.out else None, found.store.mixed)


def pictures(found: Sweep) -> Iterable[tuple[str, bytes]]:
    """The maps or lines of the sweep's outcomes, as files."""
    from carecommons.analysis import plots

    for outcome in drawn(found):
        yield from plots.both(plots.sweep_picture(found, outcome), outcome)


def drawn(found: Sweep) -> Sequence[str]:
    """The outcomes of which there is a picture: all, where there are few enough factors."""
    from carecommons.analysis import plots

    return found.design.outcomes if plots.can_draw(found) else ()


def _forecast(design: Design, checked: Check, engine: Engine, report: Report, part: str) -> None:
    """Print what a sweep would take and how its design looks, and refuse one that does not fit into memory."""
    from carecommons.experiments import pilot
    from carecommons.experiments import sweep as sweeping
    from carecommons.experiments.campaign import known_in, shard_folder
    from carecommons.experiments.engines import shard

    tasks = sweeping.tasks_in(design)
    tasks, known = shard(tasks, part) if part else tasks, known_in(shard_folder(report.out, part))
    found = pilot.pilot(tasks, engine.jobs, known, record=design.record())
    if not report.json({**found.record(), "check": list(checked.lines)}):
        say("\n".join((*found.lines, *checked.lines)))
    pilot.refuse(found)


@cli.command(short_help="Run two in the same worlds: what differs, and why.", epilog=example(
    "carecommons compare derby mine.toml -r 30",
    "carecommons compare derby --but council.funding=0.85 --until 10% --on isolation -o out/less"))  # fmt: skip
@click.argument("subject")
@click.argument("other", required=False)
@BUT
@replicates_of(30)
@STOP
@CREW
@CHANGE
@REPORT
@click.pass_context
def compare(ctx: click.Context, subject: str, other: str | None, buts: Sequence[str], replicates: int | None,
            until: Until, crew: Crew, change: Change, report: Report) -> None:  # fmt: skip
    """Run SUBJECT (a) and OTHER (b) in the same worlds, and say what differs and where the difference in demand went.

    Without OTHER, b is SUBJECT changed by --but; --set changes both arms. With --until, worlds are added until the
    difference is known that precisely.
    """
    from carecommons.experiments import compare as comparing
    from carecommons.experiments.study import changed

    if other is None and not buts:
        raise InputError("compare: give a second place or file, or --but key=value")
    stop = until.stop()
    if stop is not None and replicates is not None:
        raise InputError("compare: --until says how many worlds there are; leave out -r, or give --at-most")
    a, b = change.of(subject), changed(change.of(other or subject), buts, "--but")
    worlds = comparing.check(a, b, change.worlds(1 if stop else replicates or 30), stop=stop)
    with resumable(report):
        found = comparing.run(a, b, worlds, crew.of(), report.out, command=command_line(), force=report.force,
                              progress=not report.as_json, stop=stop, draw=differences)  # fmt: skip
        if not report.json({"seeds": list(found.seeds), **found.records()}):
            say(found)
            report.next("'carecommons outcomes' says what each outcome means", "differences.png", "attribution.csv")
    end(ctx, len(found.failures), report.out, found.store.mixed)


def differences(found: Comparison) -> Iterable[tuple[str, bytes]]:
    """The picture of a comparison, as files."""
    from carecommons.analysis import plots

    yield from plots.both(plots.comparison_picture(found), "differences")


@cli.command(short_help="Say where two runs part.", epilog=example(
    "carecommons diff derby --but assessment.threshold=3",
    "carecommons diff derby mine.toml --seed 7"))  # fmt: skip
@click.argument("subject")
@click.argument("other", required=False)
@BUT
@CHANGE
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff(subject: str, other: str | None, buts: Sequence[str], change: Change, as_json: bool) -> None:
    """Run SUBJECT and OTHER in one world: the first month, decision, people and outcomes in which they differ."""
    from carecommons.experiments.difference import diff as parting
    from carecommons.experiments.formats import to_json
    from carecommons.experiments.study import changed

    if other is None and not buts:
        raise InputError("diff: give a second place or file, or --but key=value")
    a, b = change.of(subject), changed(change.of(other or subject), buts, "--but")
    found = parting(a, b, change.worlds()[0], every=True)
    if as_json:
        click.echo(to_json(found.records()))
        return
    say(found)
    click.echo("Next: 'carecommons compare' with the same words says how far they part, and how sure that is.")


@contextmanager
def resumable(report: Report) -> Iterator[None]:
    """Say, when somebody stops what runs and shows it, that what was run is kept, and how to go on."""
    try:
        yield
    except (Interrupted, KeyboardInterrupt) as stop:
        code = getattr(stop, "code", 130)
        kept = f"the runs that ended are kept, go on with: {command_line()}" if report.out else (
            "nothing is kept without '-o FOLDER'")  # fmt: skip
        raise Stopped(code, f"stopped; {kept}") from None


def command_line() -> str:
    """The command as it was given."""
    return shlex.join(["carecommons", *sys.argv[1:]])


def end(ctx: click.Context, failed: int, folder: str | None, mixed: str = "") -> None:
    """Leave with 3 when runs have failed, saying how to run them again; and warn of runs made with other libraries."""
    if mixed:
        click.echo(f"carecommons: note: runs in {folder} were made with more than one version of a library ({mixed}), "
                   "which may change the last digits", err=True)  # fmt: skip
    if failed:
        again = f"'carecommons retry {folder}' runs them again" if folder else "keep the others with '-o FOLDER'"
        again += ", failures.csv says why" if folder and (Path(folder) / "failures.csv").exists() else ""
        click.echo(f"carecommons: {failed} run{'s' * (failed > 1)} failed; {again}", err=True)
        ctx.exit(FAILED)
