"""What the commands have in common: the options that change a scenario, and those that say where results go."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carecommons.errors import InputError, one_line

# What is heavy is imported where it is needed, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.comparison import Stop
    from carecommons.experiments.engines import Engine
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
        from carecommons.experiments import study

        scenario = study.changed(study.sized(study.subject(subject), months, citizens), self.sets)
        scenario = study.sized(scenario, self.months, self.citizens)
        scenario.profile()
        return scenario

    @property
    def words(self) -> list[str]:
        """The options as one types them, but for the seed."""
        sizes = {"--months": self.months, "--citizens": self.citizens}
        return [*(word for text in self.sets for word in ("--set", text)),
                *(word for name, n in sizes.items() if n is not None for word in (name, str(n)))]  # fmt: skip

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


@dataclass(frozen=True)
class Shape:
    """What a sweep varies, and how."""

    varies: Sequence[str]
    zips: Sequence[str]
    sample: str | None
    overs: Sequence[str]
    forced: bool


@dataclass(frozen=True)
class Crew:
    """Who does the runs."""

    jobs: int | None
    engine: str | None
    scheduler: str
    timeout: float | None

    def of(self) -> Engine:
        """The engine: worker processes, unless something else is asked for or one worker is enough."""
        from carecommons.experiments.engines import Engine, processors

        jobs = self.jobs or processors()
        kind = self.engine or ("dask" if self.scheduler else "processes" if jobs > 1 else "here")
        return Engine(kind, jobs, self.timeout, scheduler=self.scheduler)


@dataclass(frozen=True)
class Until:
    """When there are enough worlds."""

    until: str | None
    outcome: str | None
    at_most: int | None

    def stop(self) -> Stop | None:
        """The rule, if one is asked for."""
        from carecommons.experiments.comparison import Stop
        from carecommons.experiments.sequential import MOST, Precision

        if self.until is None:
            if self.at_most is not None or self.outcome is not None:
                raise InputError("--on and --at-most: belong to --until; give -r for a fixed number of worlds")
            return None
        return Stop(self.outcome or "isolation", Precision.parse(self.until), self.at_most or MOST)


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


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic from click 8.2 on only
    """A number within bounds, in some unit."""

    low, high = 0.0, 1e9
    said = "above 0 and at most 1,000,000,000"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or a usage error that says what it must be."""
        try:
            amount = float(str(value))
        except ValueError:
            amount = math.nan
        if not self.low < amount <= self.high:
            name = param.opts[-1] if param else self.name
            raise InputError(f"{name} = {one_line(repr(value))} must be {self.name}, {self.said}")
        return amount


class Seconds(Amount):
    """A time."""

    name = "seconds"


class Pounds(Amount):
    """Money."""

    name = "pounds"


def _named(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A folder with a name: an empty one, as of a variable that is not set, would be the folder that one stands in."""
    if value == "":
        raise InputError(f"{param.opts[0]}: the folder has no name; '.' is the folder that you are in")
    return value


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
    click.option("-o", "--out", metavar="FOLDER", callback=_named, help="Keep tables, pictures and a manifest here."),
    click.option("--force", is_flag=True, help="Write even where the folder holds something else."),
    JSON,
)  # fmt: skip
OUTCOME = click.option("--outcome", "outcomes", multiple=True, metavar="NAME",
                       help="Show and draw this outcome; may be given again.")  # fmt: skip
SHAPE = together(
    Shape, "shape",
    click.option("--vary", "varies", multiple=True, metavar="KEY=FROM:TO:LEVELS",
                 help="Vary a parameter, ends included, or KEY=VALUE,VALUE; all combinations are run."),
    click.option("--zip", "zips", multiple=True, metavar="KEY=FROM:TO:LEVELS",
                 help="Vary parameters together, level by level."),
    click.option("--sample", metavar="METHOD:SIZE",
                 help="Spread points: lhs, sobol, halton, or for sensitivity morris, saltelli."),
    click.option("--over", "overs", multiple=True, metavar="KEY[=LOW:HIGH]",
                 help="What the points go over: a parameter, or all of a section or role such as uncertain."),
    click.option("--force-design", "forced", is_flag=True, help="Run even where inputs are correlated."),
)  # fmt: skip
CREW = together(
    Crew, "crew",
    number("-j", "--jobs", low=1, high=1024, about="Workers.  [one a processor]"),
    click.option("--engine", type=click.Choice(["here", "processes", "threads", "dask"]),
                 help="Who does the runs; the numbers are the same.  [processes]"),
    click.option("--scheduler", default="", metavar="ADDRESS", help="The scheduler of a dask cluster."),
    click.option("--timeout", type=Seconds(), metavar="SECONDS", help="How long a run may take.  [no limit]"),
)  # fmt: skip
STOP = together(
    Until, "until",
    click.option("--until", metavar="PRECISION",
                 help="Add worlds until the half-width is this: 10% of the effect, or a number."),
    click.option("--on", "outcome", metavar="NAME", help="... of this outcome.  [isolation]"),
    number("--at-most", low=15, high=1_000_000, about="... but no more than so many.  [1000]"),
)  # fmt: skip
BUT = click.option("--but", "buts", multiple=True, metavar="KEY=VALUE",
                   help="Change a parameter of the second arm only; may be given again.")  # fmt: skip
ROLE = click.option("--role", type=click.Choice(["lever", "uncertain", "fixed"]),
                    help="Only what can be decided, is not known, or is given.")  # fmt: skip
