"""Delimited text as a table.

What is decided here and in `text_files.py`, and held by tests:
- The first line that is not blank is the header. A name that is blank becomes `Unnamed: 3` (its place, from 0), one that is repeated
  `a.1`, as pandas calls them.
- A line without any value (blank, or only delimiters) is no row.
- An empty value is null; a quoted empty one (`""`) is an empty string where the column is text.
- A row with fewer values than the header ends in nulls; one with more is an error.
- The files of a folder have the same columns, in any order.
"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from penstock.profiling.formats import BrokenTable, Files, NoTable
from penstock.profiling.text_files import Shape, TextOptions, shape_of, source
from penstock.profiling.text_types import TextType, as_typed, column_called, types_of

if TYPE_CHECKING:
    import polars

_SAMPLED_FILES = 10
"""Of a folder, the files whose beginnings are looked at for the types: evenly spread, the first one among them."""


@dataclass(frozen=True)
class _Reader:
    """Files with one header, which are scanned together."""

    shape: Shape
    sources: list[Any] = field(repr=False)  # Any: paths or bytes, what polars takes

    def scan(self, types: "dict[str, polars.DataType]") -> "polars.LazyFrame":
        """The rows, without the lines that hold no value at all."""
        import polars as pl

        frame = pl.scan_csv(
            self.sources, has_header=False, skip_rows=self.shape.skip, separator=self.shape.delimiter,
            schema={name: types[name] for name in self.shape.names}, glob=False, eol_char=self.shape.line_end,
            raise_if_empty=False, missing_columns="insert",
        )  # fmt: skip
        return frame.filter(
            pl.any_horizontal([column_called(name).is_not_null() for name in self.shape.names])
        )


def open_delimited(files: Files, options: TextOptions, *, sure: bool) -> "polars.LazyFrame":
    """The files' rows. `sure`: the types hold for every value, for which all of them are read; else they are those of a sample."""
    shapes = [shape_of(path, files.format, options) for path in files.paths]
    full = [shape for shape in shapes if shape.names]
    if not full:
        what = (
            f"{shapes[0].path} is" if len(shapes) == 1 else f"the {len(shapes)} files in {files.folder} are"
        )
        raise NoTable(f"{what} empty: not even a header")
    _require_one_header(full)
    names = full[0].names
    sampled = full[:: -(-len(full) // _SAMPLED_FILES)]
    samples = [_Reader(shape, [shape.sample]) for shape in sampled]
    readers = _readers(full, options)
    types = types_of(
        _text(samples, names),
        names,
        is_whole=len(sampled) == len(full) and all(shape.is_whole for shape in full),
        whole=lambda: _text(readers, names),
        sure=sure,
    )
    return _together((_typed(reader, types, sure=sure) for reader in readers), names)


def _readers(shapes: list[Shape], options: TextOptions) -> list[_Reader]:
    """Neighbours that look alike are one scan."""
    groups = (list(group) for _, group in itertools.groupby(shapes, key=lambda shape: shape.alike))
    return [_Reader(group[0], [source(shape.path, options) for shape in group]) for group in groups]


def _typed(reader: _Reader, types: dict[str, TextType], *, sure: bool) -> "polars.LazyFrame":
    scanned = {name: kind.scanned_as(sure=sure) for name, kind in types.items()}
    return as_typed(reader.scan(scanned), types, sure=sure)


def _text(readers: list[_Reader], names: tuple[str, ...]) -> "polars.LazyFrame":
    """All values as they are written."""
    import polars as pl

    return _together((reader.scan(dict.fromkeys(names, pl.String())) for reader in readers), names)


def _together(frames: "Iterable[polars.LazyFrame]", names: tuple[str, ...]) -> "polars.LazyFrame":
    import polars as pl

    columns = [column_called(name) for name in names]
    ordered = [frame.select(columns) for frame in frames]
    return ordered[0] if len(ordered) == 1 else pl.concat(ordered)


def _require_one_header(shapes: list[Shape]) -> None:
    first = shapes[0]
    for shape in shapes[1:]:
        if set(shape.names) == set(first.names):
            continue
        missing, more = set(first.names) - set(shape.names), set(shape.names) - set(first.names)
        told = [f"it lacks {_listed(missing)}"] if missing else []
        told += [f"it adds {_listed(more)}"] if more else []
        raise BrokenTable(
            f"{shape.path} has other columns than {first.path}",
            details=told,
            hint="a table's files have the same columns; give a pattern, or the path of one file",
        )


def _listed(names: set[str]) -> str:
    shown = sorted(names)
    return ", ".join(f"`{name}`" for name in shown[:8]) + (" …" if len(shown) > 8 else "")
