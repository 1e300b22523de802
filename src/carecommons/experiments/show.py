"""Results in words and tables: how numbers, units and progress look to people."""

from __future__ import annotations

import io
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Final

from carecommons.experiments.estimate import LAST, Estimate
from carecommons.guests.rich import (
    Console,
    Group,
    Padding,
    RenderableType,
    Table,
    Text,
)
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.params import Parameter
from carecommons.scenario import register

if TYPE_CHECKING:
    from carecommons.experiments.comparison import Comparison
    from carecommons.experiments.sweep import Sweep

PER: Final = 1_000  # adults that counts are given for, so that samples of any size read alike
WIDEST: Final = 8  # levels that stand side by side on a screen
NONE: Final = "–"
HEADLINES: Final = (
    "isolation", "loneliness", "latent", "expressed", "requests", "eligible", "funded", "funded_hours", "delivered",
    "crises", "unmet_hours", "helped", "carers", "carer_strain", "unpaid_hours", "council_spend", "overspend",
)  # fmt: skip
PARTS: Final = {
    "total": "change in funded care", "prevented": "prevented: less need",
    "absent": "  of which people who live in one arm only",
    "met_elsewhere": "met elsewhere: unpaid, community or own money",
    "deterred": "deterred or rationed: in need, not funded", "delayed": "delayed: waiting for an assessment",
}  # fmt: skip
_TITLES: Final = {
    "isolation": "Isolation", "latent": "Latent demand: people in need",
    "expressed": "Expressed demand: people who asked", "eligible": "Eligible demand: people found eligible",
    "funded": "Funded demand: people with council care", "delivered": "Delivered demand: people with paid care",
    "requests": "Requests for support", "unmet_hours": "Unmet need", "unpaid_hours": "Unpaid care",
    "council_spend": "Council spending", "carer_strain": "Strain of unpaid carers",
}  # fmt: skip


def figure(value: float, decimals: int | None = None, *, sign: bool = False) -> str:
    """A number for people: four digits that matter, thousands apart, a dash where there is none."""
    if math.isnan(value):
        return NONE
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    if decimals is None:
        decimals = 0 if value == 0 else min(max(3 - math.floor(math.log10(abs(value))), 0), 4)
    text = f"{value:{'+' if sign else ''},.{decimals}f}"
    return text if text.strip("+-0.,") else text.lstrip("+-")


def percent(share: float) -> str:
    """A share for people."""
    return NONE if math.isnan(share) else f"{figure(100 * share, 0)}%"


def decimals_for(half_widths: Sequence[float]) -> int | None:
    """Places after the point that show two digits of a typical half-width; None where there are no intervals."""
    known = sorted(each for each in half_widths if math.isfinite(each) and each > 0)
    if not known:
        return None
    return min(max(1 - math.floor(math.log10(known[len(known) // 2])), 0), 4)


def surely(found: Estimate, places: int | None = None, *, sign: bool = False, tight: bool = False) -> str:
    """A mean with its half-width, as far as its digits can be told, or with so many places after the point."""
    if places is None:
        places = decimals_for([found.half_width])
    middle = figure(found.mean, places, sign=sign)
    if places is None or not math.isfinite(found.half_width):
        return middle
    return f"{middle}{'±' if tight else ' ± '}{figure(found.half_width, places)}"


def per_of(outcome: str) -> int | None:
    """`PER` for an outcome that counts, so that it grows with the sample; None for a share or a score."""
    which = BY_NAME[outcome]
    return PER if which.total or (which.of is not None and not which.unit.startswith("%")) else None


def unit_of(outcome: str) -> str:
    """The unit in which pictures and tables show an outcome."""
    unit = BY_NAME[outcome].unit
    if per_of(outcome) is None:
        return unit
    return f"per {PER:,} adults" if unit == "adults" else f"{unit} per {PER:,} adults"


def title_of(outcome: str) -> str:
    """An outcome's name as a headline."""
    return _TITLES.get(outcome, outcome.replace("_", " ").capitalize())


def parameter(key: str) -> Parameter | None:
    """The register's entry; None for `place` and other words."""
    return next((each for each in register() if each.key == key), None)


def axis_of(key: str) -> str:
    """What a factor is, in words, with its unit where the words do not hold it."""
    found = parameter(key)
    if found is None:
        return key
    about = found.about.split(";")[0]
    said = _multiple(found) or found.unit.lower() in about.lower() or found.unit in ("choice", "switch")
    return f"{about[:1].upper()}{about[1:]}{'' if said else f' ({found.unit})'}"


def level_of(key: str, value: Any) -> str:
    """A level as an axis shows it: multiples of today's as per cent."""
    found = parameter(key)
    if found is not None and _multiple(found) and isinstance(value, float):
        return f"{100 * value:.6g}%"
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def level(value: Any) -> str:
    """A level as a name holds it."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _multiple(found: Parameter) -> bool:
    return found.unit.startswith("x today's")


def sweep_tables(sweep: Sweep) -> Group:
    """The design's outcomes over its cells: as a grid for two factors, as a list otherwise."""
    d = sweep.design
    sizes = [len(levels) for levels in d.factors.values()]
    grid = len(sizes) == 2 and min(sizes) <= WIDEST and len(d.cells) == math.prod(sizes)
    parts: list[RenderableType] = [_grid(sweep, outcome) for outcome in d.outcomes] if grid else [_list(sweep)]
    sure = f" ± 95% interval over {d.replicates} replicates" if d.replicates > 1 else ", one replicate: no interval"
    own = "; bold: the scenario as it stands" if d.own_cell is not None else ""
    known = {name: min(each.n for each in sweep.estimates(name)) for name in d.outcomes if not sweep.lacking}
    how = f"{over(d.factors.get('months', (d.scenario.months,)), LAST)}{sure}{own}"
    how += _fewer(known, d.replicates, "replicates at least in one cell")
    return Group(*parts, *(Text(note, style="yellow") for note in sweep.notes), Text(how, style="dim"))


def over(months: Sequence[int], last: int) -> str:
    """Over which months of runs so long a run counts, in words."""
    shortest, longest = min(months), max(months)
    if last < shortest == longest:
        return f"mean of the last {last} of {longest} months"
    if last < longest:
        return f"mean of the last {last} months" + (", of all where there are fewer" if shortest < last else "")
    return f"mean of all {longest} months" if shortest == longest else "mean of all months"


def _grid(sweep: Sweep, outcome: str) -> Group:
    d = sweep.design
    (across, columns), (down, rows) = d.factors.items()
    if len(columns) > WIDEST:
        (across, columns), (down, rows) = (down, rows), (across, columns)
    found = sweep.estimates(outcome, per=per_of(outcome))
    places = decimals_for([each.half_width for each in found])
    cell_of = {tuple(cell.items()): number for number, cell in enumerate(d.cells)}
    table = _table()
    table.add_column("", no_wrap=True)
    for level in columns:
        table.add_column(level_of(across, level), justify="right", no_wrap=True)
    for row in rows:
        numbers = [cell_of[tuple((key, {across: column, down: row}[key]) for key in d.factors)] for column in columns]
        words = [surely(found[number], places, tight=True) for number in numbers]
        table.add_row(
            level_of(down, row), *(_bold(word, n == d.own_cell) for word, n in zip(words, numbers, strict=True))
        )
    return _titled(f"{title_of(outcome)} ({unit_of(outcome)})\n{across} across, {down} down", table)


def _list(sweep: Sweep) -> Group:
    d = sweep.design
    table = _table()
    for key in d.factors:
        table.add_column(key)
    for outcome in d.outcomes:
        table.add_column(f"{title_of(outcome)}\n({unit_of(outcome)})", justify="right")
    found = [sweep.estimates(outcome, per=per_of(outcome)) for outcome in d.outcomes]
    for number, levels in enumerate(d.cells):
        words = [level_of(key, value) for key, value in levels.items()]
        table.add_row(*words, *(_bold(surely(each[number]), number == d.own_cell) for each in found))
    return _titled(f"{d.scenario.place}: {len(d.cells)} cells", table)


def _bold(words: str, bold: bool) -> Text:
    return Text(words, style="bold" if bold else "")


def comparison_tables(comparison: Comparison) -> Group:
    """What the arms differ by: parameters, headline outcomes, and where the difference in funded care went."""
    changed = comparison.changed()
    if not changed:
        return Group(Text("a and b are the same, so that nothing differs; change b, such as by council.funding=0.85"))
    pairs, table = len(comparison.ends), _table()
    table.add_column("outcome", no_wrap=True)
    for head in ("a", "b", "b - a", "variance\nreduction", "b > a"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("unit")
    for name in HEADLINES:
        each = comparison.paired[name]
        table.add_row(
            name, figure(each.a), figure(each.b),
            Text(surely(each.difference, sign=True), style=_tint(name, each.difference)),
            figure(each.variance_reduction, 0 if each.variance_reduction >= 10 else 1), percent(each.above),
            BY_NAME[name].unit,
        )  # fmt: skip
    words = [f"{key}: {value['a']} in a, {value['b']} in b" for key, value in list(changed.items())[:WIDEST]]
    words += [f"and {len(changed) - WIDEST} more parameters"] if len(changed) > WIDEST else []
    parts: list[RenderableType] = [
        Text("\n".join(words)),
        _titled(f"b less a, {pairs} pair{'s' * (pairs != 1)} in the same worlds", table),
    ]
    parts += [_attribution(comparison)] if len(comparison.attribution) else []
    parts += [Text(f"{comparison.stop.outcome} {comparison.verdict}")] if comparison.stop and comparison.verdict else []
    parts += [Text(note, style="yellow") for note in comparison.notes]
    ns = {name: comparison.paired[name].difference.n for name in HEADLINES}
    return Group(*parts, Text(_how(comparison) + _fewer(ns, pairs, "pairs"), style="dim"))


def _fewer(known: Mapping[str, int], of: int, what: str) -> str:
    """Outcomes that have no value in some runs, as a mean over nobody has none."""
    few = [f"{name} in {n}" for name, n in known.items() if n < of]
    return f"; of {of} {what} there is a value of {', '.join(few)}" if few else ""


def _how(comparison: Comparison) -> str:
    unpaired = "" if comparison.same_place else "; the arms are different places, so funded care is not attributed"
    sure = "± 95% interval over pairs" if len(comparison.ends) > 1 else "fewer than two pairs: no interval"
    return (
        f"{over((comparison.scenario_a.months,), comparison.last)}, of whole samples of "
        f"{comparison.scenario_a.citizens:,} citizens, {sure}{unpaired}"
    )


def _attribution(comparison: Comparison) -> Group:
    table = _table()
    table.add_column("")
    table.add_column("hours a month", justify="right", no_wrap=True)
    table.add_column("share", justify="right", no_wrap=True)
    rows = {row["part"]: row for row in comparison.attribution.reset_index().to_dict("records")}
    for part, words in PARTS.items():
        row = rows[part]
        found = Estimate(row["hours_a_month"], row["low"], row["high"], len(comparison.ends))
        table.add_row(words, surely(found, sign=True), percent(row["share"]))
    return _titled("Where the difference in funded care went (b less a, all months)", table)


def _tint(name: str, difference: Estimate) -> str:
    """Green for surely better, red for surely worse, plain where it cannot be told or nobody says which is good."""
    good = BY_NAME[name].good
    if good == "neither" or math.isnan(difference.low) or difference.low <= 0 <= difference.high:
        return ""
    return "green" if (difference.mean > 0) == (good == "up") else "red"


def _table() -> Table:
    return Table(header_style="dim", box=None, pad_edge=False)


def _titled(title: str, table: Table) -> Group:
    """A table under its title, which may be wider than the table."""
    return Group(Text(title, style="bold"), table)


def rows_table(title: str, rows: Sequence[Mapping[str, Any]]) -> Group:
    """Plain rows as a table; the columns are the first row's."""
    table = _table()
    for name, value in (rows[0] if rows else {}).items():
        table.add_column(
            name, justify="right" if isinstance(value, int | float) and not isinstance(value, bool) else "left"
        )
    for row in rows:
        table.add_row(*(figure(value) if isinstance(value, float) else f"{value:,}" if isinstance(value, int) and not
                        isinstance(value, bool) else str(value) for value in row.values()))  # fmt: skip
    return _titled(title, table)


def register_list(found: Sequence[Parameter]) -> Group:
    """Parameters one under the other: value, unit, range, role and grade, then what it is and where it comes from."""
    parts: list[RenderableType] = []
    for each in found:
        head = (
            Text(each.key, style="bold")
            .append(f" = {plainly(each.value)} ", style="bold cyan")
            .append(each.unit, style="not bold")
        )
        head.append(
            f"  ({', '.join(part for part in (range_of(each), each.role, f'grade {each.grade}') if part)})",
            style="not bold dim",
        )
        about = Padding(Text(each.about), (0, 0, 0, 4))
        parts += [head, about, Padding(Text(f"source: {each.source}", style="dim"), (0, 0, 0, 4))]
    return Group(*parts)


def plainly(value: Any) -> str:
    """A parameter's value as one types it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"[{', '.join(map(plainly, value))}]" if isinstance(value, tuple) else str(value)


def range_of(found: Parameter) -> str:
    """From where to where a parameter may go, empty where it is a word or a switch."""
    return "" if found.low is None or found.high is None else f"{found.low:,} to {found.high:,}"


def validation_table(table: Any) -> Group:
    """Simulated beside published figures with their bands; what the model cannot express says why."""
    told = table[table["simulated"].notna()].reset_index()
    rows = [
        {"theme": row.theme, "figure": row.key, "simulated": float(row.simulated), "published": float(row.value),
         "band": f"{figure(row.band_low)} to {figure(row.band_high)}", "": "pass" if row.passes else "MISS",
         "unit": row.unit}
        for row in told.itertuples()
    ]  # fmt: skip
    missing = len(table) - len(rows)
    return rows_table(
        f"Simulated beside published ({missing} figures the model cannot express are in --json and -o)", rows
    )


def html(result: Any) -> str:
    """A result's tables as a notebook shows them."""
    console = Console(file=io.StringIO(), record=True, width=140, force_jupyter=False)
    console.print(result)
    return f"<pre style='line-height:1.3'>{escape(console.export_text(styles=False))}</pre>"
