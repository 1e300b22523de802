"""The commands that ask what results say: what matters, where it happens, how sure an order is, what it is worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import click

from carecommons.cli.group import cli, say
from carecommons.cli.options import JSON, Pounds, example
from carecommons.errors import InputError, one_line

# Everything else is imported by the command that needs it, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.sweep import Sweep

SHOWN = 20  # ranks that are printed

ON = click.option("--on", "outcome", default="isolation", metavar="NAME", help="The outcome.  [isolation]")


@cli.command(short_help="Say which inputs matter.", epilog=example(
    "carecommons sweep derby --sample morris:20 --over ties -r 4 -o out/screen",
    "carecommons sensitivity out/screen --on isolation"))  # fmt: skip
@click.argument("folder")
@ON
@click.option("--at", "ats", multiple=True, metavar="KEY=VALUE", help="The level of what was varied beside the sample.")
@JSON
def sensitivity(folder: str, outcome: str, ats: Sequence[str], as_json: bool) -> None:
    """Say which inputs of the sweep in FOLDER move an outcome, by its design: Morris' screening or Sobol' indices."""
    from carecommons.analysis.screening import screen
    from carecommons.analysis.sensitivity import sobol_of
    from carecommons.experiments.levels import kind_of, parse_set, plain

    found = swept(folder, "sensitivity")
    made = [block["kind"] for block in found.design.method.get("blocks", ())] or ["several designs joined"]
    if not {"morris", "saltelli"} & {*made}:
        raise InputError(f"sensitivity: the design of {one_line(folder, 200)} is {' x '.join(made)}, must be "
                         "--sample morris or --sample saltelli")  # fmt: skip
    at = {key: plain(value, kind_of(key)) for key, value in parse_set(ats, "--at").items()}
    try:
        said = screen(found, outcome, at=at) if "morris" in made else sobol_of(found, outcome, at=at)
    except InputError as problem:
        raise InputError(f"{one_line(folder, 200)}: {problem}") from None
    tell(said, as_json)
    _note(found.notes, as_json)


@cli.command(short_help="Say where something happens.", epilog=example(
    "carecommons sweep derby --sample lhs:200 --over ties --vary council.funding=0.85,1.0 -o out/wide",
    "carecommons discover out/wide --where isolation=rises --against council.funding=1.0"))  # fmt: skip
@click.argument("folder")
@click.option(
    "--where",
    "wheres",
    multiple=True,
    required=True,
    metavar="OUTCOME=WHAT",
    help="What must hold: 'rises', 'falls by 5%', 'surely rises', 'held within 5%', 'above 0.3', 'below 12'.",
)
@click.option(
    "--against",
    "against",
    multiple=True,
    metavar="KEY=VALUE",
    help="Compare each setting with the one that differs in this alone; the scenario as it stands by default.",
)
@click.option("--most", default=1, metavar="NUMBER", help="Boxes to look for.  [1]")
@JSON
def discover(folder: str, wheres: Sequence[str], against: Sequence[str], most: int, as_json: bool) -> None:
    """Find the ranges of inputs within which all that --where asks for is common, in the sweep in FOLDER."""
    from carecommons.analysis.cases import where
    from carecommons.experiments.levels import assignments, parse_set

    question = dict(assignments(wheres, "--where", "outcome=what, such as isolation=rises"))
    found = swept(folder, "discover")
    tell(where(found, question, against=parse_set(against, "--against") or None, most=most), as_json)
    _note(found.notes, as_json)


@cli.command(
    short_help="Split the variance of an outcome.", epilog=example("carecommons variance out/wide --on funded")
)
@click.argument("folder")
@ON
@JSON
def variance(folder: str, outcome: str, as_json: bool) -> None:
    """Say how much of an outcome's variance in FOLDER is due to parameters, scenarios and luck."""
    from carecommons.experiments import show

    found = swept(folder, "variance")
    rows = found.components(outcome).records()
    tell(rows, as_json, show.rows_table(f"Variance of {outcome}, {_worlds(found.design.replicates)}", rows))
    _note(found.notes, as_json)


@cli.command(
    short_help="Rank the settings, and say how sure.", epilog=example("carecommons ranks out/derby --on isolation")
)
@click.argument("folder")
@ON
@click.option("--good", type=click.Choice(["up", "down"]), help="Which direction is good.  [the outcome's own]")
@JSON
def ranks(folder: str, outcome: str, good: Literal["up", "down"] | None, as_json: bool) -> None:
    """Rank the settings of the sweep in FOLDER by an outcome, and say how the order would fare in other worlds."""
    from carecommons.experiments import show
    from carecommons.experiments.ranking import FEW

    sweep = swept(folder, "ranks")
    found = sweep.ranks(outcome, good)
    rows = found.records()
    most = f", {SHOWN} of {len(rows)}" if len(rows) > SHOWN else ""
    less = "" if found.worlds == found.asked else f" of {found.asked}, those in which every cell has a value"
    title = f"By {outcome}, the best first{most}, {_worlds(found.worlds)}{less}"
    tell(rows, as_json, show.rows_table(title, rows[:SHOWN]))
    if found.worlds < FEW and not as_json:
        click.echo(f"of fewer than {FEW} worlds the probabilities are surer than they should be")
    _note(sweep.notes, as_json)


@cli.command(short_help="Say what a difference is worth.", epilog=example(
    "carecommons compare derby --but council.funding=0.85 -r 30 -o out/less",
    "carecommons appraise out/less --effect scrqol_years --perspective council"))  # fmt: skip
@click.argument("folder")
@click.option("--effect", default="scrqol_years", metavar="NAME",
              help="scrqol_years, isolation_years, loneliness_years or unmet_hours.  [scrqol_years]")  # fmt: skip
@click.option(
    "--perspective",
    default="council",
    metavar="NAME",
    help="Whose costs: council, nhs, public, household, carers, society.  [council]",
)
@click.option("--threshold", type=Pounds(), metavar="POUNDS", help="What one unit of the effect is worth.")
@click.option(
    "--discount",
    default="standard",
    metavar="SCHEDULE",
    help="Of money: standard, low, nice, none; health is meant for effects.  [standard]",
)
@click.option("--discount-effects", metavar="SCHEDULE", help="Of effects, such as health.  [as money]")
@JSON
def appraise(folder: str, effect: str, perspective: str, threshold: float | None, discount: str,
             discount_effects: str | None, as_json: bool) -> None:  # fmt: skip
    """Say what policy b of the comparison in FOLDER costs and does beyond policy a, for whom, and if it is worth it."""
    from carecommons.analysis import appraisal
    from carecommons.evidence.prices import Money
    from carecommons.experiments.comparison import Comparison
    from carecommons.experiments.load import load

    found = load(folder)
    if not isinstance(found, Comparison):
        raise InputError(f"appraise: {one_line(folder, 200)} holds a sweep, must be a comparison")
    worth = None if threshold is None else Money.of(threshold, appraisal.PRICE_YEAR)
    tell(appraisal.appraise(found, effect=effect, perspective=perspective, threshold=worth, schedule=discount,
                            effect_schedule=discount_effects), as_json)  # fmt: skip
    _note(found.notes, as_json)


def swept(folder: str, command: str) -> Sweep:
    """The sweep in a folder."""
    from carecommons.experiments.load import load
    from carecommons.experiments.sweep import Sweep

    found = load(folder)
    if not isinstance(found, Sweep):
        raise InputError(f"{command}: {one_line(folder, 200)} holds a comparison, must be a sweep")
    return found


def _worlds(count: int) -> str:
    return f"in {count:,} world{'s' * (count != 1)}"


def _note(notes: Sequence[str], as_json: bool) -> None:
    """Say what the numbers lack or leave out, beside the table or, where that is JSON, on stderr."""
    for line in notes:
        click.echo(f"carecommons: note: {line}" if as_json else line, err=as_json)


def tell(found: Any, as_json: bool, shown: Any = None) -> None:
    """Print a finding as tables or as JSON."""
    from carecommons.experiments.formats import to_json

    if as_json:
        click.echo(to_json(found if isinstance(found, list) else found.records()))
    else:
        say(found if shown is None else shown)
