"""What may happen to a file on its way through the years."""

from __future__ import annotations

import random
from pathlib import Path


def flip(file: Path, luck: random.Random) -> None:
    content = bytearray(file.read_bytes())
    bit = luck.randrange(8 * len(content))
    content[bit // 8] ^= 1 << bit % 8
    file.write_bytes(content)


def cut(file: Path, luck: random.Random) -> None:
    with file.open("rb+") as handle:
        handle.truncate(luck.randrange(file.stat().st_size))


def empty(file: Path, luck: random.Random) -> None:
    file.write_bytes(b"")


def scribble(file: Path, luck: random.Random) -> None:
    content = bytearray(file.read_bytes())
    at = luck.randrange(len(content))
    content[at : at + 512] = luck.randbytes(min(512, len(content) - at))
    file.write_bytes(content)


def swap(file: Path, luck: random.Random) -> None:
    """Two blocks change places, as when a disk writes them to each other's."""
    content, block = bytearray(file.read_bytes()), 512
    one, other = luck.sample(range(len(content) // block), 2)
    first, second = (content[k * block : (k + 1) * block] for k in (one, other))
    content[one * block : (one + 1) * block], content[other * block : (other + 1) * block] = second, first
    file.write_bytes(content)
