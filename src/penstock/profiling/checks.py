"""One expectation on its way: the polars expressions that it needs of the one scan, and the verdict on what they came to."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock.profiling.results import Example, Result, Severity, Status

if TYPE_CHECKING:
    import polars as pl

ROW: Final = "penstock row number"
"""The column that the scan adds: the number of each row, from 1."""
_LONGEST_TEXT: Final = 200


@dataclass(frozen=True)
class About:
    """What an expectation is called, where it stands, and what it asks for in words."""

    name: str
    rule: str
    column: str | None
    pointer: str
    severity: Severity
    expected: str

    def result(self, ok: bool | None, **facts: Any) -> Result:
        """The verdict; None: there was nothing that it could be asked of."""
        status: Status = "not_applicable" if ok is None else "passed"
        if ok is False:
            status = "failed" if self.severity == "error" else "warning"
        return Result(
            self.name, self.rule, self.column, self.pointer, self.severity, status, self.expected, **facts
        )


class Check(Protocol):
    """One expectation."""

    def columns(self) -> "Mapping[str, pl.Expr]":
        """Columns that the table gets for its expressions to read: what is dear, and read more than once."""

    def expressions(self, examples: int) -> "Mapping[str, pl.Expr]":
        """What to compute, each a single value (or a single list); `examples` rows at most are to be shown."""

    def result(self, found: Mapping[str, Any]) -> Result:
        """The verdict on the values of these expressions."""


@dataclass(frozen=True)
class Settled:
    """One that needs no data: what it asks about is in the table's schema."""

    about: About
    ok: bool | None
    observed: str | None = None
    detail: str | None = None

    def columns(self) -> "Mapping[str, pl.Expr]":
        return {}

    def expressions(self, examples: int) -> "Mapping[str, pl.Expr]":
        return {}

    def result(self, found: Mapping[str, Any]) -> Result:
        return self.about.result(self.ok, observed=self.observed, detail=self.detail)


@dataclass(frozen=True)
class Tolerance:
    """How many of the rows that were looked at may fail: a number of rows, or a share of them."""

    rows: int | None = None
    share: Fraction | None = None

    def allows(self, failing: int, checked: int) -> bool:
        """Exact: shares are compared as fractions."""
        if self.rows is not None:
            return failing <= self.rows
        return failing <= (self.share or 0) * checked


@dataclass(frozen=True)
class RowTest:
    """One that asks each row. `checked` and `fails` are true or false, a null of `fails` is false.

    `shown` is what an example shows; `extreme` is worth telling beside the count, under the name `extreme_called`.
    `misfit` says why no row can meet it: the column is of another kind. `compares_rows`: whether a row fails depends on others.
    """

    about: About
    checked: "pl.Expr"
    fails: "pl.Expr"
    shown: "pl.Expr | None"
    tolerance: Tolerance = Tolerance()
    extreme: "pl.Expr | None" = None
    extreme_called: str = ""
    detail: str | None = None
    misfit: str | None = None
    nothing: str = "there are no values"
    compares_rows: bool = False

    @property
    def _failing(self) -> "pl.Expr":
        return (self.checked & self.fails).fill_null(False)

    @property
    def _column(self) -> str:
        return f"penstock {self.about.pointer}"

    def columns(self) -> "Mapping[str, pl.Expr]":
        # polars works an expression out as often as it is read, and to compare all rows is dear.
        return {self._column: self._failing} if self.compares_rows else {}

    def expressions(self, examples: int) -> "Mapping[str, pl.Expr]":
        import polars as pl

        failing = pl.col(self._column) if self.compares_rows else self._failing
        wanted = {"checked": self.checked.fill_null(False).sum(), "failing": failing.sum()}
        if examples:
            value = pl.lit(None) if self.shown is None else self.shown
            both = pl.struct(pl.col(ROW).alias("row"), value.alias("value"))
            wanted["examples"] = both.filter(failing).head(examples).implode()
        if self.extreme is not None:
            wanted["extreme"] = self.extreme
        return wanted

    def result(self, found: Mapping[str, Any]) -> Result:
        checked, failing = int(found["checked"] or 0), int(found["failing"] or 0)
        if not checked:
            return self.about.result(None, checked=0, failing=0, detail=self.nothing)
        ok = self.misfit is None and self.tolerance.allows(failing, checked)
        extreme = found.get("extreme")
        observed = _told(failing, checked)
        if extreme is not None:
            observed = f"{self.extreme_called} {shown(extreme)}" + (f"; {observed}" if failing else "")
        rows = found.get("examples")
        examples = tuple(
            Example(each["row"], plain(each["value"])) for each in ([] if rows is None else rows)
        )
        return self.about.result(
            ok,
            observed=observed,
            failing=failing,
            checked=checked,
            fraction=failing / checked,
            examples=examples,
            detail=self.misfit or (self.detail if failing else None),
        )


def _told(failing: int, checked: int) -> str:
    if not failing:
        return f"all of {checked:,} rows" if checked > 1 else "the one row"
    share = 100 * failing / checked
    return (
        f"{failing:,} of {checked:,} rows fail ({share:.3g}%)"
        if failing < checked
        else f"all of {checked:,} rows fail"
    )


@dataclass(frozen=True)
class Judgement:
    """What a measure came to."""

    ok: bool | None
    observed: str | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Measured:
    """One that asks for a single value of all rows."""

    about: About
    value: "pl.Expr"
    judge: Callable[[Any], Judgement]

    def columns(self) -> "Mapping[str, pl.Expr]":
        return {}

    def expressions(self, examples: int) -> "Mapping[str, pl.Expr]":
        return {"value": self.value}

    def result(self, found: Mapping[str, Any]) -> Result:
        judged = self.judge(found["value"])
        return self.about.result(judged.ok, observed=judged.observed, detail=judged.detail)


def shown(value: object) -> str:
    """A value as a person reads it: `1,234`, `0.0123`, `2024-01-31 12:00:00`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, datetime):
        return str(value.replace(tzinfo=None)).removesuffix(" 00:00:00")
    return str(value)


def plain(value: Any) -> Any:  # Any: a value of a table in, a JSON value out
    """A value of a row as JSON: times as text, what JSON has no number for as text, long texts cut."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime | date):
        return shown(value)
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value[:20]]
    text = str(value)
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
