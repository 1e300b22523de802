"""The command line: one line for whatever is wrong, tables for people, JSON for programs."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pandas as pd
import pytest
from click.testing import CliRunner, Result

from carecommons import __version__
from carecommons.cli import cli
from carecommons.experiments import levels, study
from carecommons.experiments.campaign import known_in
from carecommons.experiments.folder import MANIFEST
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import register

ROOT = Path(__file__).resolve().parents[1]
SMALL = "--citizens 60 --months 2"
COMMANDS = [
    "appraise", "compare", "diff", "discover", "export", "merge", "outcomes", "params", "places", "ranks", "repair",
    "reproduce", "retry", "run", "sensitivity", "status", "sweep", "validate", "variance",
]  # fmt: skip


def carecommons(words: str | Sequence[str], where: Path | None = None) -> Result:
    """Run a command line, in `where` if given."""
    before = Path.cwd()
    try:
        os.chdir(where or before)
        return CliRunner().invoke(cli, shlex.split(words) if isinstance(words, str) else words)
    finally:
        os.chdir(before)


def ran(words: str | Sequence[str], where: Path | None = None) -> str:
    """What a command that must succeed prints, with nothing on stderr."""
    result = carecommons(words, where)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


# --- bad input: what is typed, and what the line must name ---

BAD: list[tuple[str, list[str]]] = [
    ("rnu derby", ["'rnu'", "did you mean 'run'?"]),
    ("frobnicate", ["'frobnicate'", "the commands are appraise, compare, diff"]),
    ("run", ["SUBJECT"]),
    ("run derby wigan", ["wigan"]),
    ("run derbyy", ["no place 'derbyy'", "did you mean 'derby'?"]),
    ("run ''", ["no place ''", "derby"]),
    ("run nowhere.toml", ["nowhere.toml: no such file"]),
    ("run min.toml", ["min.toml: no such file", "did you mean 'mine.toml'?"]),
    ("run broken.toml", ["broken.toml", "not TOML", "line 1"]),
    ("run typo.toml", ["typo.toml", "'council.fundng'", "did you mean 'council.funding'?"]),
    ("run range.toml", ["range.toml", "council.funding = -1.0", "0 to 10 x today's spend"]),
    ("run study.toml", ["study.toml", "only 'sweep'"]),
    ("run derby --monhts 3", ["--monhts", "--months"]),
    ("run derby --months -1", ["--months", "months = -1", "0 to 1200 months"]),
    ("run derby --months two", ["--months", "'two'", "whole number"]),
    ("run derby --citizens -5", ["--citizens", "citizens = -5", "0 to 60000000 adults"]),
    ("run derby --citizens 99999999999", ["--citizens", "99999999999", "60000000"]),
    ("run derby --seed -1", ["--seed", "-1", "0 to 9223372036854775807"]),
    ("run derby --seed 1.5", ["--seed", "'1.5'"]),
    ("run derby --set council.fundng=1", ["--set", "'council.fundng'", "did you mean 'council.funding'?"]),
    ("run derby --set council.funding=-1", ["--set", "council.funding = -1", "0 to 10"]),
    ("run derby --set council.funding=nan", ["council.funding = nan", "finite"]),
    ("run derby --set council.funding=lots", ["council.funding = 'lots'", "not a number"]),
    ("run derby --set council.funding", ["'council.funding'", "key=value"]),
    ("run derby --set council.shares=[0.5,0.2,0.2]", ["council.shares = [0.5, 0.2, 0.2] sums to 0.9", "must be 1"]),
    ("run derby --set council.shares=[0.5,0.5]", ["council.shares", "holds 2 values", "must hold 3"]),
    ("run derby --set assessment.threshold=1.5", ["assessment.threshold = 1.5", "whole number"]),
    ("run derby --set assessment.stance=deficient", ["assessment.stance", "did you mean 'deficit'?"]),
    ("run derby --set months=3 --set months=4", ["'months'", "twice"]),
    ("run derby --set place=derbyy", ["no place 'derbyy'"]),
    ("run derby -o file", ["file: is a file"]),
    ("run derby -o full", ["full: holds other files", "--force"]),
    ("sweep derby", ["nothing to vary", "--vary"]),
    ("sweep nowhere.toml", ["nowhere.toml: no such file"]),
    ("sweep typo_study.toml", ["typo_study.toml", "'replicats'", "did you mean 'replicates'?"]),
    ("sweep bad_vary.toml", ["bad_vary.toml: vary", "'council.fundng'", "did you mean 'council.funding'?"]),
    ("sweep bad_range.toml", ["bad_range.toml", "council.funding = 11.0", "0 to 10"]),
    ("sweep bad_outcome.toml", ["bad_outcome.toml: outcomes", "'isolatoin'", "did you mean 'isolation'?"]),
    ("sweep derby --vary council.fundin=0:1:2", ["--vary", "'council.fundin'", "did you mean 'council.funding'?"]),
    ("sweep derby --vary council.funding", ["--vary", "key=from:to:levels"]),
    ("sweep derby --vary council.funding=0.7:1.3:0", ["0 levels", "1 to 1000"]),
    ("sweep derby --vary council.funding=0.7:11:3", ["--vary", "council.funding = 11.0", "0 to 10"]),
    ("sweep derby --vary council.funding=a:b:3", ["council.funding = 'a:b:3'", "must be from:to:levels"]),
    ("sweep derby --vary council.funding=0.8:1.2", ["council.funding = '0.8:1.2' must be from:to:levels, levels 2 to"]),
    ("sweep derby --vary council.funding=1,1.0", ["council.funding", "same level twice"]),
    ("sweep derby --vary assessment.threshold=1:5:4", ["assessment.threshold", "whole numbers"]),
    ("sweep derby --vary council.funding=1,2 --set council.funding=1", ["'council.funding'", "both set and varied"]),
    ("sweep derby --vary months=1,2 --months 3", ["'months'", "both set and varied"]),
    ("sweep derby --vary council.funding=1,2 -r 0", ["--replicates = 0", "1 to 1000000"]),
    ("sweep derby --vary council.funding=1,2 -j 0", ["--jobs = 0", "1 to 1024"]),
    ("sweep derby --vary council.funding=1,2 --outcome isolatoin", ["--outcome", "did you mean 'isolation'?"]),
    ("sweep derby --vary council.funding=0:1:999 --vary need.isolation_effect=1:2:999", ["998,001 cells", "10,000"]),
    ("compare derby", ["--but key=value"]),
    ("compare derby wiggan", ["no place 'wiggan'", "did you mean 'wigan'?"]),
    ("compare derby --but council.fundin=1", ["--but", "did you mean 'council.funding'?"]),
    ("compare derby --but citizens=3", ["citizens = 10000 and 3", "must be equal"]),
    ("compare derby mine.toml", ["months = 120 and 7", "must be equal"]),
    ("params zzzz", ["nothing about 'zzzz'"]),
    ("params --role levr", ["'levr'", "'lever'"]),
    ("outcomes zzzz", ["nothing about 'zzzz'"]),
    ("validate englnd", ["no place 'englnd'", "did you mean 'england'?"]),
    ("validate --months 3", ["months = 3", "at least 12"]),
]  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with good and bad files."""
    folder = tmp_path_factory.mktemp("desk")
    vary = '[scenario]\nplace = "derby"\n[vary]\n'
    for name, text in {
        "mine.toml": 'place = "derby"\nmonths = 7\n',
        "broken.toml": "place = ",
        "typo.toml": "[council]\nfundng = 1\n",
        "range.toml": "[council]\nfunding = -1\n",
        "study.toml": vary + '"council.funding" = [1, 2]\n',
        "typo_study.toml": "replicats = 3\n" + vary,
        "bad_vary.toml": vary + '"council.fundng" = [1]\n',
        "bad_range.toml": vary + '"council.funding" = "0.7:11:3"\n',
        "bad_outcome.toml": 'outcomes = ["isolatoin"]\n' + vary + '"council.funding" = [1]\n',
        "file": "",
    }.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "full").mkdir()
    (folder / "full" / "notes.txt").write_text("mine")
    return folder


STORE = {"results.sqlite", "lock", MANIFEST, "runs.csv", "parameters.csv", "series.csv", "summary.csv", "failures.csv"}


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("words", "named"), BAD, ids=[words for words, _ in BAD])
def test_bad_input_is_one_line_that_names_it_and_nothing_is_written(words: str, named: list[str], desk: Path) -> None:
    before = everything(desk)
    result = carecommons(words, desk)
    assert result.exit_code == (4 if "holds other files" in result.stderr else 2)
    assert isinstance(result.exception, SystemExit)
    assert result.stdout == ""
    assert result.stderr.startswith("carecommons: ") and result.stderr.endswith("\n")
    assert result.stderr.count("\n") == 1
    assert all(part in result.stderr for part in named), result.stderr
    assert everything(desk) == before


# --- what is legal runs, however small ---


@pytest.mark.parametrize("size", ["--citizens 0", "--citizens 1", "--months 0", "--citizens 0 --months 0"])
def test_the_smallest_places_and_times_run_without_a_word(size: str, tmp_path: Path) -> None:
    most = size if "--months" in size else f"{size} --months 2"
    most = most if "--citizens" in most else f"{most} --citizens 30"
    ran(f"run derby {most} -o {tmp_path / 'run'}")
    ran(f"sweep derby --vary council.funding=0,1 --vary assessment.threshold=0,11 {most} -r 2 -j 1 -o {tmp_path / 's'}")
    ran(f"compare derby --but council.funding=0 {most} -r 2 -j 1 -o {tmp_path / 'c'}")
    for words in ("run derby", "sweep derby --vary council.funding=0,1 -r 1 -j 1",
                  "compare derby --but council.funding=0 -r 1 -j 1"):  # fmt: skip
        assert json.loads(ran(f"{words} {most} --json"))


# --- what people see ---


def test_a_run_is_a_table_and_a_next_step() -> None:
    shown = ran(f"run derby {SMALL}")
    assert shown.startswith("Derby: 60 citizens, 2 months, seed 1")
    assert shown.splitlines()[-1].startswith("Next: ")
    assert "loneliness" in shown and "groups that meet" not in shown
    assert "groups that meet" in ran(f"run derby {SMALL} --all")


def test_a_run_keeps_what_it_found(tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = ran(f"run derby {SMALL} --set council.funding=0.9 --seed 4 -o {out}")
    assert f"look at {out / 'outcomes.png'}" in shown
    assert {path.name for path in out.iterdir()} == {
        "series.csv", "scenario.toml", "outcomes.png", "outcomes.svg", MANIFEST,
    }  # fmt: skip
    assert list(pd.read_csv(out / "series.csv").columns) == ["month", *BY_NAME]
    again = json.loads(ran(f"run {out / 'scenario.toml'} --seed 4 --json"))
    told = json.loads(ran(f"run derby {SMALL} --set council.funding=0.9 --seed 4 --json"))
    assert again == told
    assert told["scenario"]["council.funding"] == 0.9 and len(told["series"]) == 2
    assert json.loads((out / MANIFEST).read_text())["seeds"] == [4]


def test_a_sweep_is_tables_maps_and_a_next_step(tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = ran(
        f"sweep derby --vary council.funding=0.5:1:2 --vary assessment.threshold=1,2 {SMALL} -r 2 -j 1 "
        f"--outcome isolation --outcome requests -o {out}"
    )
    assert "Isolation (% of adults)" in shown and "Requests for support (requests per 1,000 adults)" in shown
    assert "isolation.png" in shown.splitlines()[-1] and shown.splitlines()[-1].startswith("Next: ")
    assert {path.name for path in out.iterdir()} == {
        *STORE, "scenario.toml", "isolation.png", "isolation.svg", "requests.png", "requests.svg",
    }  # fmt: skip
    manifest = json.loads((out / MANIFEST).read_text())
    assert manifest["design"]["factors"] == {"council.funding": [0.5, 1.0], "assessment.threshold": [1, 2]}
    assert (manifest["design"]["seed"], manifest["design"]["replicates"]) == (1, 2)
    assert (manifest["runs"], manifest["versions"]["carecommons"]) == ({"done": 8, "failed": 0}, __version__)
    assert "funding = 1.0" in (out / "scenario.toml").read_text()


def test_an_experiments_file_can_be_made_smaller_by_options(tmp_path: Path) -> None:
    words = f"sweep {ROOT / 'experiments' / 'funding_eligibility.toml'} {SMALL} -r 1 -j 1 --vary council.funding=1,2"
    told = json.loads(ran(f"{words} --json"))
    assert (told["replicates"], told["months"], len(told["cells"])) == (1, 2, 10)
    assert told["title"] in ran(words)


def test_more_factors_than_a_picture_holds_are_swept_without_one(tmp_path: Path) -> None:
    out = tmp_path / "out"
    factors = "--vary council.funding=1,2 --vary assessment.threshold=1,2 --vary council.legal_floor=true,false"
    ran(f"sweep derby {factors} {SMALL} -r 1 -j 1 -o {out}")
    assert not list(out.glob("*.png")) and len(pd.read_csv(out / "summary.csv")) == 8


def test_a_comparison_says_what_differs_and_where_care_went(tmp_path: Path, desk: Path) -> None:
    out = tmp_path / "out"
    shown = ran(f"compare derby --but council.funding=0.5 {SMALL} -r 2 -j 1 -o {out}")
    assert shown.startswith("council.funding: 1.0 in a, 0.5 in b") and "deferred" not in shown
    assert all(part in shown for part in ("variance", "prevented", "met elsewhere", "deterred", "delayed", "Next: "))
    assert {path.name for path in out.iterdir()} == {
        *STORE, "table.csv", "pairs.csv", "attribution.csv", "scenario_a.toml", "scenario_b.toml", "differences.png",
        "differences.svg",
    }  # fmt: skip
    told = json.loads(ran(f"compare derby mine.toml {SMALL} --set council.funding=0.5 -r 2 -j 1 --json", desk))
    assert told["changes"] == {} and {row["difference"] for row in told["table"]} <= {0, None}


def test_a_folder_of_the_same_experiment_is_replaced_and_another_is_not(tmp_path: Path) -> None:
    words = f"run derby {SMALL} -o {tmp_path / 'out'}"
    ran(words)
    ran(words)
    result = carecommons(f"{words} --seed 2")
    assert result.exit_code == 4 and "another experiment" in result.stderr
    ran(f"{words} --seed 2 --force")


def test_places_are_listed() -> None:
    shown = ran("places")
    rows = json.loads(ran("places --json"))
    assert len(rows) >= 13 and rows[0]["place"] == "england"
    assert all(row["place"] in shown for row in rows)


def test_the_register_is_printed_with_every_part_of_every_parameter() -> None:
    rows = json.loads(ran("params --json"))
    assert [row["key"] for row in rows] == [each.key for each in register()]
    assert all(row["unit"] and row["source"] and row["grade"] in "ABCD" and row["role"] for row in rows)
    shown = ran("params council.funding")
    assert "council.funding = 1.0 x today's spend" in shown and "0 to 10, lever, grade A" in shown
    assert {row["role"] for row in json.loads(ran("params --role lever --json"))} == {"lever"}
    assert len(json.loads(ran("params isolat --json"))) < len(rows)


def test_the_outcomes_are_printed_with_name_unit_definition_and_direction() -> None:
    rows = json.loads(ran("outcomes --json"))
    assert [row["name"] for row in rows] == list(BY_NAME)
    assert all(row["unit"] and row["definition"] and row["good"] in ("up", "down", "neither") for row in rows)
    assert "latent" in ran("outcomes demand") and "ucla" not in ran("outcomes demand")


def test_validation_sets_a_run_beside_published_figures(tmp_path: Path) -> None:
    out = tmp_path / "out"
    shown = ran(f"validate --citizens 300 --months 12 -r 1 -o {out}")
    assert "simulated" in shown and "published" in shown and ("pass" in shown or "MISS" in shown)
    rows = json.loads(ran("validate --citizens 300 --months 12 -r 1 --json"))
    assert {"key", "value", "simulated", "passes", "why"} <= set(rows[0])
    assert len(pd.read_csv(out / "validation.csv")) == len(rows)


# --- help ---


def helps() -> list[tuple[str, click.Command]]:
    return [("", cli), *((f"{name} ", cli.commands[name]) for name in COMMANDS)]


def test_the_commands_are_these() -> None:
    assert sorted(cli.commands) == COMMANDS
    assert ran("") == ran("--help")
    assert ran("--version") == f"carecommons {__version__}\n"


@pytest.mark.parametrize(("name", "command"), helps(), ids=[name or "carecommons" for name, _ in helps()])
def test_help_has_an_example_that_parses(name: str, command: click.Command) -> None:
    lines = [line.strip() for line in ran(f"{name}--help").split("Example:")[1].splitlines() if line.strip()]
    assert lines
    for line in lines:
        program, word, *rest = shlex.split(line)
        assert program == "carecommons"
        if word in cli.commands:
            context = cli.commands[word].make_context(word, list(rest))
            levels.parse_vary(context.params.get("varies", ()))
            levels.parse_set((*context.params.get("sets", ()), *context.params.get("buts", ())))
            subject = context.params.get("subject")
            if subject not in (None, "mine.toml") and not subject.startswith("experiments/"):
                study.subject(subject)


def test_help_needs_nothing_heavy() -> None:
    heavy = {"mesa", "numba", "numpy", "pandas", "matplotlib", "scipy", "networkx", "pydantic", "rich"}
    code = f"import sys, carecommons.cli; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


# --- the program as it is started ---


def program(*words: str, **more: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **more.pop("env", {})}
    return subprocess.run([sys.executable, "-m", "carecommons", *words], env=environment, capture_output=True, **more)


def test_python_m_carecommons_is_carecommons() -> None:
    done = program("--version")
    assert (done.returncode, done.stdout) == (0, f"carecommons {__version__}\n".encode())
    bad = program("run", "derbyy")
    assert bad.returncode == 2 and bad.stderr.count(b"\n") == 1 and b"Traceback" not in bad.stderr


def test_workers_and_hash_seeds_do_not_change_a_byte(tmp_path: Path) -> None:
    words = f"sweep derby --vary council.funding=0.5,1 --vary assessment.threshold=1:3:2 {SMALL} -r 2"
    found = []
    for jobs, seed in (("1", "0"), ("2", "1")):
        out = tmp_path / jobs
        done = program(*shlex.split(words), "-j", jobs, "-o", str(out), env={"PYTHONHASHSEED": seed})
        assert (done.returncode, done.stderr) == (0, b"")
        files = everything(out)
        for name in ("results.sqlite", "lock", MANIFEST):  # they say when, where and by whom
            files.pop(name)
        found.append((files, re.sub(rb"look at.*", b"", done.stdout)))
    assert found[0] == found[1]
    assert len(found[0][0]) == 10


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(
    ("sent", "code", "jobs"), [(signal.SIGINT, 130, "1"), (signal.SIGINT, 130, "2"), (signal.SIGTERM, 143, "2")]
)
def test_a_signal_stops_it_in_one_line_that_says_how_to_go_on(sent: int, code: int, jobs: str, tmp_path: Path) -> None:
    words = "sweep derby --vary council.funding=0.5:1.5:101 --citizens 500 --months 12 -r 99"
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "carecommons", *shlex.split(words), "-j", jobs, "-o", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    while not (out / "results.sqlite").exists() or not known_in(out):  # the first run is kept
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(sent)
    said, errors = process.communicate(timeout=60)
    assert (process.returncode, said) == (code, b"")
    line = errors.decode()
    assert line.startswith("carecommons: stopped; the runs that ended are kept, go on with: carecommons sweep derby ")
    assert line.endswith(f"-o {out}\n") and line.count("\n") == 1
    assert {each.name for each in out.iterdir()} <= {"results.sqlite", "lock", MANIFEST}
    assert known_in(out)


def test_a_sweep_from_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "study.py"
    script.write_text(
        "import carecommons as cc\n"
        "base = cc.Scenario(place='derby', citizens=60, months=2)\n"
        "print(cc.sweep(base, {'council.funding': [1, 2]}, replicates=2, jobs=2))\n",
        encoding="utf-8",
    )
    home = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, env=home)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Sweep of derby: council.funding (2), 2 cells, 2 replicates")
