"""The places shipped are whole, and every mistake in a place file is answered in one line."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.explain import keys_of
from carecommons.founding import profile
from carecommons.founding.profile import Profile, life_table, load, places

DATA = Path(profile.__file__).parent / "data"
GUIDE = Path(__file__).parents[2] / "docs" / "places.md"
ATTRIBUTION = "Contains public sector information licensed under the Open Government Licence v3.0"

MINE = """\
name = "Mytown"
year = 2023
residents = 2000
adults = 1600
disabled_share = 0.18
rural_share = 0.1
households = 840
deprivation = [0.3, 0.25, 0.2, 0.15, 0.1]
[adults_by_age]
women = [100, 100, 100, 100, 100, 100, 100, 100]
men = [100, 100, 100, 100, 100, 100, 100, 100]
[tenure]
owned_outright = 0.33
owned_mortgage = 0.3
social_rented = 0.17
private_rented = 0.2
[ethnicity]
white = 0.81
asian = 0.1
black = 0.04
mixed = 0.03
other = 0.02
[living_alone]
households = 0.3
households_66_plus = 0.13
persons_66_plus = 0.3
[targets]
unpaid_carers = 0.09
unpaid_carers_20h = 0.04
unpaid_carers_50h = 0.02
"""


def as_csv(place: Profile) -> str:
    lines = ["# by hand", "key,value"]
    for key, value in place.model_dump(exclude_none=True).items():
        for name, inner in value.items() if isinstance(value, dict) else [("", value)]:
            shown = ";".join(map(repr, inner)) if isinstance(inner, tuple) else inner
            lines.append(f"{key}.{name},{shown}" if name else f"{key},{shown}")
    return "\n".join(lines)


def refused(what: Any) -> str:
    with pytest.raises(InputError) as caught:
        load(what)
    line = str(caught.value)
    assert line.isprintable()
    return line


def answer(what: Any) -> str:
    try:
        return load(what).name
    except InputError as error:
        return str(error)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_england_and_seventeen_councils_are_shipped() -> None:
    assert places()[0] == "england"
    assert places()[1:] == sorted(places()[1:])
    assert len(places()) == 18


@pytest.mark.parametrize("name", places())
def test_a_shipped_place_is_whole(name: str) -> None:
    place = load(name)
    assert sum(place.adults_by_age.women) + sum(place.adults_by_age.men) == place.adults
    for shares in (place.deprivation, place.tenure.model_dump().values(), place.ethnicity.model_dump().values()):
        assert math.fsum(shares) == pytest.approx(1, abs=1e-15)
    assert place.name.lower().replace(" ", "_") == name
    assert place.ons_code.startswith("E")
    assert place.region
    assert place.targets is not None


@pytest.mark.parametrize("file", sorted(DATA.rglob("*.*")), ids=lambda file: file.name)
def test_every_file_of_figures_carries_source_and_licence(file: Path) -> None:
    head = [line for line in file.read_text("utf-8").splitlines() if line.startswith("#")]
    assert any(ATTRIBUTION in line for line in head)
    assert any("Source" in line for line in head)
    assert "://" not in file.read_text("utf-8")


def test_derby_is_derby() -> None:
    derby = load("Derby")
    assert (derby.ons_code, derby.residents, derby.adults, derby.year) == ("E06000015", 266460, 206402, 2023)
    assert derby.adults_by_age.women == (11823, 18688, 18512, 16174, 15289, 11379, 8534, 3948)
    assert derby.adults_by_age.men[-1] == 2426
    assert derby.deprivation == pytest.approx((0.3739, 0.1861, 0.1637, 0.0701, 0.2062))
    assert derby.disabled_share == 0.1876
    assert derby.living_alone is None


def test_where_living_alone_was_published_it_is_kept() -> None:
    alone = {name: load(name).living_alone for name in places()}
    assert {name for name, share in alone.items() if share} == {"england", "manchester", "oldham", "wigan"}
    assert alone["wigan"] is not None
    assert alone["wigan"].persons_66_plus == 0.3106


@pytest.mark.parametrize("name", ["Isle of Wight", "isle-of-wight", " ISLE_OF_WIGHT ", "isle  of wight"])
def test_a_name_may_be_written_as_people_write_it(name: str) -> None:
    assert load(name).ons_code == "E06000046"


def test_a_profile_cannot_be_changed_only_copied_with_changes() -> None:
    derby = load("derby")
    with pytest.raises(ValueError, match="frozen"):
        derby.residents = 3
    assert derby.but(rural_share=0.5).rural_share == 0.5
    assert derby.but() == derby


@pytest.mark.parametrize("name", places())
def test_toml_and_csv_say_the_same(name: str, here: Path) -> None:
    (here / "mine.toml").write_bytes((DATA / "places" / f"{name}.toml").read_bytes())
    (here / "mine.csv").write_text(as_csv(load(name)), "utf-8")
    assert load("mine.toml") == load(here / "mine.toml") == load("mine.csv") == load(name)


def test_a_spreadsheet_adds_a_mark_blank_lines_and_empty_cells(here: Path) -> None:
    (here / "mine.toml").write_text(MINE, "utf-8")
    text = as_csv(load("mine.toml")).replace("key,value", "Key,Value\n\n,").replace("\n", ",,\r\n")
    (here / "mine.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load("mine.csv") == load("mine.toml")


def test_the_examples_of_the_guide_load_and_agree(here: Path) -> None:
    blocks = dict(re.findall(r"```(toml|csv)\n(.*?)```", GUIDE.read_text("utf-8"), flags=re.DOTALL))
    for kind, text in blocks.items():
        (here / f"mine.{kind}").write_text(text, "utf-8")
    assert load("mine.toml") == load("mine.csv")


def test_the_guide_names_every_figure() -> None:
    guide = GUIDE.read_text("utf-8")
    assert ATTRIBUTION in guide
    assert [
        key for key in keys_of(Profile) if f"{key.rpartition('.')[2]}`" not in guide and key not in Profile.model_fields
    ] == []


def test_rounded_shares_are_scaled_to_one(here: Path) -> None:
    (here / "mine.toml").write_text(
        MINE.replace("[0.3, 0.25, 0.2, 0.15, 0.1]", "[0.2009, 0.2, 0.2, 0.2, 0.2]"), "utf-8"
    )
    shares = load("mine.toml").deprivation
    assert math.fsum(shares) == pytest.approx(1, abs=1e-15)
    assert shares[0] / shares[1] == pytest.approx(0.2009 / 0.2)


DEPRIVATION, WOMEN = "[0.3, 0.25, 0.2, 0.15, 0.1]", "women = [100, 100, 100, 100, 100, 100, 100, 100]"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (DEPRIVATION, "[0.2, 0.2, 0.2, 0.2, 0.1]", "deprivation = [0.2, 0.2, 0.2, 0.2, 0.1] sums to 0.9, must be 1"),
        (DEPRIVATION, "[0.5, 0.5]", "deprivation = [0.5, 0.5] holds 2 values, must hold 5"),
        (DEPRIVATION, "[1.5, 0, 0, 0, -0.5]", "deprivation #1 = 1.5 is outside 0 to 1 of residents"),
        (DEPRIVATION, "[0.25, 0.25, 0.25, 0.25, nan]", "deprivation #5 = nan is outside 0 to 1 of residents"),
        (DEPRIVATION, "0.2", "deprivation = 0.2 is not a list of numbers from 0 to 1 of residents"),
        ("white = 0.81", "white = 0.71", "ethnicity = [0.71, 0.1, 0.04, 0.03, 0.02] sums to 0.9, must be 1"),
        ("[tenure]", "[tennure]", "unknown key 'tennure'; did you mean 'tenure'?"),
        ("white =", "whte =", "unknown key 'ethnicity.whte'; did you mean 'ethnicity.white'?"),
        ("households = 840", "homes = 840", "unknown key 'homes' (and 1 more)"),
        ("households = 840\n", "", "'households' is missing"),
        ("social_rented = 0.17\n", "", "'tenure.social_rented' is missing"),
        ("persons_66_plus = 0.3\n", "", "'living_alone.persons_66_plus' is missing"),
        ("= 0.18", "= nan", "disabled_share = nan is outside 0 to 1 of residents"),
        ("= 0.18", "= inf", "disabled_share = inf is outside 0 to 1 of residents"),
        ("= 0.18", "= 18", "disabled_share = 18.0 is outside 0 to 1 of residents"),
        ("= 0.18", "= '18%'", "disabled_share = '18%' is not a number from 0 to 1 of residents"),
        ("= 0.18", "= true", "disabled_share = true is not a number from 0 to 1 of residents"),
        ("= 0.18", "= 2023-01-31", "disabled_share = 2023-01-31 is not a number from 0 to 1 of residents"),
        ("adults = 1600", "adults = 0", "adults = 0 is outside 1 to 100000000 people"),
        ("adults = 1600", "adults = 1601", "adults = 1601 is not the sum of adults_by_age, which is 1600"),
        ("adults = 1600", "adults = 1600.0", "adults = 1600.0 is not a whole number from 1 to 100000000 people"),
        ("residents = 2000", "residents = 1599", "adults = 1600 is more than residents = 1599"),
        (
            "residents = 2000",
            "residents = 0xfffffffffffffff",
            "residents = 1152921504606846975 is outside 1 to 100000000 people",
        ),
        (
            "residents = 2000",
            f"residents = 0x{'f' * 99}",
            f"residents = {int('f' * 99, 16)}"[:89] + "... has more than 40 digits",
        ),
        ("= 840", "= 84000", "households = 84000 is more than residents = 2000"),
        ("year = 2023", "year = 23", "year = 23 is outside 1991 to 2100 (a year)"),
        ("women = [100,", "women = [-100,", "adults_by_age.women #1 = -100 is outside 0 to 100000000 women"),
        (
            "women = [100,",
            "women = [1.5,",
            "adults_by_age.women #1 = 1.5 is not a whole number from 0 to 100000000 women",
        ),
        (WOMEN, "women = [1, 2]", "adults_by_age.women = [1, 2] holds 2 values, must hold 8"),
        (
            "women = [100,",
            "women = [100, 100,",
            "adults_by_age.women = [100, 100, 100, 100, 100, 100, 100, 100, 100] holds 9 values, must hold at most 8",
        ),
        ('"Mytown"', '" "', "name = ' ': must not be blank"),
        ('"Mytown"', "5", "name = 5 is not text"),
        ('"Mytown"', '"a\\nb"', "name = 'a\\nb': must be one line of at most 80 printable characters"),
        ("_66_plus = 0.13", "_66_plus = 0.31", "living_alone.households_66_plus = 0.31 is more than households = 0.3"),
        ("_20h = 0.04", "_20h = 0.01", "targets.unpaid_carers_50h = 0.02 is more than unpaid_carers_20h = 0.01"),
        (
            "year = 2023",
            "year 2023",
            "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 6): year 2023",
        ),
        (
            "unpaid_carers_50h = 0.02\n",
            "unpaid_carers_50h =",
            "is not TOML: Invalid value (at line 30, the end): unpaid_carers_50h =",
        ),
        ("[targets]", "[tenure]", "is not TOML: Cannot declare ('tenure',) twice (at line 27, column 8): [tenure]"),
        ("[targets]", f"x = {'[' * 5000}", "tables or lists stand more than 10 deep in one another"),
        ("[targets]", f"[{'a.' * 500}a]", f"tables or lists stand more than 10 deep in one another: a{'.a' * 10}"),
        ("[targets]", f"{'a.' * 2_000}a = 1", "line 27: has more than 1100 full stops, break it in two"),
        ("= 840", f"= {'9' * 5000}", "line 7: a whole number of more than 40 digits"),
        ("[targets]", "x = '.'\n" * 50_000, "has more than 50000 tables and full stops"),
    ],
)
def test_a_mistake_in_a_toml_is_named_in_one_line(old: str, new: str, line: str, here: Path) -> None:
    assert MINE.count(old) == 1
    (here / "mine.toml").write_text(MINE.replace(old, new), "utf-8")
    assert refused("mine.toml") == f"mine.toml: {line}"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("tennure.owned,1", "line 1: unknown key 'tennure.owned'; did you mean 'tenure.owned_outright'?"),
        ("key,value\nnmae,x", "line 2: unknown key 'nmae'; did you mean 'name'?"),
        ("name,x\nname,y", "line 2: 'name' is given twice"),
        ("tenure,1\ntenure.owned_outright,1", "line 2: 'tenure.owned_outright' is given twice"),
        ("year,2023,!", "line 1: has 3 columns, must have 2: key, value"),
        ("year", "line 1: has 1 column, must have 2: key, value"),
        ("name,x\ryear,2023", "'residents' is missing (and 8 more)"),
        (f"name,{'x' * 200_000}", "line 1: is not CSV: field larger than field limit (131072)"),
        ("", "'name' is missing (and 10 more)"),
    ],
)
def test_a_mistake_in_a_csv_is_named_with_its_line(text: str, line: str, here: Path) -> None:
    (here / "mine.csv").write_bytes(text.encode())
    assert refused("mine.csv") == f"mine.csv: {line}"


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("residents,many", "residents = 'many' is not a whole number from 1 to 100000000 people"),
        ('residents,"2,000"', "residents = '2,000' is not a whole number from 1 to 100000000 people"),
        ("residents,", "residents = '' is not a whole number from 1 to 100000000 people"),
        ("residents,nan", "residents = nan is not a whole number from 1 to 100000000 people"),
        (f"residents,{'9' * 1000}", f"residents = {'9' * 77}... has more than 40 digits"),
    ],
)
def test_a_wrong_figure_in_a_csv_is_named_as_in_a_toml(value: str, line: str, here: Path) -> None:
    (here / "mine.toml").write_text(MINE, "utf-8")
    (here / "mine.csv").write_text(as_csv(load("mine.toml")).replace("residents,2000", value), "utf-8")
    assert refused("mine.csv") == f"mine.csv: {line}"


def test_a_name_nobody_knows_is_answered_with_the_nearest(here: Path) -> None:
    assert refused("derbyy") == "no place 'derbyy'; did you mean 'derby'?"
    assert refused("durham") == "no place 'durham'; did you mean 'county_durham'?"
    assert refused("xyz").startswith("no place 'xyz'; the places are england, barking_and_dagenham, ")
    assert refused("").startswith("no place ''; the places are england")
    assert refused("a\nb\0").startswith("no place 'a b '; the places are england")


def test_what_is_not_a_readable_file_is_said_so(here: Path) -> None:
    (here / "mine.toml").write_text(MINE, "utf-8")
    (here / "mine.json").write_text("{}", "utf-8")
    (here / "latin.toml").write_bytes(b'# fine\nname = "Caf\xe9"')
    (here / "folder.toml").mkdir()
    (here / "big.toml").write_text("#" * 1_000_001, "utf-8")
    assert refused("mien.toml") == "mien.toml: no such file; did you mean 'mine.toml'?"
    assert refused("nowhere/mine.toml") == "nowhere/mine.toml: no such file"
    assert refused("./mine.json") == "mine.json: must be a .toml or .csv file"
    assert refused("/") == "/: must be a .toml or .csv file"
    assert refused("folder.toml") == "folder.toml: is a directory, must be a file"
    assert refused("latin.toml") == "latin.toml: line 2: is not UTF-8 text; save the file as UTF-8"
    assert refused("big.toml") == "big.toml: is larger than 1000000 bytes"
    assert refused("nowhere\0.toml") == "nowhere .toml: no such file"
    assert "cannot be read" in refused(f"{'a' * 5000}.toml")
    assert refused(5) == "a place is a name or the path of a .toml or .csv file, not 5"
    assert refused(None) == "a place is a name or the path of a .toml or .csv file, not None"


@given(st.binary(), st.sampled_from(["toml", "csv"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_bytes_are_refused_in_one_line(tmp_path: Path, raw: bytes, kind: str) -> None:
    file = tmp_path / f"mine.{kind}"
    file.write_bytes(raw)
    refused(file)


keys = st.sampled_from([*keys_of(Profile), "tennure", "a.b", '"a\\nb"', "''"])
words = st.sampled_from(
    ['""', '"x"', "true", "nan", "-inf", "1e400", "-1", "0", "7", "0.5", "2023-01-31", "07:00:00", "[]", "{}"]
)
values = words | st.lists(words, max_size=9).map(lambda some: f"[{', '.join(some)}]")
changes = st.lists(st.tuples(keys, values), max_size=6).map(lambda some: [f"{key} = {value}" for key, value in some])


@given(changes, st.lists(st.integers(0, 29), max_size=3), st.integers(0, 29))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_toml_gives_a_profile_or_one_line(tmp_path: Path, new: list[str], without: list[int], at: int) -> None:
    kept = [line for number, line in enumerate(MINE.splitlines()) if number not in without]
    file = tmp_path / "mine.toml"
    file.write_text("\n".join([*kept[:at], *new, *kept[at:]]), "utf-8")
    assert answer(file).isprintable()


@given(st.text())
def test_any_name_gives_a_profile_or_one_line(name: str) -> None:
    assert answer(name).isprintable()


def test_the_life_table_is_that_of_the_source() -> None:
    table = life_table(2019)
    assert table.shape == (2, 101)
    assert table.dtype == np.float64
    assert table[0, 65] == 0.0078826
    assert table[1, 65] == 0.0119552
    assert table[1, 100] == 0.3289945
    assert life_table(2023)[0, 65] == 0.0076445
    assert life_table(2023)[1, 99] == 0.3570695


@pytest.mark.parametrize("year", [2019, 2023])
def test_a_life_table_holds_probabilities_and_nobody_under_18_is_told_apart(year: Any) -> None:
    table = life_table(year)
    assert np.all((table > 0) & (table < 1))
    assert np.all(table[:, :18] == table[:, [18]])
    assert np.all(table[1, 30:100] > table[0, 30:100])


@pytest.mark.parametrize(("sex", "years"), [(0, 21.34), (1, 18.96)])
def test_life_expectancy_at_65_is_the_published_one(sex: int, years: float) -> None:
    # ONS period expectation of life at 65, UK 2019; survivors beyond 100 add under 0.05 years
    alive = np.cumprod(1 - life_table(2019)[sex, 65:])
    assert 0.5 + alive.sum() == pytest.approx(years, abs=0.06)


def test_a_life_table_cannot_be_changed_by_who_reads_it() -> None:
    with pytest.raises(ValueError, match="read-only"):
        life_table(2019)[0, 0] = 1


@pytest.mark.parametrize("year", [2020, "2019", None, True])
def test_a_year_without_life_table_is_refused(year: Any) -> None:
    with pytest.raises(InputError, match="the years are 2019 and 2023"):
        life_table(year)
