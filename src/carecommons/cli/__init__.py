"""The command line: `carecommons run | sweep | compare | diff | status | retry | merge | export | places | ...`."""

import click

from carecommons import __version__
from carecommons.cli.commands import run
from carecommons.cli.findings import ranks
from carecommons.cli.group import cli, main
from carecommons.cli.results import status
from carecommons.cli.shell import Stopped
from carecommons.cli.studies import sweep

__all__ = ["Stopped", "cli", "main", "ranks", "run", "status", "sweep"]  # each file of commands adds its own to `cli`

click.version_option(__version__, message="carecommons %(version)s")(cli)
