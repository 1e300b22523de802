"""Nothing that is read can make us run anything: no such call stands in the source, and hostile files do nothing."""

from __future__ import annotations

import ast
import io
import os
import pickle
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import fuzz
import numpy as np
import pytest

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments import levels, study
from carecommons.experiments.packing import PackingError, unpack
from carecommons.experiments.store.database import Store
from carecommons.founding.profile import load
from carecommons.scenario import Scenario

SOURCE: Final = fuzz.ROOT / "src" / "carecommons"
TREES: Final = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}

MODULES: Final = {
    "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "yaml", "ruamel", "code",
    "codeop", "runpy", "imp", "xml", "lxml", "xmlrpc", "tarfile", "zipfile", "pty", "commands", "ftplib", "telnetlib",
    "requests", "urllib3", "httpx", "smtplib", "http", "urllib.request", "webbrowser",
}  # fmt: skip
NAMES: Final = {"eval", "exec", "compile", "__import__", "breakpoint", "input"}
# Calls of a module, or of anything of that name.
CALLS: Final = {
    ("os", "system"), ("os", "popen"), ("os", "execv"), ("os", "execve"), ("os", "spawnv"), ("os", "startfile"),
    ("tempfile", "mktemp"), ("subprocess", "getoutput"), ("subprocess", "getstatusoutput"),
    ("shutil", "unpack_archive"),
    ("pd", "read_pickle"), ("pd", "eval"), ("pd", "read_html"), ("pd", "read_xml"), ("np", "save"), ("np", "savez"),
    ("joblib", "load"), ("ctypes", "CDLL"), ("builtins", "eval"), ("builtins", "exec"),
}  # fmt: skip
METHODS: Final = {"to_pickle", "read_pickle", "extractall", "load_module", "exec_module", "enable_load_extension"}


def nodes() -> Iterator[tuple[str, ast.AST]]:
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            yield f"{path.relative_to(SOURCE)}:{getattr(node, 'lineno', 0)}", node


def calls() -> Iterator[tuple[str, ast.Call]]:
    return ((where, node) for where, node in nodes() if isinstance(node, ast.Call))


def test_nothing_is_imported_that_can_run_what_it_reads_or_reach_the_network() -> None:
    wrong = []
    for where, node in nodes():
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        wrong += [f"{where} {name}" for name in names if name in MODULES or name.split(".")[0] in MODULES]
    assert wrong == []


def test_no_text_is_run() -> None:
    wrong = []
    for where, node in calls():
        called = node.func
        if isinstance(called, ast.Name) and called.id in NAMES:
            wrong.append(f"{where} {called.id}()")
        if isinstance(called, ast.Attribute):
            owner = called.value.id if isinstance(called.value, ast.Name) else ""
            if (owner, called.attr) in CALLS or called.attr in METHODS:
                wrong.append(f"{where} {owner}.{called.attr}()")
    assert wrong == []


def test_no_shell_is_asked_and_no_object_is_unpacked() -> None:
    keywords = [(where, word) for where, node in calls() for word in node.keywords]
    wrong = [f"{where} shell" for where, word in keywords if word.arg == "shell"]
    wrong += [
        f"{where} allow_pickle"
        for where, word in keywords
        if word.arg == "allow_pickle" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
    ]
    assert wrong == []


def test_a_program_is_started_by_its_words_and_a_module_imported_by_a_name_of_ours() -> None:
    wrong = []
    for where, node in calls():
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0] if node.args else None
        if name in ("Popen", "run", "check_output", "check_call") and isinstance(node.func, ast.Attribute):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            if owner == "subprocess" and not isinstance(first, ast.List | ast.Name):
                wrong.append(f"{where} {name}({ast.unparse(node)[:60]})")
        if name == "import_module":
            fixed = first.values[0] if isinstance(first, ast.JoinedStr) else first
            text = str(fixed.value) if isinstance(fixed, ast.Constant) else ""
            if isinstance(first, ast.JoinedStr) and not text.startswith("carecommons."):
                wrong.append(f"{where} {ast.unparse(node)}")
    assert wrong == []


# --- fifty hostile files, each given to everything that reads ---


class Trap:
    """When it is unpickled, a file appears."""

    def __init__(self, mark: str) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.mark,)


def arrays(values: dict[str, Any]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **values)
    return out.getvalue()


def tar(name: str, link: str = "") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 0 if link else 3
        entry.type, entry.linkname = (tarfile.SYMTYPE, link) if link else (tarfile.REGTYPE, "")
        archive.addfile(entry, None if link else io.BytesIO(b"bad"))
    return out.getvalue()


def packed(name: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, "bad")
    return out.getvalue()


def hostile(mark: str) -> list[bytes]:
    """Fifty files that would make the folder `mark` if what they hold were run or unpacked."""
    trap, command = Trap(mark), f"mkdir {mark}"
    pickles = [pickle.dumps(trap, protocol) for protocol in range(6)]
    python = f"__import__('os').mkdir({mark!r})"
    tags = ["!!python/object/apply:os.mkdir", "!!python/object/new:os.mkdir", "!!python/name:os.mkdir",
            "!!python/module:os", "!<tag:yaml.org,2002:python/object/apply:os.mkdir>"]  # fmt: skip
    evil = np.empty(1, object)
    evil[0] = trap
    saved = io.BytesIO()
    np.save(saved, evil, allow_pickle=True)
    entity = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;{mark}</a>'
    laughs = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "ha">' + "".join(
        f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(9)
    )
    lines = [
        *(f"{tag} ['{mark}']" for tag in tags),
        "&a [*a, *a]",
        "--- !ruby/object:Gem::Installer\n",
        entity,
        f"{laughs}]><a>&j;</a>",
        f"<?xml-stylesheet href='{mark}'?>",
        "<graphml><graph/></graphml>",
        f"<script>{python}</script>",
        f"name = {python}",
        f"months = {python}",
        f"citizens = `{command}`",
        f"name = $({command})",
        f"name = '''{{{{ {python} }}}}'''",
        f"name = '${{jndi:{mark}}}'\nmonths = '${{jndi:{mark}}}'",
        f"place = '; {command} ;.toml'",
        f"place = '|{command}'",
        f"place = '$({command})/x.csv'",
        f"place = '`{command}`.toml'",
        f"@{command}",
        f"#!/bin/sh\n{command}\n",
        f"=cmd|' /C {command}'!A1,1",
        f"+cmd|' /C {command}'!A1,1",
        f"-2+3+cmd|' /C {command}'!A1,1",
        f"@SUM(1+1)*cmd|'{command}'!A1,1",
        f'name,=HYPERLINK("{mark}")\n',
        f"\tname,={command}",
        f"%0a{command}",
        "[vary]\n'council.funding' = '__import__(\"os\")'",
        f"[vary]\n'council.funding' = '{python}'",
        f"[scenario]\nplace = '{python}.toml'\n[vary]\n'council.funding' = [1]",
        f'{{"__class__": "os.mkdir", "args": ["{mark}"]}}',
        f'{{"py/reduce": [{{"py/function": "os.mkdir"}}, ["{mark}"]]}}',
    ]
    files = [
        *pickles, saved.getvalue(), arrays({"a": evil}), tar(f"../{Path(mark).name}"), tar(mark), tar("x", "/etc"),
        packed(f"../../{Path(mark).name}"), packed(mark), b"SQLite format 3\x00" + bytes(84) + pickles[0],
        *(line.encode() for line in lines),
    ]  # fmt: skip
    assert len(files) == 50
    return files


def read_store(path: Path) -> None:
    """A folder of results whose database is this file."""
    folder = path.parent / "store"
    folder.mkdir(exist_ok=True)
    (folder / "results.sqlite").write_bytes(path.read_bytes())
    (folder / "manifest.json").write_bytes(path.read_bytes())
    Store.read(folder).close()


READERS: Final[dict[str, tuple[str, Callable[[Path], Any]]]] = {
    "scenario": (".toml", Scenario.load),
    "place in TOML": (".toml", load),
    "place in CSV": (".csv", load),
    "experiment": (".toml", lambda path: study.plan(str(path), ())),
    "--set": (".toml", lambda path: Scenario.of(levels.parse_set([f"name={path.read_text('utf-8', 'replace')}"]))),
    "--vary": (".toml", lambda path: levels.parse_vary([f"place={path.read_text('utf-8', 'replace')}"])),
    "arrays of a run": (".bin", lambda path: unpack(path.read_bytes())),
    "store": (".sqlite", read_store),
}


@pytest.mark.parametrize("reader", READERS)
def test_fifty_hostile_files_run_nothing_and_are_refused_in_one_line(reader: str, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    suffix, read = READERS[reader]
    for number, content in enumerate(hostile(str(mark))):
        path = tmp_path / f"mine{suffix}"
        path.write_bytes(content)
        try:
            read(path)
        except (CareCommonsError, PackingError) as error:
            assert str(error).isprintable() and len(str(error)) < 500, (number, str(error))
        else:
            assert reader.startswith("--"), (number, content[:80])
        assert not mark.exists() and not (tmp_path.parent / "ran").exists(), (number, content[:80])


def test_the_traps_of_the_corpus_do_spring(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    pickle.loads(hostile(str(mark))[0])
    assert mark.exists()


def test_a_reader_of_places_takes_nothing_but_toml_and_csv(tmp_path: Path) -> None:
    for kind in ["pkl", "npz", "npy", "yaml", "yml", "json", "xml", "xlsx", "tar", "zip", "py", "toml.gz"]:
        path = tmp_path / f"mine.{kind}"
        path.write_bytes(hostile(str(tmp_path / "ran"))[0])
        with pytest.raises(InputError, match=r"must be a \.toml or \.csv file$"):
            load(path)
