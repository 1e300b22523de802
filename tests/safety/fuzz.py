"""Files that nobody should hand in: each number always makes the same one."""

from __future__ import annotations

import math
import random
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from carecommons.explain import keys_of
from carecommons.founding.profile import Profile
from carecommons.params import Parameter
from carecommons.scenario import Scenario, keys, register

ROOT: Final = Path(__file__).resolve().parents[2]
DERBY: Final = (ROOT / "src/carecommons/founding/data/places/derby.toml").read_text("utf-8")
EXPERIMENTS: Final = tuple(path.read_text("utf-8") for path in sorted((ROOT / "experiments").glob("*.toml")))
KINDS: Final = ("scenario", "place", "experiment")
REGISTER: Final = {p.key: p for p in register()}

STUDY: Final = """\
title = "small"
replicates = 2
seed = 3
outcomes = ["isolation"]
[scenario]
place = "derby"
citizens = 30
months = 1
[vary]
"council.funding" = "0.7:1.3:3"
[zip]
"asking.door" = [0.1, 0.2]
"assessment.threshold" = [1, 2]
"""


class Case(NamedTuple):
    """A file to be read as a `kind`; if it is refused, the line says all that was `told`."""

    number: int
    way: str
    kind: str
    suffix: str
    content: bytes
    told: tuple[str, ...] = ()


def case(number: int) -> Case:
    """The file of that number."""
    luck = random.Random(number)
    # The kind and the way are dealt in turn, so that a thousand files hold each pair about equally often.
    kind = KINDS[number % len(KINDS)]
    way = WAYS[number // len(KINDS) % len(WAYS)]
    content, told, suffix = way(luck, kind)
    return Case(number, way.__name__, kind, suffix, content, told)


def base(luck: random.Random, kind: str) -> str:
    """A file that is right."""
    if kind == "place":
        return DERBY
    if kind == "experiment":
        return luck.choice((*EXPERIMENTS, STUDY))
    scenario = Scenario(place="derby", citizens=luck.randrange(1, 5000), months=luck.randrange(1, 60))
    return scenario.to_toml(everything=luck.random() < 0.7)


# --- one thing wrong ---

Made = tuple[bytes, tuple[str, ...], str]


def one_wrong_value(luck: random.Random, kind: str) -> Made:
    """One number out of its range or of the wrong kind, which the refusal must name with its range."""
    if kind == "place":
        key = luck.choice([k for k in keys_of(Profile) if keys_of(Profile)[k] and k != "living_alone.households"])
        line = next((n for n, text in _leaves(DERBY) if text == key), None)
        if line is None:
            return random_bytes(luck, kind)
        text = _with(DERBY, line, f"{key.rpartition('.')[2]} = {luck.choice(NEVER)}")
        return text.encode(), (key, keys_of(Profile)[key].removeprefix("from ")), ".toml"
    p = luck.choice([p for p in REGISTER.values() if p.low is not None])
    wrong, told = _wrong(luck, p)
    if kind == "scenario":
        section, _, name = p.key.rpartition(".")
        text = f"[{section}]\n{name} = {wrong}\n" if section else f"{name} = {wrong}\n"
        return text.encode(), (p.key, told), ".toml"
    text = STUDY.replace('[vary]\n"council.funding" = "0.7:1.3:3"', f'[vary]\n"{p.key}" = [{wrong}]')
    return text.encode(), (p.key,), ".toml"


NEVER: Final = ("-1", "1e30", "nan", "-inf", "true", '"12%"', "1979-05-27", "12:30:00", "{a = 1}", str(10**30), "[[]]")


def _wrong(luck: random.Random, p: Parameter) -> tuple[str, str]:
    """A value that `p` cannot have, and what a refusal must say besides the key."""
    assert p.low is not None and p.high is not None
    several = isinstance(p.value, tuple)
    value = luck.choice([
        *NEVER, repr(p.low - 1), repr(math.nextafter(float(p.high), math.inf)), repr(p.high * 100 + 1), str(10**12),
        "99" + "9" * luck.randrange(60), "0x" + "f" * luck.randrange(20, 400), "inf", '"NO"', '"1,5"', '"1 h"',
    ])  # fmt: skip
    number = tomllib.loads(f"number = {value}")["number"]
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if (is_number and p.low <= number <= p.high) or (value == "[[]]" and several):
        value, number = "-inf", -math.inf
    if several:
        values = [repr(each) for each in p.value]
        values[luck.randrange(len(values))] = value
        value = f"[{', '.join(values)}]"
    too_long = isinstance(number, int) and abs(number) >= 10**40
    return value, "40 digits" if too_long else f"{p.low} to {p.high}"


def unknown_key(luck: random.Random, kind: str) -> Made:
    """One key misspelt by a letter, which the refusal must name."""
    text = base(luck, kind)
    number, key = luck.choice([(n, k) for n, k in _leaves(text) if '"' not in k])
    name = key.rpartition(".")[2]
    at = luck.randrange(len(name))
    near = luck.choice((name[:at] + name[at + 1 :], name[:at] + "_" + name[at:], name + "s", name.upper(), f"{name}-x"))
    if not near or near == name or key.replace(name, near) in (*keys(), *keys_of(Profile), "scenario"):
        return random_bytes(luck, kind)
    lines = text.split("\n")
    lines[number] = lines[number].replace(name, near, 1)
    return "\n".join(lines).encode(), (near,), ".toml"


def _leaves(text: str) -> list[tuple[int, str]]:
    """The number of each line that gives a value, with its dotted key."""
    found, table = [], ""
    for number, line in enumerate(text.split("\n")):
        if line.startswith("["):
            table = line.strip("[]") + "."
        elif " = " in line and not line.startswith("#"):
            found.append((number, table + line.partition(" = ")[0]))
    return found


def _with(text: str, number: int, line: str) -> str:
    lines = text.split("\n")
    lines[number] = line
    return "\n".join(lines)


# --- anything at all ---

WORDS: Final = (
    '""', '"x"', "'derby'", "true", "false", "nan", "-inf", "+inf", "1e400", "-1", "0", "7", "0.5", "1.2", "1e-3",
    "1_000", "0x1F", "0o17", "0b101", "2023-01-31", "07:00:00", "1979-05-27T07:32:00Z", "12:30", "NO", "[]", "{}",
    "[1, [2, [3]]]", "{a = {b = 1}}", '"""\nlong\n"""', "'''a'''", '"\\u0000"', '"\\n=cmd"', '"../../etc/passwd"',
    '"caf\\u00e9"', str(10**12), "9" * 19, "9" * 60, "1" * 5000, "0x" + "f" * 5000, '"0.1:0.9:5"', '"0:1:1001"',
    '["a", "a"]', "[0.1, 0.2]", "[true]", "[nan]", "[{}]", "-0.0", "1.", ".5", "+5", "01", "1e5", "\\", '"', "[",
)  # fmt: skip
NAMES: Final = (
    *keys(), *keys_of(Profile), "vary", "zip", "sample", "part", "scenario", "title", "replicates", "seed", "outcomes",
    "self", "where", "cls", "__class__", "model_config", '""', '"a.b"', '"a\\nb"', "'council.funding'", "citizens.x",
    '"council.funding.x"', "name", "café", "sample.over", "sample.method", "part.name", '"\\u0000"',
)  # fmt: skip


def random_values(luck: random.Random, kind: str) -> Made:
    """A right file with some lines gone and some new ones."""
    lines = base(luck, kind).split("\n")
    for _ in range(luck.randrange(4)):
        lines.pop(luck.randrange(len(lines)))
    for _ in range(luck.randrange(1, 6)):
        lines.insert(luck.randrange(len(lines) + 1), _line(luck))
    return "\n".join(lines).encode(), (), ".toml"


def _line(luck: random.Random) -> str:
    name = luck.choice(NAMES)
    return luck.choice((f"{name} = {luck.choice(WORDS)}", f"[{name}]", f"[[{name}]]", f"{name}", f"= {name}", "\x00"))


def other_values(luck: random.Random, kind: str) -> Made:
    """A right file with other values under its keys."""
    text = base(luck, kind)
    for number, _ in luck.sample(_leaves(text), luck.randrange(1, 4)):
        name = text.split("\n")[number].partition(" = ")[0]
        text = _with(text, number, f"{name} = {luck.choice(WORDS)}")
    return text.encode(), (), ".toml"


def grammar(luck: random.Random, kind: str) -> Made:
    """TOML that may mean anything."""
    lines = [f"[{luck.choice(NAMES)}]" if luck.random() < 0.2 else f"{luck.choice(NAMES)} = {_value(luck, 0)}"
             for _ in range(luck.randrange(1, 30))]  # fmt: skip
    return "\n".join(lines).encode(), (), ".toml"


def _value(luck: random.Random, depth: int) -> str:
    if depth > 4 or luck.random() < 0.6:
        return luck.choice(WORDS) if luck.random() < 0.7 else repr(luck.uniform(-10, 10))
    inner = [_value(luck, depth + 1) for _ in range(luck.randrange(5))]
    if luck.random() < 0.5:
        return f"[{', '.join(inner)}]"
    return "{" + ", ".join(f"k{number} = {each}" for number, each in enumerate(inner)) + "}"


def random_bytes(luck: random.Random, kind: str) -> Made:
    """Noise."""
    content = luck.randbytes(luck.randrange(300))
    if luck.random() < 0.5:
        content = "".join(chr(luck.choice((luck.randrange(32, 127), luck.randrange(0xD7FF)))) for _ in content).encode()
    return content, (), luck.choice((".toml", ".csv")) if kind == "place" else ".toml"


def mutated(luck: random.Random, kind: str) -> Made:
    """A right file with bytes changed, cut, doubled or put in."""
    content = bytearray(base(luck, kind).encode())
    for _ in range(luck.randrange(1, 8)):
        at = luck.randrange(len(content) + 1)
        change = luck.randrange(6)
        if change == 0 and at < len(content):
            content[at] ^= 1 << luck.randrange(8)
        elif change == 1:
            del content[at : at + luck.randrange(1, 20)]
        elif change == 2:
            content[at:at] = content[at : at + luck.randrange(200)]
        elif change == 3:
            content[at:at] = luck.choice((b'"', b"[", b"]", b"{", b"\n", b"=", b".", b"\0", b"\xff", b"#", b"-"))
        elif change == 4:
            del content[at:]
        else:
            content[at:at] = luck.choice(WORDS).encode()
    return bytes(content), (), ".toml"


def odd_writing(luck: random.Random, kind: str) -> Made:
    """A right file in another encoding, with other ends of lines, or with what no text holds."""
    text = base(luck, kind)
    written = (
        b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("utf-32-be"), text.encode() + b"\xe9",
        text.replace("\n", "\r\n").encode(), text.replace("\n", "\r").encode(), text.encode() + b"\x00", b"\x00" * 50,
        b"\xef\xbb\xbf" * 3 + text.encode(), text.encode() + "\u2028x = 1".encode(), b"", b"\n", b"#", b"\x1a",
        b"\x1f\x8b\x08\x00" + luck.randbytes(50), b"PK\x03\x04" + luck.randbytes(50), text.encode() * 2,
        (text + "name = '\u202e\u0000'").encode("utf-8"), text.encode("utf-8").replace(b"=", b"\xc0\xbd"),
    )  # fmt: skip
    return luck.choice(written), (), ".toml"


def large(luck: random.Random, kind: str) -> Made:
    """As large as may be read, or larger; costly shapes first."""
    n = luck.choice((20_000, 200_000, 990_000, 1_000_001, 10_000_000) if luck.random() < 0.05 else (2_000, 20_000))
    quoted = '"x", '
    shapes: tuple[Callable[[], str], ...] = (
        lambda: "#" * n, lambda: "\n" * n, lambda: " " * n, lambda: "x" * n + " = 1", lambda: "a." * (n // 2) + "a = 1",
        lambda: "".join(f"k{i} = {i}\n" for i in range(n // 12)), lambda: "".join(f"[t{i}]\n" for i in range(n // 8)),
        lambda: "[[part]]\n" * (n // 9), lambda: f"x = [{'1, ' * (n // 3)}]", lambda: f"x = [{'[], ' * (n // 4)}]",
        lambda: f"x = [{'{a = 1}, ' * (n // 9)}]", lambda: f"name = '{'x' * n}'", lambda: f"name = '{'é' * (n // 2)}'",
        lambda: f"citizens = {'9' * n}", lambda: f"x = [{f'{chr(49) * 4299}, ' * (n // 4301)}{'1' * 4400}]",
        lambda: f"citizens = 0x{'f' * n}", lambda: f"citizens = 1e{'9' * n}",
        lambda: f"citizens = {'1_' * (n // 2)}1", lambda: f"[council]\nshares = [{'0.1, ' * (n // 5)}]",
        lambda: "\n".join("a." * 200 + f"k{i} = 1" for i in range(n // 410)), lambda: f"x = '''{chr(10) * n}",
        lambda: f"'citizens{'.x' * (n // 2)}' = 1", lambda: f"[vary]\n'council.funding' = [{'1, ' * (n // 3)}]",
        lambda: f"[vary]\n'council.funding' = '{'1,' * (n // 2)}1'", lambda: 'x = "' + "\\" * n, lambda: '"' * n,
        lambda: f"[vary]\n'council.funding' = '{'[' * n}'", lambda: f"[vary]\n'council.funding' = '0:1:{'9' * n}'",
        lambda: f"[vary]\n'council.funding' = '{'9' * n}:1:2'", lambda: f"outcomes = [{quoted * (n // 5)}]\n[vary]",
        lambda: "[vary]\n" + "".join(f"'{key}' = '0:1:900'\n" for key in keys()[:n]), lambda: f"place = '{'a' * n}'",
        lambda: f"[scenario]\nplace = '{'../' * (n // 3)}x.toml'\n[vary]\n'council.funding' = [1]",
    )  # fmt: skip
    text = luck.choice(shapes)()
    if kind == "place" and luck.random() < 0.3:
        return luck.choice((f"name,{text}", "name,x\n" * (n // 7), "," * n, f'"{text}', "a;" * n)).encode(), (), ".csv"
    return text.encode(), (), ".toml"


def deep(luck: random.Random, kind: str) -> Made:
    """Tables and lists in one another."""
    n = luck.choice((5, 9, 10, 11, 12, 50, 300, 499, 2_000, 20_000))
    shapes = (
        f"x = {'[' * n}{']' * n}", f"x = {'[' * n}", f"x = {'{a = ' * n}1{'}' * n}", f"[{'a.' * n}a]\nx = 1",
        f"{'a.' * n}a = 1", f"x = {'[{a = ' * n}1{'}]' * n}", f"council.funding = {'[' * n}1{']' * n}",
        f"[vary]\n'council.funding' = {'[' * n}1{']' * n}", f"[scenario{'.a' * n}]\n[vary]\n", f"[vary{'.a' * n}]\n",
        f"[[part{'.a' * n}]]", f"place = {'{place = ' * n}1{'}' * n}",
    )  # fmt: skip
    return luck.choice(shapes).encode(), (), ".toml"


def table(luck: random.Random, kind: str) -> Made:
    """A place as a CSV with things wrong in it; for other kinds, lines of two right files mixed."""
    if kind != "place":
        lines = base(luck, kind).split("\n") + base(luck, luck.choice(KINDS)).split("\n")
        luck.shuffle(lines)
        return "\n".join(lines[: luck.randrange(1, len(lines))]).encode(), (), ".toml"
    cells = ["1", "", "x", "nan", "-1", "1;2;3", "9" * 30, "1_0", "१२", "0x10", "1e5", '"a', "'", "=1+1", "0.5", "True"]
    rows = [f"{k}{luck.choice((',', ';', ',,', chr(9)))}{luck.choice(cells)}" for k in keys_of(Profile)]
    luck.shuffle(rows)
    return luck.choice(("\n", "\r\n", "\r")).join(rows[: luck.randrange(len(rows) + 1)]).encode(), (), ".csv"


WAYS: Final[tuple[Callable[[random.Random, str], Made], ...]] = (
    one_wrong_value, unknown_key, random_values, other_values, grammar, random_bytes, mutated, odd_writing, large, deep,
    table,
)  # fmt: skip
