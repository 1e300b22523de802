"""What agents do, one at a time: a first try at a process in one notebook cell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

from pydantic import PrivateAttr

from carecommons.place.luck import Luck
from carecommons.place.place import Place
from carecommons.processes.process import Process


class Behaviour(Process):
    """Call `do(model)` once a month, where the cycle says so: `CYCLE.after("asking", Behaviour(do=visits))`.

    `visits(model)` may go through the agents, as in `model.citizens.shuffle_do(visit)`, in an order and with luck drawn
    from `model.random`. For speed, and for luck that is the same under every policy, write a `Process` over columns.
    """

    do: Callable[[Any], Any]
    _model: Any = PrivateAttr(None)

    def on(self, model: Any) -> Self:
        """This behaviour for the agents of `model`."""
        bound = self.model_copy()
        bound._model = model
        return bound

    def step(self, place: Place, luck: Luck) -> None:
        """Let them act."""
        self.do(self._model)
