"""The pure parts of dev.py: which Python it takes, when it makes an environment again, what it says to a wrong word."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

DEV = Path(__file__).resolve().parents[1] / "dev.py"
THIS = sys.version_info[:2]

needs_a_shell = pytest.mark.skipif(sys.platform == "win32", reason="stands in for interpreters with shell scripts")


@pytest.fixture(scope="module")
def dev() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dev", DEV)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text("[project]\n", encoding="utf-8")
    (tmp_path / "constraints.txt").write_text("mesa==3.3.1\n", encoding="utf-8")
    return tmp_path


def script(path: Path, lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def dead_shim(path: Path) -> Path:
    return script(path, "echo 'pyenv: python: command not found' >&2\nexit 127")


def living(path: Path) -> Path:
    return script(path, f'exec "{sys.executable}" "$@"')


def made_environment(dev: ModuleType, root: Path) -> Path:
    folder = root / ".venv"
    living(dev.program(folder, "python"))
    (folder / dev.STAMP).write_text(dev.stamp(root, folder), encoding="utf-8")
    return folder


@needs_a_shell
def test_an_interpreter_that_exits_127_is_passed_over(dev: ModuleType, tmp_path: Path) -> None:
    shim, good = dead_shim(tmp_path / "shims" / "python3"), living(tmp_path / "real" / "python3")
    assert dev.find_python((THIS,), [shim, good]) == good


@needs_a_shell
@pytest.mark.parametrize("lines", ["exit 127", "echo 3.12; exit 1", "echo hello", "echo Python 3.12"])
def test_only_a_version_from_a_clean_exit_counts(dev: ModuleType, tmp_path: Path, lines: str) -> None:
    assert dev.probe(script(tmp_path / "python3", lines)) is None


def test_an_interpreter_that_is_not_there_is_none(dev: ModuleType, tmp_path: Path) -> None:
    assert dev.probe(tmp_path / "python3") is None


@needs_a_shell
def test_a_python_behind_a_dead_shim_on_the_path_is_a_candidate(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "python{}.{}".format(*THIS)
    shim, good = dead_shim(tmp_path / "shims" / name), living(tmp_path / "real" / name)
    monkeypatch.setenv("PATH", f"{shim.parent}:{good.parent}")
    paths = dev.candidates((THIS,))
    assert paths.index(shim) < paths.index(good)


@needs_a_shell
def test_a_python_in_a_pyenv_of_the_home_is_a_candidate(
    dev: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = living(tmp_path / ".pyenv" / "versions" / "3.12.1" / "bin" / "python3.12")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert python in dev.candidates(((3, 12),))


def test_without_a_python_the_reason_is_one_line(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dev, "candidates", lambda *_: [])
    with pytest.raises(dev.Stop, match=r"^no Python 3\.11 or newer[^\n]+$"):
        dev.any_python()


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_the_stamp_changes_with_the_settings(dev: ModuleType, root: Path, name: str) -> None:
    before = dev.stamp(root, root / ".venv")
    assert dev.stamp(root, root / ".venv") == before
    (root / name).write_text("changed\n", encoding="utf-8")
    assert dev.stamp(root, root / ".venv") != before


@needs_a_shell
def test_an_environment_is_ready_until_the_settings_change(dev: ModuleType, root: Path) -> None:
    folder = made_environment(dev, root)
    assert dev.state(folder, dev.stamp(root, folder)) == "ready"
    (root / "pyproject.toml").write_text("changed\n", encoding="utf-8")
    assert dev.state(folder, dev.stamp(root, folder)) == "outdated"


@needs_a_shell
def test_a_half_made_environment_is_broken(dev: ModuleType, root: Path) -> None:
    folder = made_environment(dev, root)
    (folder / dev.STAMP).unlink()
    assert dev.state(folder, dev.stamp(root, folder)) == "broken"


@needs_a_shell
def test_an_environment_whose_python_is_gone_is_broken(dev: ModuleType, root: Path) -> None:
    folder = made_environment(dev, root)
    dev.program(folder, "python").unlink()
    assert dev.state(folder, dev.stamp(root, folder)) == "broken"


@needs_a_shell
def test_an_environment_that_was_moved_is_broken(dev: ModuleType, root: Path) -> None:
    made_environment(dev, root).rename(root / ".venv-moved")
    assert dev.state(root / ".venv-moved", dev.stamp(root, root / ".venv-moved")) == "broken"


def test_a_child_may_keep_its_bytecode(dev: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert "PYTHONDONTWRITEBYTECODE" not in dev.environment()


def test_the_exit_code_of_a_child_is_passed_on(dev: ModuleType) -> None:
    assert dev.call([sys.executable, "-c", "raise SystemExit(7)"]) == 7


def test_an_unknown_command_exits_2_with_one_line() -> None:
    done = subprocess.run([sys.executable, str(DEV), "tets"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dev.py: no command 'tets'; did you mean 'test'?\n"


@pytest.mark.parametrize("words", [[], ["--help"]])
def test_help_names_every_command(dev: ModuleType, words: list[str]) -> None:
    done = subprocess.run([sys.executable, str(DEV), *words], capture_output=True, text=True, check=True)
    assert all(f"\n  {command} " in done.stdout for command in dev.COMMANDS)
