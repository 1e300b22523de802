"""Write the parts of these pages that the code knows best, so that they cannot drift from it.

    python docs/generate.py               write parameters.md, outcomes.md and the marked blocks of the other pages
    python docs/generate.py --check       write nothing; exit 1 and name the pages that are stale
    python docs/generate.py --validation  also run the England default and write simulated beside published

A marked block opens with `<!-- generated: NAME -->` and ends with `<!-- end: NAME -->`; everything between is replaced.
"""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from enum import IntEnum
from pathlib import Path
from typing import Any

import pandas as pd

from carecommons.cycle import CYCLE
from carecommons.evidence.measures import NOT_EXPRESSED
from carecommons.evidence.validate import CORE, DEFAULT, targets, validate, verdict
from carecommons.outcomes.catalogue import OUTCOMES
from carecommons.params import Parameter, Parameters
from carecommons.place import ledger, organisations, population, ties
from carecommons.place.columns import Columns
from carecommons.place.place import Neighbourhoods
from carecommons.processes.process import Process
from carecommons.scenario import Scenario, register

DOCS = Path(__file__).resolve().parent
AGAIN = "python docs/generate.py"
NOTE = f"<!-- Written by `{AGAIN}` from the code. Change the code, not this page. -->"
SEEDS = (1, 2)
GOOD = {"down": "lower is better", "up": "higher is better", "neither": "neither"}
TABLES: Mapping[str, type[Any]] = {
    "Neighbourhoods": Neighbourhoods, "Ties": ties.Ties, "Accounts": organisations.Accounts,
}  # fmt: skip
CODES: Mapping[str, type[Any]] = {
    "Account": ledger.Account, "Giver": ledger.Giver, "Event": ledger.Event, "Tie": ties.Tie,
    "Status": population.Status, "Level": population.Level, "Route": population.Route, "Sequel": population.Sequel,
    "Contact": population.Contact, "Setting": population.Setting, "Tenure": population.Tenure,
    "Preference": population.Preference,
}  # fmt: skip


def meanings() -> dict[str, dict[str, str]]:
    """The words of meanings.toml, by class and name."""
    return tomllib.loads((DOCS / "meanings.toml").read_text("utf-8"))


def names_of(kind: type[Any]) -> list[str]:
    """The names that a class of state or a code has."""
    return [member.name for member in kind] if kind in CODES.values() else [field.name for field in fields(kind)]


# --- tables ---


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def shown(value: object) -> str:
    """A parameter's value as a reader would write it."""
    if isinstance(value, tuple):
        return "; ".join(shown(part) for part in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int | float) else str(value)


def lead(doc: str | None) -> str:
    """The first paragraph of a docstring in one line."""
    return " ".join((doc or "").strip().split("\n\n")[0].split())


# --- parameters and outcomes ---


def how_set(entry: Parameter) -> str:
    """Where a value comes from, in one word: from evidence, tuned against it, or assumed."""
    if re.search(r"\bset (against|so that)\b", entry.source):
        return "tuned"
    return "assumed" if entry.grade == "D" else "evidence"


def sections() -> dict[str, list[Parameter]]:
    """The register by section; what belongs to the scenario itself stands under its name."""
    found: dict[str, list[Parameter]] = {}
    for entry in register():
        found.setdefault(entry.key.rpartition(".")[0] or "scenario", []).append(entry)
    return found


def parameters_page() -> str:
    """The whole register."""
    parts = [
        "# Parameters",
        NOTE,
        f"Every parameter stands once, in the process that uses it: {len(register())} in all. Change one with "
        '`Scenario().but({"council.funding": 0.9})`, with `--set council.funding=0.9`, or in a scenario file. '
        "`carecommons params` prints this register.",
        "**Role.** A *lever* is something that somebody could decide; *uncertain* is what we do not know and what "
        "should be varied; *fixed* is given.",
        "**Grade.** A official statistics or law, B peer-reviewed, C grey literature or derived from a published "
        "figure, D assumption. A source that says *set against* or *set so that* says towards what the value "
        "was tuned, one figure or several with others: those are no longer tests of the model "
        "([validation](validation.md)).",
        "Lists are in the order that the meaning names; lists of eight go by age (18-24, 25-34, 35-44, 45-54, 55-64, "
        "65-74, 75-84, 85 and over), lists of ten by Care Act outcome, lists of seven by kind of tie "
        "([codes](odd.md#codes)).",
    ]
    head = ("key", "meaning", "default", "unit", "range", "role", "grade", "source")
    for name, entries in sections().items():
        parts += [f"## {name}", _about(name)]
        parts.append(table(head, [
            (f"`{e.key}`", e.about, shown(e.value), e.unit, _range(e), e.role, e.grade, e.source) for e in entries
        ]))  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _about(section: str) -> str:
    return lead((Scenario if section == "scenario" else _owner(section)).__doc__)


def _owner(section: str) -> type[Parameters]:
    return type(Scenario.model_fields[section].default)


def _range(entry: Parameter) -> str:
    return "" if entry.low is None else f"{shown(entry.low)} to {shown(entry.high)}"


def outcomes_page() -> str:
    """Every outcome."""
    parts = [
        "# Outcomes",
        NOTE,
        f"What each month of a run reports: {len(OUTCOMES)} numbers, the columns of `model.series`. `carecommons "
        "outcomes` prints this list. *Good direction* says what most people would call better; *neither* is for "
        "numbers that can rise for good and for bad reasons: fewer requests may be less need or more people kept away.",
        table(("name", "definition", "unit", "good direction", "by group"), [
            (f"`{o.name}`", o.definition, o.unit, GOOD[o.good], "" if o.of else "yes") for o in OUTCOMES
        ]),
        "*By group* marks outcomes of people, which can be taken by deprivation, wealth, route, stigma group or need; "
        "the others belong to the place. A mean over nobody is empty (NaN), not nought.",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


# --- the model's parts, for the ODD page ---


def processes() -> list[type[Process]]:
    """The processes of the month, in order."""
    return [entry for entry in CYCLE if isinstance(entry, type)]


def process_table() -> str:
    """The month, in order."""
    head = ("", "process", "what happens", "reads", "writes")
    return table(head, [
        (number, f"`{p.section()}`", lead(p.__doc__), _listed(p.reads), _listed(p.writes))
        for number, p in enumerate(processes(), 1)
    ])  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    return ", ".join("every column" if name == "*" else f"`{name}`" for name in names)


def _columns(kind: type[Columns]) -> str:
    return table(
        ("column", "meaning", "unit", "type"), [(f"`{d.name}`", d.about, d.unit, d.dtype) for d in kind.describe()]
    )


def _plain(name: str) -> str:
    words = meanings()[name]
    return table(("name", "meaning"), [(f"`{field}`", words[field]) for field in names_of(TABLES[name])])


def _code(name: str) -> str:
    words = meanings()[name]
    return table(("value", name, "meaning"), [(_number(m), f"`{m.name}`", words[m.name]) for m in CODES[name]])


def _number(member: Any) -> str:
    return str(member.value) if isinstance(member, IntEnum) else f"bit {member.value.bit_length() - 1}"


def state() -> str:
    """Every state variable."""
    parts = [
        "**Citizens**: one row an address.", _columns(population.Citizens),
        "**Neighbourhoods**: blocks of addresses.", _plain("Neighbourhoods"),
        "**Ties**: every tie twice, once in each person's row.", _plain("Ties"),
        "**Community groups.** Who belongs stands with the citizens.", _columns(organisations.Groups),
        "**Micro-enterprises**: one row a pitch.", _columns(organisations.Enterprises),
        "**The council.**", _plain("Accounts"),
        "**The ledger**: `flows` (pence, from account to account), `minutes` (care by giver) and `events` (counts) of "
        "the month; `balances` (pence by account) since the start.",
    ]  # fmt: skip
    return "\n\n".join(parts)


def codes() -> str:
    """Every code that state variables hold."""
    return "\n\n".join(_code(name) for name in CODES)


# --- validation ---


def published() -> str:
    """The figures that the model is held against."""
    rows = [
        (f"`{key}`", row["theme"], _figure(row["value"]), row["unit"], row["year"], row["population"],
         f"{_figure(row['band_low'])} to {_figure(row['band_high'])}", row["source"])
        for key, row in targets().iterrows() if key not in NOT_EXPRESSED
    ]  # fmt: skip
    return table(("figure", "theme", "published", "unit", "year", "of whom", "band", "source"), rows)


def not_expressed() -> str:
    """The figures that the model cannot say anything about."""
    return table(("figure", "why not"), [(f"`{key}`", why) for key, why in NOT_EXPRESSED.items()])


def provenance() -> str:
    """How many parameters come from evidence, were tuned, or are assumed; and which were tuned, against what."""
    hows = ("evidence", "tuned", "assumed")
    counts = [
        (f"`{name}`", len(entries), *(sum(how_set(entry) == how for entry in entries) for how in hows))
        for name, entries in sections().items()
    ]
    whole = ("**all**", *(sum(row[k] for row in counts) for k in range(1, 5)))
    tuned = [(f"`{e.key}`", e.grade, e.source) for e in register() if how_set(e) == "tuned"]
    return "\n\n".join([
        table(("section", "parameters", "from evidence", "tuned", "assumed"), [*counts, whole]),
        "Tuned, and towards what:",
        table(("key", "grade", "source"), tuned),
    ])  # fmt: skip


def simulated() -> str:
    """Run the England default and set it beside the published figures."""
    found = validate(DEFAULT, seeds=SEEDS)
    told = found[found["simulated"].notna()]
    rows = [
        (f"`{key}`", row["theme"], _figure(row["value"]), _figure(row["simulated"]),
         f"{_figure(row['band_low'])} to {_figure(row['band_high'])}", "pass" if row["passes"] else "**miss**")
        for key, row in told.iterrows()
    ]  # fmt: skip
    by_theme = [(theme, int(row["passed"]), int(row["expressed"])) for theme, row in verdict(found).iterrows()]
    run = f"England, {DEFAULT.citizens:,} adults, the last twelve of {DEFAULT.months} months"
    return "\n\n".join([
        made_from(),
        f"{run}, mean of the worlds {' and '.join(map(str, SEEDS))}.",
        table(("theme", "pass", "of"), by_theme),
        f"*core* is {', '.join(CORE)} together.",
        table(("figure", "theme", "published", "simulated", "band", ""), rows),
    ])  # fmt: skip


def made_from() -> str:
    """The line that says by which defaults a table of results was made."""
    return f"<!-- scenario {DEFAULT.digest} -->"


def _figure(number: Any) -> str:
    if pd.isna(number):
        return ""
    if abs(number) >= 1000:
        return f"{number:,.0f}"
    return f"{number:.3g}" if abs(number) < 100 else f"{number:.0f}"


# --- pages ---

BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "odd.md": {"processes": process_table, "state": state, "codes": codes},
    "validation.md": {"published": published, "not-expressed": not_expressed, "provenance": provenance},
}


def filled(text: str, name: str, content: str) -> str:
    """The page with the named block's content replaced."""
    opening, closing = f"<!-- generated: {name} -->", f"<!-- end: {name} -->"
    if text.count(opening) != 1 or text.count(closing) != 1:
        raise SystemExit(f"docs: block '{name}' must open and end once")
    before, rest = text.split(opening)
    return f"{before}{opening}\n\n{content}\n\n{closing}{rest.split(closing)[1]}"


def pages() -> dict[str, str]:
    """Every page that is generated, in whole or in part, as it should be."""
    found = {"parameters.md": parameters_page(), "outcomes.md": outcomes_page()}
    for page, blocks in BLOCKS.items():
        text = (DOCS / page).read_text("utf-8")
        for name, content in blocks.items():
            text = filled(text, name, content())
        found[page] = text
    return found


def stale() -> list[str]:
    """The pages that differ from what the code says, and the one whose results were made by other defaults."""
    found = [f"{page}: run {AGAIN}" for page, text in pages().items() if _read(page) != text]
    if made_from() not in _read("validation.md"):
        found.append(f"validation.md: results are of other defaults: run {AGAIN} --validation")
    return found


def _read(page: str) -> str:
    path = DOCS / page
    return path.read_text("utf-8") if path.exists() else ""


def main(words: Sequence[str] | None = None) -> int:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description="Write the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page is stale")
    parser.add_argument("--validation", action="store_true", help="also run the England default and write its results")
    options = parser.parse_args(words)
    if options.check:
        found = stale()
        print("\n".join(found) or "the pages are up to date", file=sys.stderr if found else sys.stdout)
        return 1 if found else 0
    written = pages()
    if options.validation:
        written["validation.md"] = filled(written["validation.md"], "simulated", simulated())
    for page, text in written.items():
        (DOCS / page).write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
