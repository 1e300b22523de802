"""The command line: `carecommons run | sweep | compare | places | params | outcomes | validate`."""

from carecommons.cli.commands import cli, main
from carecommons.cli.shell import Stopped

__all__ = ["Stopped", "cli", "main"]
