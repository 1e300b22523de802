"""The command line: run, sweep and compare places, and look up what there is."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from carecommons import __version__
from carecommons.errors import CareCommonsError, InputError, did_you_mean, one_line

# Everything else is imported by the command that needs it, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.design import Design
    from carecommons.experiments.sweep import Sweep
    from carecommons.scenario import Scenario

LONGEST = 500
NARROW = 120  # columns where nobody says how wide the screen is
LARGEST = 2**63 - 1  # of seeds, and of what Whole reads where a scenario knows the bounds


class Stopped(CareCommonsError):
    """Somebody pressed Ctrl-C, or the machine asked us to end."""

    def __init__(self, code: int = 130) -> None:
        super().__init__("stopped; nothing was written")
        self.exit_code = code


class Commands(click.Group):
    """Commands whose problems are one line on stderr, whatever went wrong."""

    def main(self, args: Any = None, prog_name: Any = None, complete_var: Any = None, standalone_mode: bool = True,
             **more: Any) -> Any:  # fmt: skip
        """Run a command; 2 is bad input, 3 a run that failed, 130 Ctrl-C."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **more)
        try:
            code = super().main(args, prog_name, complete_var, False, **more)
        except click.ClickException as problem:
            _end(problem.format_message(), problem.exit_code)
        except click.Abort:
            _end(str(Stopped()), 130)
        except CareCommonsError as problem:
            _end(str(problem), problem.exit_code)
        except MemoryError:
            _end("not enough memory; try fewer --citizens or --jobs", 3)
        except OSError as problem:
            _end(f"{problem.filename or 'system'}: {problem.strerror or problem}", 2)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Stopped from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            commands = self.list_commands(ctx)
            hint = did_you_mean(args[0], commands) or f"; the commands are {', '.join(commands)}"
            raise InputError(f"no command '{one_line(args[0])}'{hint}")
        return super().resolve_command(ctx, args)


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"carecommons: {one_line(message, LONGEST)}", err=True)
    sys.exit(code)


def main() -> None:
    """The program `carecommons`."""
    signal.signal(signal.SIGTERM, _terminate)
    cli(prog_name="carecommons")


def _terminate(number: int, frame: object) -> None:
    raise Stopped(128 + number)


Command = Callable[..., Any]


def _options(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def add(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _example(*lines: str) -> str:
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


class Whole(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """A whole number within bounds."""

    name = "number"

    def __init__(self, low: int = -LARGEST, high: int = LARGEST) -> None:
        self.low, self.high = low, high

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or a usage error that names the bounds."""
        name = param.opts[-1] if param else "number"
        try:
            number = int(str(value))
        except ValueError:
            raise InputError(f"{name} = {one_line(repr(value))} is not a whole number") from None
        if not self.low <= number <= self.high:
            raise InputError(f"{name} = {one_line(number)} is outside {self.low} to {self.high}")
        return number


SET = click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Change a parameter; may be given again.")
SEED = click.option("--seed", type=Whole(0, LARGEST), metavar="NUMBER", help="The world, or the first of several.  [1]")
MONTHS = click.option("--months", type=Whole(), metavar="NUMBER", help="Months to simulate.")
CITIZENS = click.option("--citizens", type=Whole(), metavar="NUMBER", help="Adults to simulate.")
OUT = click.option("-o", "--out", metavar="FOLDER", help="Keep tables, pictures and a manifest here.")
FORCE = click.option("--force", is_flag=True, help="Write even where the folder holds something else.")
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
JOBS = click.option("-j", "--jobs", type=Whole(1, 1024), metavar="NUMBER", help="Worker processes.  [one a processor]")
SCENARIO = _options(SET, SEED, MONTHS, CITIZENS)
RESULT = _options(OUT, FORCE, JSON)


def _replicates(default: int) -> Callable[[Command], Command]:
    return click.option("-r", "--replicates", type=Whole(1, 1_000_000), metavar="NUMBER",
                        help=f"Worlds to run in, the same for all.  [{default}]")  # fmt: skip


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]},
             epilog=_example("carecommons run derby", "carecommons COMMAND --help"))  # fmt: skip
@click.version_option(__version__, message="carecommons %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """What community-led care does, simulated: places, policies, and what follows."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@cli.command(
    short_help="Run a place or scenario once.",
    epilog=_example(
        "carecommons run derby --months 24 --citizens 2000", "carecommons run mine.toml --set council.funding=0.9"
    ),
)
@click.argument("subject")
@SCENARIO
@click.option("--all", "everything", is_flag=True, help="Show every outcome.")
@RESULT
def run(
    subject: str,
    sets: Sequence[str],
    seed: int | None,
    months: int | None,
    citizens: int | None,
    everything: bool,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run SUBJECT once: a shipped place, or a scenario's or place's file."""
    from carecommons.experiments import design, show, store
    from carecommons.experiments.estimate import last_year
    from carecommons.model import CareCommons
    from carecommons.outcomes.catalogue import BY_NAME

    scenario, world = _scenario(subject, sets, months, citizens), _or(seed, 1)
    folder = store.Folder(out, design.digest(["run", scenario.digest, world]), force=force) if out else None
    with folder or nullcontext():
        model = CareCommons(scenario, rng=world)
        with show.bar("months", scenario.months, shown=not as_json) as advance:
            for _ in range(scenario.months):
                model.step()
                advance()
        series = model.series
        if folder:
            _keep_run(folder, scenario, world, series)
    values = series[list(BY_NAME)].to_numpy(float)
    first, last = last_year(values[:12]), last_year(values)
    if as_json:
        ends = {name: {"unit": BY_NAME[name].unit, "last_year": last[k]} for k, name in enumerate(BY_NAME)}
        told = {"scenario": scenario.changes(), "digest": scenario.digest, "seed": world, "outcomes": ends}
        click.echo(store.to_json({**told, "series": series.reset_index().to_dict("records")}))
        return
    names = list(BY_NAME) if everything else list(show.HEADLINES)
    at = list(BY_NAME)
    _print(show.rows_table(
        f"{scenario.profile().name}: {scenario.citizens:,} citizens, {scenario.months} months, seed {world}",
        [{"outcome": n, "first year": first[at.index(n)], "last year": last[at.index(n)], "unit": BY_NAME[n].unit,
          "": BY_NAME[n].definition} for n in names],
    ))  # fmt: skip
    then = f"'carecommons sweep {subject} --vary council.funding=0.7:1.3:7 -r 10' runs it under seven budgets"
    _next(_looked(out, "outcomes.png"), then)


def _keep_run(folder: Any, scenario: Scenario, seed: int, series: Any) -> None:
    from carecommons.analysis import plots
    from carecommons.experiments import store

    folder.add("series.csv", store.csv(series.reset_index()))
    folder.add("scenario.toml", scenario.to_toml(everything=True).encode())
    for name, content in plots.both(plots.run_picture(scenario, seed, series), "outcomes"):
        folder.add(name, content)
    folder.describe(
        {
            "kind": "run",
            "scenario": scenario.to_toml(everything=True),
            "scenario_digest": scenario.digest,
            "seeds": [seed],
        }
    )


@cli.command(short_help="Run it at every combination of levels.", epilog=_example(
    "carecommons sweep derby --vary council.funding=0.7:1.3:7 --vary assessment.threshold=1:5:5 -r 10 -o out/derby",
    "carecommons sweep experiments/funding_eligibility.toml"))  # fmt: skip
@click.argument("subject")
@click.option("--vary", "varies", multiple=True, metavar="KEY=FROM:TO:LEVELS",
              help="Vary a parameter, ends included, or KEY=VALUE,VALUE; may be given again.")  # fmt: skip
@_replicates(10)
@JOBS
@SCENARIO
@click.option(
    "--outcome", "outcomes", multiple=True, metavar="NAME", help="Show and draw this outcome; may be given again."
)
@RESULT
def sweep(
    subject: str,
    varies: Sequence[str],
    replicates: int | None,
    jobs: int | None,
    sets: Sequence[str],
    seed: int | None,
    months: int | None,
    citizens: int | None,
    outcomes: Sequence[str],
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run SUBJECT at every combination of levels: a place, a scenario's file or an experiment's file.

    Replicate k of every combination has the same seed, so that combinations share their luck.
    """
    from carecommons.experiments import store
    from carecommons.experiments import sweep as sweeping
    from carecommons.experiments.runner import processors

    design = _design(subject, varies, sets, months, citizens, replicates, seed, outcomes)
    folder = store.Folder(out, sweeping.identity(design), force=force) if out else None
    with folder or nullcontext():
        found = sweeping.run(design, jobs or processors(), progress=not as_json)
        pictures = _keep_sweep(folder, found) if folder else []
    if as_json:
        click.echo(store.to_json({"title": design.title, "replicates": design.replicates, "seeds": list(design.seeds),
                                  "months": design.scenario.months, "cells": found.records()}))  # fmt: skip
        return
    if design.title:
        _print(design.title)
    _print(found)
    key, levels = next(iter(design.factors.items()))
    then = f"'carecommons compare {design.scenario.place} --but {key}={levels[0]} -r 30' tells where demand went"
    _next(_looked(out, *pictures, "summary.csv"), then)


def _keep_sweep(folder: Any, found: Sweep) -> list[str]:
    """Tables, and pictures where there are few enough factors -> the pictures to look at."""
    from carecommons.analysis import plots

    found.save(folder)
    drawn = []
    if plots.can_draw(found):
        for outcome in found.design.outcomes:
            for name, content in plots.both(plots.sweep_picture(found, outcome), outcome):
                folder.add(name, content)
            drawn.append(f"{outcome}.png")
    found.describe(folder)
    return drawn


@cli.command(
    short_help="Run two in the same worlds: what differs, and why.",
    epilog=_example(
        "carecommons compare derby mine.toml -r 30", "carecommons compare derby --but council.funding=0.85 -r 30 -j 2"
    ),
)
@click.argument("subject")
@click.argument("other", required=False)
@click.option(
    "--but",
    "buts",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a parameter of the second arm only; may be given again.",
)
@_replicates(30)
@JOBS
@SCENARIO
@RESULT
def compare(
    subject: str,
    other: str | None,
    buts: Sequence[str],
    replicates: int | None,
    jobs: int | None,
    sets: Sequence[str],
    seed: int | None,
    months: int | None,
    citizens: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run SUBJECT (a) and OTHER (b) in the same worlds, and say what differs and where the difference in demand went.

    Without OTHER, b is SUBJECT changed by --but; --set changes both arms.
    """
    from carecommons.analysis import plots
    from carecommons.experiments import compare as comparing
    from carecommons.experiments import store
    from carecommons.experiments.runner import processors

    if other is None and not buts:
        raise InputError("compare: give a second place or file, or --but key=value")
    a = _scenario(subject, sets, months, citizens)
    b = _changed(_scenario(other or subject, sets, months, citizens), buts, "--but")
    first = _or(seed, 1)
    worlds = comparing.check(a, b, range(first, first + _or(replicates, 30)))
    folder = store.Folder(out, comparing.identity(a, b, worlds), force=force) if out else None
    with folder or nullcontext():
        found = comparing.run(a, b, worlds, jobs or processors(), progress=not as_json)
        if folder:
            found.save(folder)
            for name, content in plots.both(plots.comparison_picture(found), "differences"):
                folder.add(name, content)
            found.describe(folder)
    if as_json:
        click.echo(store.to_json({"seeds": list(worlds), **found.records()}))
        return
    _print(found)
    _next(_looked(out, "differences.png", "attribution.csv"), "'carecommons outcomes' says what each outcome means")


@cli.command(epilog=_example("carecommons places"))
@JSON
def places(as_json: bool) -> None:
    """List the places that are shipped."""
    from carecommons.experiments import show, store
    from carecommons.founding.profile import load
    from carecommons.founding.profile import places as shipped

    found = {name: load(name) for name in shipped()}
    if as_json:
        click.echo(store.to_json([{"place": name, **profile.model_dump()} for name, profile in found.items()]))
        return
    rows = [{"place": name, "name": p.name, "region": p.region, "adults": p.adults, "year": str(p.year),
             "most deprived fifth": f"{p.deprivation[0]:.0%}"} for name, p in found.items()]  # fmt: skip
    _print(show.rows_table("Places", rows))
    _next("", "'carecommons run derby' runs one; a place of your own is a .toml or .csv file")


@cli.command(
    short_help="Print the register of parameters.",
    epilog=_example("carecommons params council", "carecommons params --role lever"),
)
@click.argument("word", required=False)
@click.option(
    "--role",
    type=click.Choice(["lever", "uncertain", "fixed"]),
    help="Only what can be decided, is not known, or is given.",
)
@JSON
def params(word: str | None, role: str | None, as_json: bool) -> None:
    """Print the register of parameters, or those with WORD in key, meaning or source."""
    from carecommons.experiments import show, store
    from carecommons.scenario import register

    found = [p for p in register() if role in (None, p.role) and _has(word, p.key, p.about, p.source, p.unit)]
    if not found:
        raise InputError(
            f"params: nothing about '{one_line(word)}'{did_you_mean(word or '', [p.key for p in register()])}"
        )
    if as_json:
        click.echo(store.to_json([p._asdict() for p in found]))
        return
    _print(show.register_list(found))
    _next("", "'--set KEY=VALUE' changes one, '--vary KEY=FROM:TO:LEVELS' sweeps it")


@cli.command(
    short_help="Say what each outcome is.", epilog=_example("carecommons outcomes", "carecommons outcomes demand")
)
@click.argument("word", required=False)
@JSON
def outcomes(word: str | None, as_json: bool) -> None:
    """Print every outcome's name, unit, definition and good direction, or those with WORD in name or definition."""
    from carecommons.experiments import show, store
    from carecommons.outcomes.catalogue import BY_NAME, OUTCOMES

    found = [o for o in OUTCOMES if _has(word, o.name, o.definition, o.unit)]
    if not found:
        raise InputError(f"outcomes: nothing about '{one_line(word)}'{did_you_mean(word or '', BY_NAME)}")
    rows = [{"name": o.name, "unit": o.unit, "definition": o.definition, "good": o.good} for o in found]
    if as_json:
        click.echo(store.to_json(rows))
        return
    _print(show.rows_table(f"{len(found)} outcomes", rows))


@cli.command(
    short_help="Set a run beside the published figures.", epilog=_example("carecommons validate --citizens 5000")
)
@click.argument("subject", default="england")
@_replicates(2)
@SCENARIO
@RESULT
def validate(
    subject: str,
    replicates: int | None,
    sets: Sequence[str],
    seed: int | None,
    months: int | None,
    citizens: int | None,
    out: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Run SUBJECT, England unless you say otherwise, and set it beside the published figures."""
    from carecommons.evidence.validate import validate as check
    from carecommons.evidence.validate import verdict
    from carecommons.experiments import design, show, store

    scenario = _scenario(subject, sets, _or(months, 36), _or(citizens, 20_000))
    first = _or(seed, 1)
    worlds = range(first, first + _or(replicates, 2))
    if scenario.months < 12:
        raise InputError(
            f"validate: months = {scenario.months} must be at least 12: the published figures are of a year"
        )
    folder = (
        store.Folder(out, design.digest(["validation", scenario.digest, list(worlds)]), force=force) if out else None
    )
    with folder or nullcontext():
        with show.bar("months", scenario.months * len(worlds), shown=not as_json) as advance:
            table = check(scenario, seeds=worlds, progress=advance)
        if folder:
            folder.add("validation.csv", store.csv(table.reset_index()))
            folder.describe(
                {"kind": "validation", "scenario": scenario.to_toml(everything=True), "seeds": list(worlds)}
            )
    if as_json:
        click.echo(store.to_json(table.reset_index().to_dict("records")))
        return
    _print(show.validation_table(table))
    passed = [
        {str(key): value for key, value in row.items()} for row in verdict(table).reset_index().to_dict("records")
    ]
    _print(show.rows_table("Passed, of the figures that the model can express", passed))
    _next(_looked(out, "validation.csv"), "'carecommons params --role uncertain' lists what these figures rest on")


def _design(
    subject: str,
    varies: Sequence[str],
    sets: Sequence[str],
    months: int | None,
    citizens: int | None,
    replicates: int | None,
    seed: int | None,
    outcomes: Sequence[str],
) -> Design:
    """The design of a sweep: a place, a scenario's file or an experiment's, and what the options change in it."""
    from carecommons.experiments import design
    from carecommons.founding.profile import table_of, text_of

    path = Path(subject)
    where = one_line(path, limit=200)
    factors = design.parse_vary(varies)
    if path.suffix.lower() == ".toml" and design.is_study(table_of(text_of(path, where), where)):
        study = design.Study.load(path)
        base = study.base(path)
        factors = {**design.levels_of(study.vary, f"{where}: vary"), **factors}
        design.check_outcomes(study.outcomes, f"{where}: outcomes")
    else:
        study, base = design.Study.model_validate({"vary": {}}), design.subject(subject)
    if not factors:
        raise InputError("sweep: nothing to vary; give --vary key=from:to:levels")
    scenario = _sized(_changed(base, sets, "--set"), months, citizens)
    both = [key for key in (*design.parse_set(sets), *(["months"] if months is not None else []),
                            *(["citizens"] if citizens is not None else [])) if key in factors]  # fmt: skip
    if both:
        raise InputError(f"sweep: '{both[0]}' is both set and varied")
    design.check_outcomes(outcomes, "--outcome")
    return design.Design(scenario, factors, _or(replicates, study.replicates), _or(seed, study.seed), study.title,
                         tuple(dict.fromkeys(outcomes)) or study.outcomes, "--vary" if varies else where)  # fmt: skip


def _scenario(subject: str, sets: Sequence[str], months: int | None, citizens: int | None) -> Scenario:
    from carecommons.experiments import design

    scenario = _sized(_changed(design.subject(subject), sets, "--set"), months, citizens)
    scenario.profile()
    return scenario


def _changed(scenario: Scenario, texts: Sequence[str], where: str) -> Scenario:
    from carecommons.experiments import design

    changes = design.parse_set(texts, where)
    return type(scenario).of({**scenario.flat(), **changes}, where) if changes else scenario


def _sized(scenario: Scenario, months: int | None, citizens: int | None) -> Scenario:
    for key, value in (("months", months), ("citizens", citizens)):
        if value is not None:
            scenario = type(scenario).of({**scenario.flat(), key: value}, f"--{key}")
    return scenario


def _or(given: int | None, default: int) -> int:
    return default if given is None else given


def _has(word: str | None, *texts: str) -> bool:
    return word is None or any(word.lower() in text.lower() for text in texts)


def _print(what: Any) -> None:
    from rich.console import Console

    Console(width=None if sys.stdout.isatty() else NARROW, highlight=False).print(what)


def _looked(out: str | None, *names: str) -> str:
    if out is None:
        return "'-o FOLDER' keeps tables and pictures; "
    return f"look at {', '.join(str(Path(out) / name) for name in names)}; "


def _next(first: str, then: str) -> None:
    click.echo(f"Next: {first}{then}.")
