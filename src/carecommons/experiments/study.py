"""Experiments as files and command lines ask for them: a scenario, what to vary in it and how, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from carecommons.errors import InputError, one_line
from carecommons.experiments.design import LARGEST_SEED, MAPS, MOST_RUNS, Block, Design, check_outcomes
from carecommons.experiments.levels import Levels, dotted, kind_of, levels_of, parse_set, parse_vary, plain
from carecommons.experiments.sampling import LARGEST_SAMPLE, MORRIS_LEVELS, Sample, axes_of, parse_sample
from carecommons.experiments.sampling import LARGEST_SEED as LARGEST_SAMPLE_SEED
from carecommons.explain import explain, keys_of
from carecommons.founding.profile import table_of, text_of
from carecommons.params import Parameters
from carecommons.scenario import Scenario, keys, unknown_key

MOST_PARTS: Final = 100

_TABLES: Final = ("vary", "scenario", "zip", "sample", "part")


class SampleTable(Parameters):
    """The [sample] of an experiment file: a method, a size and what it goes over."""

    method: Literal["lhs", "sobol", "halton", "morris", "saltelli"]
    size: int = Field(ge=1, le=LARGEST_SAMPLE)
    seed: int = Field(1, ge=0, le=LARGEST_SAMPLE_SEED)
    levels: int = Field(MORRIS_LEVELS, ge=2, le=100)
    second_order: bool = False
    over: dict[str, Any]  # key = "low:high", a list of values, or true for its own range; role = true; section = true

    def sample(self) -> Sample:
        """The sample without what it goes over."""
        return Sample(self.method, self.size, self.seed, self.levels, self.second_order)


class Part(Parameters):
    """A [[part]] of an experiment file: a smaller experiment of its own over the same scenario."""

    name: str = Field("", max_length=80)
    set: dict[str, Any] = Field(default_factory=dict)
    vary: dict[str, Any] = Field(default_factory=dict)
    zip: dict[str, Any] = Field(default_factory=dict)
    sample: SampleTable | None = None


class Study(Parameters):
    """An experiment as a file holds it: a scenario, or the path of one, what to vary, and how often.

    What [vary] (all combinations), [zip] (level by level) and [sample] give is crossed; [[part]]s stand side by side.
    """

    title: str = Field("", max_length=120)
    replicates: int = Field(10, ge=1, le=MOST_RUNS)
    seed: int = Field(1, ge=0, le=LARGEST_SEED)
    outcomes: tuple[str, ...] = Field(MAPS, min_length=1, max_length=12)
    scenario: dict[str, Any] | str = Field(default_factory=dict)  # a table, or a place or file as on the command line
    vary: dict[str, Any] = Field(default_factory=dict)
    zip: dict[str, Any] = Field(default_factory=dict)
    sample: SampleTable | None = None
    part: tuple[Part, ...] = Field((), max_length=MOST_PARTS)

    @classmethod
    def load(cls, path: Path) -> Study:
        """Read an experiment file."""
        return cls.of(_read(path), one_line(path, limit=200))

    @classmethod
    def of(cls, table: Mapping[str, Any], where: str) -> Study:
        """The experiment that the content of a file says; `where` opens every error."""
        try:
            study = cls(**table)
        except ValidationError as error:
            raise explain(error, where, keys_of(cls)) from None
        if not any(name in table for name in _TABLES if name != "scenario"):
            raise InputError(f"{where}: 'vary' is missing; an experiment has [vary], [zip], [sample] or [[part]]")
        if study.part and (study.vary or study.zip or study.sample):
            raise InputError(f"{where}: [[part]] stands beside [vary], [zip] or [sample]; move these into a part")
        return study

    def base(self, path: Path) -> Scenario:
        """The scenario; a file is looked for beside the experiment's own."""
        if isinstance(self.scenario, dict):
            where = f"{one_line(path, limit=200)}: scenario"
            return Scenario.of(self.scenario, where).orderly(where)
        beside = path.parent / self.scenario
        return subject(str(beside) if beside.suffix else self.scenario)


def subject(text: str) -> Scenario:
    """The scenario that a word on the command line stands for: a shipped place, a scenario file or a place's file."""
    path = Path(text)
    return _subject(text, _read(path) if _is_toml(path) else {})


def _subject(text: str, table: Mapping[str, Any]) -> Scenario:
    path, where = Path(text), one_line(Path(text), limit=200)
    if not _is_toml(path):
        scenario = Scenario(place=text)
        scenario.profile()
        return scenario
    if is_study(table):
        raise InputError(f"{where}: is an experiment, which only 'sweep' runs")
    return Scenario(place=text) if "adults_by_age" in table else Scenario.of(table, where).orderly(where)


def is_study(table: Mapping[str, Any]) -> bool:
    """Whether the content of a file is an experiment rather than a scenario."""
    return any(name in table for name in _TABLES)


def holds_study(text: str) -> bool:
    """Whether a word on the command line is the file of an experiment."""
    return _is_toml(Path(text)) and is_study(_read(Path(text)))


def _is_toml(path: Path) -> bool:
    return path.suffix.lower() == ".toml"


def _read(path: Path) -> dict[str, Any]:
    where = one_line(path, limit=200)
    return table_of(text_of(path, where), where)


def changed(scenario: Scenario, texts: Sequence[str], where: str = "--set") -> Scenario:
    """The scenario changed by texts such as `council.funding=0.9`."""
    changes = parse_set(texts, where)
    return Scenario.of({**scenario.flat(), **changes}, where).orderly(where) if changes else scenario


def sized(scenario: Scenario, months: int | None, citizens: int | None) -> Scenario:
    """The scenario of so many months and citizens, where they are given."""
    for key, value in (("months", months), ("citizens", citizens)):
        if value is not None:
            scenario = Scenario.of({**scenario.flat(), key: value}, f"--{key}")
    return scenario


def plan(text: str, varies: Sequence[str], sets: Sequence[str] = (), months: int | None = None,
         citizens: int | None = None, replicates: int | None = None, seed: int | None = None,
         outcomes: Sequence[str] = (), zips: Sequence[str] = (), sample: str | None = None,
         overs: Sequence[str] = ()) -> Design:  # fmt: skip
    """The design that a command line asks for: a place, a scenario's file or an experiment's, and changes to it.

    `varies` and `zips` add to the file's own or replace its levels; `sample` and `overs` replace the file's. What is
    wrong in a file is said after its name.
    """
    try:
        return _plan(text, varies, sets, months, citizens, replicates, seed, outcomes, zips, sample, overs)
    except InputError as error:
        said, where = str(error), one_line(Path(text), limit=200)
        asked = any((varies, sets, outcomes, zips, sample, overs, months is not None, citizens is not None))
        if said.startswith(where) or asked or Path(text).suffix.lower() != ".toml":
            raise
        raise InputError(f"{where}: {said.removeprefix('sweep: ').removeprefix('--')}") from None


def _plan(text: str, varies: Sequence[str], sets: Sequence[str] = (), months: int | None = None,
          citizens: int | None = None, replicates: int | None = None, seed: int | None = None,
          outcomes: Sequence[str] = (), zips: Sequence[str] = (), sample: str | None = None,
          overs: Sequence[str] = ()) -> Design:  # fmt: skip
    """The design that a command line asks for: a place, a scenario's file or an experiment's, and changes to it.

    `varies` and `zips` add to the file's own or replace its levels; `sample` and `overs` replace the file's.
    """
    path = Path(text)
    where = one_line(path, limit=200)
    table = _read(path) if _is_toml(path) else {}
    if is_study(table):
        study = Study.of(table, where)
        base = study.base(path)
        check_outcomes(study.outcomes, f"{where}: outcomes")
    else:
        study, base = Study.model_validate({}), _subject(text, table)
    check_outcomes(outcomes, "--outcome")
    held = [*parse_set(sets), *(key for key, n in (("months", months), ("citizens", citizens)) if n is not None)]
    base = sized(changed(base, sets), months, citizens)
    asked = {"--vary": varies, "--zip": zips, "--sample": sample, "--over": overs}
    option = next((name for name, given in asked.items() if given), "")
    more: dict[str, Any] = {
        "replicates": study.replicates if replicates is None else replicates,
        "seed": study.seed if seed is None else seed, "title": study.title,
        "outcomes": tuple(dict.fromkeys(outcomes)) or study.outcomes, "where": option or where,
    }  # fmt: skip
    if study.part:
        if option:
            raise InputError(f"{where}: its parts say what is varied; leave out --vary, --zip, --sample and --over")
        return Design.joined(base, _parts(study, where, held), **more)
    blocks = _asked(study, where, parse_vary(varies), parse_vary(zips, "--zip", again=True), sample, overs, held)
    if not blocks:
        raise InputError("sweep: nothing to vary; give --vary key=from:to:levels, --zip or --sample")
    return Design.of(base, blocks, **more)


def _asked(study: Study, where: str, vary: Mapping[str, Levels], zips: Mapping[str, Levels], sample: str | None,
           overs: Sequence[str], held: Sequence[str]) -> list[Block]:  # fmt: skip
    """The blocks of a file and a command line together."""
    vary = {**levels_of(study.vary, f"{where}: vary"), **vary}
    zips = {**levels_of(study.zip, f"{where}: zip", again=True), **zips}
    table = study.sample
    drawn = parse_sample(sample) if sample is not None else table.sample() if table else None
    if overs and drawn is None:
        raise InputError("--over: says what a sample goes over; give --sample lhs:200 as well")
    if overs or table is None:
        return _blocks(vary, zips, drawn, overs, "--over", held)
    return _blocks(vary, zips, drawn, table.over, f"{where}: sample.over", held)


def _blocks(vary: Mapping[str, Levels], zips: Mapping[str, Levels], sample: Sample | None,
            over: Mapping[str, Any] | Iterable[str], where: str, held: Sequence[str]) -> list[Block]:  # fmt: skip
    """What is varied, in the order in which it is crossed; keys `held` fast may not be among it."""
    blocks = [Block.grid(vary)] if vary else []
    blocks += [Block.zip(zips)] if zips else []
    if sample is not None:
        axes = axes_of(over, where, (*vary, *zips, *held))
        blocks.append(Block.sample(sample, axes, where.removesuffix(".over").replace("--over", "--sample")))
    for key in held:
        if any(key in block.cells[0] for block in blocks):
            raise InputError(f"sweep: '{key}' is both set and varied")
    return blocks


def _parts(study: Study, where: str, held: Sequence[str]) -> dict[str, tuple[dict[str, Any], list[Block]]]:
    """By name, what each part sets and varies."""
    found: dict[str, tuple[dict[str, Any], list[Block]]] = {}
    for number, part in enumerate(study.part, start=1):
        name = part.name or f"part {number}"
        here = f"{where}: {one_line(name)}"
        if name in found:
            raise InputError(f"{here}: two parts have this name")
        sets = _sets(part.set, f"{here}: set")
        for key in held:
            if key in sets:
                raise InputError(f"{here}: '{key}' is set both here and on the command line")
        vary, zips = levels_of(part.vary, f"{here}: vary"), levels_of(part.zip, f"{here}: zip", again=True)
        sample = part.sample
        over = sample.over if sample else {}
        drawn = sample.sample() if sample else None
        try:
            found[name] = sets, _blocks(vary, zips, drawn, over, f"{here}: sample.over", [*held, *sets])
        except InputError as error:
            raise InputError(str(error).replace("sweep: ", f"{here}: ", 1)) from None
    return found


def _sets(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    found = dict(dotted(table))
    for key in found:
        if key not in keys():
            raise unknown_key(key, where)
    return {key: plain(value, kind_of(key)) for key, value in found.items()}
