"""Nothing is written outside the folder asked for, whatever anything is called."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import Final

import batch
import pytest

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments.design import check_outcomes
from carecommons.experiments.folder import Folder
from carecommons.experiments.store.publish import publish
from carecommons.founding.profile import load
from carecommons.scenario import Scenario

PARTS: Final = (
    "..", ".", "/", "\\", "~", "etc", "passwd", "out2", "out", "precious", "\0", "\n", "\r", " ", "con", "NUL",
    "aux.csv", "COM1", "LPT9.txt", "c:", "c:\\", "\\\\server\\share", "//", "%2e%2e%2f", "..%2f", "․․", "‥", "…",
    "／", "∕", "⁄", "＼", "．．", "а", "\u202e", "\u200b", "\ufeff", "*",
    "?", "|", "<", ">", '"', "'", "`", "$HOME",
    "$(touch x)", ";",
    "-rf", "x" * 300, "é" * 200, "summary.csv", "manifest.json", "results.sqlite", "lock", ".hidden",
    "a:b", "a.csv:stream",
)  # fmt: skip
OURS: Final = ("manifest.json", "lock")


def name(number: int) -> str:
    """A name that nobody should choose; each number always makes the same one."""
    if number < len(PARTS):
        return PARTS[number]
    luck = random.Random(number)
    joint = luck.choice(("", "/", "\\", ".", "/../", "../"))
    return joint.join(luck.choices(PARTS, k=luck.randrange(2, 6)))


NAMES: Final = [name(number) for number in range(1000)]


def seen(root: Path, apart_from: Path) -> dict[str, tuple[int, int, int]]:
    """What lies under `root` and was when changed, but for one folder."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [each for each in folders if Path(folder, each) != apart_from]
        for each in (*folders, *files):
            state = Path(folder, each).lstat()
            found[str(Path(folder, each))] = (state.st_mode, state.st_size, state.st_mtime_ns if each in files else 0)
    return found


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with neighbours that must stay as they are; results go to `out` within it."""
    for path in ("precious", "work/precious", "work/out2/summary.csv", "work/out2/precious", "work/ou/precious"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("mine")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def test_a_file_is_published_in_its_folder_or_refused(house: Path) -> None:
    out = house / "work" / "out"
    before = seen(house, out)
    taken = []
    for each in [*NAMES, str(house / "precious"), "../precious", "../out2/precious", "../out2"]:
        try:
            publish(out, {each: b"x"})
            taken.append(each)
        except InputError as error:
            assert str(error).isprintable() and len(str(error)) < 300
    assert seen(house, out) == before
    assert sorted(path.name for path in out.iterdir()) == sorted({*taken, "manifest.json"})
    assert not {*taken} & {*OURS} and all(each.isascii() and len(each) <= 100 for each in taken)


def test_links_that_lie_in_the_folder_lead_nowhere(house: Path) -> None:
    out = house / "work" / "out"
    out.mkdir()
    (out / "summary.csv").symlink_to(house / "precious")
    (out / ".runs.csv.part").symlink_to(house / "precious")
    publish(out, {"runs.csv": b"x"})
    with pytest.raises(InputError, match="is of something else"):
        publish(out, {"summary.csv": b"x"})
    publish(out, {"summary.csv": b"x"}, force=True)
    assert (house / "precious").read_text() == "mine" and (out / "summary.csv").read_bytes() == b"x"


def test_a_manifest_takes_away_nothing_that_lies_elsewhere(house: Path) -> None:
    out = house / "work" / "out"
    publish(out, {"a.csv": b"x"})
    manifest = out / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"a.csv"', '"../out2/precious"'))
    before = seen(house, out)
    publish(out, {"a.csv": None, "b.csv": b"y"}, force=True)
    assert seen(house, out) == before


def test_no_name_is_an_outcome_and_reading_a_place_or_scenario_of_any_name_writes_nothing(house: Path) -> None:
    before = seen(house, house / "work" / "out")
    for each in NAMES:
        with pytest.raises(InputError):
            check_outcomes([each])
        for reading in (load, Scenario.load):
            with pytest.raises(CareCommonsError):
                reading(each)
    assert seen(house, house / "work" / "out") == before


def test_a_scenario_of_any_name_is_kept_in_its_folder(house: Path) -> None:
    out = house / "work" / "out"
    before = seen(house, out)
    with Folder(out, "e") as folder:
        for number, each in enumerate(NAMES):
            text = Scenario.of({"name": each[:80]}).to_toml()
            folder.add(f"scenario{number}.toml", text.encode())
        folder.describe({"kind": "run", "name": NAMES})
    assert seen(house, out) == before
    assert len(list(out.iterdir())) == len(NAMES) + 1


SMALL: Final = ["--citizens", "30", "--months", "1"]


def study(title: str) -> str:
    """A small experiment of that title."""
    written = Scenario.of({"name": title[:80]}).to_toml().partition("name = ")[2].partition("\n")[0]
    return (
        f"title = {written}\nreplicates = 1\n[scenario]\nname = {written}\nplace = 'derby'\ncitizens = 30\nmonths = 1\n"
        "[vary]\n'council.funding' = [0.9, 1.0]\n"
    )


@pytest.mark.parametrize("each_so_many", [250, pytest.param(60, marks=pytest.mark.slow)])
def test_commands_write_into_their_folder_alone(house: Path, each_so_many: int) -> None:
    out = house / "work" / "out"
    chosen = [each for each in NAMES if "\0" not in each][::each_so_many]
    (out / "in").mkdir(parents=True)
    lines = []
    for number, each in enumerate(chosen):
        (out / "in" / f"{number}.toml").write_text(study(each), encoding="utf-8")
        to = ["-o", f"out/{number}"]
        lines += [
            ["run", "derby", *SMALL, "--set", f"name={each}", *to, "--force"],
            ["sweep", f"out/in/{number}.toml", "-j", "1", *to, "--force"],
            ["sweep", "derby", *SMALL, "-r", "1", "--vary", "council.funding=1,2", "--outcome", each, *to, "--force"],
            ["sweep", "derby", *SMALL, "-r", "1", "--vary", f"place=derby,{each}", *to, "--force"],
            ["run", each, *to], ["status", each], ["compare", "derby", each, *SMALL, "-r", "2", *to, "--force"],
        ]  # fmt: skip
    before = seen(house, out)
    for line, (code, said, _) in zip(lines, batch.commands(lines, house / "work"), strict=True):
        assert code in (0, 2, 4), (line, code, said)
        assert said.count("\n") <= 1 or code == 0, (line, said)
    assert seen(house, out) == before


def test_a_folder_whose_name_begins_like_another_is_another(house: Path) -> None:
    out, lines = house / "work" / "out", [["run", "derby", *SMALL, "-o", "out"], ["run", "derby", *SMALL, "-o", "out2"]]
    before = seen(house, out)
    (fine, *_), (refused, said, _) = batch.commands(lines, house / "work")
    assert (fine, refused) == (0, 4) and "holds other files" in said
    assert seen(house, out) == before
    for where in (
        str(house / "work" / "out2" / "precious"),
        "../out2/precious",
        "..\\out2\\precious",
        "/out2",
        "out2/..",
    ):
        with pytest.raises(InputError):
            publish(out, {where: b"x"})
    assert seen(house, out) == before
