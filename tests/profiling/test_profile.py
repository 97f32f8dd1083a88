"""Profiles against what pandas and NumPy say of the same values, and the promises about memory and scans."""

import math
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.errors import NotFound
from penstock.profiling import profile as profiling
from penstock.profiling import sketches
from penstock.profiling.profile import profile_table
from penstock.profiling.tables import open_table


def column(path: Path, name: str = "a", **options: Any) -> dict[str, Any]:
    found = profile_table(path, "uri_file", **options)
    return next(each for each in found["columns"] if each["name"] == name)


def of_values(folder: Path, values: list[Any], dtype: Any) -> dict[str, Any]:
    path = folder / "values.parquet"
    pl.DataFrame({"a": pl.Series(values, dtype=dtype)}).write_parquet(path)
    return column(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profiles")


@pytest.fixture(params=[500_000, 7], ids=["one batch", "many batches"])
def batch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile is the same however its rows are divided."""
    monkeypatch.setattr(profiling, "_LONGEST_BATCH", request.param)
    monkeypatch.setattr(profiling, "_SHORTEST_BATCH", 1)


NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=64).filter(
    lambda x: not math.isfinite(x) or abs(x) < 1e150
)
FLOATS = st.lists(st.none() | NUMBERS | st.sampled_from([0.0, -0.0, 1.5]), max_size=60)


@pytest.mark.usefixtures("batch")
@given(values=FLOATS)
@settings(max_examples=60)
def test_numbers_are_told_as_pandas_tells_them(folder: Path, values: list[float | None]) -> None:
    """Nulls, NaN, infinities and negative zero included; all else is said of the finite values."""
    found = of_values(folder, values, pl.Float64)
    present = [value for value in values if value is not None]
    finite = pd.Series([value for value in present if math.isfinite(value)], dtype=float)

    assert (found["count"], found["nulls"]) == (len(present), len(values) - len(present))
    assert found["nan"] == sum(math.isnan(value) for value in present)
    assert found["infinite"] == sum(math.isinf(value) for value in present)
    assert found["zeros"] == int((finite == 0).sum())
    assert found["negative"] == int((finite < 0).sum())
    assert found["distinct"] == finite.nunique()
    assert found["top_error"] == 0
    assert {(each["value"], each["count"]) for each in found["top"]} <= set(finite.value_counts().items())
    if finite.empty:
        assert found["min"] is None
        assert found["mean"] is None
        return
    assert (found["min"], found["max"]) == (finite.min(), finite.max())
    assert found["mean"] == pytest.approx(finite.mean(), rel=1e-9, abs=1e-9 * finite.abs().max() + 1e-300)
    if len(finite) > 1:
        assert found["std"] == pytest.approx(finite.std(), rel=1e-6, abs=1e-7 * finite.abs().max() + 1e-300)
    for share, value in found["quantiles"].items():
        scale = 1e-9 * finite.abs().max() + 1e-300
        assert value == pytest.approx(finite.quantile(float(share)), rel=1e-9, abs=scale)


@pytest.mark.usefixtures("batch")
@given(values=st.lists(st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3), max_size=60))
@settings(max_examples=60)
def test_whole_numbers_keep_every_digit(folder: Path, values: list[int | None]) -> None:
    """Also those above 2^53, which no float holds."""
    found = of_values(folder, values, pl.Int64)
    present = [value for value in values if value is not None]

    assert found["count"] == len(present)
    assert found["distinct"] == len(set(present))
    assert (found["min"], found["max"]) == (min(present, default=None), max(present, default=None))
    assert all(present.count(each["value"]) == each["count"] for each in found["top"])
    assert sum(each["count"] for each in found["top"]) <= len(present)
    if present:
        assert found["mean"] == pytest.approx(
            float(np.mean(np.array(present, dtype=float))), rel=1e-9, abs=1e4
        )


@pytest.mark.usefixtures("batch")
@given(
    values=st.lists(st.none() | st.text(max_size=8) | st.sampled_from(["", "é", "東京", "🙂"]), max_size=60)
)
@settings(max_examples=60)
def test_texts_are_counted_and_measured_in_characters(folder: Path, values: list[str | None]) -> None:
    values = [None if value is None else value.encode("utf-8", "ignore").decode() for value in values]
    found = of_values(folder, values, pl.String)
    present = [value for value in values if value is not None]

    assert (found["count"], found["nulls"], found["empty"]) == (
        len(present),
        len(values) - len(present),
        present.count(""),
    )
    assert found["distinct"] == len(set(present))
    lengths = [len(value) for value in present]
    assert found["length"]["min"] == min(lengths, default=None)
    assert found["length"]["max"] == max(lengths, default=None)
    if lengths:
        assert found["length"]["mean"] == pytest.approx(sum(lengths) / len(lengths))
    expected = sorted(set(present), key=lambda value: (-present.count(value), value.encode()))[:10]
    assert [each["value"] for each in found["top"]] == expected


@pytest.mark.usefixtures("batch")
@given(values=st.lists(st.none() | st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)), max_size=40))
@settings(max_examples=40)
def test_times_have_a_range(folder: Path, values: list[datetime | None]) -> None:
    found = of_values(folder, values, pl.Datetime("us"))
    present = sorted(value for value in values if value is not None)

    assert found["distinct"] == len(set(present))
    assert found["min"] == (present[0].isoformat() if present else None)
    assert found["max"] == (present[-1].isoformat() if present else None)
    if present:
        assert found["quantiles"]["0.5"] in {value.isoformat() for value in present}


def test_other_columns_are_named_and_counted(tmp_path: Path) -> None:
    """Booleans, dates, categories, decimals, unsigned and narrow numbers, lists, structs, bytes, durations, nothing but nulls."""
    frame = pl.DataFrame(
        {
            "yes": pl.Series([True, False, True, None]),
            "day": pl.Series([date(2024, 1, 31), None, date(2023, 2, 1), date(2023, 2, 1)]),
            "kind": pl.Series(["x", "y", "x", None], dtype=pl.Categorical),
            "price": pl.Series(["1.10", "2.20", None, "1.10"]).cast(pl.Decimal(10, 2)),
            "big": pl.Series([2**64 - 1, 0, 1, None], dtype=pl.UInt64),
            "small": pl.Series([1.5, 0.5, None, float("nan")], dtype=pl.Float32),
            "list": pl.Series([[1], [], [1, 2, 3], None], dtype=pl.List(pl.Int64)),
            "struct": pl.Series([{"a": 1, "b": "x"}] * 4),
            "raw": pl.Series([b"\x00", b"", None, b"x"]),
            "for": pl.Series([timedelta(seconds=1)] * 4),
            "none": pl.Series([None] * 4, dtype=pl.Int64),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    found = {each["name"]: each for each in profile_table(tmp_path / "t.parquet", "uri_file")["columns"]}

    assert {name: each["type"] for name, each in found.items()} == {
        "yes": "boolean", "day": "date", "kind": "categorical", "price": "decimal(10,2)", "big": "uint64",
        "small": "float32", "list": "list[int64]", "struct": "struct{a: int64, b: string}", "raw": "binary",
        "for": "duration", "none": "int64",
    }  # fmt: skip
    assert found["yes"]["top"] == [{"value": True, "count": 2}, {"value": False, "count": 1}]
    assert (found["day"]["min"], found["day"]["max"]) == ("2023-02-01", "2024-01-31")
    assert found["kind"]["distinct"] == 2
    assert found["price"]["max"] == 2.2
    assert found["big"]["max"] == 2**64 - 1
    assert (found["small"]["nan"], found["small"]["mean"]) == (1, 1.0)
    assert found["list"]["length"] == {"min": 0, "max": 3}
    assert found["struct"]["count"] == 4
    assert (found["raw"]["nulls"], found["raw"]["family"]) == (1, "other")
    assert (found["none"]["nulls"], found["none"]["min"], found["none"]["distinct"]) == (4, None, 0)


def test_no_rows_one_row_and_no_columns(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("a,b\n")
    (tmp_path / "one.csv").write_text("a\n7\n")
    (tmp_path / "nothing.json").write_text("[]")

    none = profile_table(tmp_path / "none.csv", "uri_file")
    assert none["row_count"] == 0
    assert [each["count"] for each in none["columns"]] == [0, 0]
    one = column(tmp_path / "one.csv")
    assert (one["min"], one["mean"], one["std"], one["quantiles"]["0.5"]) == (7, 7.0, None, 7.0)
    nothing = profile_table(tmp_path / "nothing.json", "uri_file")
    assert (nothing["row_count"], nothing["columns"]) == (0, [])


def test_only_some_columns_and_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("cost,distance,vendor\n1,2,3\n")

    found = profile_table(tmp_path / "t.csv", "uri_file", columns=["vendor", "cost"])
    assert [each["name"] for each in found["columns"]] == ["cost", "vendor"]
    with pytest.raises(NotFound, match="no column `distanse`") as error:
        profile_table(tmp_path / "t.csv", "uri_file", columns=["distanse"])
    assert "`distance`" in str(error.value.hint)


def _bytes_read() -> int:
    """What this process has asked the system for, in bytes."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts bytes by /proc/self/io")
@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_is_read_once(tmp_path: Path, name: str) -> None:
    """However many columns and facts: the bytes that are read are those of the file, and of a text's beginning once more."""
    rows = 400_000
    frame = pl.DataFrame(
        {
            "id": range(rows),
            "x": np.random.default_rng(3).normal(size=rows),
            "word": [f"word {number % 1000}" for number in range(rows)],
        }
    )
    path = tmp_path / name
    frame.write_csv(path) if name == "t.csv" else frame.write_parquet(path)
    profile_table(path, "uri_file")  # what is imported on the way is read now
    size, before = path.stat().st_size, _bytes_read()

    found = profile_table(path, "uri_file")

    read = _bytes_read() - before
    assert found["row_count"] == rows
    assert found["scans"] == 1
    assert size * 0.9 <= read < size * 1.05 + 2_000_000


@pytest.mark.parametrize("sure", [False, True])
def test_the_engine_reads_text_piece_by_piece(tmp_path: Path, sure: bool) -> None:
    """No type of column makes it hold the whole file in memory: its plan has no step that does."""
    path = tmp_path / "t.csv"
    path.write_text(
        "i,u,f,b,n,d,t,padded,zoned,text\n"
        "1,18446744073709551615,2.5,true,NA,2024-01-31,2024-01-31T08:15:00.25, False ,2024-01-31 08:15:00Z,word\n"
        "2,1,2.5,true,7,2024-01-31,2024-01-31T08:15:00.25,True,2024-01-31 08:15:00Z,word\n"
    )
    table = open_table(path, "uri_file", sure=sure)

    plan = table.show_graph(engine="streaming", plan_stage="physical", raw_output=True)

    assert plan is not None
    assert "multi-scan[csv]" in plan
    assert "style=filled" not in plan
    assert sum(dtype == pl.String for dtype in table.collect_schema().values()) == 1


def test_a_late_surprise_takes_one_scan_more(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n" + "1,some more text\n" * 80_000 + "x,end\n")

    found = profile_table(tmp_path / "t.csv", "uri_file")

    assert found["scans"] == 2
    assert found["columns"][0]["type"] == "string"
    assert found["columns"][0]["top"][0] == {"value": "1", "count": 80_000}


def test_what_is_not_exact_says_by_how_much(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many different values: the count of them, the quantiles and the top values keep what they promise."""
    monkeypatch.setattr(profiling, "_LONGEST_BATCH", 50_000)
    rows, often = 1_000_000, 30_000
    rng = np.random.default_rng(11)
    values = np.concatenate([rng.permutation(rows - often), np.full(often, -5)])
    rng.shuffle(values)
    pl.DataFrame({"a": values}).write_parquet(tmp_path / "t.parquet")

    found = column(tmp_path / "t.parquet")

    distinct = rows - often + 1
    assert found["distinct_error"] == pytest.approx(sketches.DISTINCT_ERROR, abs=1e-4)
    assert abs(found["distinct"] - distinct) <= 2 * found["distinct_error"] * distinct
    ordered = np.sort(values)
    assert 0 < found["quantile_error"] < 0.001
    for share, value in found["quantiles"].items():
        off = (found["quantile_error"] + 1e-6) * rows + 1
        low = np.searchsorted(ordered, value, "left") - float(share) * rows
        high = np.searchsorted(ordered, value, "right") - float(share) * rows
        assert low - off <= 0 <= high + off
    assert found["top"][0]["value"] == -5
    assert found["top"][0]["count"] <= often <= found["top"][0]["count"] + found["top_error"]


def test_a_frequent_value_that_comes_late_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "_LONGEST_BATCH", 50_000)
    values = [str(number) for number in range(300_000)] + ["n/a!"] * 20_000
    pl.DataFrame({"a": values}).write_parquet(tmp_path / "t.parquet")

    found = column(tmp_path / "t.parquet")

    assert found["top"][0]["value"] == "n/a!"
    assert found["top"][0]["count"] <= 20_000 <= found["top"][0]["count"] + found["top_error"]


def test_progress_tells_the_rows_that_were_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "_LONGEST_BATCH", 10)
    pl.DataFrame({"a": range(35)}).write_parquet(tmp_path / "t.parquet")
    told: list[int] = []

    profile_table(tmp_path / "t.parquet", "uri_file", progress=told.append)

    assert told == sorted(told)
    assert told[-1] == 35


def test_real_data_is_told_as_pandas_tells_it(test_data: Path) -> None:
    path = test_data / "taxi" / "taxi-data.csv"
    frame = pd.read_csv(path)

    found = profile_table(path, "uri_file")

    assert found["row_count"] == len(frame)
    for each in found["columns"]:
        values = frame[each["name"]]
        assert each["nulls"] == int(values.isna().sum())
        assert each["distinct"] == values.nunique()
        assert (each["min"], each["max"]) == (values.min(), values.max())
        assert each["mean"] == pytest.approx(values.mean())
        assert each["std"] == pytest.approx(values.std())
        assert each["quantiles"]["0.5"] == pytest.approx(values.median())
