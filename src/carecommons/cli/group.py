"""The program and its group of commands: how it begins, and how it is stopped."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import click

from carecommons.cli.options import example
from carecommons.cli.shell import Commands, Interrupted

NARROW = 120  # columns where nobody says how wide the screen is
AGAIN = 0.1  # seconds after which a stop that was not heard is repeated


def main() -> None:
    """The program `carecommons`."""
    listen()
    _speak()
    try:
        cli(prog_name="carecommons")
    finally:
        _remind(0)


def _speak() -> None:
    """See that whatever is said can be: where nobody listens, and in letters that the screen or file has."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever began us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def listen() -> None:
    """Heed the signals that ask us to end, from now on."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    sys.unraisablehook = _dropped


def _dropped(what: sys.UnraisableHookArgs) -> None:
    """Tell what was raised where nothing can be (a `__del__`, a callback of C), but a stop, which is repeated."""
    if not isinstance(what.exc_value, Interrupted):
        sys.__unraisablehook__(what)


def _stop(number: int, frame: object) -> None:
    """Stop in good order; a second time, at once."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _stop_at_once)
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, lambda *_: _insist(128 + number))
        _remind(AGAIN)
    raise Interrupted(128 + number)


def _insist(code: int) -> None:
    """Stop again, unless it is on its way: in the middle of arrays, one time in twenty, numpy drops what is raised."""
    problem = sys.exc_info()[1]
    while problem is not None:
        if isinstance(problem, Interrupted):
            _remind(0)
            return
        problem = problem.__context__
    raise Interrupted(code)


def _remind(seconds: float) -> None:
    """Have an alarm go off every so many seconds; none with 0."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)


def _stop_at_once(number: int, frame: object) -> None:
    os._exit(128 + number)


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]},
             epilog=example("carecommons run derby", "carecommons COMMAND --help"))  # fmt: skip
@click.pass_context
def cli(ctx: click.Context) -> None:
    """What community-led care does, simulated: places, policies, and what follows."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def say(what: Any) -> None:
    """Print tables, and whatever else rich knows, as wide as the screen."""
    from carecommons.guests.rich import Console

    Console(width=None if sys.stdout.isatty() else NARROW, highlight=False, markup=False).print(what)
