"""Columns of pandas and what an MLTable file means by types: inference, conversion, comparison."""

from __future__ import annotations

import re
import warnings
from typing import Any, Callable

from .data_types import DataType
from .errors import MLTableError, missing_package

SOURCE = "\0source"
"""A column beside the table's own: the path that each row was read from."""
_INT = re.compile(r"[+-]?\d{1,18}\Z")
# Longer rows of digits are keys rather than numbers: as a float they would lose digits.
_FLOAT = re.compile(r"[+-]?(?:(?:\d{1,18}(?:\.\d*)?|\d+\.\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|Infinity|nan|NaN)\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?\Z")
_FITS: dict[str, Callable[[str], Any]] = {
    "int": _INT.match,
    "float": _FLOAT.match,
    "boolean": lambda text: text.lower() in ("true", "false"),
    "datetime": _DATE.match,
}


def pandas() -> Any:
    """The environment's pandas."""
    try:
        import pandas as found
    except ImportError as error:
        raise missing_package("pandas", "reading a table") from error
    return found


def inferred(column: Any, sample_size: int, empty_as_string: bool) -> Any:
    """A column of texts as the type that its first rows show.

    A later value of another type makes no row fail: whole numbers become numbers with a point where all values are numbers,
    anything else leaves the column as text; a warning names the value.
    """
    texts = [text.strip() for text in column.iloc[:sample_size] if isinstance(text, str) and text.strip()]
    kinds = [kind for kind, fits in _FITS.items() if texts and all(map(fits, texts))]
    if not kinds:
        return as_text(column, empty_as_string)
    stray = _first_stray(column, _FITS[kinds[0]])
    if stray is None:
        return converted(column, DataType(kinds[0]))
    are_numbers = kinds[0] == "int" and _first_stray(column, _FITS["float"]) is None
    warnings.warn(
        "column `{}`: its first {} rows look like {}, but row {} holds `{}`: the column is read as {}. Give its type in "
        "`column_type_overrides` or `convert_column_types`, or a larger `sample_size`, of `infer_column_types`".format(
            column.name, sample_size, kinds[0], stray[0], stray[1], "float" if are_numbers else "text"
        ),
        stacklevel=2,
    )
    return converted(column, DataType("float")) if are_numbers else as_text(column, empty_as_string)


def _first_stray(column: Any, fits: Callable[[str], Any]) -> tuple[int, str] | None:
    """The first value that does not fit, with its row, counted from 1."""
    wrong = {text for text in column.dropna().unique() if text.strip() and not fits(text.strip())}
    if not wrong:
        return None
    return next((row, text) for row, text in enumerate(column, start=1) if text in wrong)


def as_text(column: Any, empty_as_string: bool) -> Any:
    """A column of texts; empty ones are null unless they are wanted as they are."""
    if empty_as_string:
        return column.astype(object).where(column.notna(), None)
    return column.astype(object).where(column.notna() & (column != ""), None)


def converted(column: Any, wanted: DataType) -> Any:
    """The column as another type. Null stays null; MLTableError names the first value that cannot be read so."""
    pd = pandas()
    if column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) != "string":
        return _converted(column, wanted)
    # Texts repeat: each is looked at once. A null among them gets the last code, -1, and is the last distinct value.
    codes, texts = pd.factorize(column)
    distinct = (
        pd.Series([*texts, None], dtype=object) if (codes < 0).any() else pd.Series(texts, dtype=object)
    )
    try:
        found = _converted(distinct, wanted)
    except MLTableError:
        _converted(column, wanted)  # raises with the column's name and row
        raise
    found = found.take(codes % len(distinct))
    found.index, found.name = column.index, column.name
    return found


def _converted(column: Any, wanted: DataType) -> Any:
    pd = pandas()
    if wanted.kind in ("string", "stream_info"):
        return column.map(_text_of, na_action="ignore").astype(object).where(column.notna(), None)
    if column.dtype == object or str(column.dtype) in ("str", "string"):
        column = column.astype(object).map(lambda value: value.strip() if isinstance(value, str) else value)
        column = column.where(column.notna() & (column != ""), None)
    if wanted.kind == "int":
        return _integers(column, pd)
    if wanted.kind == "float":
        return _numbers(column, pd)
    if wanted.kind == "boolean":
        return _booleans(column, wanted)
    return _moments(column, wanted.settings.get("formats"), pd)


def _text_of(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _numbers(column: Any, pd: Any) -> Any:
    if str(column.dtype).startswith("datetime"):
        raise _unfit(column, 0, "float")
    numbers = pd.to_numeric(column.astype(object).where(column.notna(), None), errors="coerce").astype(float)
    strays = numbers.isna() & column.notna()
    strays &= ~column.map(lambda value: str(value).strip().lower() in ("nan", "+nan", "-nan"))
    if strays.any():
        raise _unfit(column, int(strays.values.argmax()), "float")
    return numbers


def _integers(column: Any, pd: Any) -> Any:
    if column.dtype.kind in "iu":
        return column.astype("int64")
    if column.notna().all() and all(isinstance(value, str) and _INT.match(value) for value in column):
        return column.map(int).astype("int64")  # not by way of float: large numbers would lose digits
    numbers = _numbers(column, pd)
    broken = numbers.notna() & (numbers % 1 != 0)
    if broken.any():
        raise _unfit(column, int(broken.values.argmax()), "int")
    return numbers.astype("int64") if numbers.notna().all() else numbers


def _booleans(column: Any, wanted: DataType) -> Any:
    true = wanted.settings.get("true_values") or ["true", "1", "1.0"]
    false = wanted.settings.get("false_values") or ["false", "0", "0.0"]
    as_given = "true_values" in wanted.settings
    mismatch = wanted.settings.get("mismatch_as", "error")

    def value_of(value: Any) -> Any:
        text = _text_of(value)
        text = text if as_given else text.lower()
        return True if text in true else False if text in false else _MISMATCH

    values = column.astype(object).map(value_of, na_action="ignore")
    strays = values.map(lambda value: value is _MISMATCH)
    if strays.any():
        if mismatch == "error":
            raise _unfit(column, int(strays.values.argmax()), "boolean")
        values = values.where(~strays, mismatch == "true")
    return values.astype(bool) if column.notna().all() else values.where(column.notna(), None)


_MISMATCH = object()


def _moments(column: Any, formats: list[str] | None, pd: Any) -> Any:
    if str(column.dtype).startswith("datetime"):
        return column
    if column.dtype.kind in "iufb":
        raise _unfit(column, 0, "datetime")
    column = column.astype(object)
    if not formats:
        strays = column.notna() & ~column.map(
            lambda value: _DATE.match(str(value)) is not None or _is_moment(value)
        )
        if strays.any():
            raise _unfit(
                column, int(strays.values.argmax()), "datetime (ISO 8601; give `formats` for others)"
            )
        has_zone = column.dropna().astype(str).str.contains(r"(?:Z|[+-]\d\d:?\d\d)\Z", regex=True)
        moments = [
            pd.NaT if missing else pd.Timestamp(value) for value, missing in zip(column, column.isna())
        ]
        if len(has_zone) and has_zone.any():
            moments = [moment if moment is pd.NaT else _in_utc(moment) for moment in moments]
        return pd.to_datetime(pd.Series(moments, index=column.index, name=column.name))
    found = pd.to_datetime(column, format=formats[0], errors="coerce")
    for each in formats[1:]:
        found = found.where(found.notna(), pd.to_datetime(column, format=each, errors="coerce"))
    strays = found.isna() & column.notna()
    if strays.any():
        raise _unfit(
            column, int(strays.values.argmax()), "datetime in the format {}".format(" or ".join(formats))
        )
    return found


def _is_moment(value: Any) -> bool:
    return hasattr(value, "isoformat")


def _in_utc(moment: Any) -> Any:
    return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")


def _unfit(column: Any, row: int, kind: str) -> MLTableError:
    value = column.iloc[row] if len(column) else None
    return MLTableError(
        "column `{}`: row {} holds `{}`, which is no {}".format(column.name, row + 1, value, kind)
    )
