"""What a relaxed environment has in place of what was asked, as a table for people: on stderr, as wide as the terminal."""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from penstock.cli.invocation import Invocation
from penstock.resources.relaxed import MARK, Row, asked_of, taken_of

# Without a terminal, whose width would count.
_WIDTH = 100
_INDENT = "  "
_GAP = "  "
_HEADINGS = ("what", "asked", "taken", "why")
# No column is made narrower; together with indent and gaps they fit into 64 columns.
_NARROWEST = (14, 14, 10, 20)
_WHY = 3
_STEP = 4


# Any: a JSON record.
def tell(invocation: Invocation, kind: str, record: Mapping[str, Any]) -> None:
    """Say that what was created is relaxed, how, and how to pin it; nothing where it is not."""
    rows: Sequence[Row] = record.get("relaxed") or ()
    if not rows:
        return
    name, version = record["name"], record["version"]
    count = f"{len(rows)} difference{'s' if len(rows) != 1 else ''}"
    invocation.say(f"{kind} `{name}:{version}` is {MARK}: {count} from what it asks for")
    for line in lines_of(rows, width()):
        invocation.say(line)
    registry = invocation.get("registry_name")
    place = f" --registry-name {registry}" if registry else ""
    invocation.say(
        f"as a conda file that pins what was taken: penstock {kind} show -n {name} -v {version}{place}"
        " --query pinned_conda_file -o yaml"
    )


def width() -> int:
    """Columns of the terminal behind stderr; COLUMNS counts before it."""
    try:
        columns = int(os.environ.get("COLUMNS", ""))
    except ValueError:
        columns = 0
    if columns > 0:
        return columns
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _WIDTH
    except (AttributeError, OSError, ValueError):  # no stderr, or none that is a terminal
        return shutil.get_terminal_size((_WIDTH, 24)).columns


def lines_of(rows: Sequence[Row], columns: int) -> Iterator[str]:
    """The table, at most so many columns wide; a cell that is too long goes on in its own column."""
    cells = [(str(row["what"]), asked_of(row), taken_of(row), str(row["why"])) for row in rows]
    widths = _widths([_HEADINGS, *cells], columns)
    yield _line(_HEADINGS, widths)
    yield _line(tuple("-" * each for each in widths), widths)
    for row in cells:
        wrapped = [_wrapped(text, each) for text, each in zip(row, widths, strict=True)]
        for index in range(max(map(len, wrapped))):
            yield _line(tuple(each[index] if index < len(each) else "" for each in wrapped), widths)


def _widths(rows: Sequence[Sequence[str]], columns: int) -> tuple[int, ...]:
    """Each column as wide as its longest cell where all fit; else such widths that the table has the fewest lines."""
    natural = [max(len(row[index]) for row in rows) for index in range(len(_HEADINGS))]
    room = columns - len(_INDENT) - len(_GAP) * (len(_HEADINGS) - 1)
    if sum(natural) <= room:
        return tuple(natural)
    choices = [_choices(width, least) for width, least in zip(natural[:_WHY], _NARROWEST, strict=False)]
    best, fewest = _NARROWEST, sys.maxsize
    for what, asked, taken in product(*choices):
        why = min(natural[_WHY], room - what - asked - taken)
        if why < min(natural[_WHY], _NARROWEST[_WHY]):
            continue
        widths = (what, asked, taken, why)
        count = sum(max(map(len, map(_wrapped, row, widths))) for row in rows)
        if count < fewest:
            best, fewest = widths, count
    return best


def _choices(natural: int, least: int) -> list[int]:
    """Widths that a column may have, the widest first."""
    return [*range(natural, min(natural, least), -_STEP), min(natural, least)]


def _wrapped(text: str, columns: int) -> list[str]:
    """Broken between words; a word that is too long, such as an address, behind a sign where one is near."""
    lines = [""]
    for word in text.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) <= columns:
            lines[-1] += f" {word}"
            continue
        pieces = list(_pieces(word, columns))
        lines = [*lines, *pieces] if lines[-1] else [*lines[:-1], *pieces]
    return lines


def _pieces(word: str, columns: int) -> Iterator[str]:
    while len(word) > columns:
        cut = 1 + max(word.rfind(sign, columns // 2, columns) for sign in "/@-.,=_") or columns
        yield word[:cut]
        word = word[cut:]
    yield word


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"{_INDENT}{_GAP.join(padded)}".rstrip()
