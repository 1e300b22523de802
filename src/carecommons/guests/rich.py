"""What we use of rich, brought in without a draw from Python's own luck."""

from carecommons.guests import undisturbed

with undisturbed():
    from rich.console import Console, Group, RenderableType
    from rich.padding import Padding
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table
    from rich.text import Text

__all__ = [
    "BarColumn", "Console", "Group", "MofNCompleteColumn", "Padding", "Progress", "RenderableType", "Table", "Text",
    "TextColumn", "TimeRemainingColumn",
]  # fmt: skip
