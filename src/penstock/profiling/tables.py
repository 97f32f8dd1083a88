"""Opening data as a table: the one way in, for whoever profiles or checks it.

Nothing is read for good before it is asked for; of text and JSON a sample is, for the types. Everything is on this machine.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from penstock.errors import PenstockError
from penstock.profiling import delimited, json_files, sheets
from penstock.profiling.formats import BrokenTable, Files, files_in, format_of
from penstock.profiling.mltables import open_mltable
from penstock.profiling.text_files import TextOptions, not_in_utf8

if TYPE_CHECKING:
    import polars

TableKind = Literal["uri_file", "uri_folder", "mltable"]
T = TypeVar("T")


def open_table(
    path: Path,
    kind: TableKind,
    *,
    pattern: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    skip_rows: int = 0,
    sure: bool = False,
) -> "polars.LazyFrame":
    """The rows of a file, of a folder's files of one format, or of an MLTable folder.

    NoTable where it is none (an image, a model), BrokenTable where it cannot be read as the table that it should be. `pattern` chooses
    files of a folder; `delimiter`, `encoding`, `header` and `skip_rows` (lines above the header) say how text is read.

    The types of text are those of a sample unless `sure`: a value further down that does not fit is polars' error when it is read.
    `over_table` deals with that.
    """
    path = Path(path)
    if not path.exists():
        raise PenstockError(
            f"{path} does not exist", hint="give the path of a file or folder on this machine"
        )
    options = TextOptions(delimiter, encoding, header, skip_rows)
    with read_errors(path):
        if kind == "mltable":
            return open_mltable(path)
        return _open(_files(path, kind, pattern), options, sure=sure)


def over_table(
    path: Path, kind: TableKind, ask: "Callable[[polars.LazyFrame], T]", **options: Any
) -> T:  # Any: the options of open_table
    """What `ask` makes of the table: asked once, and once more where a value does not have the type that a sample told.

    The second time the types are those of all values. What polars cannot read then is a BrokenTable.
    """
    import polars as pl

    path = Path(path)
    try:
        return ask(open_table(path, kind, **options))
    except pl.exceptions.PolarsError:
        with read_errors(path):
            return ask(open_table(path, kind, **{**options, "sure": True}))


@contextmanager
def read_errors(path: Path) -> Iterator[None]:
    """What polars, the system or the reader of spreadsheets cannot read becomes a BrokenTable that names the path."""
    import polars as pl

    try:
        yield
    except pl.exceptions.PolarsError as error:
        told = str(error).strip().split("\n")[0]
        if "utf-8" in told.lower() or "utf8" in told.lower():
            raise not_in_utf8(path, None, told) from error
        raise BrokenTable(f"{path} cannot be read as a table", details=(told,)) from error
    except (OSError, EOFError) as error:
        raise BrokenTable(f"{path} cannot be read: {error}") from error


def _files(path: Path, kind: TableKind, pattern: str | None) -> Files:
    if path.is_dir():
        if kind == "uri_file":
            raise PenstockError(f"{path} is a folder, not a file", hint="use the type uri_folder")
        return files_in(path, pattern)
    if pattern is not None:
        raise PenstockError(f"a pattern chooses files of a folder, and {path} is a file")
    return Files((path,), format_of(path))


def _open(files: Files, options: TextOptions, *, sure: bool) -> "polars.LazyFrame":
    import polars as pl

    paths = list(files.paths)
    if files.format in ("csv", "tsv", "text"):
        return delimited.open_delimited(files, options, sure=sure)
    if files.format == "parquet":
        hive = files.folder is not None and any("=" in part for part in _inside(files))
        frame = pl.scan_parquet(paths, hive_partitioning=hive, glob=False)
    elif files.format == "arrow":
        frame = pl.scan_ipc(paths, glob=False)
    elif files.format == "json lines":
        frame = json_files.open_lines(paths)
    elif files.format == "json":
        frame = json_files.open_arrays(paths)
    else:
        frame = sheets.open_sheets(paths, options)
    frame.collect_schema()  # a file that is not what its name says is told here
    return frame


def _inside(files: Files) -> list[str]:
    """The folders between the table's and its first file."""
    assert files.folder is not None
    return list(files.paths[0].relative_to(files.folder).parts[:-1])
