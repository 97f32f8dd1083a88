"""Checking a table against its expectations: all of them in one scan."""

import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import InvalidDocument, Problem
from penstock.profiling.checks import ROW, Check
from penstock.profiling.column_checks import checks_of_column
from penstock.profiling.column_views import View, plainly_named, views_of
from penstock.profiling.results import Checked
from penstock.profiling.table_checks import (
    freshness_check,
    key_check,
    rows_check,
    rule_check,
    schema_checks,
)
from penstock.profiling.tables import TableKind, over_table
from penstock.resources import documents
from penstock.resources.expectations import Expectations
from penstock.resources.wording import pointer_of

if TYPE_CHECKING:
    import polars as pl

EXAMPLES = 5
"""Rows that are shown of what does not meet an expectation."""
_TOLD_EVERY = 500_000
"""Rows between two words about how far it has come."""

Progress = Callable[[int], None]


def check(
    frame: "pl.LazyFrame",
    expected: Expectations,
    *,
    now: datetime,
    created: datetime | None = None,
    examples: int = EXAMPLES,
    progress: Progress = lambda rows: None,
) -> Checked:
    """Every expectation of a file, checked; the table is read once.

    What polars cannot read is polars' error: `over_table` deals with it. `now` and `created` (when the version was made; None for
    files that are no version) are UTC, without saying so. With `examples=0` no value of the data leaves this function but smallest and
    largest ones, means and counts. `progress` is told the rows that were read so far.
    """
    _check_patterns(expected)
    schema = frame.collect_schema()
    checks = list(_checks(expected, views_of(schema), now, created))
    wanted = {
        f"{number} {part}": expression
        for number, each in enumerate(checks)
        for part, expression in each.expressions(examples).items()
    }
    frame = plainly_named(frame, len(schema))
    columns = {name: each for one in checks for name, each in one.columns().items()}
    found = _scan(frame, columns, wanted, progress)
    results = []
    for number, each in enumerate(checks):
        prefix = f"{number} "
        results.append(
            each.result({key[len(prefix) :]: value for key, value in found.items() if key.startswith(prefix)})
        )
    rows = int(found["0 value"])
    return Checked(rows, len(schema), tuple(results))


def check_table(
    path: Path,
    kind: TableKind,
    *,
    expectations: dict[str, Any],
    now: float,
    created: float | None,
    examples: int,
    progress: Progress = lambda rows: None,
    **options: Any,
) -> dict[str, Any]:
    """The record of what checking files found. Times are seconds since 1970; InvalidDocument has pointers into `expectations`."""
    expected = parse_expectations(expectations)
    made = None if created is None else _moment(created)

    def ask(frame: "pl.LazyFrame") -> Checked:
        return check(frame, expected, now=_moment(now), created=made, examples=examples, progress=progress)

    return over_table(path, kind, ask, **options).as_record()


def parse_expectations(document: dict[str, Any]) -> Expectations:
    """A document that holds expectations. Raises InvalidDocument, with pointers into it."""
    found = documents.parse("expectations", document).resource
    assert isinstance(found, Expectations)
    return found


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _checks(
    expected: Expectations, views: Mapping[str, View], now: datetime, created: datetime | None
) -> Iterator[Check]:
    yield rows_check(expected)  # first: the number of rows is read from it
    if expected.freshness is not None:
        yield freshness_check(expected.freshness, views, expected.severity, now=now, created=created)
    yield from schema_checks(expected, views)
    for name, column in expected.columns.items():
        yield from checks_of_column(name, column, views, expected.severity)
    for index, key in enumerate(expected.unique):
        yield key_check(index, key, views, expected.severity)
    for index, rule in enumerate(expected.rules):
        yield rule_check(index, rule, views, expected.severity)


def _scan(
    frame: "pl.LazyFrame",
    columns: "Mapping[str, pl.Expr]",
    wanted: "Mapping[str, pl.Expr]",
    progress: Progress,
) -> dict[str, Any]:
    """The one row of all values that the checks need."""
    # The numbers are told before rows are compared with one another, for which all of them are waited for.
    numbered = frame.with_row_index(ROW, offset=1).with_columns(_told(progress)).with_columns(**columns)
    return numbered.select(**wanted).collect(engine="streaming").row(0, named=True)


def _told(progress: Progress) -> "pl.Expr":
    """The numbers of rows, of which `progress` is told while they pass by. The engine works it out in several threads."""
    import polars as pl

    one_at_a_time = threading.Lock()
    read = told = 0

    def see(numbers: "pl.Series") -> "pl.Series":
        nonlocal read, told
        with one_at_a_time:
            read += len(numbers)
            if read - told >= _TOLD_EVERY:
                told = read
                progress(read)
        return numbers

    return pl.col(ROW).map_batches(see, return_dtype=pl.get_index_type(), is_elementwise=True)


def _check_patterns(expected: Expectations) -> None:
    """Refuse a regular expression that the engine does not have, at its place, before anything is read."""
    import polars as pl

    problems = []
    for name, column in expected.columns.items():
        if column.matches is None:
            continue
        try:
            pl.Series([""]).str.contains(column.matches.value)
        except pl.exceptions.PolarsError as error:
            message = f"`matches` is not understood: {str(error).strip().splitlines()[0]}"
            problems.append(Problem(pointer_of(("columns", name, "matches")), message, code="unsupported"))
    if problems:
        raise InvalidDocument(problems)
