"""Checking a table against its expectations: each rule beside plain Python that was written without a look at polars."""

import math
import re
import statistics
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import InvalidDocument
from penstock.profiling.checking import check, check_table
from penstock.profiling.results import Checked, Result
from penstock.profiling.tables import open_table, over_table
from penstock.resources.expectations import Expectations
from penstock.resources.yaml_source import load_yaml

NOW = datetime(2024, 6, 1, 12)


def checked(columns: Any, text: str, **more: Any) -> Checked:
    """The results for a table that is given as a mapping of lists."""
    frame = columns if isinstance(columns, pl.DataFrame) else pl.DataFrame(columns, strict=False)
    expected = Expectations.model_validate(load_yaml(text, name="e.yml"))
    return check(frame.lazy(), expected, now=NOW, **more)


def one(columns: Any, text: str, name: str, **more: Any) -> Result:
    """The result of that name."""
    (found,) = [each for each in checked(columns, text, **more).results if each.name == name]
    return found


def of_column(values: Any, rules: str, rule: str, **more: Any) -> Result:
    """The result of a rule for the one column `a`."""
    frame = values if isinstance(values, pl.DataFrame) else pl.DataFrame({"a": values}, strict=False)
    return one(frame, f"columns:\n  a: {{{rules}}}", f"a.{rule}", **more)


# One rule after the other, beside an oracle -------------------------------------------------------------------------


def _gone(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


# For each rule: which values (that are not missing) do not meet it.
ORACLES: dict[str, Callable[[Any, Sequence[Any]], list[bool]]] = {
    "min": lambda limit, values: [value < limit for value in values],
    "max": lambda limit, values: [value > limit for value in values],
    "above": lambda limit, values: [not value > limit for value in values],
    "below": lambda limit, values: [not value < limit for value in values],
    "allowed": lambda among, values: [all(value != each for each in among) for value in values],
    "forbidden": lambda among, values: [any(value == each for each in among) for value in values],
    "unique": lambda _, values: [Counter(values)[value] > 1 for value in values],
    "finite": lambda _, values: [math.isinf(value) for value in values],
    "increasing": lambda _, values: [n > 0 and value < values[n - 1] for n, value in enumerate(values)],
    "decreasing": lambda _, values: [n > 0 and value > values[n - 1] for n, value in enumerate(values)],
    "length": lambda size, values: [len(value) != size for value in values],
    "matches": lambda pattern, values: [re.search(pattern, value) is None for value in values],
}

_numbers = st.one_of(
    st.none(), st.integers(-4, 4).map(float), st.sampled_from([math.nan, math.inf, -math.inf, 0.5])
)
_wholes = st.one_of(st.none(), st.integers(-4, 4))
_texts = st.one_of(st.none(), st.text(alphabet="abÄ .", max_size=4))
_number_rules = st.one_of(
    st.tuples(st.sampled_from(["min", "max", "above", "below"]), st.integers(-4, 4)),
    st.tuples(
        st.sampled_from(["allowed", "forbidden"]), st.lists(st.sampled_from([-1, 0, 1, 2, 0.5]), min_size=1)
    ),
    st.tuples(st.sampled_from(["unique", "finite", "increasing", "decreasing"]), st.just(True)),
)
_text_rules = st.one_of(
    st.tuples(st.just("length"), st.integers(0, 3)),
    st.tuples(st.just("matches"), st.sampled_from(["^a", "b$", "Ä", r"\.", "^.b", "a|b"])),
    st.tuples(
        st.sampled_from(["allowed", "forbidden"]), st.lists(st.text(alphabet="abÄ", max_size=2), min_size=1)
    ),
    st.tuples(st.just("unique"), st.just(True)),
)
_mostly = st.one_of(st.none(), st.sampled_from([0, 0.5, 0.6, 0.75, 0.9, 1]))


def _agrees(values: list[Any], dtype: Any, rule: str, given_: Any, mostly: float | None) -> None:
    frame = pl.DataFrame({"a": pl.Series(values, dtype=dtype)})
    told: dict[str, Any] = {rule: given_} if mostly is None else {rule: given_, "mostly": mostly}
    expected = Expectations.model_validate({"rows": {"min": 0}, "columns": {"a": told}})

    results = check(frame.lazy(), expected, now=NOW, examples=2).results
    (found,) = [each for each in results if each.rule == rule]

    there = [(n, value) for n, value in enumerate(values, 1) if not _gone(value)]
    wrong = ORACLES[rule](given_, [value for _, value in there])
    failing = [(n, value) for (n, value), bad in zip(there, wrong, strict=True) if bad]
    assert (found.checked, found.failing) == (len(there), len(failing))
    share = Fraction(str(mostly)) if mostly is not None else 1
    if not there:
        assert found.status == "not_applicable"
    else:
        assert found.status == ("passed" if len(there) - len(failing) >= share * len(there) else "failed")
    assert [each.row for each in found.examples] == [n for n, _ in failing[:2]]


@settings(max_examples=150, deadline=None)
@given(st.lists(_numbers, max_size=8), _number_rules, _mostly)
def test_rules_of_numbers_say_what_plain_python_says(
    values: list[Any], rule: tuple[str, Any], mostly: float | None
) -> None:
    """Nulls and NaN are no values; infinities are, and beyond every limit."""
    _agrees(values, pl.Float64, *rule, mostly)


@settings(max_examples=100, deadline=None)
@given(st.lists(_wholes, max_size=8), _number_rules, _mostly, st.sampled_from([pl.Int8, pl.Int64, pl.Int128]))
def test_rules_of_whole_numbers_say_what_plain_python_says(
    values: list[Any], rule: tuple[str, Any], mostly: float | None, dtype: Any
) -> None:
    """Whatever their width."""
    _agrees(values, dtype, *rule, mostly)


@settings(max_examples=100, deadline=None)
@given(st.lists(_texts, max_size=8), _text_rules, _mostly)
def test_rules_of_texts_say_what_plain_python_says(
    values: list[Any], rule: tuple[str, Any], mostly: float | None
) -> None:
    """An empty text is a value; characters are counted, not bytes."""
    _agrees(values, pl.String, *rule, mostly)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(_numbers, max_size=8),
    st.one_of(st.integers(0, 4), st.sampled_from(["0%", "25%", "50%", "100%"])),
)
def test_nulls_are_counted_with_nan_among_them(values: list[Any], most: int | str) -> None:
    """By rows, or by share of the rows; never more, and as many is well."""
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.Float64)})

    found = of_column(frame, f"nulls: {most}", "nulls")

    missing = sum(map(_gone, values))
    limit = most if isinstance(most, int) else Fraction(most.rstrip("%")) / 100 * len(values)
    assert (found.checked, found.failing) == (len(values), missing)
    assert found.status == ("not_applicable" if not values else "passed" if missing <= limit else "failed")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=1, max_size=9), st.integers(-50, 50))
def test_statistics_are_those_of_pythons_own_module(values: list[Any], limit: int) -> None:
    """Mean, median, deviation of a sample, quantile between neighbours; nothing of no values."""
    rules = f"mean: {{max: {limit}}}, median: {{max: {limit}}}, std: {{max: {limit}}}, quantiles: {{0.25: {{max: {limit}}}}}, distinct: {{max: 3}}"
    frame = pl.DataFrame({"a": pl.Series(values, dtype=pl.Int64)})
    results = {each.name: each.status for each in checked(frame, f"columns:\n  a: {{{rules}}}").results}

    there = [value for value in values if value is not None]
    numbers: dict[str, Any] = dict.fromkeys(("mean", "median", "std", "quantiles.0.25"))
    if there:
        numbers |= {"mean": Fraction(sum(there), len(there)), "median": statistics.median(there)}
        numbers["quantiles.0.25"] = there[0]
    if len(there) > 1:
        numbers |= {"std": statistics.stdev(there)}
        numbers["quantiles.0.25"] = statistics.quantiles(there, n=4, method="inclusive")[0]
    for name, number in numbers.items():
        wanted = "not_applicable" if number is None else "passed" if number <= limit else "failed"
        assert results[f"a.{name}"] == wanted, name
    assert results["a.distinct"] == ("passed" if len(set(there)) <= 3 else "failed")


# Types ---------------------------------------------------------------------------------------------------------------

DAY, MOMENT = date(2024, 1, 31), datetime(2024, 1, 31, 12)


@pytest.mark.parametrize(
    ("values", "dtype", "fits"),
    [
        ([1, 2], pl.Int64, {"number", "integer"}),
        ([1, 2], pl.UInt8, {"number", "integer"}),
        ([1.0, None, math.nan], pl.Float64, {"number", "integer"}),
        ([1.5], pl.Float32, {"number"}),
        ([math.inf], pl.Float64, {"number"}),
        ([Decimal("1.50")], pl.Decimal(10, 2), {"number"}),
        (["a", "1"], pl.String, {"text"}),
        (["1", "2"], pl.String, {"text"}),
        (["a", "b"], pl.Categorical, {"text"}),
        (["2024-01-31", " 2024-01-31 "], pl.String, {"text", "date", "datetime"}),
        (["2024-01-31T12:00:00Z", "2024-01-31 12:00", "2024-01-31 12:00:00.5+02:00"], pl.String, {"text", "datetime"}),
        (["2024-01-31", "tomorrow"], pl.String, {"text"}),
        ([True, None], pl.Boolean, {"boolean"}),
        ([DAY], pl.Date, {"date", "datetime"}),
        ([MOMENT], pl.Datetime("ms"), {"datetime"}),
        ([datetime(2024, 1, 31)], pl.Datetime("ns"), {"date", "datetime"}),
        ([MOMENT.replace(tzinfo=UTC)], pl.Datetime("us", "UTC"), {"datetime"}),
        ([[1]], pl.List(pl.Int64), set()),
    ],
)  # fmt: skip
def test_a_type_is_what_the_values_are(values: Any, dtype: Any, fits: set[str]) -> None:
    """Whole numbers as floats are integers, times written as text are times; numbers written as text are text."""
    frame = pl.DataFrame({"a": pl.Series(values, dtype=dtype)})
    names = ("number", "integer", "text", "boolean", "date", "datetime")

    found = {name for name in names if of_column(frame, f"type: {name}", "type").status == "passed"}

    assert found == fits


@pytest.mark.parametrize("dtype", [pl.Null, pl.String, pl.Float64])
def test_a_column_without_any_value_has_every_type(dtype: Any) -> None:
    """A reader of CSV calls it text; nothing can be said about values that are not there."""
    frame = pl.DataFrame({"a": pl.Series([None, None], dtype=dtype)})
    rules = "type: number, min: 3, mean: {min: 3}, allowed: [1], unique: true"

    results = checked(frame, f"columns:\n  a: {{{rules}}}").results

    kinds = {each.rule: each.status for each in results}
    assert kinds.pop("type") in ("passed", "not_applicable")
    assert kinds.pop("rows") == kinds.pop("present") == "passed"
    assert set(kinds.values()) == {"not_applicable"}


def test_values_that_are_no_numbers_are_shown() -> None:
    """In a column of text that should be one of numbers."""
    found = of_column(["1", "2", "n/a", "3"], "type: number", "type")

    assert (found.status, found.failing) == ("failed", 1)
    assert [(each.row, each.value) for each in found.examples] == [(3, "n/a")]
    assert found.detail == "the column is text (string)"


def test_a_column_of_the_wrong_type_fails_once() -> None:
    """The rules behind it cannot be asked, and say why."""
    results = checked(
        {"a": ["x", "y"]}, "columns:\n  a: {type: number, min: 0, mean: {min: 0}, nulls: 0}"
    ).results

    status = {each.rule: each.status for each in results}
    assert status == {
        "rows": "passed", "present": "passed", "type": "failed", "min": "not_applicable", "mean": "not_applicable",
        "nulls": "passed",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "rules", "rule", "says"),
    [
        (["a"], "min: 3", "min", "the limit is a number"),
        ([1], "min: 2024-01-01", "min", "the limit is a time"),
        (["1"], "allowed: [1]", "allowed", "the values are numbers: put them in quotes"),
        ([1], "forbidden: ['1']", "forbidden", "the values are texts"),
        ([1], "matches: x", "matches", "only texts can match"),
        ([1], "length: 1", "length", "only texts have a length"),
        (["a"], "mean: {min: 1}", "mean", "this is for numbers"),
        (["a"], "finite: true", "finite", "only numbers are finite"),
    ],
)
def test_a_rule_that_cannot_be_asked_of_a_column_fails_and_says_why(
    values: list[Any], rules: str, rule: str, says: str
) -> None:
    """Nothing passes because nobody looked."""
    found = of_column(values, rules, rule)

    assert found.status == "failed"
    assert says in str(found.detail)


# Times ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "value", "passes"),
    [
        ("max: 2024-01-31", datetime(2024, 1, 31, 23, 59), True),
        ("max: 2024-01-31", datetime(2024, 2, 1), False),
        ("max: 2024-01-31 00:00:00", datetime(2024, 1, 31, 0, 1), False),
        ("below: 2024-01-31", datetime(2024, 1, 30, 23), True),
        ("below: 2024-01-31", datetime(2024, 1, 31), False),
        ("above: 2024-01-31", datetime(2024, 1, 31, 23), False),
        ("above: 2024-01-31", datetime(2024, 2, 1), True),
        ("min: 2024-01-31T12:00:00+02:00", datetime(2024, 1, 31, 10), True),
        ("min: 2024-01-31T12:00:00+02:00", datetime(2024, 1, 31, 9), False),
        ("min: 2024-01-31 10:00:00", datetime(2024, 1, 31, 12, tzinfo=timezone(timedelta(hours=2))), True),
        ("min: 2024-01-31 10:00:00", datetime(2024, 1, 31, 11, tzinfo=timezone(timedelta(hours=2))), False),
        ("min: 2024-01-31 10:00", "2024-01-31T12:00:00+02:00", True),
        ("min: 2024-01-31 10:00", "2024-01-31T09:59:00Z", False),
        ("allowed: ['2024-01-31']", DAY, True),
        ("allowed: ['2024-01-30']", DAY, False),
    ],
)
def test_times_are_compared_in_utc_and_a_day_is_whole(rule: str, value: Any, passes: bool) -> None:
    """A day as an upper end is there to its end; what says no zone is UTC, on either side."""
    frame = pl.DataFrame({"a": pl.Series([value])})

    found = of_column(frame, rule, rule.partition(":")[0])

    assert (found.status == "passed") is passes


@pytest.mark.parametrize(
    ("values", "age", "status", "observed"),
    [
        (
            [NOW - timedelta(days=3), NOW - timedelta(days=9)],
            "7d",
            "passed",
            "newest 2024-05-29 12:00:00, 3 d old",
        ),
        ([NOW - timedelta(days=7)], "7d", "passed", "newest 2024-05-25 12:00:00, 7 d old"),
        ([NOW - timedelta(days=7, seconds=1)], "7d", "failed", "newest 2024-05-25 11:59:59, 7 d old"),
        (["2024-06-01T13:00:00+02:00"], "90m", "passed", "newest 2024-06-01 11:00:00, 1 h old"),
        ([NOW + timedelta(days=1)], "1h", "passed", "newest 2024-06-02 12:00:00"),
        ([None], "1h", "failed", "no time"),
        ([3], "1h", "failed", None),
    ],
)
def test_freshness_is_the_age_of_the_newest_time(
    values: list[Any], age: str, status: str, observed: str | None
) -> None:
    """A column without times is not fresh; times to come are said to be."""
    found = one({"a": values}, f"freshness: {{column: a, max_age: {age}}}", "freshness")

    assert (found.status, found.observed) == (status, observed)


def test_freshness_without_a_column_is_that_of_the_version() -> None:
    """Files that are no version have no time of creation: nothing can be said."""
    old = one({"a": [1]}, "freshness: 7d", "freshness", created=NOW - timedelta(days=8))
    young = one({"a": [1]}, "freshness: 7d", "freshness", created=NOW - timedelta(days=6))
    neither = one({"a": [1]}, "freshness: 7d", "freshness")

    assert [each.status for each in (old, young, neither)] == ["failed", "passed", "not_applicable"]


# Tables --------------------------------------------------------------------------------------------------------------


def test_a_column_that_is_not_there_is_told_once_with_the_nearest_name() -> None:
    """Names are exact: `Fare` is not `fare`."""
    results = checked({"Fare": [1.0]}, "columns:\n  fare: {min: 0}\n  tip: {optional: true, min: 0}").results

    told = {each.name: (each.status, each.detail) for each in results}
    assert told["fare.present"] == ("failed", "did you mean `Fare`?")
    assert told["fare.min"][0] == "not_applicable"
    assert told["tip.present"][0] == told["tip.min"][0] == "not_applicable"


@pytest.mark.parametrize(
    ("extra", "order", "status"),
    [
        ("allow", "any", []),
        ("warn", "any", ["warning"]),
        ("refuse", "any", ["failed"]),
        ("allow", "listed", ["failed"]),
    ],
)
def test_columns_that_are_not_listed_and_their_order(extra: str, order: str, status: list[str]) -> None:
    """Allowed unless the file says otherwise; the order is that of the file only where it is asked for."""
    text = f"extra_columns: {extra}\ncolumn_order: {order}\ncolumns: {{a: , b: }}"

    results = checked({"b": [1], "c": [1], "a": [1]}, text).results

    assert [each.status for each in results if each.rule in ("extra_columns", "column_order")] == status


@pytest.mark.parametrize(
    ("rows", "text", "status"),
    [
        (0, "columns: {a: {min: 0}}", "failed"),
        (0, "rows: {min: 0}", "passed"),
        (3, "rows: 3", "passed"),
        (4, "rows: 3", "failed"),
        (4, "rows: {max: 3, severity: warning}", "warning"),
    ],
)
def test_an_empty_table_fails_unless_it_may_be_empty(rows: int, text: str, status: str) -> None:
    """Where nobody says how many rows there must be, one is the least: of no rows every other rule is true."""
    frame = pl.DataFrame({"a": pl.Series([1] * rows, dtype=pl.Int64)})

    found = checked(frame, text)

    assert (found.rows, found.results[0].status) == (rows, status)


_pair = st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.one_of(st.none(), st.sampled_from("xy")))


@settings(max_examples=80, deadline=None)
@given(st.lists(_pair, min_size=1, max_size=8))
def test_a_key_of_two_columns_is_there_once(rows: list[tuple[Any, Any]]) -> None:
    """A row in which a part of the key is missing is not compared, as in a database."""
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")

    found = one(frame, "unique: [[a, b]]", "unique(a, b)")

    whole = [row for row in rows if None not in row]
    assert found.failing == sum(count for count in Counter(whole).values() if count > 1)
    assert found.checked == len(whole)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(_numbers, _numbers, _texts), min_size=1, max_size=8))
def test_a_condition_is_asked_of_the_rows_that_have_its_values(rows: list[tuple[Any, Any, Any]]) -> None:
    """Three-valued, as in a database: a row for which it is neither true nor false is not looked at."""
    frame = pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.Float64, "t": pl.String}, orient="row")

    found = one(frame, "rules: [{name: r, that: 'a < b or t in (''a'', ''b'')', where: not a == 0}]", "r")

    looked, failing = 0, 0
    for a, b, text in rows:
        less = None if _gone(a) or _gone(b) else a < b
        known = None if text is None else text in ("a", "b")
        either = True if less or known else None if less is None or known is None else False
        if either is not None and not _gone(a) and a != 0:
            looked += 1
            failing += not either
    assert (found.checked, found.failing) == (looked, failing)


@pytest.mark.parametrize(
    ("condition", "failing"),
    [
        ("a * 2 == b", 1),
        ("`a b` > 'a'", 1),
        ("start < end", 1),
        ("start >= '2024-01-01'", 1),
        ("flag", 1),
        ("flag == true", 1),
        ("a / 0 > 1", 0),
        ("t is not null", 1),
        ("a + 100 > 127", 1),
    ],
)
def test_a_condition_knows_numbers_texts_times_and_truth(condition: str, failing: int) -> None:
    """Texts beside times are read as times; narrow numbers do not run over; what has no result is no answer."""
    frame = pl.DataFrame(
        {
            "a": pl.Series([27, 100], dtype=pl.Int8),
            "b": [54.0, 100.0],
            "a b": ["a", "b"],
            "t": ["x", None],
            "start": [datetime(2024, 1, 1), datetime(2023, 1, 1)],
            "end": ["2024-01-02", "2022-01-01"],
            "flag": [True, False],
        }
    )

    assert one(frame, f'rules: [{{name: r, that: "{condition}"}}]', "r").failing == failing


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("far < 3", "there is no column `far`: did you mean `fare`?"),
        ("fare < 'x'", "`fare` is a number, and 'x' is a text"),
        ("fare and name == 'x'", "`fare` is not true or false"),
        ("name + 1 > 2", "`+` is for numbers, and `name` is a text"),
        ("at < 'soon'", "'soon' is no time"),
    ],
)
def test_a_condition_that_cannot_be_asked_fails_and_says_why(condition: str, says: str) -> None:
    """The others are asked all the same."""
    table = {"fare": [1.0], "name": ["x"], "at": [MOMENT]}

    found = checked(table, f'columns: {{fare: {{min: 0}}}}\nrules: [{{name: r, that: "{condition}"}}]')

    results = {each.name: each for each in found.results}
    assert (results["r"].status, results["fare.min"].status) == ("failed", "passed")
    assert says in str(results["r"].detail)


# Severity, shares, conditions, examples --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("columns: {a: {max: 0}}", "failed"),
        ("severity: warning\ncolumns: {a: {max: 0}}", "warning"),
        ("severity: warning\ncolumns: {a: {max: 0, severity: error}}", "failed"),
        ("columns: {a: {severity: error, max: {value: 0, severity: warning}}}", "warning"),
    ],
)
def test_the_nearest_severity_counts(text: str, status: str) -> None:
    """The rule's, else the column's, else the file's, else `error`. Warnings do not fail."""
    found = checked({"a": [1]}, text)

    assert {each.name: each.status for each in found.results}["a.max"] == status
    assert found.passed is (status == "warning")


def test_a_share_and_a_condition_of_a_column_are_those_of_its_rules() -> None:
    """Unless a rule has its own."""
    table = {"a": [1, 2, 30, 4], "b": ["x", "x", "x", "y"]}

    rest = one(table, "columns:\n  a: {mostly: 66%, where: b == 'x', max: 10}", "a.max")
    own = one(table, "columns:\n  a: {mostly: 66%, max: {value: 10, mostly: 80%, where: b == 'y'}}", "a.max")

    assert (rest.status, rest.checked, rest.failing) == ("passed", 3, 1)
    assert rest.expected == "at most 10, in 66% of the rows, where b == 'x'"
    assert (own.status, own.checked) == ("passed", 1)


def test_letters_case_counts_unless_it_is_ignored() -> None:
    """`Card` is another value than `card`."""
    values = ["card", "CARD", "cash"]

    exact = of_column(values, "allowed: [card, cash]", "allowed")
    ignored = of_column(values, "allowed: {values: [Card, cash], ignore_case: true}", "allowed")

    assert (exact.failing, ignored.failing) == (1, 0)


def test_examples_have_row_numbers_and_can_be_left_out() -> None:
    """The first row is 1. Without examples no row is shown."""
    values = ["a", "bb", None, "ccc", "x" * 500]

    shown = of_column(values, "length: {max: 1}", "length", examples=2)
    hidden = of_column(values, "length: {max: 1}", "length", examples=0)
    long = of_column(values, "length: {max: 3}", "length")

    assert [(each.row, each.value) for each in shown.examples] == [(2, "bb"), (4, "ccc")]
    assert (hidden.failing, hidden.examples) == (3, ())
    assert len(long.examples[0].value) == 200


def test_every_result_has_a_name_of_its_own_and_a_place_in_the_file() -> None:
    """So that a report can be followed back to its line."""
    text = (Path(__file__).parents[2] / "docs/reference/sources/examples/expectations.yml").read_text()

    results = checked({"fare": [1.0]}, text).results

    names = [each.name for each in results]
    assert len(set(names)) == len(names) > 20
    assert {each.pointer for each in results} >= {
        "/rows",
        "/columns/fare/max",
        "/columns/fare/quantiles/0.95",
        "/rules/1",
    }


def test_a_pattern_that_the_engine_does_not_have_is_told_at_its_place() -> None:
    """Before anything is read."""
    expected = Expectations.model_validate({"columns": {"a": {"matches": "a{1,100000000}"}}})

    with pytest.raises(InvalidDocument) as error:
        check(pl.LazyFrame({"a": ["x"]}), expected, now=NOW)

    assert error.value.problems[0].pointer == "/columns/a/matches"


def test_all_expectations_are_computed_in_one_scan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there are: the file is collected once, and its plan reads it once."""
    file = tmp_path / "d.csv"
    file.write_text("a,b,t\n" + "".join(f"{n},{n * 2},x{n}\n" for n in range(1000)))
    text = (
        "columns:\n  a: {type: integer, min: 0, max: 500, unique: true, mean: {max: 3}, nulls: 0, increasing: true}\n"
        "  t: {length: {max: 3}, matches: '^x', distinct: 3}\nunique: [[a, t]]\nrules: [a < b, {name: r, that: b > 3, where: a > 1}]"
    )
    expected = Expectations.model_validate(load_yaml(text, name="e.yml"))
    frame = open_table(file, "uri_file")
    plans: list[str] = []
    collect = pl.LazyFrame.collect

    def counted(self: pl.LazyFrame, *arguments: Any, **named: Any) -> Any:
        plans.append(self.explain(engine="streaming"))
        return collect(self, *arguments, **named)

    monkeypatch.setattr(pl.LazyFrame, "collect", counted)

    found = check(frame, expected, now=NOW)

    scans = [plan for plan in plans if "SCAN" in plan]
    assert len(scans) == 1
    assert scans[0].count("SCAN") == 1
    assert found.rows == 1000


@pytest.mark.parametrize(
    ("condition", "failing"),
    [
        ("(" * 40 + "a" + "+1)" * 40 + " < 42", 1),
        ("a" + "+a" * 99 + " <= 100", 1),
        ("a == 1" + " or a == 1" * 99, 1),
        ("a > " + "9" * 400, 2),
        ("a in (" + ", ".join(["1", *["-5"] * 400]) + ") and a == 1", 1),
    ],
)
def test_a_long_condition_takes_no_longer_than_its_length(condition: str, failing: int) -> None:
    """Twice as long for each step would never end."""
    found = one({"a": [1, 2, None]}, f"rules: ['{condition}']\n", condition)

    assert found.failing == failing


@pytest.mark.parametrize("scale", [0, 2])
def test_decimals_that_differ_are_not_the_same(scale: int) -> None:
    """Keys of databases come as decimals with more digits than a float has."""
    values = pl.Series([f"{2**53}0{'.00' if scale else ''}", f"{2**53}1{'.00' if scale else ''}"])
    frame = pl.DataFrame({"key": values.cast(pl.Decimal(38, scale)), "a": [1, 1]})

    found = checked(
        frame, "columns:\n  key: {unique: true, distinct: 2, min: 1, max: 1e20}\nunique: [[key, a]]\n"
    )

    assert {result.status for result in found.results} == {"passed"}


def test_how_far_a_check_has_come_is_told_while_it_goes_on(tmp_path: Path) -> None:
    """Rows, always more of them; also where a rule compares all rows with one another."""
    pl.select(pl.int_range(1_500_000).alias("a")).write_parquet(tmp_path / "a.parquet")
    told: list[int] = []

    check_table(
        tmp_path / "a.parquet", "uri_file", expectations={"columns": {"a": {"unique": True}}}, now=0.0, created=None,
        examples=0, progress=told.append,
    )  # fmt: skip

    assert len(told) >= 2
    assert told == sorted(told)
    assert told[-1] <= 1_500_000


def test_a_file_whose_types_change_further_down_is_checked_all_the_same(tmp_path: Path) -> None:
    """A text after thousands of numbers: the values that are no numbers are found."""
    file = tmp_path / "d.csv"
    file.write_text("a\n" + "1\n" * 50_000 + "oops\n")
    expected = Expectations.model_validate({"columns": {"a": {"type": "number"}}})

    found = over_table(file, "uri_file", lambda frame: check(frame, expected, now=NOW))

    (result,) = [each for each in found.results if each.rule == "type"]
    assert [(each.row, each.value) for each in result.examples] == [(50_001, "oops")]
