"""A column as checks see it: what kind of values it has, and one polars expression in which equal things are equal.

Floats lose their NaN (it counts as missing), decimals become whole numbers where they have no fraction, else floats, categories texts,
dates and times moments in UTC.
polars is imported where it is used: this module is in the server's process, or in a child of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from penstock.profiling.column_types import type_name
from penstock.resources.expectation_values import moment_of

if TYPE_CHECKING:
    import polars as pl

Kind = Literal["integer", "float", "text", "boolean", "date", "datetime", "other"]

NUMBERS = ("integer", "float")
TIMES = ("date", "datetime")

# Formats of texts that count as times, one after the other. CSV and JSON have no type for them.
_DAY = "%Y-%m-%d"
_FORMATS = (f"{_DAY} %H:%M:%S%.f", f"{_DAY} %H:%M")
_ZONED = (f"{_DAY} %H:%M:%S%.f%:z", f"{_DAY} %H:%M:%S%.f%z")


@dataclass(frozen=True)
class View:
    """One column. `values` is null where a value is missing, and never NaN; `dtype` is what the file's reader says.

    `exact` are the values of a decimal before it became a float: there different numbers may be one.
    """

    name: str
    kind: Kind
    dtype: str
    values: "pl.Expr"
    exact: "pl.Expr | None" = None

    @property
    def identity(self) -> "pl.Expr":
        """The values where it counts whether two are the same."""
        return self.values if self.exact is None else self.exact

    @property
    def called(self) -> str:
        """`whole numbers (Int64)`: for messages."""
        words = {
            "integer": "whole numbers",
            "float": "numbers",
            "text": "text",
            "boolean": "true and false",
            "date": "dates",
            "datetime": "times",
            "other": "values of another kind",
        }
        return f"{words[self.kind]} ({self.dtype})"

    def missing(self) -> "pl.Expr":
        """True where there is no value."""
        return self.values.is_null()


def views_of(schema: "Mapping[str, pl.DataType]") -> dict[str, View]:
    """All columns by name, as they are in a frame that `plainly_named` gives."""
    return {name: _view(name, dtype, number) for number, (name, dtype) in enumerate(schema.items())}


def plainly_named(frame: "pl.LazyFrame", columns: int) -> "pl.LazyFrame":
    """The table with names of ours: to polars a column that is called `^a$` or `*` is a pattern for several."""
    import polars as pl

    return frame.select([pl.nth(number).alias(_plain_name(number)) for number in range(columns)])


def _plain_name(number: int) -> str:
    return f"column {number}"


def as_times(view: View) -> "pl.Expr | None":
    """The column as moments in UTC; of texts those that are no time are null. None where its values cannot be times."""
    if view.kind in TIMES:
        return view.values
    return times_in(view.values) if view.kind == "text" else None


def times_in(texts: "pl.Expr") -> "pl.Expr":
    """Texts as moments in UTC: `2024-01-31`, with `12:00`, `12:00:00.5`, a `T` between and a zone behind."""
    import polars as pl

    plain = (
        texts.str.strip_chars().str.replace(r"^(\d{4}-\d\d-\d\d)[Tt]", "$1 ").str.replace("[Zz]$", "+00:00")
    )
    kind = pl.Datetime("us")
    tries = [plain.str.to_datetime(each, time_unit="us", strict=False) for each in _FORMATS]
    zoned = [
        plain.str.to_datetime(each, time_unit="us", time_zone="UTC", strict=False).dt.replace_time_zone(None)
        for each in _ZONED
    ]
    return pl.coalesce(*tries, *zoned, plain.str.to_date(_DAY, strict=False).cast(kind))


def moment(text: str) -> datetime | None:
    """A text that an expectation holds, as a moment; None where it is none."""
    try:
        return moment_of(text)
    except ValueError:
        return None


def _view(name: str, dtype: "pl.DataType", number: int) -> View:
    import polars as pl

    column, called = pl.col(_plain_name(number)), type_name(dtype)
    if dtype.is_integer():
        # Narrow and unsigned ones would run over when they are compared with a number of another sign or size.
        wide = pl.Int128 if dtype in (pl.UInt64, pl.Int128, pl.UInt128) else pl.Int64
        return View(name, "integer", called, column if dtype == wide else column.cast(wide))
    if dtype.is_float():
        return View(name, "float", called, column.fill_nan(None))
    if isinstance(dtype, pl.Decimal):
        if not dtype.scale:
            return View(name, "integer", called, column.cast(pl.Int128))
        return View(name, "float", called, column.cast(pl.Float64), exact=column)
    if dtype in (pl.String, pl.Categorical, pl.Enum):
        return View(name, "text", called, column.cast(pl.String))
    if dtype == pl.Boolean:
        return View(name, "boolean", called, column)
    if dtype == pl.Date:
        return View(name, "date", called, column.cast(pl.Datetime("us")))
    if isinstance(dtype, pl.Datetime):
        plain = (
            column
            if dtype.time_zone is None
            else column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        )
        return View(name, "datetime", called, plain.cast(pl.Datetime("us")))
    return View(name, "other", called, column)
