"""A column's profile, made of the batches of one scan: one class per family of types."""

from abc import ABC, abstractmethod
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from penstock.profiling.column_types import family_of, type_name
from penstock.profiling.sketches import DISTINCT_ERROR, Distinct, Frequent, Moments, Quantiles

if TYPE_CHECKING:
    import polars

# Any in this module: a value of a column, or of a record.

TOP = 10
SHARES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
_LONGEST_SHOWN = 200
"""Characters of a text that a record keeps of a frequent value."""


class Fold(ABC):
    """One column of the table, batch by batch."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        self.name = name
        self.dtype = dtype
        self.rows = 0
        self.nulls = 0

    def add(self, values: "polars.Series") -> None:
        """The next values."""
        self.rows += len(values)
        missing = values.null_count()
        self.nulls += missing
        present = values.drop_nulls() if missing else values
        if len(present):
            self.add_present(present)

    @abstractmethod
    def add_present(self, values: "polars.Series") -> None:
        """The next values that are not null: one at least."""

    def record(self) -> dict[str, Any]:
        """The column's part of the profile."""
        return {
            "name": self.name,
            "type": type_name(self.dtype),
            "family": family_of(self.dtype),
            "count": self.rows - self.nulls,
            "nulls": self.nulls,
            **self.facts(),
        }

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What this family tells."""


class _Counted(Fold):
    """Values whose different ones are counted."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        super().__init__(name, dtype)
        self._distinct = Distinct()
        self._frequent = Frequent()

    def count(self, counts: "polars.DataFrame") -> None:
        """`counts` has `value` and `count`."""
        self._distinct.add(counts["value"])
        self._frequent.add(counts)

    def _counted(self) -> dict[str, Any]:
        exact = self._distinct.is_exact
        return {
            "distinct": self._distinct.estimate(self.rows - self.nulls),
            "distinct_error": 0.0 if exact else round(DISTINCT_ERROR, 4),
            "top": [{"value": plain(value), "count": count} for value, count in self._frequent.top(TOP)],
            "top_error": self._frequent.error,
        }


class OrderedFold(_Counted):
    """Dates and times: they are sorted, and nothing is added up."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        super().__init__(name, dtype)
        self._quantiles = Quantiles()
        self._least: Any = None
        self._most: Any = None

    def add_present(self, values: "polars.Series") -> None:
        ordered = values.sort()
        runs = ordered.rle().struct.unnest()
        self.count(runs.rename({"len": "count"}).select("value", "count").cast({"count": _int64()}))
        least, most = ordered[0], ordered[-1]
        self._least = least if self._least is None else min(self._least, least)
        self._most = most if self._most is None else max(self._most, most)
        self._quantiles.add(ordered)

    def facts(self) -> dict[str, Any]:
        return {"min": plain(self._least), "max": plain(self._most), **self._shares(), **self._counted()}

    def _shares(self, *, between: bool = False) -> dict[str, Any]:
        found = self._quantiles.at(SHARES, between=between)
        count = self._quantiles.count
        return {
            "quantiles": {str(share): plain(value) for share, value in zip(SHARES, found, strict=True)},
            "quantile_error": round(self._quantiles.rank_error / count, 6) if count else 0.0,
        }


class NumberFold(OrderedFold):
    """Numbers. NaN and infinite ones are counted apart; all else is said of the finite ones."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        super().__init__(name, dtype)
        self._moments = Moments()
        self._nan = 0
        self._infinite = 0
        self._zeros = 0
        self._negative = 0

    def add_present(self, values: "polars.Series") -> None:
        import polars as pl

        if isinstance(values.dtype, pl.Decimal):
            values = values.cast(pl.Float64 if values.dtype.scale else pl.Int128)
        if values.dtype.is_float():
            is_nan = values.is_nan()
            self._nan += int(is_nan.sum())
            is_finite = values.is_finite()
            finite = int(is_finite.sum())
            self._infinite += len(values) - finite - int(is_nan.sum())
            if finite < len(values):
                values = values.filter(is_finite)
        if not len(values):
            return
        self._zeros += int((values == 0).sum())
        self._negative += int((values < 0).sum())
        self._moments.add(values)
        super().add_present(values)

    def facts(self) -> dict[str, Any]:
        apart = {"nan": self._nan, "infinite": self._infinite} if not self.dtype.is_integer() else {}
        return {
            **apart,
            "zeros": self._zeros,
            "negative": self._negative,
            "min": plain(self._least),
            "max": plain(self._most),
            "mean": self._moments.mean,
            "std": self._moments.std,
            **self._shares(between=True),
            **self._counted(),
        }


class StringFold(_Counted):
    """Texts and categories. Lengths are in characters; empty texts are counted apart from nulls."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        super().__init__(name, dtype)
        self._empty = 0
        self._shortest: int | None = None
        self._longest: int | None = None
        self._characters = 0

    def add_present(self, values: "polars.Series") -> None:
        import polars as pl

        counts = values.cast(pl.String).alias("value").value_counts(name="count").cast({"count": pl.Int64})
        lengths = counts["value"].str.len_chars()
        self._empty += int(counts["count"].filter(lengths == 0).sum())
        self._characters += int((lengths.cast(pl.Int64) * counts["count"]).sum())
        shortest, longest = int(lengths.min()), int(lengths.max())  # type: ignore[arg-type]
        self._shortest = shortest if self._shortest is None else min(self._shortest, shortest)
        self._longest = longest if self._longest is None else max(self._longest, longest)
        self.count(counts)

    def facts(self) -> dict[str, Any]:
        count = self.rows - self.nulls
        mean = self._characters / count if count else None
        lengths = {"min": self._shortest, "mean": mean, "max": self._longest}
        return {"empty": self._empty, "length": lengths, **self._counted()}


class BooleanFold(_Counted):
    """True and false."""

    def add_present(self, values: "polars.Series") -> None:
        import polars as pl

        self.count(values.alias("value").value_counts(name="count").cast({"count": pl.Int64}))

    def facts(self) -> dict[str, Any]:
        return self._counted()


class OtherFold(Fold):
    """Lists, structs, bytes and the like: they are named and counted; of lists the lengths."""

    def __init__(self, name: str, dtype: "polars.DataType") -> None:
        super().__init__(name, dtype)
        self._lengths: tuple[int, int] | None = None

    def add_present(self, values: "polars.Series") -> None:
        import polars as pl

        if not isinstance(values.dtype, pl.List):
            return
        lengths = values.list.len()
        shortest, longest = int(lengths.min()), int(lengths.max())  # type: ignore[arg-type]
        before = self._lengths or (shortest, longest)
        self._lengths = min(before[0], shortest), max(before[1], longest)

    def facts(self) -> dict[str, Any]:
        return {"length": {"min": self._lengths[0], "max": self._lengths[1]}} if self._lengths else {}


def fold_for(name: str, dtype: "polars.DataType") -> Fold:
    """The one for a column's family."""
    kinds: dict[str, type[Fold]] = {
        "boolean": BooleanFold, "integer": NumberFold, "number": NumberFold, "string": StringFold,
        "date": OrderedFold, "datetime": OrderedFold,
    }  # fmt: skip
    return kinds.get(family_of(dtype), OtherFold)(name, dtype)


def plain(value: Any) -> Any:
    """A value as JSON has it: times in ISO 8601, long texts cut."""
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal):
        return str(value)
    if isinstance(value, float):
        return value + 0.0  # one zero: -0.0 is the same number
    if isinstance(value, str) and len(value) > _LONGEST_SHOWN:
        return value[:_LONGEST_SHOWN] + "…"
    return value


def _int64() -> "polars.DataType":
    import polars as pl

    return pl.Int64()
