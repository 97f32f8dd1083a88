"""The beginning of a file of delimited text: its encoding, its delimiter, its header, and the first rows as a sample."""

import codecs
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from penstock.errors import PenstockError
from penstock.profiling.formats import BrokenTable, Format, NoTable, opened

HEAD = 1 << 20
"""Bytes of a file's beginning that are looked at."""
_SNIFFED = ("\t", ",", ";", "|")
_SNIFFED_ROWS = 20
_LARGEST_TRANSCODED = 1 << 30
"""Bytes of a file in another encoding than UTF-8: it is read into memory as a whole."""
_READ_AS_IT_IS = {"utf8", "utf-8", "utf_8", "utf-8-sig", "utf_8_sig", "utf8bom", "ascii", "us-ascii"}


@dataclass(frozen=True)
class TextOptions:
    """How text is read where it does not say so itself. `skip_rows` are lines above the header."""

    delimiter: str | None = None
    encoding: str | None = None
    header: bool = True
    skip_rows: int = 0

    @property
    def codec(self) -> str | None:
        """The codec from which the text is converted; None for UTF-8. PenstockError where Python has none of this name."""
        if self.encoding is None or self.encoding.lower() in _READ_AS_IT_IS:
            return None
        try:
            return codecs.lookup(self.encoding).name
        except LookupError as error:
            raise PenstockError(
                f"there is no encoding `{self.encoding}`",
                hint="encodings are utf-8, latin-1, cp1252, utf-16 …",
            ) from error


@dataclass(frozen=True)
class Shape:
    """What the beginning of one file says. `skip`: lines before the first row. `sample`: the first rows, in UTF-8, after these lines."""

    path: Path
    names: tuple[str, ...]
    delimiter: str
    skip: int
    line_end: str
    sample: bytes
    is_whole: bool
    """Whether the sample is the whole file."""

    @property
    def alike(self) -> tuple[object, ...]:
        """What two files must have in common to be read as one."""
        return self.names, self.delimiter, self.skip, self.line_end


def shape_of(path: Path, kind: Format, options: TextOptions) -> Shape:
    """What a file's beginning says; without names where it is empty."""
    text, is_whole = _head(path, options)
    line_end = "\r" if "\r" in text and "\n" not in text else "\n"
    delimiter = options.delimiter or _delimiter(text, kind, path)
    names, skip = _header(text, delimiter, options, path)
    body = text if is_whole else _whole_lines(text, line_end)
    return Shape(path, names, delimiter, skip, line_end, body.encode(), is_whole)


def source(path: Path, options: TextOptions) -> Path | bytes:
    """What the reader is given: the file, or its text in UTF-8 where it is in another encoding."""
    if options.codec is None:
        return path
    if path.stat().st_size > _LARGEST_TRANSCODED:
        raise BrokenTable(
            f"{path} is in {options.encoding} and larger than {_LARGEST_TRANSCODED >> 30} GB",
            hint=f"convert it first: iconv -f {options.encoding} -t UTF-8",
        )
    try:
        with opened(path) as stream:
            return stream.read().decode(options.codec).encode()
    except UnicodeError as error:
        raise BrokenTable(f"{path} is not text in {options.encoding}: {error}") from error


def _head(path: Path, options: TextOptions) -> tuple[str, bool]:
    """The beginning as text, and whether it is all."""
    try:
        with opened(path) as stream:
            content = stream.read(HEAD + 1)
    except (OSError, EOFError) as error:
        raise BrokenTable(f"{path} cannot be read: {error}") from error
    is_whole = len(content) <= HEAD
    decoder = codecs.getincrementaldecoder(options.codec or "utf-8")()
    try:
        text = decoder.decode(content[:HEAD], final=is_whole)
    except UnicodeError as error:
        raise not_in_utf8(path, options.encoding, str(error)) from error
    return text.removeprefix("\ufeff"), is_whole


def not_in_utf8(path: Path, encoding: str | None, why: str) -> BrokenTable:
    """The error for text in another encoding than expected."""
    named = encoding or "UTF-8"
    hint = None if encoding else "say which it is: `--encoding latin-1` (or cp1252, utf-16)"
    return BrokenTable(f"{path} is not text in {named}", details=(why,), hint=hint)


def _whole_lines(text: str, line_end: str) -> str:
    """Up to the last end of a line that is not within quotes; all where there is none."""
    end = len(text)
    while (end := text.rfind(line_end, 0, end)) >= 0:
        if text.count('"', 0, end) % 2 == 0:
            return text[: end + 1]
    return text


def _delimiter(text: str, kind: Format, path: Path) -> str:
    """That of the suffix. Where the suffix says none, or the header has none of it, the one that divides the first rows evenly."""
    if kind == "tsv":
        return "\t"
    sniffed = _sniffed(text)
    if kind == "csv":
        first = next((line for line in text.splitlines() if line.strip()), "")
        return "," if "," in first or sniffed is None else sniffed
    if sniffed is None and text.strip():
        raise NoTable(
            f"{path} is not read as a table: no delimiter divides its lines evenly",
            hint="say which it is: `--delimiter`",
        )
    return sniffed or ","


def _sniffed(text: str) -> str | None:
    """The delimiter with which all of the first rows have the same number of values, and the most."""
    widths: dict[str, int] = {}
    for delimiter in _SNIFFED:
        rows = [row for row, _ in zip(_records(text, delimiter), range(_SNIFFED_ROWS), strict=False) if row]
        if rows and len({len(row) for row in rows}) == 1:
            widths[delimiter] = len(rows[0])
    best = max(widths, key=lambda each: widths[each], default=None)
    return best if best is not None and widths[best] > 1 else None


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The records of a text; the last one may be cut."""
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    except csv.Error:
        return  # a value longer than the reader's limit: what comes before it is enough


def _header(text: str, delimiter: str, options: TextOptions, path: Path) -> tuple[tuple[str, ...], int]:
    """The names of the columns, and how many lines come before the first row."""
    for count, row in enumerate(_records(text, delimiter)):
        if count < options.skip_rows or not any(value.strip() for value in row):
            continue
        if not options.header:
            return tuple(f"Column{number}" for number in range(1, len(row) + 1)), count
        return unique_names(row), count + 1
    if text.strip(" \t\r\n,;|"):
        raise BrokenTable(f"{path} cannot be read as delimited text: no header was found in it")
    return (), 0


def unique_names(row: list[str]) -> tuple[str, ...]:
    """Names as they stand; a blank one is called by its place (`Unnamed: 0`), a repeated one gets a number (`a.1`)."""
    found: list[str] = []
    taken = {name.strip() for name in row}
    for number, given in enumerate(row):
        name = given.strip() or f"Unnamed: {number}"
        own, count = name, 0
        while own in found or (count and own in taken):
            count += 1
            own = f"{name}.{count}"
        found.append(own)
    return tuple(found)
