"""Set up carecommons, run its main job and check it, with nothing but a python3: see `python3 dev.py --help`."""

# Older Pythons must be able to read this file far enough to find a newer one: it keeps to what Python 3.6 understands.

import difflib
import hashlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST = (3, 11)
TESTED = ((3, 11), (3, 12), (3, 13))
MATRIX = ((3, 12), (3, 13))
SETTINGS = ("pyproject.toml", "constraints.txt")
STAMP = "carecommons-stamp.txt"
PROBE = "import sys, venv, ensurepip; print('%d.%d' % sys.version_info[:2])"
PROBE_SECONDS = 20  # a pyenv shim on a slow network disk takes seconds
LAST_WORDS_SECONDS = 60

HELP = """usage: python3 dev.py COMMAND [ARGUMENTS]

  run     run the main experiment into out/funding_eligibility; arguments go to 'carecommons sweep'
  test    run the tests; arguments go to pytest
  prove   run the long proofs that nothing can hurt a sweep (half an hour on two cores); arguments go to pytest
  lint    check style, layout and types (ruff check, ruff format --check, mypy)
  matrix  run the tests on Python 3.12 and 3.13 too, where found; arguments go to pytest

Each command first makes the environment it needs beside this file (.venv, .venv-312, .venv-313), unless it is there
and up to date."""


class Stop(Exception):
    """A reason to stop that the user can act on, in one line."""


def say(text: str) -> None:
    """One line about what is going on, at once, so that it stands before what a child prints."""
    print("dev.py: " + text, flush=True)


# --- finding a Python ---


def probe(python: Path) -> "tuple[int, int] | None":
    """The (major, minor) version of an interpreter that runs and can make environments, else None."""
    try:
        done = subprocess.run(
            [str(python), "-c", PROBE],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=PROBE_SECONDS,
            cwd=str(ROOT),  # where it will be used: a pyenv shim goes by the folder it is started in
            env=environment(),
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(rb"(\d+)\.(\d+)\s*$", done.stdout)
    return (int(found.group(1)), int(found.group(2))) if done.returncode == 0 and found else None


def candidates(versions: "tuple[tuple[int, int], ...]" = TESTED) -> "list[Path]":
    """Paths that may be interpreters: this one, those on PATH (all of them: the first may be a dead shim), pyenv's."""
    # Resolved, because this one may live in the very environment that is to be made again.
    paths = [Path(sys.executable).resolve()] if sys.executable else []
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if Path(folder).is_absolute()]
    try:
        home = Path.home()
    except RuntimeError:  # a container's user may have none
        home = ROOT
    for name in ["python{}.{}".format(*version) for version in versions] + ["python3", "python"]:
        paths += [folder / name for folder in folders]
        paths += sorted(home.glob(".pyenv/versions/*/bin/" + name), reverse=True)
    return [path for path in dict.fromkeys(paths) if os.access(str(path), os.X_OK)]


def find_python(versions: "tuple[tuple[int, int], ...]" = TESTED, paths: "list[Path] | None" = None) -> "Path | None":
    """The first interpreter of one of `versions` among `paths`, or None."""
    for path in candidates(versions) if paths is None else paths:
        if probe(path) in versions:
            return path
    return None


def any_python() -> Path:
    """An interpreter of a tested version, or at worst a newer one."""
    python = find_python()
    if python is None:
        python = next((path for path in candidates() if (probe(path) or (0, 0)) >= OLDEST), None)
    if python is None:
        raise Stop(
            "no Python {}.{} or newer with its venv module was found; install one, "
            "for example 'apt install python3 python3-venv' or 'pyenv install 3.13'".format(*OLDEST)
        )
    return python


# --- environments ---


def environment(folder: "Path | None" = None) -> "dict[str, str]":
    """The environment variables of a child: it may keep its bytecode, and finds the programs of `folder` first."""
    variables = dict(os.environ)
    # Set by some containers; without bytecode every `import mesa` costs seconds.
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    # macOS framework builds set it, and a venv made from a venv then points to the wrong Python.
    variables.pop("__PYVENV_LAUNCHER__", None)
    if folder is not None:
        variables["VIRTUAL_ENV"] = str(folder)
        variables["PATH"] = os.pathsep.join([str(program(folder, "python").parent), variables.get("PATH", "")])
    return variables


def program(folder: Path, name: str) -> Path:
    """Where an environment keeps a program."""
    return folder / ("Scripts/" + name + ".exe" if os.name == "nt" else "bin/" + name)


def stamp(root: Path, folder: Path) -> str:
    """What an up-to-date environment carries: where it was made, as it cannot be moved, and from which settings."""
    digest = hashlib.sha256()
    for name in SETTINGS:
        path = root / name
        digest.update(name.encode() + b"\0" + (path.read_bytes() if path.is_file() else b"") + b"\0")
    return f"{folder}\n{digest.hexdigest()}\n"


def state(folder: Path, wanted: str) -> str:
    """'ready', 'outdated' (settings changed since), 'broken' (half made, moved, its Python gone) or 'missing'."""
    if not folder.exists():
        return "missing"
    try:
        found = (folder / STAMP).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "broken"
    if found.splitlines()[:1] != wanted.splitlines()[:1] or probe(program(folder, "python")) is None:
        return "broken"
    return "ready" if found == wanted else "outdated"


def prepare(folder: Path, python: "Path | None" = None) -> None:
    """Make `folder` an environment with carecommons and its development tools, unless it is one already."""
    wanted = stamp(ROOT, folder)
    now = state(folder, wanted)
    if now == "ready":
        return
    if now != "outdated":
        python = python or any_python()
        say("{} {} with {}".format("remaking the broken" if now == "broken" else "making", folder.name, python))
        if call([python, "-m", "venv", "--clear", folder]):
            raise Stop(f"could not make {folder} with {python}; delete it, or see the message above")
    say("{} carecommons in {} (a minute or two)".format("updating" if now == "outdated" else "installing", folder.name))
    command = [program(folder, "python"), "-m", "pip", "install", "--disable-pip-version-check", "-qq"]  # errors only
    code = call([*command, "-e", ".[dev]", "-c", "constraints.txt"], folder)
    if code:
        raise Stop(f"the installation in {folder.name} failed (pip ended with {code}; its message is above)")
    # Last: a new environment without a stamp is made again, one with an old stamp is brought up to date again.
    (folder / STAMP).write_text(wanted, encoding="utf-8")


def call(command: "list[object]", folder: "Path | None" = None) -> int:
    """Run a command at the root of the project and give back its exit code, as a shell would."""
    try:
        process = subprocess.Popen([str(word) for word in command], cwd=str(ROOT), env=environment(folder))
    except OSError as problem:
        raise Stop(f"could not start {command[0]}: {problem.strerror}") from None
    try:
        code = process.wait()
    except KeyboardInterrupt:
        # The child got the same Ctrl-C and may be storing what it has; a second one ends it.
        try:
            process.wait(LAST_WORDS_SECONDS)
        except subprocess.TimeoutExpired:
            say(f"{Path(str(command[0])).name} did not end by itself")
        raise
    finally:
        if process.poll() is None:
            process.terminate()
    return code if code >= 0 else 128 - code


# --- commands ---


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(arguments: "list[str]") -> int:
    """Run the main experiment; of an option given twice the last one counts, so `arguments` may override ours."""
    folder = ROOT / ".venv"
    prepare(folder)
    jobs = processors()
    say(f"running experiments/funding_eligibility.toml into out/funding_eligibility on {jobs} processor(s)")
    sweep = ["sweep", "experiments/funding_eligibility.toml", "-o", "out/funding_eligibility", "-j", jobs]
    return call([program(folder, "carecommons"), *sweep, *arguments], folder)


def test_in(folder: Path, arguments: "list[str]") -> int:
    """Run the tests in an environment that is ready, saying which Python and Mesa it holds."""
    read = "import sys, importlib.metadata as m; print(sys.version.split()[0] + ', mesa ' + m.version('mesa'))"
    found = subprocess.run([str(program(folder, "python")), "-c", read], stdout=subprocess.PIPE, env=environment())
    say("testing on Python " + found.stdout.decode().strip())
    return call([program(folder, "python"), "-m", "pytest", "-n", "2", *arguments], folder)


def test(arguments: "list[str]") -> int:
    """Run the tests."""
    prepare(ROOT / ".venv")
    return test_in(ROOT / ".venv", arguments)


def prove(arguments: "list[str]") -> int:
    """Run the proofs that take minutes, one after the other: they kill, fill and damage, and some take the time."""
    folder = ROOT / ".venv"
    prepare(folder)
    say("proving, which takes half an hour on two cores")
    words = ["-m", "pytest", "-v", "-m", "proof", "--durations=0", "tests/proofs"]
    return call([program(folder, "python"), *words, *arguments], folder)


def lint(arguments: "list[str]") -> int:
    """Check style, layout and types: all three, even when the first fails."""
    if arguments:
        raise Stop("lint takes no arguments, got '{}'".format(" ".join(arguments)))
    folder = ROOT / ".venv"
    prepare(folder)
    codes = []
    for words in (["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]):
        say(" ".join(words))
        codes.append(call([program(folder, words[0]), *words[1:]], folder))
    return next((code for code in codes if code), 0)


def matrix(arguments: "list[str]") -> int:
    """Run the tests on each further Python that is found, with the newer Mesa that runs there."""
    codes = []
    for version in MATRIX:
        name = "{}.{}".format(*version)
        python = find_python((version,))
        if python is None:
            say(f"Python {name} not found, skipped")
            continue
        folder = ROOT / ".venv-{}{}".format(*version)
        prepare(folder, python)
        codes.append(test_in(folder, arguments))
    return next((code for code in codes if code), 0)


COMMANDS = {"run": run, "test": test, "prove": prove, "lint": lint, "matrix": matrix}


def main(words: "list[str]") -> int:
    """Run one command and give back its exit code."""
    if not words or words[0] in ("-h", "--help", "help"):
        print(HELP)
        return 0
    try:
        if words[0] not in COMMANDS:
            near = difflib.get_close_matches(words[0], COMMANDS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "the commands are " + ", ".join(COMMANDS)
            raise Stop(f"no command '{words[0]}'; {hint}")
        return COMMANDS[words[0]](words[1:])
    except (Stop, OSError) as reason:
        print(f"dev.py: {reason}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("dev.py: stopped", file=sys.stderr)
        return 130


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(main(sys.argv[1:]))
