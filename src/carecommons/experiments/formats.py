"""Tables and facts as text: CSV and JSON that are the same bytes for the same results and that any program can read."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any, Final

import numpy as np
import pandas as pd

SMALL: Final = 1_000_000  # bytes up to which a table is left unpacked
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet may run


def to_json(content: Any) -> str:
    """JSON that any reader accepts: what is not a number, or without end, is null."""
    return json.dumps(_plain(content), indent=2, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(each) for each in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def csv(table: pd.DataFrame) -> bytes:
    """A table as CSV, without its index: twelve significant digits, so that the same results are the same bytes."""
    safe = table.rename(columns=harmless)
    for column in safe.columns[[not pd.api.types.is_numeric_dtype(kind) for kind in safe.dtypes]]:
        safe[column] = safe[column].map(harmless)
    return safe.to_csv(index=False, lineterminator="\n", float_format="%.12g").encode()


def harmless(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula, its lines ended by \\n alone; anything else as it is."""
    if not isinstance(value, str):
        return value
    text = value.replace("\r", "\n")  # a bare \r is not put in quotes, and what follows it would open a cell
    return f"'{text}" if text.startswith(_FORMULA) else text


def cell(value: Any) -> str:
    """A value as it stands in a CSV: text harmless, and in quotes where it needs them; nothing for NaN."""
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.12g}"
    text = str(harmless(value))
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in ',"\r\n') else text


def series_csv(
    keys: Sequence[str], columns: Sequence[str], blocks: Iterable[tuple[Sequence[int], Any]]
) -> tuple[str, bytes]:
    """Series (months, columns), each under its numbers of `keys`, as a CSV; a large one is packed -> suffix, bytes."""
    row = ",".join(["%.12g"] * len(columns))
    out = BytesIO()
    out.write(",".join([*keys, "month", *columns]).encode() + b"\n")
    for values, series in blocks:
        head = ",".join(str(value) for value in values)
        rows = enumerate((series + 0.0).tolist(), start=1)  # + 0.0: no minus sign before nought
        lines = [f"{head},{month},{(row % tuple(each)).replace('nan', '')}\n" for month, each in rows]
        out.write("".join(lines).encode())
    content = out.getvalue()
    return (".csv", content) if len(content) <= SMALL else (".csv.gz", gzip.compress(content, compresslevel=6, mtime=0))
