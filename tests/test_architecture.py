"""The house stands: who imports whom, one door for each third party, no luck but keyed luck, and nothing too long."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "carecommons"
FILES = sorted(SOURCE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8"), str(path)) for path in FILES}

# From the roof down; those of one floor never import one another, except within one of them.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("analysis", "evidence"),
    ("experiments",),
    ("model",),
    ("scenario",),
    ("cycle",),
    ("processes",),
    ("founding", "outcomes", "agents"),
    ("place",),
    ("params", "rules", "kernels"),
    ("errors", "units", "explain", "guests"),
)
# Neighbours of one floor that may be imported all the same, with the reason.
NEIGHBOURS = {
    ("analysis", "evidence"): "a plot or report of the evidence reads it",
    ("rules", "params"): "rates of a rule are parameters",
    ("rules", "kernels"): "rules are compiled",
    ("explain", "errors"): "an explanation is an error",
}
FACE = "__init__"  # carecommons/__init__.py: lazy, and the only one to import by name

# Where each third party comes in.
DOORS: dict[str, tuple[str, ...]] = {
    "mesa": ("guests",),
    "networkx": ("model", "place.graph", "founding", "evidence.measures"),
    "matplotlib": ("analysis.plots",),
    "pandas": ("model", "experiments", "analysis", "evidence", "outcomes"),
    "sqlite3": ("experiments.store",),
    "click": ("cli",),
    "rich": ("guests",),
    "scipy": ("experiments", "analysis", "evidence"),
    "pydantic": ("params", "explain", "scenario", "founding", "processes", "model", "experiments.study"),
    "pydantic_core": ("params", "explain", "scenario", "founding", "processes", "model"),
    "numba": ("kernels",),
    "llvmlite": ("kernels.keyed",),
    "psutil": ("experiments",),
    "SALib": ("experiments.sampling", "analysis"),
    "distributed": ("experiments.cluster",),
    "pyarrow": ("experiments.tables",),
    "xarray": ("experiments.tables",),
}
EVERYWHERE = {"numpy"}
# Modules that may import inside a function: what is heavy and seldom needed, behind its one door.
LATE = {
    "cli", "cli.commands", "cli.results", "cli.studies", "__init__", "analysis.plots", "experiments.show",
    "experiments.provenance", "experiments.sampling", "experiments.cluster", "experiments.tables",
    "analysis.sensitivity", "analysis.discovery", "analysis.adapters",
}  # fmt: skip

LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def name_of(path: Path) -> str:
    """A module's dotted name within the package; a package is its own name."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Every imported module with its statement, those for type checkers alone left out."""
    skipped = {id(node) for branch in ast.walk(tree) if is_for_types(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import in line {node.lineno}"
            yield node, node.module or ""


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def own(module: str) -> str | None:
    """The part of the house that a module of ours belongs to."""
    head, _, rest = module.partition(".")
    return (rest.split(".")[0] or FACE) if head == "carecommons" else None


def floor(part: str) -> int:
    found = [k for k, parts in enumerate(FLOORS) if part in parts]
    assert found, f"'{part}' stands on no floor"
    return found[0]


def within(module: str, places: tuple[str, ...] | set[str]) -> bool:
    return any(module == place or module.startswith(place + ".") for place in places)


def test_every_module_stands_on_a_floor() -> None:
    assert {part for path in FILES if (part := name_of(path).split(".")[0]) != FACE and floor(part) < 0} == set()


def test_nobody_imports_from_a_floor_above_or_beside() -> None:
    wrong = []
    for path, tree in TREES.items():
        here = name_of(path).split(".")[0]
        if here == FACE:
            continue
        for node, module in imports(tree):
            there = own(module)
            if there is None or there in (here, FACE):
                continue
            if floor(there) < floor(here) or (floor(there) == floor(here) and (here, there) not in NEIGHBOURS):
                wrong.append(f"{name_of(path)}:{node.lineno} imports {module}")
    assert wrong == [], wrong


def test_there_is_no_circle_of_modules() -> None:
    needs = {name_of(p): {m.removeprefix("carecommons.") for _, m in imports(t) if m.startswith("carecommons.")}
             for p, t in TREES.items() if name_of(p) != FACE}  # fmt: skip
    left = {name: {n for n in needed if n in needs} for name, needed in needs.items()}
    while free := [name for name, needed in left.items() if not needed]:
        left = {name: needed - set(free) for name, needed in left.items() if name not in free}
    assert sorted(left) == []


def test_no_module_of_the_floors_needs_the_public_face() -> None:
    wrong = [
        name_of(p) for p, t in TREES.items() for _, m in imports(t) if m == "carecommons" and name_of(p) not in LATE
    ]
    assert [name for name in wrong if name not in ("__main__",)] == []


def test_each_third_party_has_its_door() -> None:
    wrong = []
    for path, tree in TREES.items():
        for node, module in imports(tree):
            package = module.split(".")[0]
            known = package in sys.stdlib_module_names and package not in DOORS
            if known or package in EVERYWHERE | {"carecommons"}:
                continue
            if not within(name_of(path), DOORS.get(package, ())):
                wrong.append(f"{name_of(path)}:{node.lineno} imports {module}")
    assert wrong == [], wrong


def test_imports_stand_at_the_top() -> None:
    wrong = []
    for path, tree in TREES.items():
        if within(name_of(path), LATE):
            continue
        for function in functions(tree):
            wrong += [f"{name_of(path)}:{node.lineno} {module}" for node, module in imports(function)]
    assert wrong == [], wrong


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


# --- luck and order ---

CLOCKS = {"time", "datetime"}
# Who may look at a clock: to show progress, to stamp files, to tell a date in a file from a number; never to decide.
MAY_LOOK_AT_A_CLOCK = {"experiments", "cli", "evidence", "analysis", "explain"}
# Agent-by-agent behaviour draws from Mesa's own generator, which the model seeds; everything else is keyed.
MAY_TAKE_RANDOM = {"agents", "guests"}


def test_luck_is_keyed_and_nothing_else_is_random() -> None:
    wrong = []
    for path, tree in TREES.items():
        for node, module in imports(tree):
            head = module.split(".")[0]
            if head in ("random", "secrets", "uuid") and not within(name_of(path), MAY_TAKE_RANDOM):
                wrong.append(f"{name_of(path)}:{node.lineno} imports {module}")
            if head in CLOCKS and not within(name_of(path), MAY_LOOK_AT_A_CLOCK):
                wrong.append(f"{name_of(path)}:{node.lineno} imports {module}")
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr == "random" and name_in(node.value) in ("np", "numpy"):
                wrong.append(f"{name_of(path)}:{node.lineno} numpy.random")
            if isinstance(node, ast.Call) and name_in(node.func) == "hash" and id(node) not in own_hashes(tree):
                wrong.append(f"{name_of(path)}:{node.lineno} hash()")
    assert wrong == [], wrong


def own_hashes(tree: ast.AST) -> set[int]:
    """What stands inside `__hash__`: an object may hash itself by its parts."""
    return {id(inner) for f in functions(tree) if f.name == "__hash__" for inner in ast.walk(f)}


def name_in(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else ""


WALKERS = ("list", "tuple", "enumerate", "iter", "next", "zip")


def is_set(node: ast.AST) -> bool:
    """A set as it can be seen in the text: a display, a comprehension, set(...), or such joined by | & - ^."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return is_set(node.left) or is_set(node.right)
    return isinstance(node, ast.Set | ast.SetComp) or (
        isinstance(node, ast.Call) and name_in(node.func) in ("set", "frozenset")
    )


def test_nothing_goes_by_the_order_of_a_set() -> None:
    """Sets are for asking whether, not for going through: their order changes with the hash seed."""
    wrong = []
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            walked = [node.iter] if isinstance(node, ast.For | ast.comprehension) else []
            if isinstance(node, ast.Call) and name_in(node.func) in WALKERS:
                walked = node.args
            wrong += [f"{name_of(path)}:{each.lineno}" for each in walked if is_set(each)]
    assert wrong == [], wrong


# --- size ---


def test_no_file_is_too_long() -> None:
    lines = {name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert {name: n for name, n in lines.items() if n > LONGEST_FILE} == {}


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    body = function.body
    docstring = (body[0].end_lineno or 0) - body[0].lineno + 1 if ast.get_docstring(function) else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


def test_no_function_is_too_long() -> None:
    long = {f"{name_of(path)}.{f.name}": code_lines(f) for path, tree in TREES.items() for f in functions(tree)}
    assert {name: n for name, n in long.items() if n > LONGEST_FUNCTION} == {}


@pytest.mark.parametrize("path", FILES, ids=[name_of(path) for path in FILES])
def test_a_module_opens_with_a_sentence_and_what_it_offers_says_what_it_is(path: Path) -> None:
    tree = TREES[path]
    assert (ast.get_docstring(tree) or "").strip(), "no opening sentence"
    offered = [n for n in tree.body if isinstance(n, ast.ClassDef | ast.FunctionDef) and not n.name.startswith("_")]
    assert [node.name for node in offered if not ast.get_docstring(node)] == []
