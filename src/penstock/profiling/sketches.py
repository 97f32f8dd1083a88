"""What is remembered of a column's values while they pass by: exact while it is small, and of bounded size and stated error after that.

All take batches in any order of time, need memory of a fixed size, and give the same result for the same batches.
"""

from dataclasses import dataclass, field
from math import isfinite, sqrt
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars

KEPT = 1 << 16
"""Different values that are counted exactly. Beyond it, a count of different values has a standard error of 1/√KEPT, 0.4 %."""
KEPT_FOR_QUANTILES = 1 << 17
"""Values up to which quantiles are exact."""
DISTINCT_ERROR = 2.0 / sqrt(KEPT)
"""What an inexact count of different values is off by at most, as a share, with 95 % certainty: 0.8 %."""
_ALL_HASHES = 1 << 64


class Moments:
    """Mean and standard deviation, put together from those of the batches."""

    def __init__(self) -> None:
        self.count = 0
        self._mean = 0.0
        self._squares = 0.0

    def add(self, values: "polars.Series") -> None:
        """Finite values only."""
        count = len(values)
        if not count:
            return
        floats = values.cast(_float64())
        mean, variance = _number(floats.mean()), _number(floats.var(ddof=0))
        total = self.count + count
        away = mean - self._mean
        self._squares += variance * count + away * away * self.count * count / total
        self._mean += away * count / total
        self.count = total

    @property
    def mean(self) -> float | None:
        return self._mean if self.count and isfinite(self._mean) else None

    @property
    def std(self) -> float | None:
        """Of a sample (n - 1); None for fewer than two values."""
        if self.count < 2 or not isfinite(self._squares):
            return None
        return sqrt(max(self._squares, 0.0) / (self.count - 1))


class Distinct:
    """How many different values there are: the smallest hashes are kept, and how dense they lie tells the rest."""

    def __init__(self) -> None:
        self._hashes: polars.Series | None = None
        self._is_full = False

    def add(self, values: "polars.Series") -> None:
        """Values without nulls, each once or more often."""
        hashes = values.hash(seed=7)
        if self._hashes is None:
            merged = hashes
        else:
            if self._is_full:
                hashes = hashes.filter(hashes < self._hashes[-1])
            if not len(hashes):
                return
            merged = self._hashes.append(hashes.alias(self._hashes.name))
        merged = merged.unique().sort()
        self._is_full = self._is_full or len(merged) > KEPT
        self._hashes = merged.head(KEPT)

    @property
    def is_exact(self) -> bool:
        return not self._is_full

    def estimate(self, most: int) -> int:
        """The number of different values; `most` is the number of values."""
        if self._hashes is None:
            return 0
        if not self._is_full:
            return len(self._hashes)
        return min(most, round((KEPT - 1) * _ALL_HASHES / int(self._hashes[-1])))


class Frequent:
    """How often the most frequent values occur. A count may be too small by `error`, never too large."""

    def __init__(self) -> None:
        self._counts: polars.DataFrame | None = None
        self.error = 0

    def add(self, counts: "polars.DataFrame") -> None:
        """`counts` has the columns `value` (each once, no null) and `count`."""
        import polars as pl

        counts = self._bounded(counts)
        if self._counts is not None and counts.height:
            both = pl.concat([self._counts, counts])
            counts = self._bounded(both.group_by("value").agg(pl.col("count").sum()))
        elif self._counts is not None:
            return
        self._counts = counts

    def _bounded(self, counts: "polars.DataFrame") -> "polars.DataFrame":
        """At most KEPT values: where there are more, the count of the first that is too many is taken from all."""
        import polars as pl

        if counts.height <= KEPT:
            return counts
        less = int(counts["count"].top_k(KEPT + 1).min())  # type: ignore[arg-type]
        self.error += less
        return counts.filter(pl.col("count") > less).with_columns(pl.col("count") - less)

    def top(self, number: int) -> list[tuple[Any, int]]:  # Any: a value of the column's type
        """The most frequent values and their counts, equal ones in the order of values. Only those that are surely frequent: whose count
        is larger than the error, and that occur more than once where not all values were kept."""
        if self._counts is None:
            return []
        shown = self._counts.filter(self._counts["count"] > self.error) if self.error else self._counts
        shown = shown.sort(["count", "value"], descending=[True, False]).head(number)
        return [(row[0], int(row[1])) for row in shown.select("value", "count").iter_rows()]


@dataclass
class Quantiles:
    """Quantiles of a column: sorted runs of values, of which every second one is dropped as they grow, for twice the weight.

    Each dropping moves a rank by at most the weight; the sum of that is `rank_error`.
    """

    rank_error: int = 0
    count: int = 0
    _levels: "list[polars.Series | None]" = field(default_factory=list)
    _drops: int = 0

    def add(self, values: "polars.Series") -> None:
        """Sorted values without nulls."""
        self.count += len(values)
        carried: polars.Series | None = values if len(values) else None
        level = 0
        while carried is not None:
            if level == len(self._levels):
                self._levels.append(None)
            kept = self._levels[level]
            merged = carried if kept is None else kept.append(carried).sort()
            if len(merged) <= KEPT_FOR_QUANTILES:
                self._levels[level] = merged
                return
            self._levels[level] = merged.tail(1) if len(merged) % 2 else None
            even = merged.head(len(merged) - len(merged) % 2)
            carried = even.gather_every(2, offset=self._drops % 2)
            self._drops += 1
            self.rank_error += 1 << level
            level += 1

    def at(
        self, shares: tuple[float, ...], *, between: bool
    ) -> list[Any]:  # Any: a value of the column's type
        """The values at these shares of the ranks. `between`: exact ones lie between two values, as in pandas."""
        import polars as pl

        if not self.count:
            return [None] * len(shares)
        if len(self._levels) == 1 and self._levels[0] is not None:
            values = self._levels[0]
            if between:
                return [values.quantile(share, "linear") for share in shares]
            return [values[round(share * (len(values) - 1))] for share in shares]
        runs = [
            pl.DataFrame(
                {"value": run, "weight": pl.repeat(1 << level, len(run), dtype=pl.Int64, eager=True)}
            )
            for level, run in enumerate(self._levels)
            if run is not None
        ]
        ranked = pl.concat(runs).sort("value").with_columns(pl.col("weight").cum_sum())
        found = []
        for share in shares:
            place = ranked["weight"].search_sorted(share * (self.count - 1) + 1, side="left")
            found.append(ranked["value"][min(place, ranked.height - 1)])
        return found


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _float64() -> "polars.DataType":
    import polars as pl

    return pl.Float64()
