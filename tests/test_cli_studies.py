"""What sweeps and comparisons say on the command line: on what they rest, what they lack, and what to do next."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import carecommons as cc
from test_cli import SMALL, carecommons, ran


def next_of(words: str) -> str:
    """The command that the last line of what a command prints says to give next."""
    last = ran(words).splitlines()[-1]
    assert last.startswith("Next: ")
    found = re.search(r"'?(carecommons (?:compare|discover|sensitivity) .*?)'? (?:tells|says)", last)
    assert found, last
    return found[1]


def test_the_comparison_proposed_after_a_sweep_is_that_of_the_scenario_with_a_cell(tmp_path: Path) -> None:
    mine, study, sizes = tmp_path / "mine.toml", tmp_path / "study.toml", "--months 3 --citizens 60"
    mine.write_text('place = "derby"\nmonths = 7\n', encoding="utf-8")
    study.write_text('[scenario]\nplace = "derby"\n[vary]\n"council.funding" = [1, 2]\n', encoding="utf-8")
    for words, wanted in (
        (f"{mine} --set council.legal_floor=false {sizes} --vary council.funding=1,1.2 --seed 3",
         f"{mine} --set council.legal_floor=false {sizes} --but council.funding=1.2 --seed 3"),
        (f"derby {sizes} --vary council.funding=1,1.2 --vary assessment.threshold=2,3",
         f"derby {sizes} --but assessment.threshold=3"),
        (f"derby {sizes} --zip council.funding=0.9,1.1 --zip assessment.threshold=1,3",
         f"derby {sizes} --but council.funding=0.9 --but assessment.threshold=1"),
        (f"{study} {sizes} --set asking.door=0.5",
         "derby --set citizens=60 --set months=3 --set asking.door=0.5 --but council.funding=2.0"),
        (f"{study} {sizes} -o {tmp_path / 'o'}",
         f"{tmp_path / 'o' / 'scenario.toml'} --but council.funding=2.0"),
    ):  # fmt: skip
        found = next_of(f"sweep {words} -r 1 -j 1")
        assert found == f"carecommons compare {wanted} -r 30"
        assert "in b" in ran(f"{found.removeprefix('carecommons ')} -j 1".replace("-r 30", "-r 1"))
    shown = ran(f"sweep derby {SMALL} --vary council.funding=1 -r 1 -j 1")
    assert "compare" not in shown and "Next: " in shown


def test_what_is_proposed_after_a_sample_is_its_analysis(tmp_path: Path) -> None:
    pytest.importorskip("SALib")
    overs = f"--over asking.door=0.5:1 --over ties.meet=0.4:0.6 {SMALL} -j 1"
    policies = "--zip council.funding=0.8,1 --zip assessment.threshold=3,2"
    for number, (words, wanted) in enumerate((
        ("--sample morris:4 -r 3", "sensitivity {}"),
        ("--sample lhs:8 -r 1", 'discover {} --where "isolation=above '),
        (f"--sample lhs:4 {policies} -r 1",
         "discover {} --where isolation=rises --against council.funding=1.0 --against assessment.threshold=2"),
    )):  # fmt: skip
        folder = tmp_path / str(number)
        found = next_of(f"sweep derby {words} {overs} -o {folder}")
        assert found.startswith(f"carecommons {wanted.format(folder)}")
        ran(found.removeprefix("carecommons "))


def test_a_sample_too_small_for_its_analysis_is_noted_before_it_runs() -> None:
    pytest.importorskip("SALib")
    words = f"sweep derby --sample morris:2 --over asking.door=0.5:1 --over ties.meet=0.4:0.6 {SMALL} -r 1 -j 1"
    result = carecommons(words)
    assert result.exit_code == 0 and result.stderr.count("carecommons: note: morris") == 2
    assert "at least 4: morris:4" in ran(f"{words} --dry-run")


def test_json_is_all_that_is_printed_where_it_is_asked_for(tmp_path: Path) -> None:
    words = f"sweep derby --vary council.funding=0.5,1 {SMALL} -r 2 -j 1 -o {tmp_path / 'out'} --json"
    assert json.loads(ran(f"{words} --dry-run"))["to_do"] == 4
    forecast = json.loads(ran(f"{words} --dry-run --shard 1/2"))
    assert forecast["to_do"] == 2 and forecast["disk"] > forecast["tables"] > 0 and "check" in forecast
    part = json.loads(ran(f"{words} --shard 1/2"))
    assert part == {"shard": "1/2", "folder": str(tmp_path / "out" / "shard-1-of-2"), "done": 2, "failed": 0}
    assert len(json.loads(ran(words))["cells"]) == 2


def test_ranks_and_variance_say_on_what_they_rest(tmp_path: Path) -> None:
    folder, words = tmp_path / "out", f"sweep derby --vary council.funding=0.5,1 {SMALL} -j 1 -o {tmp_path / 'out'}"
    ran(f"{words} -r 3")
    assert "By funded, the best first, in 3 worlds\n" in ran(f"ranks {folder} --on funded --good up")
    result = carecommons(f"ranks {folder} --on funded")
    assert result.exit_code == 2 and "--good" in result.stderr and "isolation, " in result.stderr
    alone = "by the newest design alone: 2 of 3 worlds and 2 of 2 cells kept here\n"
    assert alone in ran(f"{words} -r 2")
    for command in ("ranks", "variance"):
        assert "in 2 worlds\n" in ran(f"{command} {folder}") and alone in ran(f"{command} {folder}")
        result = carecommons(f"{command} {folder} --json")
        assert json.loads(result.stdout) and result.stderr == f"carecommons: note: {alone}"
    ran(f"{words} -r 4 --shard 1/2")
    part = folder / "shard-1-of-2"
    assert "in 2 worlds of 4, those in which every cell has a value\n" in ran(f"ranks {part}")
    assert "4 of 8 runs are missing, give the same command again" in ran(f"ranks {part}")
    result = carecommons(f"variance {part}")
    assert result.exit_code == 2 and "4 of 8 runs are missing, give the same command again" in result.stderr


def test_a_comparison_of_equals_says_so_in_one_line() -> None:
    shown = ran(f"compare derby --but council.funding=1.0 {SMALL} -r 1 -j 1").splitlines()
    assert len(shown) == 2 and shown[0].startswith("a and b are the same, so that nothing differs")


def test_worlds_that_a_rule_may_add_must_have_seeds() -> None:
    words = f"compare derby --but council.funding=0.5 {SMALL} -j 1 --until 30% --on council_spend"
    result = carecommons(f"{words} --seed 9223372036854775700 --at-most 300")
    assert result.exit_code == 2 and "300 pairs (--at-most) from seed" in result.stderr
    ran(f"{words} --seed 9223372036854775790 --at-most 15")


def test_a_comparison_says_what_it_leaves_out(tmp_path: Path) -> None:
    words = f"compare derby --but council.funding=0.5 {SMALL} -j 1 -o {tmp_path / 'out'}"
    assert "by the newest command" not in ran(f"{words} -r 3")
    assert "by the newest command alone: 2 of 3 pairs kept here" in ran(f"{words} -r 2")


def test_counts_are_ranked_for_as_many_people_where_sizes_differ(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    ran(f"sweep derby --months 3 -r 3 -j 1 --vary citizens=50,200 -o {folder}")
    told = json.loads(ran(f"ranks {folder} --on latent --json"))
    held = cc.load(folder)
    assert isinstance(held, cc.Sweep)
    per = sorted(each.mean for each in held.estimates("latent", per=1_000))
    assert [row["mean"] for row in told] == pytest.approx(per)
