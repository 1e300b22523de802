"""How loops are compiled: once, kept on disk, without the interpreter's lock, in plain IEEE arithmetic."""

from __future__ import annotations

from typing import Any

from numba import njit

compiled: Any = njit(nogil=True, cache=True)
"""The decorator of every kernel; never `parallel` nor `fastmath`, which would change results between machines."""
