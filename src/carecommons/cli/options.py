"""What the commands have in common: the options that change a scenario, and those that say where results go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carecommons.errors import InputError, one_line

# What is heavy is imported where it is needed, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.folder import Folder
    from carecommons.scenario import Scenario

LARGEST = 2**63 - 1  # of seeds, and of what Whole reads where a scenario knows the bounds

Command = Callable[..., Any]


@dataclass(frozen=True)
class Change:
    """What the options change in a scenario."""

    sets: Sequence[str]
    seed: int | None
    months: int | None
    citizens: int | None

    def of(self, subject: str, months: int | None = None, citizens: int | None = None) -> Scenario:
        """The changed scenario of a subject; `months` and `citizens` where no option says otherwise."""
        from carecommons.experiments import design

        scenario = design.changed(design.sized(design.subject(subject), months, citizens), self.sets)
        scenario = design.sized(scenario, self.months, self.citizens)
        scenario.profile()
        return scenario

    def worlds(self, count: int = 1) -> range:
        """So many worlds from the seed on."""
        first = 1 if self.seed is None else self.seed
        return range(first, first + count)


@dataclass(frozen=True)
class Report:
    """Where results go."""

    out: str | None
    force: bool
    as_json: bool

    def folder(self, experiment: str) -> Folder | None:
        """The folder asked for, if it may be written."""
        from carecommons.experiments.folder import Folder

        return Folder(self.out, experiment, force=self.force) if self.out else None

    def json(self, content: Any) -> bool:
        """Print `content` if JSON is asked for -> whether it was."""
        from carecommons.experiments.formats import to_json

        if self.as_json:
            click.echo(to_json(content))
        return self.as_json

    def next(self, then: str, *names: str) -> None:
        """Say what to do next, and which files to look at."""
        look = "'-o FOLDER' keeps tables and pictures"
        if self.out:
            look = f"look at {', '.join(str(Path(self.out) / name) for name in names)}"
        click.echo(f"Next: {look}; {then}.")


def together(kind: type[Any], name: str, *options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Options whose values a command gets together, as a `kind` under `name`."""

    def add(command: Command) -> Command:
        @wraps(command)
        def called(*args: Any, **given: Any) -> Any:
            values = {key: given.pop(key) for key in kind.__dataclass_fields__}
            return command(*args, **given, **{name: kind(**values)})

        optioned: Command = called
        for option in reversed(options):
            optioned = option(optioned)
        return optioned

    return add


def example(*lines: str) -> str:
    """What stands under a command's help."""
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


def number(*names: str, low: int = -LARGEST, high: int = LARGEST, about: str) -> Callable[[Command], Command]:
    """An option that is a whole number."""
    return click.option(*names, type=Whole(low, high), metavar="NUMBER", help=about)


def replicates_of(default: int) -> Callable[[Command], Command]:
    """How many worlds; given as `default` where the subject does not say."""
    about = f"Worlds to run in, the same for all.  [{default}]"
    return number("-r", "--replicates", low=1, high=1_000_000, about=about)


CHANGE = together(
    Change, "change",
    click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Change a parameter; may be given again."),
    number("--seed", low=0, about="The world, or the first of several.  [1]"),
    number("--months", about="Months to simulate."),
    number("--citizens", about="Adults to simulate."),
)  # fmt: skip
JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
REPORT = together(
    Report, "report",
    click.option("-o", "--out", metavar="FOLDER", help="Keep tables, pictures and a manifest here."),
    click.option("--force", is_flag=True, help="Write even where the folder holds something else."),
    JSON,
)  # fmt: skip
JOBS = number("-j", "--jobs", low=1, high=1024, about="Worker processes.  [one a processor]")
OUTCOME = click.option("--outcome", "outcomes", multiple=True, metavar="NAME",
                       help="Show and draw this outcome; may be given again.")  # fmt: skip
VARY = click.option("--vary", "varies", multiple=True, metavar="KEY=FROM:TO:LEVELS",
                    help="Vary a parameter, ends included, or KEY=VALUE,VALUE; may be given again.")  # fmt: skip
BUT = click.option("--but", "buts", multiple=True, metavar="KEY=VALUE",
                   help="Change a parameter of the second arm only; may be given again.")  # fmt: skip
ROLE = click.option("--role", type=click.Choice(["lever", "uncertain", "fixed"]),
                    help="Only what can be decided, is not known, or is given.")  # fmt: skip
