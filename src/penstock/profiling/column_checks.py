"""What a file expects of one column, as checks."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, Final

from penstock.profiling.check_words import between, in_span, in_words, qualified
from penstock.profiling.checks import (
    About,
    Check,
    Judgement,
    Measured,
    RowTest,
    Settled,
    Tolerance,
    shown,
)
from penstock.profiling.column_views import NUMBERS, TIMES, View, times_in
from penstock.profiling.conditions import Misfit
from penstock.profiling.results import Severity
from penstock.profiling.row_choice import every_row, selection, tolerance_of
from penstock.profiling.value_tests import failing_values
from penstock.resources.expectations import (
    ColumnExpectations,
    Graded,
    Nulls,
    Order,
    Span,
    Switch,
)
from penstock.resources.nearest import did_you_mean
from penstock.resources.wording import pointer_of

if TYPE_CHECKING:
    import polars as pl

_COMPARING: Final = ("unique", "increasing", "decreasing")
_RULES: Final = (
    "nulls", "unique", "min", "above", "max", "below", "finite", "allowed", "forbidden", "matches", "length",
    "increasing", "decreasing", "distinct", "mean", "median", "std",
)  # fmt: skip


def checks_of_column(
    name: str, expected: ColumnExpectations, views: Mapping[str, View], severity: Severity
) -> Iterator[Check]:
    """All checks of one column; `severity` is the file's."""
    column = _Column(name, expected, views, severity)
    yield from column.checks()


@dataclass(frozen=True)
class _Column:
    """One column with what is expected of it."""

    name: str
    expected: ColumnExpectations
    views: Mapping[str, View]
    severity: Severity

    def checks(self) -> Iterator[Check]:
        view = self.views.get(self.name)
        present = self._about("present", "the column is there")
        if view is None:
            yield self._absent(present)
            missing = "there is no such column"
            yield from (Settled(about, None, detail=missing) for about in self._others())
            return
        yield Settled(present, True, observed=view.called)
        fits = True
        if self.expected.type is not None:
            yield (found := self._type(view))
            fits = view.dtype == "null" or not isinstance(found, RowTest) or found.misfit is None
        for rule in _RULES:
            given = getattr(self.expected, rule)
            if given is not None and not (isinstance(given, Switch | Order) and not given.value):
                yield self._rule(rule, given, view, fits)
        for share, span in (self.expected.quantiles or {}).items():
            yield self._quantile(share, span, view, fits)

    def _absent(self, present: About) -> Check:
        if self.expected.optional:
            return Settled(present, None, detail="there is no such column, and it is optional")
        near = did_you_mean(self.name, self.views)
        return Settled(present, False, observed="it is not there", detail=near)

    def _others(self) -> Iterator[About]:
        """All that cannot be asked where there is no column."""
        if self.expected.type is not None:
            yield self._about("type", self.expected.type)
        for rule in _RULES:
            given = getattr(self.expected, rule)
            if given is not None and not (isinstance(given, Switch | Order) and not given.value):
                yield self._about(rule, in_words(rule, given), given)
        for share, span in (self.expected.quantiles or {}).items():
            yield self._about(f"quantiles.{share}", between(span), span, ("quantiles", share))

    def _about(
        self, rule: str, expected: str, given: Graded | None = None, place: tuple[str, ...] | None = None
    ) -> About:
        own = given.severity if given is not None else None
        severity: Severity = own or self.expected.severity or self.severity
        place = () if rule == "present" else (rule,) if place is None else place
        pointer = pointer_of(("columns", self.name, *place))
        return About(f"{self.name}.{rule}", rule.partition(".")[0], self.name, pointer, severity, expected)

    def _type(self, view: View) -> Check:
        """Kinds are those of the file's reader; a text is a time where it is written as one, for CSV has no type for it."""
        import polars as pl

        wanted = str(self.expected.type)
        about = self._about("type", wanted)
        fine = {
            "number": NUMBERS, "integer": ("integer",), "text": ("text",), "boolean": ("boolean",), "date": ("date",),
            "datetime": TIMES,
        }[wanted]  # fmt: skip
        if view.kind in fine:
            return Settled(about, True, observed=view.called)
        there = ~view.missing()
        values, detail = view.values, f"the column is {view.called}"
        if wanted == "integer" and view.kind == "float":
            return RowTest(about, there, ~(values.is_finite() & (values == values.floor())), values)
        if wanted in TIMES and view.kind in ("text", "datetime"):
            times = times_in(values) if view.kind == "text" else values
            fails = times.is_null()
            if wanted == "date":
                fails = fails | (times.dt.truncate("1d") != times)
            return RowTest(about, there, fails, values, detail=detail)
        if view.kind == "text" and wanted in ("number", "integer"):
            # Which values are no numbers: those are what one looks for in a column that should be one.
            read = values.str.strip_chars().cast(pl.Float64 if wanted == "number" else pl.Int64, strict=False)
            return RowTest(about, there, read.is_null(), values, misfit=detail)
        return RowTest(about, there, every_row(), values, misfit=detail)

    def _rule(self, rule: str, given: Any, view: View, fits: bool) -> Check:  # Any: one of the rules' models
        about = self._about(rule, in_words(rule, given), given)
        if rule in ("mean", "median", "std"):
            return self._statistic(about, given, view, fits)
        where = getattr(given, "where", None) or self.expected.where
        mostly = getattr(given, "mostly", None)
        mostly = self.expected.mostly if mostly is None else mostly
        if isinstance(given, Nulls | Span):
            mostly = None
        about = self._about(rule, qualified(in_words(rule, given), mostly, where), given)
        try:
            rows = selection(where, self.views)
        except Misfit as error:
            return Settled(about, False, detail=f"its condition cannot be asked: {error}")
        if isinstance(given, Nulls):
            return _nulls(about, given, view, rows)
        if not fits:
            return Settled(about, None, detail=f"the column is {view.called}")
        if isinstance(given, Span):
            return _distinct(about, given, view, rows)
        there = rows & ~view.missing()
        fails, extreme, called = failing_values(rule, given, view, there)
        tolerance = tolerance_of(mostly)
        if isinstance(fails, str):
            return RowTest(about, there, every_row(), view.values, misfit=fails)
        return RowTest(
            about, there, fails, view.values, tolerance, extreme, called, compares_rows=rule in _COMPARING
        )

    def _numbers(self, view: View) -> "pl.Expr | None":
        """The values that a statistic is taken of: numbers, and true as 1."""
        import polars as pl

        if view.kind not in (*NUMBERS, "boolean"):
            return None
        chosen = pl.when(selection(self.expected.where, self.views)).then(view.values)
        return chosen.cast(pl.Float64)

    def _statistic(self, about: About, span: Span, view: View, fits: bool) -> Check:
        return self._measured(about, span, view, fits, lambda values: getattr(values, about.rule)())

    def _quantile(self, share: str, span: Span, view: View, fits: bool) -> Check:
        about = self._about(f"quantiles.{share}", between(span), span, ("quantiles", share))
        quantile = float(share)
        return self._measured(
            about, span, view, fits, lambda values: values.quantile(quantile, interpolation="linear")
        )

    def _measured(
        self,
        about: About,
        span: Span,
        view: View,
        fits: bool,
        take: "Callable[[pl.Expr], pl.Expr]",
    ) -> Check:
        if not fits:
            return Settled(about, None, detail=f"the column is {view.called}")
        try:
            values = self._numbers(view)
        except Misfit as error:
            return Settled(about, False, detail=f"its condition cannot be asked: {error}")
        if values is None:
            misfit = f"the column is {view.called}, and this is for numbers"
            return RowTest(about, ~view.missing(), every_row(), None, misfit=misfit)

        def judge(found: Any) -> Judgement:
            if found is None:
                return Judgement(None, detail="there are no values")
            return Judgement(in_span(found, span), shown(float(found)))

        return Measured(about, take(values), judge)


def _nulls(about: About, given: Nulls, view: View, rows: "pl.Expr") -> Check:
    if given.max is not None:
        tolerance = Tolerance(rows=given.max)
    else:
        tolerance = Tolerance(share=Fraction(str(given.max_fraction)))
    return RowTest(about, rows, view.missing(), None, tolerance, nothing="there are no rows")


def _distinct(about: About, span: Span, view: View, rows: "pl.Expr") -> Check:
    import polars as pl

    def judge(found: Any) -> Judgement:
        return Judgement(in_span(int(found), span), shown(int(found)))

    return Measured(about, pl.when(rows).then(view.identity).drop_nulls().n_unique(), judge)
