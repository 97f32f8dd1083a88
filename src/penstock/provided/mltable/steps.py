"""The transformations after reading, each from a frame to a frame, in the order of the file."""

from __future__ import annotations

import operator
import random
import re
from typing import Any

from . import filters
from .data_types import DataType
from .errors import MLTableError
from .frames import SOURCE, converted, pandas

STEPS = (
    "keep_columns",
    "drop_columns",
    "filter",
    "skip",
    "take",
    "take_random_sample",
    "convert_column_types",
    "extract_columns_from_partition_format",
)
_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def checked(step: str, value: Any) -> Any:
    """The value of a transformation, refused where it cannot mean anything; asked before any file is read."""
    if step in ("keep_columns", "drop_columns"):
        names = list_of_names(value, step)
        if not names:
            raise MLTableError("`{}` names no column".format(step))
        return names
    if step == "filter":
        filters.parse(value)
        return value
    if step in ("skip", "take"):
        if isinstance(value, dict) and list(value) == ["count"]:
            value = value["count"]
        if type(value) is not int or value < (1 if step == "take" else 0):
            raise MLTableError("`{}` takes a number of rows, not `{}`".format(step, value))
        return value
    if step == "take_random_sample":
        return _sample_settings(value)
    if step == "convert_column_types":
        return conversions(value)
    if step == "extract_columns_from_partition_format":
        text = value.get("partition_format") if isinstance(value, dict) else value
        _partition(text)
        return text
    raise MLTableError("`{}` is no transformation: there are {}".format(step, ", ".join(STEPS)))


def apply(step: str, value: Any, frame: Any) -> Any:
    """The frame after a transformation whose value was checked."""
    if step == "keep_columns":
        _must_exist(value, frame, step)
        return frame[[name for name in frame.columns if name in value or name == SOURCE]]
    if step == "drop_columns":
        _must_exist(value, frame, step)
        return frame[[name for name in frame.columns if name not in value]]
    if step == "filter":
        return _filtered(value, frame)
    if step == "skip":
        return frame.iloc[value:].reset_index(drop=True)
    if step == "take":
        return frame.iloc[:value].reset_index(drop=True)
    if step == "take_random_sample":
        chance = random.Random(value.get("seed"))  # noqa: S311 - a sample of rows, no secret
        drawn = [chance.random() < value["probability"] for _ in range(len(frame))]
        return frame[drawn].reset_index(drop=True)
    if step == "convert_column_types":
        frame = frame.copy()
        for names, wanted in value:
            _must_exist(names, frame, step)
            for name in names:
                frame[name] = converted(frame[name], wanted)
        return frame
    return _with_partitions(value, frame)


def list_of_names(value: Any, step: str) -> list[str]:
    """One column's name or several; refused where one is given twice."""
    names = (
        [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple, set)) else None
    )
    if names is None or not all(isinstance(name, str) for name in names):
        raise MLTableError("`{}` takes the names of columns, not `{}`".format(step, value))
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise MLTableError("`{}` names column `{}` twice".format(step, twice[0]))
    return names


def conversions(value: Any) -> list[tuple[list[str], DataType]]:
    """Which columns become which type: the list of the file, or the mapping of a script."""
    if isinstance(value, dict) and "columns" not in value:
        value = [
            {"columns": name if isinstance(name, str) else list(name), "column_type": kind}
            for name, kind in value.items()
        ]
    entries = [value] if isinstance(value, dict) else value
    if not isinstance(entries, (list, tuple)) or not entries:
        raise MLTableError("`convert_column_types` is a list of items with `columns` and `column_type`")
    found = []
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != {"columns", "column_type"}:
            raise MLTableError(
                "an item of `convert_column_types` has `columns` and `column_type`, not `{}`".format(entry)
            )
        names = list_of_names(entry["columns"], "convert_column_types")
        found.append((names, DataType.of(entry["column_type"])))
    seen = [name for names, _ in found for name in names]
    list_of_names(seen, "convert_column_types")
    return found


def _sample_settings(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not set(value) <= {"probability", "seed"}:
        raise MLTableError("`take_random_sample` takes `probability` and `seed`, not `{}`".format(value))
    probability, seed = value.get("probability"), value.get("seed")
    if isinstance(probability, bool) or not isinstance(probability, (int, float)) or not 0 < probability <= 1:
        raise MLTableError("`probability` is a number above 0 and at most 1, not `{}`".format(probability))
    if seed is not None and type(seed) is not int:
        raise MLTableError("`seed` is a whole number, not `{}`".format(seed))
    return {"probability": probability, "seed": seed}


def _must_exist(names: list[str], frame: Any, step: str) -> None:
    own = [name for name in frame.columns if name != SOURCE]
    missing = [name for name in names if name not in own]
    if missing:
        raise MLTableError(
            "`{}` names column `{}`, which the table does not have; its columns here: {}".format(
                step, missing[0], ", ".join(map(str, own))
            )
        )


def _filtered(text: str, frame: Any) -> Any:
    pd = pandas()
    tree = filters.parse(text)
    _must_exist(filters.columns_in(tree), frame, "filter")

    def visit(name: str, parts: list[Any]) -> Any:
        if name == "column":
            return frame[parts[0]]
        if name == "value":
            return parts[0]
        if name == "moment":
            return pd.Timestamp(*parts[0])
        if name == "not":
            return ~_condition(parts[0], text)
        if name in ("and", "or"):
            left, right = (_condition(part, text) for part in parts)
            return left & right if name == "and" else left | right
        return _comparison(parts[0], parts[1], parts[2], text)

    chosen = _condition(filters.evaluate(tree, visit), text)
    return frame[chosen.astype(bool)].reset_index(drop=True)


def _condition(column: Any, text: str) -> Any:
    """A column of true and false; null is false."""
    values = set(map(type, column.dropna().unique())) if hasattr(column, "dropna") else {type(column)}
    if not all(issubclass(kind, bool) or kind.__name__ in ("bool_", "bool") for kind in values):
        raise MLTableError(
            "filter `{}`: column `{}` is not of type boolean; compare it".format(
                text, getattr(column, "name", "")
            )
        )
    return column.map(lambda value: value is True or bool(value == True)).astype(bool)  # noqa: E712 - numpy's true


def _comparison(sign: str, left: Any, right: Any, text: str) -> Any:
    """A column of true and false: null is equal to null alone, and neither less nor more than anything."""
    pd = pandas()
    if not hasattr(left, "dtype") or not hasattr(left, "index"):
        mirrored = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
        return _comparison(mirrored, right, left, text)
    if right is None:
        if sign not in ("==", "!="):
            raise MLTableError("filter `{}`: nothing is less or more than null".format(text))
        return left.isna() if sign == "==" else left.notna()
    left, right = _comparable(left, right, text), right
    if str(left.dtype).startswith("datetime"):
        right = _moment_like(left, right, text, pd)
    present = left.notna() & (right.notna() if hasattr(right, "notna") else True)
    other = right[present] if hasattr(right, "notna") else right
    try:
        compared = _COMPARE[sign](left[present], other)
    except TypeError as error:
        raise MLTableError(
            "filter `{}`: column `{}` cannot be compared so: {}".format(text, left.name, error)
        ) from error
    return compared.astype(bool).reindex(left.index, fill_value=False)


def _comparable(left: Any, right: Any, text: str) -> Any:
    """Refuse what would compare as unequal for ever: a number with a text."""
    if hasattr(right, "notna") or str(left.dtype).startswith("datetime"):
        return left
    sample = left.dropna()
    first = sample.iloc[0] if len(sample) else None
    is_text = isinstance(first, str)
    if first is not None and is_text != isinstance(right, str):
        kinds = ("text", "a number or a truth value") if is_text else ("no text", "a text")
        raise MLTableError(
            "filter `{}`: column `{}` holds {}, and is compared with {} (`{}`); write the value {} quotes".format(
                text, left.name, kinds[0], kinds[1], right, "in" if is_text else "without"
            )
        )
    return left


def _moment_like(left: Any, right: Any, text: str, pd: Any) -> Any:
    if hasattr(right, "notna"):
        return right
    try:
        moment = pd.Timestamp(right)
    except (ValueError, TypeError) as error:
        raise MLTableError(
            "filter `{}`: `{}` is no time, and column `{}` holds times".format(text, right, left.name)
        ) from error
    zone = getattr(left.dt, "tz", None)
    if zone is not None and moment.tzinfo is None:
        return moment.tz_localize("UTC")
    return (
        moment.tz_convert("UTC").tz_localize(None) if zone is None and moment.tzinfo is not None else moment
    )


_PARTS = (("yyyy", "Y", 4), ("MM", "m", 2), ("dd", "d", 2), ("HH", "H", 2), ("mm", "M", 2), ("ss", "S", 2))


def _partition(text: Any) -> tuple[Any, dict[str, list[str]]]:
    """The expression of a partition format, and for each column that is a time the names of its parts' groups."""
    if not isinstance(text, str) or "{" not in text:
        raise MLTableError(
            "a partition format names columns in braces, such as `/{{name}}/{{day:yyyy/MM/dd}}/data.csv`, not `{}`".format(
                text
            )
        )
    pattern, columns = "", {}  # type: str, dict[str, list[str]]
    for part in re.split(r"(\{[^{}]*\})", text.lstrip("/")):
        if not part.startswith("{"):
            if "{" in part or "}" in part:
                raise MLTableError("partition format `{}`: a brace is not closed".format(text))
            pattern += re.escape(part).replace(r"\*", "[^/]*")
            continue
        name, _, times = part[1:-1].partition(":")
        name = name.strip()
        if not name or name in columns:
            raise MLTableError(
                "partition format `{}`: each pair of braces names a column of its own".format(text)
            )
        number = len(columns)
        if not times:
            pattern += "(?P<c{}>[^/]+)".format(number)
            columns[name] = []
            continue
        columns[name], rest = [], times
        while rest:
            for mark, letter, width in _PARTS:
                if rest.startswith(mark):
                    pattern += r"(?P<c{}{}>\d{{{}}})".format(number, letter, width)
                    columns[name].append(letter)
                    rest = rest[len(mark) :]
                    break
            else:
                if rest[0].isalpha():
                    raise MLTableError(
                        "partition format `{}`: `{}` is made of yyyy, MM, dd, HH, mm and ss".format(
                            text, times
                        )
                    )
                pattern, rest = pattern + re.escape(rest[0]), rest[1:]
        if "Y" not in columns[name] or len(set(columns[name])) != len(columns[name]):
            raise MLTableError(
                "partition format `{}`: `{}` needs yyyy, and each part once".format(text, times)
            )
    return re.compile("(?:^|.*/)" + pattern + r"\Z", re.DOTALL), columns


def _with_partitions(text: str, frame: Any) -> Any:
    pd = pandas()
    pattern, columns = _partition(text)
    clash = [name for name in columns if name in frame.columns]
    if clash:
        raise MLTableError(
            "partition format `{}`: the table has a column `{}` already".format(text, clash[0])
        )
    values = {}  # type: dict[str, list[Any]]
    for path in frame[SOURCE].unique():
        match = pattern.match(str(path).replace("\\", "/"))
        if match is None:
            raise MLTableError("the path {} does not have the partition format `{}`".format(path, text))
        values[path] = []
        for number, letters in enumerate(columns.values()):
            if not letters:
                values[path].append(match.group("c{}".format(number)))
                continue
            parts = {letter: int(match.group("c{}{}".format(number, letter))) for letter in letters}
            numbers = [parts.get(letter, default) for letter, default in zip("YmdHMS", (1, 1, 1, 0, 0, 0))]
            try:
                values[path].append(pd.Timestamp(*numbers))
            except ValueError as error:
                raise MLTableError(
                    "the path {} holds no date at `{}`: {}".format(path, text, error)
                ) from error
    frame = frame.copy()
    for number, name in enumerate(columns):
        column = frame[SOURCE].map({path: found[number] for path, found in values.items()})
        frame.insert(
            frame.shape[1] - 1, name, pd.to_datetime(column) if columns[name] else column.astype(object)
        )
    return frame
