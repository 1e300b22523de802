"""How loops are compiled: once, kept on disk, without the interpreter's lock, in plain IEEE arithmetic."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy as np
from numba import njit
from numba.core.caching import FunctionCache


def compiled(function: Callable[..., Any]) -> Any:
    """The decorator of every kernel; never `parallel` nor `fastmath`, which would change results between machines."""
    kernel: Any = njit(nogil=True)(function)
    kept: Any = _Kept
    if hasattr(kernel, "py_func"):  # it has none where numba is told to compile nothing
        with suppress(RuntimeError, OSError):  # nowhere to keep it: it is compiled in every process
            _hash(function.__code__.co_filename)  # now: at the first call it may say something else
            kernel._cache = kept(function)
    return kernel


class _Kept(FunctionCache):
    """Numba's cache on disk, which asks only whether the function's own file has changed.

    What it calls is compiled into it, and what it names is frozen in it, from whatever files these come: here it is
    kept as long as none of that has changed, so that no result is of code that is no longer there.
    """

    def load_overload(self, *args: Any) -> Any:
        """What was compiled for these types, None when it was not, or of other sources."""
        self._cache_file._source_stamp = stamp(self._py_func)
        above: Any = super()
        return above.load_overload(*args)

    def save_overload(self, *args: Any) -> None:
        """Keep what was compiled."""
        self._cache_file._source_stamp = stamp(self._py_func)
        above: Any = super()
        above.save_overload(*args)


def stamp(function: Callable[..., Any]) -> str:
    """A hash of the files of a function and of all compiled ones that it calls, and of the values that they name."""
    return blake2b("\n".join(sorted({*_parts(function, set())})).encode(), digest_size=16).hexdigest()


def _parts(function: Any, seen: set[Any]) -> Iterator[str]:
    """What compiled code is made of: a hash of each file, and each value by its name."""
    if function in seen:
        return
    seen.add(function)
    yield _hash(function.__code__.co_filename)
    for name in _names(function.__code__):
        if name not in function.__globals__:  # Python's own, or an attribute
            continue
        value = function.__globals__[name]
        called = getattr(value, "py_func", None) or getattr(value, "_defn", None)  # of a kernel, of an intrinsic
        if isinstance(called, FunctionType):
            yield from _parts(called, seen)
        elif isinstance(value, type | ModuleType):
            file = getattr(value if isinstance(value, ModuleType) else sys.modules[value.__module__], "__file__", None)
            yield f"{name} {_hash(file) if file else value.__name__}"
        else:
            yield f"{name} {value.tobytes() if isinstance(value, np.ndarray) else value!r}"


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield from _names(each)


@cache
def _hash(file: str) -> str:
    return blake2b(Path(file).read_bytes(), digest_size=16).hexdigest()
