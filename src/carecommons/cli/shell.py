"""How the command line ends: with one line on stderr, whatever went wrong."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import click

from carecommons.errors import CareCommonsError, InputError, did_you_mean, one_line

LONGEST = 2_000  # characters of a line, which may hold a command to give again


class Interrupted(BaseException):
    """A signal asked us to end; no `except Exception` on the way may take it for a failed run."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Stopped(CareCommonsError):
    """Somebody pressed Ctrl-C, or the machine asked us to end."""

    def __init__(self, code: int = 130, message: str = "stopped") -> None:
        super().__init__(message)
        self.exit_code = code


class Commands(click.Group):
    """Commands whose problems are one line on stderr, whatever went wrong."""

    def main(self, args: Any = None, prog_name: Any = None, complete_var: Any = None, standalone_mode: bool = True,
             **more: Any) -> Any:  # fmt: skip
        """Run a command.

        The exit code is 2 for bad input, 3 when a run failed or the disk did, 4 for a folder that holds something else,
        is damaged or is being written, 130 for Ctrl-C.
        """
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, False, **more)
        try:
            code = super().main(args, prog_name, complete_var, False, **more)
        except click.ClickException as problem:
            _end(problem.format_message(), problem.exit_code)
        except click.Abort:
            _end(str(Stopped()), 130)
        except CareCommonsError as problem:
            _end(str(problem), problem.exit_code)
        except Interrupted as stop:
            _end(str(Stopped()), stop.code)
        except MemoryError:
            _end("not enough memory; try fewer --citizens or --jobs", 3)
        except OSError as problem:
            _end(f"{problem.filename or 'system'}: {problem.strerror or problem}", 2)
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C becomes a problem like others."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise Stopped from None
        except Interrupted as stop:
            raise Stopped(stop.code) from None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or the nearest right name."""
        if args and self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            commands = self.list_commands(ctx)
            hint = did_you_mean(args[0], commands) or f"; the commands are {', '.join(commands)}"
            raise InputError(f"no command '{one_line(args[0])}'{hint}")
        return super().resolve_command(ctx, args)


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"carecommons: {one_line(message, LONGEST)}", err=True)
    sys.exit(code)
