"""From a profile to a file of expectations that a person goes on with: text, with what was seen in its comments.

What it promises: the data that the profile is of meets it. Beyond that it is meant to hold for more data of the kind, and to fail where
something is wrong with it: so ranges have slack, values are listed only where there are few and each is frequent, and nothing is
said about a column of which too little was seen.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Any, Final

# Any in this module: a profile, as `profile.py` makes it, and values of YAML.

_MANY: Final = 100
"""Rows from which on it means something that there is no null among them, or no value twice."""
_FEW_VALUES: Final = 10
_SEEN_EACH: Final = 5
"""Rows with each value, from which on a column's values are taken for a list of all that there are."""
_SEEN_ON_AVERAGE: Final = 20
_SLACK: Final = 0.5
"""Of the width of what was seen, on either side."""
_LONGEST_LISTED: Final = 60
_LARGEST_PLAIN: Final = 1e15
_PLAIN: Final = re.compile(r"azureml:[\w./@:-]*\w")
_NOT_EVENTS: Final = ("birth", "dob", "expir", "due", "valid", "end")
_TYPES: Final = {
    "integer": "integer", "number": "number", "string": "text", "boolean": "boolean", "date": "date", "datetime": "datetime",
}  # fmt: skip


def propose(
    profile: Mapping[str, Any], *, about: str | None = None, called: str = "the data", whole: bool = True
) -> str:
    """The text of a file of expectations. `about` is the asset's reference for `data:`, `called` what the first line says it is.

    `whole`: the profile has all columns of the table.
    """
    rows, columns = int(profile["row_count"]), profile["columns"]
    lines = [
        f"# Proposed from {' '.join(called.split())}: {rows:,} rows, {len(columns)} columns. Change what you know better, and check data against it with",
        "# `penstock data validate`. The number of rows may halve or double; a range is half as wide again on either side as what was",
        "# seen, and the median stays between what were the quartiles; values are listed where there are few, and each is frequent.",
    ]
    if about is not None:
        lines.append(f"data: {about if _PLAIN.fullmatch(about) else _scalar(about)}")
    lines.append(f"rows: {_flow(_rows(rows))}{_comment(f'{rows:,} seen')}")
    lines += _freshness(columns)
    if whole:
        lines.append("extra_columns: warn")
    if columns:
        lines.append("columns:")
        lines += [
            f"  {_scalar(each['name'])}: {_flow(_column(each, rows))}{_comment(_seen(each))}"
            for each in columns
        ]
    return "\n".join(lines) + "\n"


def _rows(rows: int) -> dict[str, int]:
    return (
        {"min": int(_rounded(rows / 2, down=True)), "max": int(_rounded(rows * 2, down=False))}
        if rows
        else {"min": 0}
    )


def _freshness(columns: list[Mapping[str, Any]]) -> Iterator[str]:
    """Only as a suggestion: how old data may be is nothing that data say."""
    for each in columns:
        name = str(each["name"])
        if (
            each["family"] in ("date", "datetime")
            and each.get("max")
            and not any(word in name.lower() for word in _NOT_EVENTS)
        ):
            rule = _flow({"column": name, "max_age": "7d"})
            yield f"# freshness: {rule}{_comment('newest ' + _short(each['max']))}"
            return


def _column(column: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The rules of one column."""
    count = int(column["count"]) - int(column.get("nan") or 0)
    rules: dict[str, Any] = {}
    if count and column["family"] in _TYPES:
        rules["type"] = _TYPES[column["family"]]
    rules |= _nulls(rows - count, rows)
    if not count:
        return rules
    if _is_key(column, rows):
        rules["unique"] = True
    listed = _listed(column, count)
    if listed is not None:
        return rules | {"allowed": listed}
    if column["family"] in ("integer", "number"):
        return rules | _range(column, count)
    if column["family"] == "string" and count >= _MANY:
        return rules | _length(column)
    return rules


def _nulls(missing: int, rows: int) -> dict[str, Any]:
    """None where there was none in many rows; else at most twice the share, or a hundredth more."""
    if not missing:
        return {"nulls": 0} if rows >= _MANY else {}
    share = missing / rows
    most = math.ceil(max(2 * share, share + 0.01) * 100)
    return {"nulls": f"{most}%"} if most < 100 else {}


def _is_key(column: Mapping[str, Any], rows: int) -> bool:
    """Whether each row has a value of its own, which is no chance: measured numbers and times are often all different."""
    exact = not column.get("distinct_error") and column.get("distinct") == rows == column["count"]
    return exact and rows >= _MANY and column["family"] in ("integer", "string")


def _listed(column: Mapping[str, Any], count: int) -> list[Any] | None:
    """All values, where there are a few and each is seen often; one value alone says too little."""
    distinct, top = column.get("distinct"), column.get("top") or []
    if (
        column["family"] not in ("string", "integer")
        or column.get("distinct_error")
        or column.get("top_error")
    ):
        return None
    if not 2 <= (distinct or 0) <= _FEW_VALUES or len(top) != distinct or count < _SEEN_ON_AVERAGE * distinct:
        return None
    if min(each["count"] for each in top) < _SEEN_EACH:
        return None
    values = [each["value"] for each in top]
    if any(isinstance(value, str) and len(value) > _LONGEST_LISTED for value in values):
        return None
    return sorted(values)


def _range(column: Mapping[str, Any], count: int) -> dict[str, Any]:
    """`min` and `max` with slack, on the side of zero where all was; the median between the quartiles."""
    low, high = column.get("min"), column.get("max")
    if low is None or high is None or low == high or column.get("infinite") or count < _MANY:
        return {}  # one value alone says nothing about others
    whole = column["family"] == "integer"
    slack = _SLACK * (high - low)
    rules: dict[str, Any] = {}
    if not _is_key(column, count):
        least, most = _rounded(low - slack, down=True), _rounded(high + slack, down=False)
        if low >= 0 > least:
            least = 0.0
        if high <= 0 < most:
            most = 0.0
        for key, limit in (("min", least), ("max", most)):
            if math.isfinite(limit):
                rules[key] = _end(limit, whole, down=key == "min")
        quartiles = [column["quantiles"].get(share) for share in ("0.25", "0.75")]
        if None not in quartiles and quartiles[0] < quartiles[1]:
            lower, upper = (
                _rounded(quartiles[0], down=True, digits=3),
                _rounded(quartiles[1], down=False, digits=3),
            )
            if math.isfinite(lower) and math.isfinite(upper):
                rules["median"] = {
                    "min": _end(lower, whole, down=True),
                    "max": _end(upper, whole, down=False),
                }
    elif low >= 0:
        rules["min"] = 0
    return rules


def _length(column: Mapping[str, Any]) -> dict[str, Any]:
    length = column["length"]
    least = {} if column.get("empty") or not length["min"] else {"min": 1}
    return {"length": {**least, "max": int(_rounded(2 * max(length["max"], 1), down=False))}}


def _rounded(value: float, *, down: bool, digits: int = 2) -> float:
    """With so many digits, away from what was seen: never on the other side of the value."""
    if not math.isfinite(value) or not value:
        return value
    context = Context(prec=digits, rounding=ROUND_FLOOR if down else ROUND_CEILING)
    found = float(context.create_decimal(Decimal(repr(value))))
    return found if (found <= value if down else found >= value) else value


def _end(value: float, whole: bool, *, down: bool) -> int | float:
    """One end of a range, as a whole number where the column has only such, or where it is one."""
    if whole:
        return math.floor(value) if down else math.ceil(value)
    return int(value) if float(value).is_integer() and abs(value) < _LARGEST_PLAIN else value


def _seen(column: Mapping[str, Any]) -> str:
    """What the profile says of a column, in a few words."""
    said = []
    count = int(column["count"]) - int(column.get("nan") or 0)
    if not count:
        return "no value seen"
    if column.get("min") is not None:
        said.append(f"{_short(column['min'])} to {_short(column['max'])}")
    if (column.get("quantiles") or {}).get("0.5") is not None and column["family"] in ("integer", "number"):
        said.append(f"median {_short(column['quantiles']['0.5'])}")
    if column.get("length") and column["family"] == "string":
        said.append(f"{column['length']['min']} to {column['length']['max']} characters")
    if column.get("infinite"):
        said.append(f"{column['infinite']:,} infinite")
    if column.get("distinct") == 1 and column.get("top"):
        said = [f"always {_short(column['top'][0]['value'])}"]
    elif column.get("distinct"):
        said.append(f"{'about ' if column.get('distinct_error') else ''}{column['distinct']:,} different")
    missing = int(column["nulls"]) + int(column.get("nan") or 0)
    said += [f"{missing:,} missing"] if missing else []
    return ", ".join(said) or str(column["type"])


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    text = (
        value if isinstance(value, str) and value.isprintable() and "T" in value[10:11] else json.dumps(value)
    )
    return text if len(text) <= _LONGEST_LISTED else text[: _LONGEST_LISTED - 1] + "…"


def _comment(text: str) -> str:
    return f"   # {text}"


def _flow(value: Any) -> str:
    """A value in YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A name, text or number as YAML has it, quoted where it must be: also within a flow, where `,` and `]` count."""
    import yaml

    dumped = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=math.inf).strip()
    return str(dumped[1:-1])
