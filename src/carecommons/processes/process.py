"""What a process is: parameters, the columns it reads and writes, and one step a month."""

from __future__ import annotations

import re
from typing import ClassVar

from carecommons.params import LEVER, A, Parameters, param
from carecommons.place.luck import Luck
from carecommons.place.place import Place


class Process(Parameters):
    """One thing that happens every month; subclass it, declare parameters with `param`, and write `step`.

    `reads` and `writes` name what the step looks at and what it may change: columns of the citizens, or `ties`,
    `groups`, `enterprises`, `council`, `ledger`. A process that is `off` does nothing.
    """

    reads: ClassVar[tuple[str, ...]] = ()
    writes: ClassVar[tuple[str, ...]] = ()

    off: bool = param(
        False, "leave this out of the month", unit="switch", role=LEVER,
        source="model design: each mechanism has an off",
        grade=A,
    )  # fmt: skip

    @classmethod
    def section(cls) -> str:
        """The process's name in scenarios: InformalCare is `informal_care`."""
        return re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def step(self, place: Place, luck: Luck) -> None:
        """Change `place` by one month, with the draws of `luck`."""
        raise NotImplementedError
