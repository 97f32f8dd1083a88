"""JSON as a table: lines with one mapping each, or an array of mappings."""

import glob
import json
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.profiling.formats import BrokenTable, NoTable, is_gzipped, opened

if TYPE_CHECKING:
    import polars

_LARGEST_ARRAY = 2 << 30
"""Bytes of an array: it is read into memory as a whole."""


def open_lines(paths: list[Path]) -> "polars.LazyFrame":
    """The rows of files with one mapping a line. Names and types are those of all lines, for which they are read once more."""
    import polars as pl

    full = [path for path in paths if not _is_blank(path)]
    if not full:
        raise NoTable(f"{paths[0]} is empty" if len(paths) == 1 else f"the {len(paths)} files are empty")
    # The reader takes every path for a pattern.
    return pl.scan_ndjson([glob.escape(str(path)) for path in full], infer_schema_length=None)


def open_arrays(paths: list[Path]) -> "polars.LazyFrame":
    """The rows of files that each hold one array of mappings; NoTable for any other document."""
    import polars as pl

    frames = [_array(path) for path in paths]
    return frames[0].lazy() if len(frames) == 1 else pl.concat(frames, how="diagonal_relaxed").lazy()


def _array(path: Path) -> "polars.DataFrame":
    import polars as pl

    if path.stat().st_size > _LARGEST_ARRAY:
        raise BrokenTable(
            f"{path} is an array of more than {_LARGEST_ARRAY >> 30} GB",
            hint="write JSON lines: one row a line",
        )
    with opened(path) as stream:
        content = stream.read()
    beginning = content.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not beginning:
        raise NoTable(f"{path} is empty")
    if beginning != b"[":
        raise NoTable(f"{path} is no table: a JSON document is one where it is an array of mappings")
    try:
        rows = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise BrokenTable(f"{path} is no JSON: {error}") from error
    if not all(isinstance(row, dict) for row in rows):
        raise NoTable(f"{path} is no table: an item of its array is no mapping")
    if not rows:
        return pl.DataFrame()
    return pl.read_json(content, infer_schema_length=None)


def _is_blank(path: Path) -> bool:
    if path.stat().st_size > 1 << 16 and not is_gzipped(path):
        return False
    with opened(path) as stream:
        return not stream.read(1 << 16).strip()
