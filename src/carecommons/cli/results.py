"""The commands for folders of results: how they stand, what failed, and how they become one or leave."""

from __future__ import annotations

from collections.abc import Sequence

import click

from carecommons.cli.group import cli, say
from carecommons.cli.options import CREW, JSON, Crew, Report, example, number
from carecommons.cli.studies import FAILED, command_line, differences, end, pictures, resumable

FORCE = click.option("--force", is_flag=True, help="Replace tables that somebody has changed.")


@cli.command(short_help="Say how a folder of results stands.", epilog=example("carecommons status out/derby"))
@click.argument("folder")
@JSON
def status(folder: str, as_json: bool) -> None:
    """Say what FOLDER holds: runs done, failed and missing, who is writing it, and from which code it came."""
    from carecommons.experiments import show
    from carecommons.experiments.formats import to_json
    from carecommons.experiments.store.state import state

    found = state(folder)
    if as_json:
        click.echo(to_json(found.records()))
        return
    say(show.rows_table(folder, [{"": name, " ": str(value)} for name, value in found.records().items()]))
    click.echo(f"Next: {found.advice}.")


@cli.command(short_help="Run once more what failed.", epilog=example("carecommons retry out/derby"))
@click.argument("folder")
@CREW
@FORCE
@click.pass_context
def retry(ctx: click.Context, folder: str, crew: Crew, force: bool) -> None:
    """Run once more the runs of FOLDER that failed; their next results take the place of the failures."""
    from carecommons.experiments import load
    from carecommons.experiments.store.state import state

    report = Report(folder, force, False)
    with resumable(report):
        found = load.retry(folder, crew.of(), command=command_line(), force=force, progress=True,
                           draw_sweep=pictures, draw_comparison=differences)  # fmt: skip
    if not len(found.failures):
        click.echo(f"Next: nothing in {folder} has failed now; {state(folder).advice}.")
    end(ctx, len(found.failures), folder, found.store.mixed)


@cli.command(short_help="Make one folder of several.", epilog=example(
    "carecommons merge out/derby",
    "carecommons merge out/all out/monday out/tuesday"))  # fmt: skip
@click.argument("folder")
@click.argument("sources", nargs=-1)
@FORCE
@click.pass_context
def merge(ctx: click.Context, folder: str, sources: Sequence[str], force: bool) -> None:
    """Add the runs of SOURCES, or of the shards within FOLDER, to FOLDER; the sources stay as they are."""
    from carecommons.experiments import load
    from carecommons.experiments.store.state import state

    found = load.merge(folder, sources, command=command_line(), force=force,
                       draw_sweep=pictures, draw_comparison=differences)  # fmt: skip
    found.store.close()
    at = state(folder)
    click.echo(f"Next: {at.advice}; {at.done:,} runs are done, {at.failed:,} have failed, {at.missing:,} are missing.")
    end(ctx, at.failed, folder, at.mixed)


@cli.command(short_help="Write its tables elsewhere.", epilog=example(
    "carecommons export out/derby tables --format parquet"))  # fmt: skip
@click.argument("folder")
@click.argument("to")
@click.option("--format", "form", type=click.Choice(["csv", "parquet"]), default="csv", help="[csv]")
@FORCE
def export(folder: str, to: str, form: str, force: bool) -> None:
    """Write the tables of FOLDER (runs, parameters, series, summary, failures) into the folder TO."""
    from carecommons.experiments import tables
    from carecommons.experiments.store.database import Store

    with Store.read(folder) as store:
        written = tables.export(store, to, form, force=force)
    click.echo(f"Next: look at {', '.join(str(path) for path in written)}.")


@cli.command(short_help="See whether its runs come out the same.", epilog=example(
    "carecommons reproduce out/derby",
    "carecommons reproduce out/derby --runs 1000"))  # fmt: skip
@click.argument("folder")
@number("--runs", low=1, about="How many to do again, spread by chance.  [20]")
@CREW
@JSON
@click.pass_context
def reproduce(ctx: click.Context, folder: str, runs: int | None, crew: Crew, as_json: bool) -> None:
    """Do runs of FOLDER again, from what it says of them, and compare every number with the one it holds.

    The folder stays as it is. The code is today's: after a change of it, with other libraries or on another machine,
    this says whether that changes a number, and which first.
    """
    from carecommons.experiments.formats import to_json
    from carecommons.experiments.reproduction import RUNS
    from carecommons.experiments.reproduction import reproduce as again
    from carecommons.experiments.store.errors import IncompatibleError, pasted

    found = again(folder, runs or RUNS, engine=crew.of(), progress=not as_json)
    if as_json:
        click.echo(to_json(found.records()))
    else:
        say(found)
    if found.failed:
        told = f"{found.failed:,} of {len(found.runs):,} runs of {found.folder} could not be done again"
        click.echo(f"carecommons: {told}", err=True)
        ctx.exit(FAILED)
    if found.different:
        why = "" if found.notes else "; neither code, places, libraries nor machine have changed"
        click.echo(f"carecommons: {found.folder} holds other numbers than {found.different:,} of {len(found.runs):,} "
                   f"runs gave now{why}", err=True)  # fmt: skip
        ctx.exit(IncompatibleError.exit_code)
    if len(found.runs) < found.held and not as_json:
        click.echo(f"Next: 'carecommons reproduce {pasted(folder)} --runs {found.held}' does all of them.")


@cli.command(short_help="Keep what is whole of a damaged folder.", epilog=example("carecommons repair out/derby"))
@click.argument("folder")
def repair(folder: str) -> None:
    """Check FOLDER; put a damaged database aside and keep every run in it that is what was written."""
    from carecommons.experiments.store.repair import repair as mend

    found = mend(folder)
    click.echo(str(found))
