"""Folders of results on the command line: how they stand, what they say, and how they become one or leave."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import carecommons as cc
from carecommons.experiments import performing
from carecommons.experiments.provenance import versions
from carecommons.experiments.store import database
from carecommons.experiments.store.database import Store
from test_cli import SMALL, carecommons, ran

SWEEP = f"sweep derby --vary council.funding=0.5,1.0 {SMALL} -r 2 -j 1"


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep of four runs."""
    folder = tmp_path_factory.mktemp("swept") / "out"
    ran(f"{SWEEP} -o {folder}")
    return folder


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a comparison of three pairs over a year."""
    folder = tmp_path_factory.mktemp("compared") / "out"
    ran(f"compare derby --but council.funding=0.5 --citizens 120 --months 12 -r 3 -j 1 -o {folder}")
    return folder


def test_a_folder_says_how_it_stands(swept: Path) -> None:
    told = json.loads(ran(f"status {swept} --json"))
    assert (told["kind"], told["done"], told["failed"], told["missing"]) == ("sweep", 4, 0, 0)
    assert told["written now by"] == "nobody" and told["code"] == "today's"
    shown = ran(f"status {swept}")
    assert "carecommons sweep" not in shown.splitlines()[-1] and shown.splitlines()[-1].startswith("Next: look at ")


def test_runs_are_done_again_and_told_from_what_is_held(
    swept: Path, compared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = ran(f"reproduce {swept} --runs 2 -j 1")
    assert "2 of 2 runs done again are the same to the last bit" in shown
    assert shown.endswith(f"Next: 'carecommons reproduce {swept} --runs 4' does all of them.\n")
    told = json.loads(ran(f"reproduce {compared} -j 1 --json"))
    assert (told["same"], told["held"], len(told["runs"]), told["notes"]) == (True, 3, 3, [])
    honest = performing.measure
    monkeypatch.setattr(performing, "measure", lambda place: honest(place) + 1)
    result = carecommons(f"reproduce {swept} --runs 1 -j 1")
    assert result.exit_code == 4 and "month 1" in result.stdout and "Next:" not in result.stdout
    assert result.stderr == (
        f"carecommons: {swept} holds other numbers than 1 of 1 runs gave now; "
        "neither code, places, libraries nor machine have changed\n"
    )
    monkeypatch.setattr(performing, "measure", lambda place: honest(place)[:2])
    result = carecommons(f"reproduce {swept} --runs 1 -j 1")
    assert (result.exit_code, result.stderr) == (3, f"carecommons: 1 of 1 runs of {swept} could not be done again\n")


def test_a_dry_run_runs_nothing_and_says_what_it_would_take(tmp_path: Path, swept: Path) -> None:
    shown = ran(f"{SWEEP} -o {swept} --dry-run")
    assert "runs: 4, of which 4 are done and 0 to do" in shown and "memory: about" in shown
    shown = ran(f"{SWEEP} -o {tmp_path / 'new'} --dry-run")
    assert "4 to do" in shown and "time: about" in shown and not (tmp_path / "new").exists()


def test_a_design_of_correlated_inputs_is_refused_unless_forced() -> None:
    overs = "--over asking.door=0.5:1 --over ties.meet=0.4:0.6 --over need.shock=0.001:0.004"
    words = f"sweep derby --sample lhs:3 {overs} {SMALL} -r 1 -j 1"
    result = carecommons(words)
    assert result.exit_code == 2 and "correlat" in result.stderr and "--force-design" in result.stderr
    assert result.stderr.count("\n") == 1
    ran(f"{words} --force-design")


def test_parts_that_do_not_fill_a_grid_are_a_list_without_a_picture(tmp_path: Path) -> None:
    study = tmp_path / "study.toml"
    part = '[[part]]\nvary = {{ "council.funding" = [{}], "asking.door" = [{}] }}\n'
    study.write_text('[scenario]\nplace = "derby"\n' + part.format("0.5, 1.0", 1.0) + part.format(1.0, 0.5))
    assert "3 cells" in ran(f"sweep {study} {SMALL} -r 1 -j 1 -o {tmp_path / 'out'}")
    assert not list((tmp_path / "out").glob("*.png"))


def test_shards_of_a_sweep_become_the_same_folder(tmp_path: Path, swept: Path) -> None:
    folder = tmp_path / "out"
    for part in (2, 1):
        assert "carecommons merge" in ran(f"{SWEEP} -o {folder} --shard {part}/2")
        status = json.loads(ran(f"status {folder / f'shard-{part}-of-2'} --json"))
        assert (status["shard"], status["done"], status["missing"]) == (f"{part}/2", 2, 0)
        assert "carecommons merge" in ran(f"status {folder / f'shard-{part}-of-2'}")
    assert not (folder / "results.sqlite").exists()
    result = carecommons(f"status {folder}")
    assert result.exit_code == 2 and "shard-1-of-2" in result.stderr and "carecommons merge" in result.stderr
    assert "4 runs are done, 0 have failed, 0 are missing" in ran(f"merge {folder}")
    assert "shard" not in json.loads(ran(f"status {folder} --json"))
    for name in ("runs.csv", "summary.csv", "series.csv", "isolation.png", "scenario.toml"):
        assert (folder / name).read_bytes() == (swept / name).read_bytes(), name
    result = carecommons(f"{SWEEP} --shard 1/2")
    assert result.exit_code == 2 and "--shard" in result.stderr
    for part in ("9/8", "01/2", "0/2", "1", "../1"):
        result = carecommons(f"{SWEEP} -o {tmp_path / 'bad'} --shard {part}")
        assert result.exit_code == 2 and "shard" in result.stderr and not (tmp_path / "bad").exists(), part


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_tables_are_exported(form: str, swept: Path, tmp_path: Path) -> None:
    if form == "parquet":
        pytest.importorskip("pyarrow")
    shown = ran(f"export {swept} {tmp_path / 'tables'} --format {form}")
    assert f"summary.{form}" in shown
    read = pd.read_csv if form == "csv" else pd.read_parquet
    assert len(read(tmp_path / "tables" / f"runs.{form}")) == 4


def test_runs_made_with_another_version_of_a_library_are_kept_and_said(
    tmp_path: Path, swept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    with monkeypatch.context() as earlier:
        earlier.setattr(database, "versions", lambda: {**versions(), "numpy": "1.99.0"})
        assert "note" not in carecommons(f"{SWEEP} -r 1 -o {folder}").stderr
    shown = carecommons(f"{SWEEP} -o {folder}")
    assert shown.exit_code == 0 and f"numpy 1.99.0 and {versions()['numpy']}" in shown.stderr
    assert f"numpy 1.99.0 and {versions()['numpy']}" in ran(f"status {folder}")
    assert json.loads(ran(f"status {swept} --json"))["mixed versions"] == "none"


def test_a_damaged_folder_is_named_and_mended_and_goes_on(tmp_path: Path, swept: Path) -> None:
    folder = tmp_path / "out"
    ran(f"{SWEEP} -o {folder}")
    file = folder / "results.sqlite"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    for words in (f"status {folder}", f"{SWEEP} -o {folder}", f"ranks {folder}"):
        result = carecommons(words)
        assert result.exit_code == 4 and f"carecommons repair {folder}" in result.stderr, words
    assert "damaged-1" in ran(f"repair {folder}")
    ran(f"{SWEEP} -o {folder}")
    assert (folder / "runs.csv").read_bytes() == (swept / "runs.csv").read_bytes()


def test_a_comparison_says_whether_it_converged(tmp_path: Path) -> None:
    words = f"compare derby --but council.funding=0.5 {SMALL} -j 1 --until 0.0001 --on unmet_hours --at-most 15"
    assert "unmet_hours not converged: half-width" in ran(words)
    told = json.loads(ran(f"{words} --json"))
    assert told["verdict"]["converged"] is False and told["verdict"]["pairs"] == 15
    result = carecommons(f"compare derby --but council.funding=0.5 {SMALL} --on funded")
    assert result.exit_code == 2 and "--until" in result.stderr


def test_what_failed_is_run_once_more(swept: Path, tmp_path: Path) -> None:
    assert "nothing" in ran(f"retry {swept} -j 1")
    result = carecommons(f"retry {tmp_path} -j 1")
    assert result.exit_code == 2 and "holds no runs" in result.stderr


def test_retrying_a_sweep_that_was_stopped_says_what_is_missing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"{SWEEP} -o {folder} --shard 1/2")
    shard = folder / "shard-1-of-2"
    assert f"carecommons merge {folder}" in ran(f"retry {shard} -j 1").splitlines()[-1]
    ran(f"merge {folder}")
    told = ran(f"retry {folder} -j 1").splitlines()[-1]
    assert "2 runs are left" in told and told.startswith("Next: nothing in") and "summary.csv" not in told


def test_after_a_merge_of_some_shards_the_rest_is_asked_for_without_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for part in (1, 2):
        words = f"{SWEEP} -o out --shard {part}/2"
        monkeypatch.setattr("sys.argv", ["carecommons", *words.split()])
        ran(words)
        if part == 1:
            for said in (ran("merge out"), ran("status out")):
                assert f"2 runs are left: carecommons {SWEEP} -o out" in said.replace(";", ".") and "--shard" not in (
                    said.splitlines()[-1])  # fmt: skip
    assert "Next: bring in what its shards hold: carecommons merge out." in ran("status out")
    assert "out/summary.csv" in ran("merge out")


@pytest.mark.parametrize("words", [
    "status {file}", "ranks {file}", "retry {file}", "repair {file}",
    "merge {file} {swept}", "merge new {swept} {file}", "merge new {swept} nosuch",
    "status {swept}/summary.csv", "export {swept} {file}", "export {swept} {file}/x",
    "run derby -o {file}", "run derby -o {file}/x", "sweep derby --vary council.funding=1 -o {file}/x -r 1 -j 1",
    "compare derby --but council.funding=0.5 -o {file}/x -r 1 -j 1",
])  # fmt: skip
def test_a_path_that_is_no_folder_is_bad_input(words: str, swept: Path, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("mine")
    words = words.format(file="notes.md", swept=swept) + (f" {SMALL}" if " derby " in words else "")
    result = carecommons(words, tmp_path)
    assert result.exit_code == 2 and result.stderr.count("\n") == 1 and result.stdout == ""
    assert "nosuch: holds no runs" in result.stderr or "is a file, must be a folder" in result.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["notes.md"]
    assert (tmp_path / "notes.md").read_text() == "mine"


def test_a_folder_that_holds_something_else_is_left_with_4(swept: Path, compared: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    ran(f"run derby {SMALL} -o {tmp_path / 'ran'}")
    for words in (
        f"run derby {SMALL} -o {tmp_path / 'mine'}", f"run derby {SMALL} --seed 7 -o {tmp_path / 'ran'}",
        f"run derby {SMALL} -o {swept} --force", f"{SWEEP} -o {tmp_path / 'mine'}", f"{SWEEP} -o {tmp_path / 'ran'}",
        f"{SWEEP} -o {compared}", f"export {swept} {tmp_path / 'ran'}",
    ):  # fmt: skip
        result = carecommons(words)
        assert result.exit_code == 4 and result.stderr.count("\n") == 1, words
        assert "choose another folder" in result.stderr, words
    assert "kind was comparison, now sweep;" in carecommons(f"{SWEEP} -o {compared}").stderr
    assert len(json.loads(ran(f"status {swept} --json"))) > 0


def test_a_database_that_is_gone_is_said_to_be_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    words = f"{SWEEP} -o out"
    monkeypatch.setattr("sys.argv", ["carecommons", *words.split()])
    ran(words)
    (tmp_path / "out" / "results.sqlite").unlink()
    first, second = ran("repair out").splitlines()
    assert first == "results.sqlite: is missing"
    assert second.startswith("All runs are lost, ") and second.endswith(f"the same command again: carecommons {words}")
    assert ran("status out").splitlines()[-1].endswith(f": carecommons {words}.")


def test_two_commands_cannot_write_one_folder(swept: Path) -> None:
    with Store.read(swept) as held:
        identity = held.identity
    with Store.write(swept, identity, command="carecommons sweep, in another window"):
        result = carecommons(f"{SWEEP} -o {swept}")
    assert result.exit_code == 4 and "is being written by process" in result.stderr and result.stderr.count("\n") == 1


def test_findings_are_told_in_words_and_as_json(swept: Path) -> None:
    for command in ("ranks", "variance"):
        assert json.loads(ran(f"{command} {swept} --on isolation --json"))
        assert "isolation" in ran(f"{command} {swept} --on isolation")
    result = carecommons(f"ranks {swept} --on isolatoin")
    assert result.exit_code == 2 and "did you mean 'isolation" in result.stderr
    result = carecommons(f"sensitivity {swept}")
    assert result.exit_code == 2 and "--sample" in result.stderr


def test_where_something_happens_is_asked_in_words(swept: Path) -> None:
    assert "unmet_hours rises" in ran(f"discover {swept} --where unmet_hours=rises")
    assert "1 cases" in ran(f"discover {swept} --where unmet_hours=rises --against council.funding=1.0")
    result = carecommons(f"discover {swept} --where unmet_hours=grows")
    assert result.exit_code == 2 and "'rises'" in result.stderr


def test_what_screening_finds_is_told(tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    folder = tmp_path / "screen"
    ran(
        f"sweep derby --sample morris:4 --over asking.door=0.5:1 --over ties.meet=0.4:0.6 {SMALL} -r 3 -j 1 -o {folder}"
    )
    rows = json.loads(ran(f"sensitivity {folder} --on requests --json"))
    assert {row["factor"] for row in rows} == {"asking.door", "ties.meet"}


def test_a_comparison_is_appraised(compared: Path, swept: Path) -> None:
    shown = ran(f"appraise {compared}")
    assert "incremental cost" in shown and "not a QALY" in shown and "The NHS bears 0" in shown
    told = json.loads(ran(f"appraise {compared} --effect unmet_hours --threshold 20 --discount none --json"))
    assert {"method", "table", "perspectives", "ceac", "equity"} <= set(told)
    for words, named in (
        (f"appraise {swept}", "must be a comparison"),
        (f"appraise {compared} --threshold -3", "--threshold"),
        (f"appraise {compared} --effect happiness", "happiness"),
        (f"ranks {compared}", "must be a sweep"),
    ):
        result = carecommons(words)
        assert result.exit_code == 2 and named in result.stderr and result.stderr.count("\n") == 1, words


def test_tables_of_other_runs_are_not_replaced_unless_asked(swept: Path, compared: Path, tmp_path: Path) -> None:
    before = (swept / "runs.csv").read_bytes()
    for words in (f"export {compared} {swept}", f"export {compared} {tmp_path / 'out'}"):
        if "out" in words.rsplit("/", 1)[-1] and not words.endswith(str(swept)):
            ran(f"export {swept} {tmp_path / 'out'}")
            ran(f"export {swept} {tmp_path / 'out'}")  # again is no harm
        result = carecommons(words)
        assert result.exit_code == 4 and "choose another folder, or --force" in result.stderr, words
    assert (swept / "runs.csv").read_bytes() == before == (tmp_path / "out" / "runs.csv").read_bytes()
    result = carecommons(f"sweep derby --vary asking.door=0.5,1 {SMALL} -r 1 -j 1 -o {tmp_path / 'out'}")
    assert result.exit_code == 4 and "holds other files" in result.stderr and "--force" in result.stderr
    ran(f"export {swept} {swept}")
    ran(f"export {compared} {tmp_path / 'out'} --force")


def test_tables_that_are_older_than_the_runs_are_told(tmp_path: Path) -> None:
    folder, words = tmp_path / "out", f"sweep derby --vary council.funding=0.5,1.0 {SMALL} -j 1 -o {tmp_path / 'out'}"
    ran(f"{words} -r 1")
    with (folder / "failures.csv").open("a") as file:
        file.write("mine")
    assert carecommons(f"{words} -r 2").exit_code == 4
    assert "give the same command again, its tables are older than its runs" in ran(f"status {folder}")
    ran(f"{words} -r 2 --force")
    assert "Next: look at " in ran(f"status {folder}")


def test_a_folder_in_the_place_of_a_table_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out" / "runs.csv").mkdir(parents=True)
    for force in ("", " --force"):
        result = carecommons(f"sweep derby --vary asking.door=0.5,1 {SMALL} -r 1 -j 1 -o {tmp_path / 'out'}{force}")
        assert result.exit_code == 4 and result.stderr.count("\n") == 1
    assert "runs.csv: is a folder; move it away" in result.stderr


def test_a_manifest_of_wrong_types_is_as_none(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"sweep derby --vary council.funding=0.5,1.0 {SMALL} -r 1 -j 1 -o {folder}")
    for wrong in ('{"store": "closed", "sums": 3}', '{"store": "none", "files": [1], "coming": {"a": 2}}', "[]"):
        (folder / "manifest.json").write_text(wrong)
        for command in ("status", "repair"):
            carecommons(f"{command} {folder}")
        ran(f"sweep derby --vary council.funding=0.5,1.0 {SMALL} -r 1 -j 1 -o {folder} --force")


PROGRAM = [sys.executable, "-c", "from carecommons.cli import main; main()"]


@pytest.mark.parametrize(("closed", "words"), [(1, "status"), (2, "status"), (2, "reproduce --runs 2 -j 2")])
def test_nothing_breaks_where_nobody_listens(swept: Path, closed: int, words: str) -> None:
    command = shlex.join([*PROGRAM, *words.split(), str(swept)])
    done = subprocess.run(["sh", "-c", f"{command} {closed}>&-"], capture_output=True, text=True, timeout=120,
                          env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_letters_that_a_screen_lacks_are_replaced(compared: Path) -> None:
    for encoding in ("ascii", "cp1252"):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONIOENCODING": encoding}
        done = subprocess.run([*PROGRAM, "appraise", str(compared)], capture_output=True, timeout=120, env=env)
        assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_folder_whose_name_is_no_text_holds_results_too(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/b\xff"))
    cc.sweep(cc.Scenario(place="derby", citizens=60, months=2), {}, replicates=1, out=folder)
    assert len(cc.load(folder).runs) == 1
