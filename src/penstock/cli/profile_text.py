"""A profile as people read it: a line per column, and what is frequent in each, within the terminal's width."""

import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.cli.terminal_text import harmless

# Any in this module: a profile, as JSON, and values of columns.

_NARROW = 80
_LONGEST_NAME = 28
_SHORTEST_TAIL = 16


def as_text(record: Mapping[str, Any]) -> str:
    """The profile for a terminal of any width from 80 columns on."""
    width = max(_NARROW, shutil.get_terminal_size((100, 24)).columns)
    columns: Sequence[Mapping[str, Any]] = record["columns"]
    count = len(columns)
    head = f"{record.get('data') or record.get('path')}: {record['row_count']:,} rows, {count} column{'' if count == 1 else 's'}\n"
    if not columns:
        return head
    table = [["column", "type", "nulls", "distinct", "least", "middle", "most"]]
    table += [_line(each, int(record["row_count"])) for each in columns]
    tails = ["frequent", *(_frequent(each) for each in columns)]
    widths = [max(len(line[place]) for line in table) for place in range(len(table[0]))]
    room = _fit(widths, width)
    lines = [head]
    for cells, tail in zip(table, tails, strict=True):
        shown = [
            _cut(cell, wide).ljust(wide) if place < 2 else _cut(cell, wide).rjust(wide)
            for place, (cell, wide) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join([*shown, *([_cut(tail, room)] if room else [])]).rstrip())
    return "\n".join(lines) + "\n" + _footnotes(columns)


def _fit(widths: list[int], width: int) -> int:
    """Narrow the columns so that they fit; what is left for the frequent values, 0 where that is too little to say anything."""

    def over(tail: int) -> int:
        return sum(widths) + 2 * len(widths) + tail - width

    for place in (4, 6, 5, 1):  # texts at the ends of a range first, then long types
        if over(_SHORTEST_TAIL) > 0:
            widths[place] = max(min(10, widths[place]), widths[place] - over(_SHORTEST_TAIL))
    if over(_SHORTEST_TAIL) <= 0:
        return -over(0)
    if over(-2) > 0:
        widths[0] = max(min(12, widths[0]), widths[0] - over(-2))
    return 0


def rows_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One flat row per column, for `-o table`."""
    names = ("name", "count", "nulls", "distinct", "min", "max", "mean", "std")
    return [
        {"column": each["name"], "kind": each["type"], **{name: each.get(name) for name in names[1:]}}
        for each in record["columns"]
    ]


def _line(column: Mapping[str, Any], rows: int) -> list[str]:
    least, middle, most = _range(column)
    about = "~" if column.get("distinct_error") else ""
    distinct = column.get("distinct")
    return [
        _cut(harmless(column["name"]), _LONGEST_NAME),
        column["type"],
        _share(column["nulls"], rows),
        "" if distinct is None else f"{about}{distinct:,}",
        least,
        middle,
        most,
    ]


def _range(column: Mapping[str, Any]) -> tuple[str, str, str]:
    """Smallest, median and largest value; of texts and lists the lengths."""
    if "min" in column:
        values = (column["min"], (column.get("quantiles") or {}).get("0.5"), column["max"])
        if column["family"] == "datetime" and str(values[0])[:10] != str(values[2])[:10]:
            values = (str(values[0])[:10], str(values[1])[:10], str(values[2])[:10])
        return _short(values[0]), _short(values[1]), _short(values[2])
    length = column.get("length") or {}
    if length.get("min") is None:
        return "", "", ""
    mean = length.get("mean")
    return f"len {length['min']}", "" if mean is None else f"ø {_short(mean)}", f"len {length['max']}"


def _share(count: int, rows: int) -> str:
    if not count:
        return "0"
    share = 100 * count / rows if rows else 0
    return f"{count:,}" if rows < 1000 else f"{share:.1f} %" if share >= 0.05 else f"{count:,}"


def _frequent(column: Mapping[str, Any]) -> str:
    parts = []
    for what, called in (("nan", "NaN"), ("infinite", "inf"), ("empty", "empty")):
        if column.get(what):
            parts.append(f"{called} ×{column[what]:,}")
    # Where no value occurs twice there is none that is frequent.
    parts += [
        f"{_cut(_short(each['value']), 20)} ×{each['count']:,}"
        for each in column.get("top") or ()
        if each["count"] > 1 or len(column["top"]) < 4
    ]
    return ", ".join(parts)


def _short(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.5g}" if value != int(value) or abs(value) >= 1e9 else f"{int(value):,}"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) < 10**12 else f"{value}"
    return harmless(str(value))


def _cut(text: str, wide: int) -> str:
    return text if len(text) <= wide else text[: max(wide - 1, 0)] + "…"


def _footnotes(columns: Sequence[Mapping[str, Any]]) -> str:
    error = max((each.get("distinct_error") or 0.0 for each in columns), default=0.0)
    return f"\n~ estimated, within {error:.1%}\n" if error else ""
