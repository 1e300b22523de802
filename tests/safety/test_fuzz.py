"""Whatever a file holds, it is read or refused in one line: 1,500 made files, or as many as the variable FUZZ says.

`FUZZ=10000 python -m pytest tests/safety/test_fuzz.py` makes ten thousand; so does the test marked slow.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import batch
import fuzz
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.errors import CareCommonsError, InputError
from carecommons.experiments import study
from carecommons.explain import keys_of
from carecommons.founding.profile import Profile, load
from carecommons.scenario import Scenario, allowed

COUNT: Final = int(os.environ.get("FUZZ", "1500"))
FULL: Final = 10_000
SECONDS: Final = 2  # of processor time for one file
MEGABYTES: Final = 200

READ: Final[dict[str, Callable[[Path], Any]]] = {
    "scenario": Scenario.load,
    "place": load,
    "experiment": lambda path: study.plan(str(path), ()),
}
RANGES: Final = {**allowed(), **keys_of(Profile)}

# What a refusal may look like, after the file's name.
SHAPES: Final = re.compile(
    r"""
    (line\ \d+:\ |(scenario|vary|zip|set|outcomes|sample(\.over)?|place|part\ \d+|[^:]{1,80}):\ ){0,4}
    (
      unknown\ key\ '.*'
    | '.+'\ is\ (missing|given\ twice|given\ both|varied\ twice|both\ set)
    | .+\ =\ .+\ is\ outside\ \S+\ to\ \S+\ .+
    | .+\ (=\ .*\ is\ not|is\ a\ table,\ must\ be)\ (a\ |text|true\ or\ false|'|\[)
    | .+\ =\ .+\ holds\ \d+\ values,\ must\ hold
    | .+\ sums\ to\ .+,\ must\ be\ 1
    | .+\ =\ .+\ must\ (have|be)\ (at\ least|at\ most|a\ list|a\ whole)
    | .+\ =\ .+\ is\ (more\ than|not\ the\ sum\ of)
    | .+:\ must\ (be\ one\ line|not\ be\ blank)
    | is\ not\ (TOML|CSV):\ .+
    | is\ larger\ than\ 1000000\ bytes
    | is\ not\ UTF-8\ text
    | has\ (more\ than\ \d+\ (tables\ and\ )?full\ stops|\d+\ columns?,\ must\ have\ 2)
    | tables\ or\ lists\ stand\ more\ than\ 10\ deep
    | (.+\ =\ .+\ has|a\ whole\ number\ of)\ more\ than\ 40\ digits
    | no\ (place|outcome)\ '.*'
    | (is\ a\ (directory|pipe)|no\ such\ file|cannot\ be\ read|must\ be\ a\ \.toml)
    | need:\ deficits\ fall
    | .+\ has\ (\S+\ levels?|the\ same\ level\ twice|an\ empty\ level)
    | .+\ (is\ not\ a\ number,\ list|takes\ whole\ numbers|holds\ a\ table|changes\ nothing|must\ set)
    | nothing\ to\ vary|the\ design\ has|is\ an\ experiment|\[\[part\]\]\ stands|factors\ varied|two\ parts
    | .+\ (is\ varied|is\ sampled|over|must|cannot)\ .+
    )
    """,
    re.VERBOSE,
)


class HangError(BaseException):
    """A file took too long."""


@contextmanager
def at_most(seconds: float, timer: str = "VIRTUAL") -> Iterator[None]:
    """Stop what takes longer: processor time, so that a busy machine is no hang. Where there is no timer, wait."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: object) -> None:
        raise HangError

    kind, number = (
        (signal.ITIMER_VIRTUAL, signal.SIGVTALRM) if timer == "VIRTUAL" else (signal.ITIMER_REAL, signal.SIGALRM)
    )
    before = signal.signal(number, stop)
    signal.setitimer(kind, seconds)
    try:
        yield
    finally:
        signal.setitimer(kind, 0)
        signal.signal(number, before)


def answer(kind: str, path: Path) -> str | None:
    """The line in which a file is refused, None where it is taken; anything else is said as it is."""
    try:
        with at_most(SECONDS):
            READ[kind](path)
    except CareCommonsError as error:
        return str(error) if error.exit_code == 2 else f"exit code {error.exit_code}: {error}"
    except HangError:
        return "HANG"
    except Exception as error:
        return f"TRACEBACK {type(error).__name__}: {error}"
    return None


def faults(made: fuzz.Case, path: Path) -> Iterator[str]:
    """What is wrong with the answer to a made file."""
    line = answer(made.kind, path)
    if line is None:
        if made.told:
            yield "taken"
        return
    if not line.isprintable() or len(line) > 500:
        yield f"not one short line: {line[:200]!r}"
    if not line.startswith((f"{path}: ", "sweep: nothing to vary")):
        yield f"does not open with the file: {line}"
    rest = line.removeprefix(f"{path}: ").removeprefix("sweep: ")
    if not SHAPES.match(rest):
        yield f"of no known shape: {rest}"
    if missing := [text for text in made.told if text not in rest]:
        yield f"does not say {missing}: {rest}"
    key = re.match(r"(?:scenario: )?([a-z_.0-9]+)(?: #\d+)?(?: = .* is (?:not a|outside)| is a table)", rest)
    said = RANGES.get(key[1], "").removeprefix("from ") if key else ""
    if said not in rest:
        yield f"does not say {said!r}: {rest}"


def check(numbers: Iterable[int], folder: Path) -> None:
    found = []
    for number in numbers:
        made = fuzz.case(number)
        path = folder / f"mine{made.suffix}"
        path.write_bytes(made.content)
        found += [f"{number} ({made.way}, {made.kind}): {fault}"[:600] for fault in faults(made, path)]
    assert found == [], "\n".join(found[:20])


def test_a_made_file_is_read_or_refused_in_one_line_that_names_file_key_value_and_range(tmp_path: Path) -> None:
    check(range(COUNT), tmp_path)


@pytest.mark.slow
def test_ten_thousand_made_files_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    check(range(COUNT, FULL), tmp_path)


def test_a_number_always_makes_the_same_file_and_every_way_comes_up_for_every_kind() -> None:
    assert [fuzz.case(n) for n in range(50)] == [fuzz.case(n) for n in range(50)]
    made = {(one.way, one.kind) for one in map(fuzz.case, range(len(fuzz.WAYS) * len(fuzz.KINDS)))}
    assert made == {(way.__name__, kind) for way in fuzz.WAYS for kind in fuzz.KINDS}


def test_the_right_files_from_which_others_are_made_are_right(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for kind, text in (("place", fuzz.DERBY), *(("experiment", text) for text in (*fuzz.EXPERIMENTS, fuzz.STUDY))):
        path.write_text(text, "utf-8")
        assert answer(kind, path) is None


# --- one after another in a process of their own ---

GROWTH: Final = """
import resource, sys
from pathlib import Path
import fuzz, test_fuzz
path = Path(sys.argv[1])
def read(number):
    made = fuzz.case(number)
    file = path / f"mine{made.suffix}"
    file.write_bytes(made.content)
    del made
    return test_fuzz.answer(fuzz.KINDS[number % 3], file)
read(2), read(3), read(4)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
deals = range(len(fuzz.WAYS) * 3)
large = [n for n in deals if fuzz.WAYS[n // 3 % len(fuzz.WAYS)] in (fuzz.large, fuzz.deep)]
for lap in range(60):
    for n in large:
        read(n + lap * len(deals))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is measured in kilobytes on Linux alone")
def test_reading_large_and_deep_files_takes_at_most_200_megabytes_more(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, str(tmp_path)],
        env=batch.environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) <= MEGABYTES


def test_the_command_line_refuses_in_one_line_with_exit_code_2_and_writes_nothing(tmp_path: Path) -> None:
    lines, made = [], []
    for number in range(400):
        one = fuzz.case(number)
        path = tmp_path / f"mine{number}{one.suffix}"
        path.write_bytes(one.content)
        if answer(one.kind, path) is not None and answer("scenario", path) is not None:
            lines.append(["sweep" if one.kind == "experiment" else "run", str(path), "-o", str(tmp_path / "out")])
            made.append(one)
    assert len(lines) > 300
    for one, (code, said, out) in zip(made, batch.commands(lines), strict=True):
        assert code == 2, (one.number, one.way, one.kind, code, said)
        assert said.startswith("carecommons: ") and said.endswith("\n") and said[:-1].isprintable(), (one.number, said)
        assert out == ""
    assert not (tmp_path / "out").exists()


# --- what is no file ---


def odd(folder: Path) -> Iterator[Path]:
    """Paths of what is no file, or none that can be read."""
    (folder / "folder.toml").mkdir()
    os.mkfifo(folder / "pipe.toml")
    (folder / "zero.toml").symlink_to("/dev/zero")
    (folder / "full.toml").symlink_to("/dev/full")
    (folder / "loop.toml").symlink_to(folder / "loop.toml")
    (folder / "a.toml").symlink_to(folder / "b.toml")
    (folder / "b.toml").symlink_to(folder / "a.toml")
    (folder / "broken.toml").symlink_to(folder / "gone")
    with socket.socket(socket.AF_UNIX) as ear:
        ear.bind(str(folder / "ear.toml"))
    yield from sorted(folder.glob("*.toml"))
    (folder / "shut.toml").write_text("months = 3")
    (folder / "shut.toml").chmod(0)
    if os.getuid():
        yield folder / "shut.toml"
    yield folder / "nowhere.toml"
    yield folder / "folder.toml" / "below.toml"
    yield folder / f"{'n' * 300}.toml"
    yield folder / f"{'d/' * 3000}n.toml"
    yield folder / "nul\0l.toml"
    yield folder / "two\nlines.toml"
    yield folder / "\ud800.toml"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes and devices are files on POSIX alone")
@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_what_is_no_file_is_refused_in_one_line_without_waiting(kind: str, tmp_path: Path) -> None:
    for path in odd(tmp_path):
        with at_most(20, "REAL"):
            line = answer(kind, path)
        assert line is not None and line.isprintable() and line.startswith(str(tmp_path)), (path, line)
        assert "TRACEBACK" not in line and "HANG" not in line, (path, line)


# --- the known traps ---

HERE: Final = "mine.toml: "
ENDED: Final = "Expected newline or end of document after a statement (at line 1, column"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[council]\nfunding = 1\nfunding = 1\n",
         "is not TOML: Cannot overwrite a value (at line 3, column 12): funding = 1"),
        ("[council]\n[council]\n", "is not TOML: Cannot declare ('council',) twice (at line 2, column 9): [council]"),
        ("council.funding = 1\n'council.funding' = 2\n", None),
        ("[council]\nfundin = 1\n", "unknown key 'council.fundin'; did you mean 'council.funding'?"),
        ("[concil]\nfunding = 1\n", "unknown key 'concil'; did you mean 'council'?"),
        ("fundng = 1\n", "unknown key 'fundng'; did you mean 'council.funding'?"),
        ("Citizens = 1\n", "unknown key 'Citizens'; did you mean 'citizens'?"),
        ("month = 1\n", "unknown key 'month'; did you mean 'months'?"),
        ("[assessment]\ntreshold = 1\n", "unknown key 'assessment.treshold'; did you mean 'assessment.threshold'?"),
        ("[turnover]\noff = NO\n", "is not TOML: Invalid value (at line 2, column 7): off = NO"),
        ('[turnover]\noff = "NO"\n', "turnover.off = 'NO' is not true or false"),
        ("[turnover]\noff = 0\n", "turnover.off = 0 is not true or false"),
        ("months = 12:30\n", f"is not TOML: {ENDED} 12): months = 12:30"),
        ("months = 12:30:00\n", "months = 12:30:00 is not a whole number from 0 to 1200 months"),
        ("months = 2024-01-31\n", "months = 2024-01-31 is not a whole number from 0 to 1200 months"),
        ("months = 1_2_\n", f"is not TOML: {ENDED} 13): months = 1_2_"),
        ("months = 012\n", None),
        ("months = true\n", "months = true is not a whole number from 0 to 1200 months"),
        ("months = 1.5\n", "months = 1.5 is not a whole number from 0 to 1200 months"),
        ('months = "12"\n', "months = '12' is not a whole number from 0 to 1200 months"),
        ("citizens = 1000000000000\n", "citizens = 1000000000000 is outside 0 to 60000000 adults"),
        (f"citizens = {10**30}\n", f"citizens = {10**30} is outside 0 to 60000000 adults"),
        ("citizens = -1\n", "citizens = -1 is outside 0 to 60000000 adults"),
        ("[council]\nfunding = nan\n", "council.funding = nan is not a finite number from 0 to 10 x today's spend"),
        ("[council]\nfunding = inf\n", "council.funding = inf is not a finite number from 0 to 10 x today's spend"),
        ("[council]\nfunding = 1e999\n", "council.funding = inf is not a finite number from 0 to 10 x today's spend"),
        ("[people]\nspare_hours = -1.0\n", "people.spare_hours = -1.0 is outside 0 to 168 hours/week"),
        ("[people]\nspare_hours = 200\n", "people.spare_hours = 200.0 is outside 0 to 168 hours/week"),
        ("[ties]\nmeet = 1.2\n", "ties.meet = 1.2 is outside 0 to 1 probability/month"),
        ("[ties]\nmeet = 45\n", "ties.meet = 45.0 is outside 0 to 1 probability/month"),
        ('[ties]\nmeet = "45%"\n', "ties.meet = '45%' is not a number from 0 to 1 probability/month"),
        ('[ties]\nmeet = "0,45"\n', "ties.meet = '0,45' is not a number from 0 to 1 probability/month"),
        ("[council]\nshares = [0.5, 0.2, 0.2]\n", "council.shares = [0.5, 0.2, 0.2] sums to 0.9, must be 1"),
        ("[council]\nshares = [0.5, 0.5]\n", "council.shares = [0.5, 0.5] holds 2 values, must hold 3"),
        ("[charging]\nlower_limit = 30_000\n",
         "charging.lower_limit = 30,000 is above charging.upper_limit = 23,250, must be at most that"),
        ("[charging]\nupper_limit = 5_000\n",
         "charging.lower_limit = 14,250 is above charging.upper_limit = 5,000, must be at most that"),
        ("[need]\ndeficits_low = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n", "need"),
        ('place = "derbi"\n', "place: no place 'derbi'; did you mean 'derby'?"),
        ('[assessment]\nrule = "care-act"\n',
         "assessment.rule = 'care-act' is not 'care_act' or 'facs'; did you mean 'care_act'?"),
        ("council = 3\n", "council = 3 is not a table"),
        ("[months]\nx = 3\n", "months is a table, must be a whole number from 0 to 1200 months"),
        ("self = 1\n", "unknown key 'self'"),
        ("citizens = 3\n'citizens.x' = 4\n", "'citizens.x' is given both as a value and as a table"),
    ],
)  # fmt: skip
def test_a_known_trap_is_caught_with_its_key(text: str, line: str | None, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    found = answer("scenario", path)
    assert found is not None or line is None
    if line is not None:
        assert found is not None and found.removeprefix(f"{tmp_path}{os.sep}").startswith(HERE + line)


def test_a_number_in_any_notation_is_the_number(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    for written in ("1e-3", "0.001", "+0.001", "1.0E-3", "0.000_1e1"):
        path.write_text(f"[ties]\nmeet = {written}\n")
        assert Scenario.load(path).ties.meet == 0.001


# --- written and read again ---

HOSTILE: Final = st.text(st.characters(codec="utf-8"), max_size=80) | st.sampled_from(
    ['"""', "'''", '"\n[council]\nfunding = 9\n', "\\", "\\u0000", "\x00", "\x7f", "\x85", "\u2028", "\ufeff", "#",
     "=1", "\r\n", "\r", "\t", "\u202e", "]", '"]', "{", "é" * 80, "🏡" * 80, " name ", "nan", "[/]", "\x1b[31m"]
)  # fmt: skip


@settings(max_examples=300)
@given(HOSTILE, st.booleans())
def test_a_scenario_of_any_name_is_read_as_it_was_written(tmp_path_factory: Any, name: str, everything: bool) -> None:
    scenario = Scenario.of({"name": name, "council.funding": 0.5})
    path = tmp_path_factory.getbasetemp() / "named.toml"
    path.write_text(scenario.to_toml(everything=everything), encoding="utf-8", newline="")
    again = Scenario.load(path)
    assert again == scenario and again.name == name and again.flat() == scenario.flat()


@given(st.text(max_size=12), st.text(max_size=5))
def test_a_name_that_no_file_can_hold_is_refused(start: str, end: str) -> None:
    with pytest.raises(InputError, match=r"^scenario: name = .* is not text$"):
        Scenario.of({"name": f"{start}\ud800{end}"[:80]})
