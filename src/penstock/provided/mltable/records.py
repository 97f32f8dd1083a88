"""Records of delimited text: rows of texts, and names for their columns."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

from .errors import MLTableError
from .frames import pandas

# A line of blanks, and a line break of old: both are read otherwise by pandas.
_ODD_LINE = re.compile(r"(?:\A|\n)[ \t]+(?=[\r\n]|\Z)|\r(?!\n)")


def delimiter_of(given: Any) -> str:
    text = "," if given is None else str(given)
    text = {"\\t": "\t", "tab": "\t"}.get(text, text)
    if len(text) != 1:
        raise MLTableError("`delimiter` is one character, not `{}`".format(given))
    return text


def rows_of(text: str, delimiter: str, several_lines: bool, file: str) -> Any:
    """All lines of a file as rows of texts; a value that is not there is null, an empty one is empty."""
    rows = _read_fast(text, delimiter)
    return _read_carefully(text, delimiter, several_lines, file) if rows is None else rows


def _read_fast(text: str, delimiter: str) -> Any:
    """The rows as the reader of pandas finds them, in a fraction of the time and memory; None where it could err.

    That is with quotes, odd lines, and rows that are shorter or longer than the first.
    """
    if '"' in text or "\0" in text or delimiter.isspace() or _ODD_LINE.search(text) or not text.strip():
        return None
    try:
        frame = pandas().read_csv(
            io.StringIO(text, newline=""), sep=delimiter, header=None, index_col=False, dtype=object, engine="c",
            na_filter=False, quoting=csv.QUOTE_NONE,
        )  # fmt: skip
    except (ValueError, OverflowError):
        return None
    return frame if text.count(delimiter) == frame.shape[0] * (frame.shape[1] - 1) else None


def _read_carefully(text: str, delimiter: str, several_lines: bool, file: str) -> Any:
    pd = pandas()
    lines = re.split("\r\n|\r|\n", text) if not several_lines else []
    # A quote that stays open on its line is where the two ways of reading differ; elsewhere the fast one may read.
    line_by_line = any(line.count('"') % 2 for line in lines)
    csv.field_size_limit(2**31 - 1)  # Python's own limit, 128 kB, is less than some texts have
    try:
        if line_by_line:
            rows = [next(csv.reader([line], delimiter=delimiter), []) for line in lines if line]
        else:
            rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row]
    except csv.Error as error:
        raise MLTableError("{} cannot be read as delimited text: {}".format(file, error)) from error
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, start=1):
        if len(row) > width:
            raise MLTableError(
                "{}: record {} has {} values, the first one has {}; is `delimiter` right, or does the file need "
                "`support_multi_line: true`?".format(file, number, len(row), width)
            )
    filled = [row if len(row) == width else row + [None] * (width - len(row)) for row in rows]
    return pd.DataFrame(filled, columns=range(width), dtype=object)


def unique_names(names: list[str]) -> list[str]:
    """Column names as they stand; a missing one is called by its place, a repeated one gets a number."""
    found = []  # type: list[str]
    for number, name in enumerate(names, start=1):
        name = name.strip() or "Column{}".format(number)
        count, own = 1, name
        while own in found:
            own, count = "{}_{}".format(name, count), count + 1
        found.append(own)
    return found
