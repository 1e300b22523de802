"""A run's arrays as bytes: packed small, with a checksum, and nothing in them that could be executed."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any, Final

import numpy as np

from carecommons.errors import CareCommonsError

Answer = Mapping[str, Any]  # name -> array

_SUM: Final = 16  # bytes of the checksum that stands first
_LEVEL: Final = 1
_KINDS: Final = ("<f8", "<i8", "|b1")


class PackingError(CareCommonsError):
    """Bytes that are not what was packed."""


def pack(answer: Answer) -> bytes:
    """Arrays of float64, int64 or bool under their names, as bytes; equal arrays give equal bytes."""
    heads, parts = [], []
    for name in sorted(answer):
        array = np.asarray(answer[name])
        heads.append([name, array.dtype.newbyteorder("<").str, list(array.shape)])
        if heads[-1][1] not in _KINDS:
            raise TypeError(f"{name}: arrays of {array.dtype} are not packed")
        # The months of an outcome stand together, and of these the bytes of equal weight: what counts people is mostly
        # noughts, and packs four times as small.
        array = np.asarray(array.T, heads[-1][1], order="C")
        parts.append(np.frombuffer(array.tobytes(), np.uint8).reshape(-1, array.dtype.itemsize).T.tobytes())
    packed = zlib.compress(json.dumps(heads).encode() + b"\n" + b"".join(parts), _LEVEL)
    return blake2b(packed, digest_size=_SUM).digest() + packed


def unpack(content: bytes) -> dict[str, Any]:
    """The arrays that were packed; `PackingError` when a single bit is not what it was."""
    if blake2b(content[_SUM:], digest_size=_SUM).digest() != content[:_SUM]:
        raise PackingError("the checksum of its arrays is wrong")
    head, _, body = zlib.decompress(content[_SUM:]).partition(b"\n")
    found, at = {}, 0
    for name, kind, shape in json.loads(head):
        dtype = np.dtype(kind)
        size = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
        raw = np.frombuffer(body, np.uint8, size, at).reshape(dtype.itemsize, -1).T.tobytes()
        found[name] = np.asarray(np.frombuffer(raw, dtype).reshape(shape[::-1]).T, order="C")
        found[name].setflags(write=False)
        at += size
    return found
