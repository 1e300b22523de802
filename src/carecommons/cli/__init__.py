"""The command line: `carecommons run | sweep | compare | places | params | outcomes | validate`."""

import click

from carecommons import __version__
from carecommons.cli.commands import cli, main
from carecommons.cli.shell import Stopped

__all__ = ["Stopped", "cli", "main"]

click.version_option(__version__, message="carecommons %(version)s")(cli)
