"""Which rows an expectation looks at, and how many of them may fail."""

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

from penstock.profiling.checks import ROW, Tolerance
from penstock.profiling.column_views import View
from penstock.profiling.conditions import condition_of

if TYPE_CHECKING:
    import polars as pl


def tolerance_of(mostly: float | None) -> Tolerance:
    """Of a share of the rows that must pass; exact, as it was written."""
    return Tolerance(share=1 - Fraction(str(mostly)) if mostly is not None else Fraction(0))


def selection(where: str | None, views: Mapping[str, View]) -> "pl.Expr":
    """The rows that a condition chooses; all where there is none. Raises Misfit."""
    return every_row() if where is None else condition_of(where, views).fill_null(False)


def every_row() -> "pl.Expr":
    """True for each row: a mere `true` would be one value, whatever the number of rows."""
    import polars as pl

    return pl.col(ROW).is_not_null()
