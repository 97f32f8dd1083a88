"""Which format a file has, by its name and its first bytes, and which files of a folder are the table."""

import gzip
import os
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from penstock.errors import PenstockError
from penstock.provided.mltable.paths import pattern_of

Format = Literal["csv", "tsv", "text", "parquet", "json lines", "json", "arrow", "excel"]

_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".txt": "text", ".dat": "text", ".data": "text",
    ".parquet": "parquet", ".pq": "parquet", ".jsonl": "json lines", ".ndjson": "json lines", ".json": "json",
    ".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".xls": "excel", ".xlsx": "excel", ".xlsm": "excel",
    ".xlsb": "excel", ".ods": "excel",
}  # fmt: skip
_BY_FIRST_BYTES: tuple[tuple[bytes, Format], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"PK\x03\x04", "excel"),
    (b"\xd0\xcf\x11\xe0", "excel"),
)
GZIPPED = (".gz", ".gzip")
READ = "csv, tsv, text with a delimiter (each also gzipped), parquet, json lines, a json array, feather (arrow), xls, xlsx"


class NoTable(PenstockError):
    """The file or folder is not a table, and does not claim to be one: an image, a model, a config."""


class BrokenTable(PenstockError):
    """What should be a table cannot be read as one."""


@dataclass(frozen=True)
class Files:
    """The files of one table, all of one format, sorted by path. `folder` is set where a folder was asked for."""

    paths: tuple[Path, ...]
    format: Format
    folder: Path | None = None


def stem_suffix(path: Path) -> str:
    """The suffix in small letters, without that of gzip."""
    name = path.name.lower()
    for ending in GZIPPED:
        name = name.removesuffix(ending)
    return os.path.splitext(name)[1]  # noqa: PTH122 - of a text


def is_gzipped(path: Path) -> bool:
    return path.name.lower().endswith(GZIPPED)


def opened(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it is gzipped."""
    return gzip.open(path, "rb") if is_gzipped(path) else path.open("rb")  # type: ignore[return-value]


def format_of(path: Path) -> Format:
    """The format of one file, or NoTable."""
    suffix = stem_suffix(path)
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if suffix:
        raise _no_table(path, f"a file that ends in `{suffix}` is no table")
    with opened(path) as stream:
        first = stream.read(4096)
    for mark, found in _BY_FIRST_BYTES:
        if first.startswith(mark):
            return found
    if b"\0" in first:
        raise _no_table(path, "its name has no ending, and its bytes are no text")
    beginning = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    return {b"{": "json lines", b"[": "json"}.get(beginning, "text")  # type: ignore[return-value]


def files_in(folder: Path, pattern: str | None = None) -> Files:
    """The files below a folder that make one table: all of one format, hidden ones and those beginning with `_` left out.

    With a `pattern` (a glob relative to the folder, `**` for any depth) only the files that it matches.
    """
    if (folder / "_delta_log").is_dir() and pattern is None:
        raise NoTable(
            f"{folder} is a Delta table, which is read through an MLTable file",
            hint="write an MLTable file with `read_delta_lake`, and use the type mltable",
        )
    matches = _matcher(pattern)
    found: list[tuple[Path, Format]] = []
    strangers: list[str] = []
    for path in _walked(folder):
        inside = path.relative_to(folder).as_posix()
        if not matches(inside):
            continue
        try:
            found.append((path, format_of(path)))
        except NoTable:
            strangers.append(inside)
    if not found:
        where = f" that matches `{pattern}`" if pattern else ""
        raise NoTable(f"{folder} holds no table{where}", details=_told(strangers), hint=f"read are: {READ}")
    formats = Counter(kind for _, kind in found)
    if len(formats) > 1 or strangers:
        raise _mixed(folder, found, strangers, formats)
    return Files(tuple(path for path, _ in found), found[0][1], folder)


def _mixed(
    folder: Path, found: list[tuple[Path, Format]], strangers: list[str], formats: Counter[Format]
) -> PenstockError:
    """The error for a folder of several formats, with one file of each."""
    samples = [
        f"{next(path for path, kind in found if kind == each).relative_to(folder)} ({each}, {count} in all)"
        for each, count in formats.most_common()
    ]
    samples += [f"{name} (no table)" for name in strangers[:5]]
    suffix = stem_suffix(found[0][0]) or ".csv"
    return NoTable(
        f"{folder} holds files of several kinds, and a table is files of one",
        details=samples,
        hint=f"say which of them: a pattern such as `**/*{suffix}`, or the path of one file",
    )


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    if pattern is None:
        return lambda inside: not any(part[:1] in "._" for part in inside.split("/"))
    expression: re.Pattern[str] = pattern_of(pattern)
    return lambda inside: expression.match(inside) is not None


def _walked(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders.sort()
        found += [Path(place, name) for name in names if Path(place, name).is_file()]
    return sorted(found)


def _no_table(path: Path, why: str) -> NoTable:
    return NoTable(f"{path} is not read as a table: {why}", hint=f"read are: {READ}")


def _told(names: list[str]) -> list[str]:
    return [f"it has {', '.join(names[:5])}{' …' if len(names) > 5 else ''}"] if names else []
