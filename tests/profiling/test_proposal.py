"""Proposing expectations from a profile: the data itself meets them, and data that went wrong does not."""

import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.profiling.checking import check
from penstock.profiling.profile import profile_table
from penstock.profiling.proposal import propose
from penstock.profiling.results import Checked
from penstock.profiling.tables import over_table
from penstock.resources.documents import parse
from penstock.resources.expectations import Expectations
from penstock.resources.yaml_source import load_yaml

ROOT = Path(__file__).parents[2]
NOW = datetime(2024, 6, 1)


def proposed(frame: pl.DataFrame, folder: Path) -> str:
    """The text that is proposed for a table."""
    file = folder / "d.parquet"
    frame.write_parquet(file)
    return propose(profile_table(file, "uri_file"), about="azureml:d@latest", called="d:1")


def expected(text: str) -> Expectations:
    found = parse("expectations", load_yaml(text, name="e.yml")).resource
    assert isinstance(found, Expectations)
    return found


def checked(frame: pl.DataFrame, text: str) -> Checked:
    return check(frame.lazy(), expected(text), now=NOW)


def failing(frame: pl.DataFrame, text: str) -> set[str]:
    return {each.name for each in checked(frame, text).results if each.status in ("failed", "warning")}


_columns = {
    pl.Float64: st.one_of(st.none(), st.floats(), st.sampled_from([0.0, 1.0, 7.7, -0.1])),
    pl.Int64: st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(-3, 3)),
    pl.UInt8: st.one_of(st.none(), st.integers(0, 255)),
    pl.String: st.one_of(st.none(), st.text(max_size=6), st.sampled_from(["a", "b", "no", "1", "2024-01-01", "~", ""])),
    pl.Boolean: st.one_of(st.none(), st.booleans()),
    pl.Datetime("us"): st.one_of(st.none(), st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1))),
}  # fmt: skip
_NAMES = st.one_of(
    st.text(min_size=1, max_size=8).filter(lambda name: name.isprintable()),
    st.sampled_from(["^a$", "*", "^.*$", "a: b", "- a", "penstock row number", "column 0", "null", "1", "#"]),
)


@st.composite
def _tables(draw: st.DrawFn) -> pl.DataFrame:
    """Up to three columns of any kind and name; few rows of many kinds, or many of few."""
    times = draw(st.sampled_from([1, 1, 30, 200]))
    size = draw(st.integers(1, 6))
    table = {}
    for name in draw(st.lists(_NAMES, min_size=1, max_size=3, unique=True)):
        dtype = draw(st.sampled_from(list(_columns)))
        values = draw(st.lists(_columns[dtype], min_size=size, max_size=size))
        table[name] = pl.Series(values * times, dtype=dtype)
    return pl.DataFrame(table)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_tables())
def test_what_is_proposed_is_met_by_the_data_it_came_from(tmp_path: Path, frame: pl.DataFrame) -> None:
    """Whatever the table: strange names, infinities, nothing but nulls, numbers at the end of their range."""
    text = proposed(frame, tmp_path)

    found = checked(frame, text)

    assert [each for each in found.results if each.status in ("failed", "warning")] == []
    assert found.rows == frame.height


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=120, max_size=140))
def test_ranges_of_any_floats_are_met(values: list[float]) -> None:
    """Rounded ends never cut off what was seen."""
    ordered = sorted(values)
    quarter, half, rest = (ordered[len(ordered) * n // 4] for n in (1, 2, 3))
    column = {
        "name": "a", "type": "float64", "family": "number", "count": len(values), "nulls": 0, "nan": 0, "infinite": 0,
        "min": ordered[0], "max": ordered[-1], "distinct": len({*values}), "distinct_error": 0.0,
        "quantiles": {"0.25": quarter, "0.5": half, "0.75": rest},
    }  # fmt: skip
    text = propose({"row_count": len(values), "columns": [column]})

    assert failing(pl.DataFrame({"a": values}), text) <= {"a.median"}  # the quartiles here are only near


def rides(rows: int = 3000) -> pl.DataFrame:
    """A table as people have it: a key, an amount, a distance, a category, a time."""
    rng = random.Random(7)
    start = datetime(2024, 5, 1)
    return pl.DataFrame(
        {
            "ride": list(range(1, rows + 1)),
            "fare": [round(3 + rng.gammavariate(2, 4), 2) for _ in range(rows)],
            "miles": [round(rng.gammavariate(2, 1.5), 3) for _ in range(rows)],
            "payment": [rng.choice(["card", "cash", "app"]) for _ in range(rows)],
            "riders": [rng.choice([1, 1, 1, 2, 3]) for _ in range(rows)],
            "tip": [rng.choice([None, 0.0, 1.0, 2.5, 4.0]) for _ in range(rows)],
            "pickup": [start + timedelta(minutes=10 * n) for n in range(rows)],
        }
    )


SHIFTS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], set[str]]] = {
    "miles became metres": (lambda table: table.with_columns(pl.col("miles") * 1609), {"miles.max", "miles.median"}),
    "an amount in cents": (lambda table: table.with_columns(pl.col("fare") * 100), {"fare.max", "fare.median"}),
    "a sign was lost": (lambda table: table.with_columns(-pl.col("fare")), {"fare.min", "fare.median"}),
    "a new category": (
        lambda table: table.with_columns(payment=pl.when(pl.col("ride") % 7 == 0).then(pl.lit("Card")).otherwise("payment")),
        {"payment.allowed"},
    ),
    "nulls appear": (
        lambda table: table.with_columns(fare=pl.when(pl.col("ride") % 9 == 0).then(None).otherwise("fare")),
        {"fare.nulls"},
    ),
    "NaN appears": (
        lambda table: table.with_columns(miles=pl.when(pl.col("ride") == 9).then(math.nan).otherwise("miles")),
        {"miles.nulls"},
    ),
    "more nulls than before": (lambda table: table.with_columns(tip=pl.lit(None, dtype=pl.Float64)), {"tip.nulls"}),
    "rows came twice": (lambda table: pl.concat([table, table.head(10)]), {"ride.unique"}),
    "half of the file": (lambda table: table.head(100), {"rows"}),
    "a column went": (lambda table: table.drop("payment"), {"payment.present"}),
    "a column came": (lambda table: table.with_columns(extra=pl.lit(1)), {"extra_columns"}),
    "numbers became text": (lambda table: table.with_columns(pl.col("fare").cast(pl.String) + " $"), {"fare.type"}),
}  # fmt: skip


@pytest.mark.parametrize("shift", SHIFTS)
def test_data_that_went_wrong_in_a_typical_way_fails(shift: str, tmp_path: Path) -> None:
    """And nothing else is blamed for it."""
    change, blamed = SHIFTS[shift]
    table = rides()
    text = proposed(table, tmp_path)

    assert failing(change(table), text) == blamed


def test_more_data_of_the_kind_passes(tmp_path: Path) -> None:
    """The proposal is not about these rows alone: another draw of the same is as expected."""
    text = proposed(rides(), tmp_path)
    again = rides(4000).tail(2900)

    assert failing(again, text) == set()


def test_freshness_is_a_suggestion_that_can_be_taken(tmp_path: Path) -> None:
    """How old data may be nobody can tell from data: the line is a comment; without its sign it is checked."""
    text = proposed(rides(), tmp_path)
    taken = (
        text.replace("# freshness:", "freshness:").split("   # newest")[0]
        + text[text.index("extra_columns") - 1 :]
    )

    stale = {each.name: each for each in checked(rides(), taken).results}["freshness"]

    assert "# freshness: {column: pickup, max_age: 7d}   # newest 2024-05-21T19:50:00" in text
    assert (stale.status, stale.observed) == ("failed", "newest 2024-05-21 19:50:00, 10.2 d old")


def test_the_text_says_what_was_seen(tmp_path: Path) -> None:
    """One line for each column."""
    lines = proposed(rides(), tmp_path).splitlines()

    assert lines[0].startswith("# Proposed from d:1: 3,000 rows, 7 columns.")
    assert lines[3:5] == ["data: azureml:d@latest", "rows: {min: 1500, max: 6000}   # 3,000 seen"]
    assert (
        "  ride: {type: integer, nulls: 0, unique: true, min: 0}   # 1 to 3000, median 1500.5, 3,000 different"
        in lines
    )
    assert (
        "  payment: {type: text, nulls: 0, allowed: [app, card, cash]}   # 3 to 4 characters, 3 different".replace(
            "3 to", "3 to"
        )
        in lines
    )
    assert len(lines) == 7 + 1 + 7


def test_little_data_says_little(tmp_path: Path) -> None:
    """Of five rows neither ranges nor lists nor keys nor the absence of nulls mean anything."""
    text = proposed(pl.DataFrame({"a": [1, 2, 3, 4, 5], "b": list("vwxyz"), "c": [None] * 5}), tmp_path)

    columns: dict[str, Any] = load_yaml(text, name="e.yml")["columns"]
    assert columns == {"a": {"type": "integer"}, "b": {"type": "text"}, "c": {}}


def test_one_value_alone_is_no_rule(tmp_path: Path) -> None:
    """A file of January says nothing about the months that there are."""
    text = proposed(pl.DataFrame({"month": [1] * 500}), tmp_path)

    assert "  month: {type: integer, nulls: 0}   # always 1" in text


@pytest.mark.parametrize("file", sorted((ROOT / "examples").glob("*/data/*.csv")), ids=lambda file: file.name)
def test_the_data_of_the_examples_meets_what_is_proposed(file: Path) -> None:
    """Real columns: coordinates, codes, amounts, a column without a name."""
    text = propose(profile_table(file, "uri_file"))

    found = over_table(file, "uri_file", lambda frame: check(frame, expected(text), now=NOW))

    assert [each for each in found.results if each.status in ("failed", "warning")] == []
    assert found.count("passed") > 50


def test_the_rides_of_the_example_are_as_expected() -> None:
    """And rides whose fares are in cents are not."""
    project = ROOT / "examples" / "taxi-fare"
    said = expected((project / "data.expectations.yml").read_text())

    good = over_table(
        project / "data" / "taxi-sample.csv", "uri_file", lambda frame: check(frame, said, now=NOW)
    )
    cents = over_table(
        project / "data" / "taxi-sample.csv",
        "uri_file",
        lambda frame: check(frame.with_columns(pl.col("cost") * 100), said, now=NOW),
    )

    assert {each.status for each in good.results} == {"passed"}
    assert {each.name for each in cents.results if each.status == "failed"} == {"cost.max", "cost.median"}
