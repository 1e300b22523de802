"""Packages that change the interpreter as they are imported: they come in here, and what they changed is put back."""

from __future__ import annotations

import multiprocessing
import random
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back how processes are started, which Mesa 3.3 sets, and Python's own luck, from which rich draws."""
    start, luck = multiprocessing.get_start_method(allow_none=True), random.getstate()
    try:
        yield
    finally:
        random.setstate(luck)
        if multiprocessing.get_start_method(allow_none=True) != start:
            multiprocessing.set_start_method(start, force=True)
