"""The repository is fit to be published: it names no machine and no package registry, and has one version number."""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Made from pieces, so that this file passes its own test.
REGISTRIES = [".".join(parts) for parts in (("pypi", "org"), ("python" + "hosted", "org"), ("anaconda", "org"))]
FOLDERS = ["work", "root", "home", "Users"]
REGISTRY = re.compile("|".join(map(re.escape, REGISTRIES)), re.IGNORECASE)
# A path that starts at one of the folders; not one that has it in the middle, as the address of a web page may.
MACHINE = re.compile(rf"(?<![\w.~)}}-])/(?:{'|'.join(FOLDERS)})/")


def listed() -> list[Path]:
    command = ["git", "ls-files", "-coz", "--exclude-standard"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as problem:
        pytest.skip(f"the files of the project cannot be listed without git: {problem}")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name]


def lines() -> Iterator[tuple[str, str]]:
    """Every line of every text file, with where it stands."""
    for path in listed():
        if not path.is_file():  # deleted but not yet committed, or a link to a folder
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), 1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def test_the_listing_sees_this_repository() -> None:
    assert {ROOT / "dev.py", ROOT / "pyproject.toml"} <= set(listed())


@pytest.mark.parametrize("pattern", [REGISTRY, MACHINE], ids=["registry", "machine"])
def test_no_text_file_names(pattern: re.Pattern[str]) -> None:
    assert [f"{place}: {line.strip()[:80]}" for place, line in lines() if pattern.search(line)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_path_of_a_machine_is_told_from_a_web_address(folder: str) -> None:
    assert MACHINE.search(f"see '/{folder}/someone/notes.txt'")
    assert not MACHINE.search(f"see https://www.example.org.uk/{folder}/page and {folder}/page")


def test_there_is_one_version_number() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    cited = re.search(r"^version: *\"?([^\"\n]+)\"?$", citation, re.MULTILINE)
    assert cited is not None and cited.group(1) == project["version"]
