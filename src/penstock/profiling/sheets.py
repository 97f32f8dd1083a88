"""The first sheet of a workbook (xls, xlsx, ods) as a table. The one module that knows fastexcel."""

from pathlib import Path
from typing import TYPE_CHECKING

from penstock.profiling.formats import BrokenTable, NoTable
from penstock.profiling.text_files import TextOptions, unique_names

if TYPE_CHECKING:
    import polars


def open_sheets(paths: list[Path], options: TextOptions) -> "polars.LazyFrame":
    """The rows of the first sheet of each workbook, one below the other."""
    import polars as pl

    frames = [_first_sheet(path, options) for path in paths]
    return frames[0].lazy() if len(frames) == 1 else pl.concat(frames, how="vertical_relaxed").lazy()


def _first_sheet(path: Path, options: TextOptions) -> "polars.DataFrame":
    """A type per column is that of all its cells: where they are mixed, text."""
    import fastexcel

    try:
        book = fastexcel.read_excel(path)
        head = book.load_sheet(
            0, header_row=None, skip_rows=options.skip_rows, n_rows=1, dtypes="string"
        ).to_polars()
        if not head.width:
            raise NoTable(f"the first sheet of {path}, `{book.sheet_names[0]}`, is empty")
        first = ["" if value is None else str(value) for value in (head.row(0) if head.height else ())]
        names = (
            unique_names(first) if options.header else tuple(f"Column{n}" for n in range(1, len(first) + 1))
        )
        sheet = book.load_sheet(
            0,
            header_row=None,
            skip_rows=options.skip_rows + (1 if options.header else 0),
            schema_sample_rows=None,
        )
        frame = sheet.to_polars()
    except fastexcel.FastExcelError as error:
        told = str(error).strip().split("\n")[0]
        raise BrokenTable(f"{path} cannot be read as a workbook", details=(told,)) from error
    if not frame.width:
        frame = head.clear()
    frame = frame.with_columns(_whole_numbers(frame))
    frame.columns = [*names[: frame.width], *(f"Unnamed: {n}" for n in range(len(names), frame.width))]
    return frame


def _whole_numbers(frame: "polars.DataFrame") -> "list[polars.Series]":
    """A workbook knows no whole numbers: where all numbers of a column are whole, and exact, they are integers."""
    import polars as pl

    found = []
    for column in frame.iter_columns():
        if column.dtype != pl.Float64 or column.count() == 0:
            continue
        values = column.drop_nulls()
        if values.is_finite().all() and (values == values.round()).all() and (values.abs() <= 2**53).all():
            found.append(column.cast(pl.Int64))
    return found
