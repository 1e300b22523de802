"""No cell of a table is a formula to a spreadsheet, and numbers stay numbers."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import batch
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carecommons.experiments import formats
from carecommons.founding.profile import places

STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
NUMBER: Final = re.compile(r"-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)
PAYLOADS: Final = (
    "=1+1", "=cmd|' /C calc'!A0", "+1+cmd|' /C calc'!A0", "-1+1", "@SUM(1,1)", "\t=1", "\r=1", "\n=1", '="a"', "=a,b",
    '=HYPERLINK("x")', "-", "+", "@", "=", "--1", "+44 1332", "-2.5e", '"=1"', "a\n=1", "'=1",
)  # fmt: skip


def formulas(text: str) -> list[str]:
    """The cells that a spreadsheet might run: those that start like a formula and are no number."""
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    return [cell for cell in cells if cell.startswith(STARTS) and not NUMBER.fullmatch(cell)]


words = st.text(max_size=20) | st.sampled_from(PAYLOADS) | st.sampled_from(STARTS).flatmap(
    lambda start: st.text(max_size=8).map(lambda rest: start + rest)
)  # fmt: skip


@given(st.lists(words, min_size=1, max_size=6), st.lists(words, max_size=4, unique=True))
def test_no_text_of_a_table_starts_a_formula_and_all_of_it_is_kept(values: list[str], titles: list[str]) -> None:
    table = pd.DataFrame({"said": values, "number": np.arange(len(values)) - 1.5})
    for number, title in enumerate(titles):
        table.insert(number, title, values, allow_duplicates=True)
    text = formats.csv(table).decode()
    assert formulas(text) == []
    rows = list(csv.reader(io.StringIO(text, newline="")))
    column = rows[0].index("said") if "said" not in titles else titles.index("said")
    kept = [value.replace("\r", "\n").removeprefix("'") for value in values]
    assert [row[column].removeprefix("'") for row in rows[1:] if row] == kept


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**12), 10**12), min_size=1))
def test_numbers_stay_numbers_whatever_their_sign(values: list[float]) -> None:
    for table in (pd.DataFrame({"x": values}), pd.DataFrame({"x": pd.Series(values, dtype=object)})):
        back = pd.read_csv(io.BytesIO(formats.csv(table)))["x"]
        assert np.allclose(back.to_numpy(float), np.array(values, float), rtol=1e-11, atol=0)


@pytest.mark.parametrize("value", PAYLOADS)
def test_a_single_cell_is_harmless_as_in_a_table(value: str) -> None:
    assert formulas(f"{formats.cell(value)},1\n") == []
    assert formats.cell(-1.5) == "-1.5" and formats.cell(-3) == "-3"


def tables(folder: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(folder.rglob("*.csv*")):
        content = path.read_bytes()
        yield path.name, (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def test_no_table_that_a_command_writes_holds_a_formula(tmp_path: Path) -> None:
    derby = (batch.ROOT / "src/carecommons/founding/data/places/derby.toml").read_text("utf-8")
    town = "=town.toml"
    (tmp_path / town).write_text(derby.replace('name = "Derby"', "name = \"=cmd|' /C calc'!A0\""), encoding="utf-8")
    (tmp_path / "study.toml").write_text(
        "title = '=1+1'\nreplicates = 2\n[scenario]\nname = '@SUM(1)'\nplace = 'derby'\ncitizens = 30\nmonths = 1\n"
        f"[vary]\nplace = ['derby', '{town}']\n'council.funding' = [0.9, 1.1]\n", encoding="utf-8",
    )  # fmt: skip
    small = ["--citizens", "30", "--months", "1"]
    done = batch.commands([
        ["sweep", "study.toml", "-j", "1", "-o", "out/sweep"],
        ["run", town, *small, "--set", "name==1+1", "-o", "out/run"],
        ["compare", "derby", town, *small, "-r", "2", "-j", "1", "-o", "out/compare"],
        ["validate", town, "--citizens", "30", "--months", "12", "-r", "1", "-o", "out/validate"],
        ["export", "out/sweep", "out/export"],
    ], tmp_path)  # fmt: skip
    assert [code for code, *_ in done] == [0] * len(done), done
    found = dict(tables(tmp_path / "out"))
    assert {"runs.csv", "parameters.csv", "summary.csv", "series.csv", "validation.csv", "pairs.csv"} <= set(found)
    assert {name: formulas(text) for name, text in found.items() if formulas(text)} == {}
    assert any(f"'{town}" in text for text in found.values()), "the place's own name is kept, made harmless"
    assert town not in places()
