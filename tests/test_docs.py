"""The documentation says what the code says: pages are fresh, names have words, examples run, links lead somewhere."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

from carecommons.cli import cli
from carecommons.outcomes.catalogue import OUTCOMES
from carecommons.params import Grade, Parameter, Role
from carecommons.place.organisations import Enterprises, Groups
from carecommons.place.population import Citizens
from carecommons.processes.process import Process
from carecommons.rules.means_test import MeansTest
from carecommons.scenario import Scenario, register

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
PARTS = {"*", "ties", "groups", "enterprises", "council", "ledger"}  # what a process may name besides columns


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


generate = _generator()


# --- fresh ---


@pytest.mark.parametrize("page", ["parameters.md", "outcomes.md", "odd.md", "validation.md"])
def test_generated_pages_are_fresh(page: str) -> None:
    assert generate.pages()[page] == (DOCS / page).read_text("utf-8"), "run: python docs/generate.py"


def test_published_results_are_those_of_todays_defaults() -> None:
    text = (DOCS / "validation.md").read_text("utf-8")
    assert generate.made_from() in text, "run: python docs/generate.py --validation"


def test_a_stale_page_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for source in (*DOCS.glob("*.md"), DOCS / "meanings.toml"):
        (tmp_path / source.name).write_text(source.read_text("utf-8"), "utf-8")
    (tmp_path / "outcomes.md").write_text("# Outcomes\n", "utf-8")
    monkeypatch.setattr(generate, "DOCS", tmp_path)
    assert any(line.startswith("outcomes.md") for line in generate.stale())
    assert generate.main(["--check"]) == 1
    assert (tmp_path / "outcomes.md").read_text("utf-8") == "# Outcomes\n"
    assert generate.main([]) == 0
    assert not any(line.startswith("outcomes.md") for line in generate.stale())


def test_a_block_keeps_what_stands_around_it_and_a_missing_one_is_refused() -> None:
    page = "above\n<!-- generated: a -->\nold\n<!-- end: a -->\nbelow"
    assert generate.filled(page, "a", "new") == "above\n<!-- generated: a -->\n\nnew\n\n<!-- end: a -->\nbelow"
    with pytest.raises(SystemExit, match="block 'b'"):
        generate.filled(page, "b", "new")


# --- complete ---


def _numeric(value: object) -> bool:
    if isinstance(value, tuple):
        return all(_numeric(part) for part in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


@pytest.mark.parametrize("entry", register(), ids=lambda entry: entry.key)
def test_parameter_is_fully_described(entry: Parameter) -> None:
    assert entry.about and entry.unit and entry.source.strip()
    assert entry.role in set(Role) and entry.grade in set(Grade)
    if _numeric(entry.value):
        assert entry.low is not None and entry.high is not None and entry.low < entry.high


def test_every_number_of_a_scenario_is_in_the_register() -> None:
    assert {key for key in Scenario().flat() if key not in ("name", "place")} == {entry.key for entry in register()}


@pytest.mark.parametrize("outcome", OUTCOMES, ids=lambda outcome: outcome.name)
def test_outcome_is_fully_described(outcome: Any) -> None:
    assert outcome.unit.strip() and outcome.definition.strip()
    assert outcome.good in generate.GOOD


@pytest.mark.parametrize("process", generate.processes(), ids=lambda process: process.section())
def test_process_says_what_it_does_and_to_what(process: type[Process]) -> None:
    assert len(generate.lead(process.__doc__)) > 20 and process.__doc__ != Process.__doc__
    assert process.reads and process.writes
    assert set(process.reads) | set(process.writes) <= PARTS | set(Citizens.names())


@pytest.mark.parametrize("table", [Citizens, Enterprises, Groups], ids=lambda table: table.__name__)
def test_every_column_has_a_meaning(table: Any) -> None:
    assert [column.name for column in table.describe() if not column.about.strip()] == []


@pytest.mark.parametrize("name", [*generate.TABLES, *generate.CODES])
def test_every_other_name_of_the_state_has_a_meaning_and_no_meaning_is_left_over(name: str) -> None:
    words = generate.meanings()[name]
    kind = generate.TABLES.get(name) or generate.CODES[name]
    assert set(words) == set(generate.names_of(kind))
    assert all(text.strip() for text in words.values())


def test_meanings_name_things_that_exist() -> None:
    assert set(generate.meanings()) == {*generate.TABLES, *generate.CODES}


@pytest.mark.parametrize(("key", "how"), [
    ("provision.home_care_fee", "evidence"), ("need.worsen", "tuned"), ("ties.meet", "tuned"),
    ("need.shock", "assumed"),
])  # fmt: skip
def test_the_source_says_how_a_value_was_set(key: str, how: str) -> None:
    assert {entry.key: generate.how_set(entry) for entry in register()}[key] == how


def test_the_description_of_the_model_names_every_parameter_of_a_process() -> None:
    """The means test's own rates are described with it, and `off` once for all."""
    text = (DOCS / "odd.md").read_text("utf-8")
    elsewhere = {f"charging.{name}" for name in MeansTest.model_fields}
    keys = {entry.key for entry in register() if "." in entry.key and not entry.key.endswith(".off")} - elsewhere
    assert sorted(key for key in keys if not re.search(rf"\b{key.split('.')[1]}\b", text)) == []


# --- true ---


def _blocks(page: Path, language: str) -> Iterator[str]:
    yield from re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "guide.md"], ids=lambda page: page.stem)
def test_python_runs_from_top_to_bottom(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in _blocks(page, "toml"):
        named = re.match(r"# (\S+\.toml)\n", text)
        if named:
            (tmp_path / named[1]).write_text(text, "utf-8")
    blocks = list(_blocks(page, "python"))
    assert blocks
    space: dict[str, object] = {"__name__": page.stem}
    for number, block in enumerate(blocks, 1):
        exec(compile(block, f"{page.name}, block {number}", "exec"), space)


def _commands() -> list[str]:
    lines = [line for page in PAGES for text in _blocks(page, "sh") for line in text.splitlines()]
    return sorted({line.partition("#")[0].strip() for line in lines if line.startswith("carecommons ")})


@pytest.mark.parametrize("command", _commands())
def test_command_line_examples_are_understood(command: str) -> None:
    _, name, *words = shlex.split(command)
    known = cli.commands[name]
    assert isinstance(known, click.Command)
    known.make_context(name, words)  # raises where an option or argument is not known


def _slug(heading: str) -> str:
    plain = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def _links(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith(("http:", "https:"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = []
    for link in _links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.is_file():
            missing.append(link)
        elif anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            if anchor not in map(_slug, headings):
                missing.append(link)
    assert missing == []


def test_every_decision_is_listed() -> None:
    index = (DOCS / "index.md").read_text("utf-8")
    assert [path.name for path in (DOCS / "decisions").glob("*.md") if f"decisions/{path.name}" not in index] == []


def test_the_readme_names_the_two_commands_the_licence_and_the_source_of_data() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    wanted = ("python3 dev.py run", "python3 dev.py test", "make run", "make test", "MIT licence", "CITATION.cff")
    assert [words for words in wanted if words not in text] == []
    assert "Contains public sector information licensed under the Open Government Licence v3.0" in " ".join(
        text.split()
    )
