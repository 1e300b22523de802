"""The commands that run a place once, set it beside published figures, and look up what there is."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from carecommons.cli.group import cli, say
from carecommons.cli.options import CHANGE, JSON, REPORT, ROLE, Change, Report, example, replicates_of
from carecommons.errors import InputError, did_you_mean, one_line

# Everything else is imported by the command that needs it, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.folder import Folder
    from carecommons.scenario import Scenario


@cli.command(short_help="Run a place or scenario once.", epilog=example(
    "carecommons run derby --months 24 --citizens 2000",
    "carecommons run mine.toml --set council.funding=0.9"))  # fmt: skip
@click.argument("subject")
@CHANGE
@click.option("--all", "everything", is_flag=True, help="Show every outcome.")
@REPORT
def run(subject: str, everything: bool, change: Change, report: Report) -> None:
    """Run SUBJECT once: a shipped place, or a scenario's or place's file."""
    from carecommons.experiments import design, show
    from carecommons.experiments.estimate import last_year
    from carecommons.experiments.progress import bar
    from carecommons.model import CareCommons
    from carecommons.outcomes.catalogue import BY_NAME

    scenario, (seed,) = change.of(subject), change.worlds()
    folder = report.folder(design.digest(["run", scenario.digest, seed]))
    with folder or nullcontext():
        model = CareCommons(scenario, rng=seed)
        with bar("months", scenario.months, shown=not report.as_json) as advance:
            for _ in range(scenario.months):
                model.step()
                advance()
        series = model.series
        if folder:
            _keep_run(folder, scenario, seed, series)
    values = series[list(BY_NAME)].to_numpy(float)
    first, last = (dict(zip(BY_NAME, last_year(part), strict=True)) for part in (values[:12], values))
    ends = {name: {"unit": each.unit, "last_year": last[name]} for name, each in BY_NAME.items()}
    if report.json({"scenario": scenario.changes(), "digest": scenario.digest, "seed": seed, "outcomes": ends,
                    "series": series.reset_index().to_dict("records")}):  # fmt: skip
        return
    shown = [BY_NAME[name] for name in (BY_NAME if everything else show.HEADLINES)]
    rows = [{"outcome": each.name, "first year": first[each.name], "last year": last[each.name], "unit": each.unit,
             "": each.definition} for each in shown]  # fmt: skip
    size = f"{scenario.citizens:,} citizens, {scenario.months} months, seed {seed}"
    say(show.rows_table(f"{scenario.profile().name}: {size}", rows))
    then = f"'carecommons sweep {subject} --vary council.funding=0.7:1.3:7 -r 10' runs it under seven budgets"
    report.next(then, "outcomes.png")


def _keep_run(folder: Folder, scenario: Scenario, seed: int, series: Any) -> None:
    from carecommons.analysis import plots
    from carecommons.experiments import formats

    text = scenario.to_toml(everything=True)
    folder.add("series.csv", formats.csv(series.reset_index()))
    folder.add("scenario.toml", text.encode())
    for name, content in plots.both(plots.run_picture(scenario, seed, series), "outcomes"):
        folder.add(name, content)
    folder.describe({"kind": "run", "scenario": text, "scenario_digest": scenario.digest, "seeds": [seed]})


@cli.command(epilog=example("carecommons places"))
@JSON
def places(as_json: bool) -> None:
    """List the places that are shipped."""
    from carecommons.experiments import formats, show
    from carecommons.founding.profile import load
    from carecommons.founding.profile import places as shipped

    found = {name: load(name) for name in shipped()}
    if as_json:
        click.echo(formats.to_json([{"place": name, **profile.model_dump()} for name, profile in found.items()]))
        return
    rows = [{"place": name, "name": p.name, "region": p.region, "adults": p.adults, "year": str(p.year),
             "most deprived fifth": f"{p.deprivation[0]:.0%}"} for name, p in found.items()]  # fmt: skip
    say(show.rows_table("Places", rows))
    click.echo("Next: 'carecommons run derby' runs one; a place of your own is a .toml or .csv file.")


@cli.command(
    short_help="Print the register of parameters.",
    epilog=example("carecommons params council", "carecommons params --role lever"),
)
@click.argument("word", required=False)
@ROLE
@JSON
def params(word: str | None, role: str | None, as_json: bool) -> None:
    """Print the register of parameters, or those with WORD in key, meaning or source."""
    from carecommons.experiments import formats, show
    from carecommons.scenario import register

    found = [p for p in register() if role in (None, p.role) and _has(word, p.key, p.about, p.source, p.unit)]
    if not found:
        raise InputError(
            f"params: nothing about '{one_line(word)}'{did_you_mean(word or '', [p.key for p in register()])}"
        )
    if as_json:
        click.echo(formats.to_json([p._asdict() for p in found]))
        return
    say(show.register_list(found))
    click.echo("Next: '--set KEY=VALUE' changes one, '--vary KEY=FROM:TO:LEVELS' sweeps it.")


@cli.command(
    short_help="Say what each outcome is.", epilog=example("carecommons outcomes", "carecommons outcomes demand")
)
@click.argument("word", required=False)
@JSON
def outcomes(word: str | None, as_json: bool) -> None:
    """Print every outcome's name, unit, definition and good direction, or those with WORD in name or definition."""
    from carecommons.experiments import formats, show
    from carecommons.outcomes.catalogue import BY_NAME, OUTCOMES

    found = [o for o in OUTCOMES if _has(word, o.name, o.definition, o.unit)]
    if not found:
        raise InputError(f"outcomes: nothing about '{one_line(word)}'{did_you_mean(word or '', BY_NAME)}")
    rows = [{"name": o.name, "unit": o.unit, "definition": o.definition, "good": o.good} for o in found]
    if as_json:
        click.echo(formats.to_json(rows))
        return
    say(show.rows_table(f"{len(found)} outcomes", rows))


@cli.command(short_help="Set a run beside the published figures.",
             epilog=example("carecommons validate --citizens 5000"))  # fmt: skip
@click.argument("subject", default="england")
@replicates_of(2)
@CHANGE
@REPORT
def validate(subject: str, replicates: int | None, change: Change, report: Report) -> None:
    """Run SUBJECT, England unless you say otherwise, and set it beside the published figures."""
    from carecommons.evidence.validate import DEFAULT, verdict
    from carecommons.evidence.validate import validate as check
    from carecommons.experiments import design, formats, show
    from carecommons.experiments.progress import bar

    scenario = (
        change.of(subject, months=DEFAULT.months, citizens=DEFAULT.citizens)
        if subject == "england"
        else change.of(subject)
    )
    worlds = change.worlds(2 if replicates is None else replicates)
    if scenario.months < 12:
        raise InputError(f"validate: months = {scenario.months} must be at least 12: published figures are of a year")
    folder = report.folder(design.digest(["validation", scenario.digest, list(worlds)]))
    with folder or nullcontext():
        with bar("months", scenario.months * len(worlds), shown=not report.as_json) as advance:
            table = check(scenario, seeds=worlds, progress=advance)
        if folder:
            folder.add("validation.csv", formats.csv(table.reset_index()))
            text = scenario.to_toml(everything=True)
            folder.describe({"kind": "validation", "scenario": text, "seeds": list(worlds)})
    if report.json(table.reset_index().to_dict("records")):
        return
    say(show.validation_table(table))
    passed = [{str(k): v for k, v in row.items()} for row in verdict(table).reset_index().to_dict("records")]
    say(show.rows_table("Passed, of the figures that the model can express", passed))
    report.next("'carecommons params --role uncertain' lists what these figures rest on", "validation.csv")


def _has(word: str | None, *texts: str) -> bool:
    return word is None or any(word.lower() in text.lower() for text in texts)
