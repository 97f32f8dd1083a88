"""The report of `penstock data validate`: what fails first, one line each, and a line that sums it up."""

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from penstock.cli.problems import paint, place_of
from penstock.cli.terminal_text import harmless

# Any in this module: a JSON value.
_ORDER: Final = ("failed", "warning", "not_applicable", "passed")
_WORDS: Final = {"failed": "failed", "warning": "warning", "not_applicable": "not asked", "passed": "passed"}
_COLOURS: Final = {"failed": "red", "warning": "yellow", "not_applicable": "dim", "passed": "green"}
_LONGEST_VALUE: Final = 60


def text_of(record: Mapping[str, Any], *, every: bool = False) -> str:
    """For a terminal. `every`: also what passed, and what could not be asked."""
    import sys

    results = _sorted(record["results"])
    shown = [each for each in results if every or each["status"] in ("failed", "warning")]
    names = [harmless(str(each["name"])) for each in shown]
    widest = max(map(len, names), default=0)
    lines = []
    for name, each in zip(names, shown, strict=True):
        word = paint(_WORDS[each["status"]].ljust(9), _COLOURS[each["status"]], sys.stdout)
        place = place_of(each.get("file"), each.get("line"))
        lines.append(
            f"{word}  {name.ljust(min(widest, 40))}  {harmless(_said(each))}"
            + (f"  ({place})" if place else "")
        )
    lines.append(harmless(summary_of(record)))
    return "\n".join(lines) + "\n"


def summary_of(record: Mapping[str, Any]) -> str:
    """`taxi:3 meets its expectations: 12 of 12 (1,000 rows, 5 columns)`."""
    counts = record["counts"]
    asked = counts["passed"] + counts["failed"] + counts["warning"]
    verdict = "meets its expectations" if record["passed"] else "does not meet its expectations"
    parts = [f"{counts['failed']} failed"] if counts["failed"] else []
    parts += (
        [f"{counts['warning']} warning{'s' if counts['warning'] > 1 else ''}"] if counts["warning"] else []
    )
    parts.append(f"{counts['passed']} of {asked} passed")
    parts += [f"{counts['not_applicable']} could not be asked"] if counts["not_applicable"] else []
    return (
        f"{_called(record)} {verdict}: {', '.join(parts)}"
        f" ({_counted(record['rows'], 'row')}, {_counted(record['columns'], 'column')})"
    )


def report_file(record: Mapping[str, Any], as_html: bool) -> str:
    """A page that stands by itself, in Markdown or HTML."""
    return _html(record) if as_html else _markdown(record)


def _sorted(results: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What fails first; within that the order of the expectations file."""
    return sorted(results, key=lambda each: _ORDER.index(each["status"]))


def _said(result: Mapping[str, Any]) -> str:
    """Expected, observed, examples."""
    parts = [f"expected {result['expected']}"]
    parts += [str(result["observed"])] if result.get("observed") else []
    parts += [str(result["detail"])] if result.get("detail") else []
    examples = ", ".join(_examples(result))
    return "; ".join(parts) + (f": {examples}" if examples else "")


def _examples(result: Mapping[str, Any]) -> Iterator[str]:
    for each in result.get("examples") or ():
        if result["rule"] == "nulls":
            yield f"row {each['row']:,}"
        else:
            yield f"row {each['row']:,} has {_value(each['value'])}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_value(each)}" for name, each in value.items())
    text = json.dumps(value, ensure_ascii=False) if not isinstance(value, float) else f"{value:.6g}"
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"


def _called(record: Mapping[str, Any]) -> str:
    data = record["data"]
    return f"{data['name']}:{data['version']}" if "name" in data else str(data["path"])


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _rows(record: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for each in _sorted(record["results"]):
        observed = "; ".join(str(each[key]) for key in ("observed", "detail") if each.get(key))
        yield _WORDS[each["status"]], each["name"], each["expected"], observed, ", ".join(_examples(each))


_HEADINGS: Final = ("", "expectation", "expected", "observed", "rows")


def _origin(record: Mapping[str, Any]) -> str:
    kept = record["expectations"]
    return f"Checked at {record['validated_at']} against {kept['source']} (digest {kept['digest'][:12]})."


def _markdown(record: Mapping[str, Any]) -> str:
    def cell(text: str) -> str:
        return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")

    lines = [f"# {cell(summary_of(record))}", "", cell(_origin(record)), ""]
    lines += ["| " + " | ".join(_HEADINGS) + " |", "|" + "---|" * len(_HEADINGS)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in _rows(record)]
    return "\n".join(lines) + "\n"


_STYLE: Final = (
    "body{font:14px system-ui,sans-serif;margin:2em;max-width:90em}h1{font-size:1.3em}table{border-collapse:collapse}"
    "td,th{border-bottom:1px solid #ccc;padding:.3em .8em .3em 0;text-align:left;vertical-align:top}"
    ".failed td:first-child{color:#b00020;font-weight:bold}.warning td:first-child{color:#946200;font-weight:bold}"
    ".passed td:first-child{color:#1b6e1b}.not{color:#666}"
)


def _html(record: Mapping[str, Any]) -> str:
    heading = html.escape(summary_of(record))
    lines = [
        "<!doctype html>", '<html lang="en">', f"<head><meta charset='utf-8'><title>{heading}</title>",
        f"<style>{_STYLE}</style></head>", f"<body><h1>{heading}</h1>", f"<p>{html.escape(_origin(record))}</p>", "<table>",
        "<tr>" + "".join(f"<th>{each}</th>" for each in _HEADINGS) + "</tr>",
    ]  # fmt: skip
    for row in _rows(record):
        cells = "".join(f"<td>{html.escape(each)}</td>" for each in row)
        lines.append(f'<tr class="{row[0]}">{cells}</tr>')
    return "\n".join([*lines, "</table></body></html>"]) + "\n"
