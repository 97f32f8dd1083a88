"""What a file expects of a table as a whole, as checks: rows, age, columns that are not listed, keys, conditions."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from penstock.profiling.check_words import between, in_span, qualified
from penstock.profiling.checks import ROW, About, Check, Judgement, Measured, RowTest, Settled, shown
from penstock.profiling.column_views import View, as_times
from penstock.profiling.conditions import Misfit, condition_of
from penstock.profiling.results import Severity
from penstock.profiling.row_choice import selection, tolerance_of
from penstock.resources.expectation_values import age_in_seconds
from penstock.resources.expectations import (
    CompoundKey,
    Expectations,
    Freshness,
    RowRule,
    Span,
)
from penstock.resources.row_conditions import columns_of, parse_condition
from penstock.resources.wording import quoted

# Any: values that polars computed.
_MOST_NAMES = 8


def rows_check(expected: Expectations) -> Check:
    """How many rows there are. A table without any is never what was meant, unless the file says `rows: {min: 0}`."""
    import polars as pl

    span = expected.rows or Span(min=1)
    own = expected.rows.severity if expected.rows is not None else None
    about = About("rows", "rows", None, "/rows", own or expected.severity, f"{between(span)} rows")
    return Measured(
        about, pl.col(ROW).count(), lambda found: Judgement(in_span(int(found), span), shown(int(found)))
    )


def freshness_check(
    expected: Freshness,
    views: Mapping[str, View],
    severity: Severity,
    *,
    now: datetime,
    created: datetime | None,
) -> Check:
    """Whether the newest time of a column, or the version itself, is young enough. `now` and `created` are UTC, without saying so."""
    limit = timedelta(seconds=age_in_seconds(expected.max_age))
    what = f"`{expected.column}`" if expected.column else "the version"
    about = About(
        "freshness", "freshness", expected.column, "/freshness", expected.severity or severity,
        f"{what} not older than {expected.max_age}",
    )  # fmt: skip

    def judge(newest: Any) -> Judgement:
        if newest is None:
            return Judgement(False, "no time", f"{what} holds no time")
        age = now - newest
        told = (
            f"newest {shown(newest)}, {_duration(age)} old"
            if age >= timedelta(0)
            else f"newest {shown(newest)}"
        )
        future = None if age >= timedelta(0) else f"it lies {_duration(-age)} in the future"
        return Judgement(age <= limit, told, future)

    if expected.column is None:
        if created is None:
            return Settled(
                about, None, detail="these files are no version of an asset, and have no time of creation"
            )
        found = judge(created)
        return Settled(about, found.ok, found.observed, found.detail)
    view = views.get(expected.column)
    if view is None:
        return Settled(about, False, detail=f"there is no column `{expected.column}`")
    times = as_times(view)
    if times is None and view.dtype == "null":
        return Settled(about, False, "no time", f"{what} holds no time")
    if times is None:
        return Settled(about, False, detail=f"the column is {view.called}, not times")
    return Measured(about, times.max(), judge)


def schema_checks(expected: Expectations, views: Mapping[str, View]) -> Iterator[Check]:
    """Columns that are not listed, and the order of those that are."""
    if expected.extra_columns != "allow":
        severity: Severity = "warning" if expected.extra_columns == "warn" else "error"
        about = About("extra_columns", "extra_columns", None, "/extra_columns", severity, "no other columns")
        extra = [name for name in views if name not in expected.columns]
        yield Settled(about, not extra, _some(extra) if extra else "none")
    if expected.column_order == "listed":
        about = About(
            "column_order",
            "column_order",
            None,
            "/column_order",
            expected.severity,
            "columns in the order listed",
        )
        wanted = [name for name in expected.columns if name in views]
        there = [name for name in views if name in expected.columns]
        wrong = next((name for name, other in zip(there, wanted, strict=True) if name != other), None)
        observed = (
            "they are" if wrong is None else f"`{wrong}` stands where `{wanted[there.index(wrong)]}` should"
        )
        yield Settled(about, wrong is None, observed)


def key_check(index: int, key: CompoundKey, views: Mapping[str, View], severity: Severity) -> Check:
    """Whether values of several columns are there together once. A row in which one of them is missing is not compared."""
    import polars as pl

    about = About(
        f"unique({', '.join(key.columns)})", "unique", None, f"/unique/{index}", key.severity or severity,
        qualified("no combination twice", key.mostly, key.where),
    )  # fmt: skip
    absent = [name for name in key.columns if name not in views]
    if absent:
        return Settled(about, False, detail=f"there is no column {quoted(absent)}")
    try:
        there = selection(key.where, views)
    except Misfit as error:
        return Settled(about, False, detail=f"its condition cannot be asked: {error}")
    for name in key.columns:
        there = there & ~views[name].missing()
    together = pl.struct([views[name].identity.alias(name) for name in dict.fromkeys(key.columns)])
    twice = pl.when(there).then(together).is_duplicated()
    return RowTest(about, there, twice, together, tolerance_of(key.mostly), compares_rows=True)


def rule_check(index: int, rule: RowRule, views: Mapping[str, View], severity: Severity) -> Check:
    """Whether each row meets a condition. A row for which it can be neither true nor false is not looked at."""
    import polars as pl

    about = About(
        rule.name or rule.that, "rule", None, f"/rules/{index}", rule.severity or severity,
        qualified(rule.that, rule.mostly, rule.where),
    )  # fmt: skip
    try:
        holds, rows = condition_of(rule.that, views), selection(rule.where, views)
    except Misfit as error:
        return Settled(about, False, detail=str(error))
    named = dict.fromkeys(columns_of(parse_condition(rule.that)))
    together = pl.struct([views[name].values.alias(name) for name in named]) if named else None
    return RowTest(
        about,
        rows & holds.is_not_null(),
        ~holds,
        together,
        tolerance_of(rule.mostly),
        nothing="there are no such rows",
    )


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return quoted(names[:_MOST_NAMES]) + more


def _duration(age: timedelta) -> str:
    seconds = age.total_seconds()
    for unit, name in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {name}"
    return f"{seconds:.0f} s"
