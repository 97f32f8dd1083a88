"""Every format that is read as a table, and every way in which a file can be odd."""

import gzip
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from penstock.errors import PenstockError
from penstock.profiling.formats import BrokenTable, NoTable
from penstock.profiling.tables import open_table, over_table
from tests.profiling import xlsx_files

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return written


def rows(path: Path, **options: Any) -> list[dict[str, Any]]:
    kind = "uri_folder" if path.is_dir() else "uri_file"
    return over_table(path, kind, lambda table: table.collect().to_dicts(), **options)


def test_values_have_the_types_that_all_of_them_fit(write: Write) -> None:
    """Booleans as Python writes them, dates, times with a zone, numbers; NA is null where the rest is no text."""
    path = write(
        "all.csv",
        b"i,f,b,d,t,text\n1,1.5,True,2024-01-31,2024-01-31T08:15:00+02:00,NA\nNA,-inf, false,NA,,x\n 3,NaN,,2024/02/01x,,\n".replace(
            b"2024/02/01x", b""
        ),
    )

    assert rows(path)[:2] == [
        {"i": 1, "f": 1.5, "b": True, "d": date(2024, 1, 31), "t": datetime(2024, 1, 31, 6, 15, tzinfo=UTC),
         "text": "NA"},
        {"i": None, "f": float("-inf"), "b": False, "d": None, "t": None, "text": "x"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (b"18446744073709551615", 18446744073709551615),
        (b"99999999999999999999", "99999999999999999999"),
        (b"-9223372036854775808", -9223372036854775808),
        (b"007", 7),
        (b"1e3", 1000.0),
        (b"2024-01-31 08:15", datetime(2024, 1, 31, 8, 15)),
        (b"2024/01/31", date(2024, 1, 31)),
        (b"31/01/2024", "31/01/2024"),
        (b"24-01-31", "24-01-31"),
        (b"2024-13-01", "2024-13-01"),
        (b"1_000", "1_000"),
        (b'"a ""b"" c"', 'a "b" c'),
        (b'"two\nlines"', "two\nlines"),
        ("Zürich 東京 🙂".encode(), "Zürich 東京 🙂"),
    ],
)
def test_a_value_is_read_as_what_it_is(write: Write, value: bytes, read: object) -> None:
    assert rows(write("one.csv", b"a,b\n" + value + b",x\n")) == [{"a": read, "b": "x"}]


def test_an_empty_value_is_null_and_a_quoted_empty_one_is_empty(write: Write) -> None:
    assert rows(write("e.csv", b'a,b\n1,\n2,""\n3,x\n')) == [
        {"a": 1, "b": None},
        {"a": 2, "b": ""},
        {"a": 3, "b": "x"},
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\r\n1,x\r\n",
        b"a,b\r1,x\r",
        b"\n\na,b\n1,x\n\n\n",
        b"a,b\n\n1,x\n,\n",
        b"\xef\xbb\xbfa,b\n1,x\n",
        b"a,b\n1,x",
        b"a;b\n1;x\n",
        b" a , b\n1,x\n",
    ],
    ids=["windows", "old mac", "blank lines", "only delimiters", "bom", "no last line end", "semicolons", "padded names"],
)  # fmt: skip
def test_text_comes_in_many_forms(write: Write, content: bytes) -> None:
    """Each of them is the same table."""
    assert rows(write("t.csv", content)) == [{"a": 1, "b": "x"}]


@pytest.mark.parametrize("name", ["t.tsv", "t.TAB", "t.tsv.gz", "t.txt", "t"])
def test_the_delimiter_is_told_by_the_suffix_or_else_by_the_lines(write: Write, name: str) -> None:
    assert rows(write(name, b"a\tb,c\n1\tx\n2\ty\n")) == [{"a": 1, "b,c": "x"}, {"a": 2, "b,c": "y"}]


def test_a_delimiter_may_be_given(write: Write) -> None:
    assert rows(write("t.csv", b"a|b\n1|x\n"), delimiter="|") == [{"a": 1, "b": "x"}]


def test_columns_with_one_name_or_none_get_names_as_pandas_gives_them(write: Write) -> None:
    assert list(rows(write("t.csv", b"a,a,,a.1,\n1,2,3,4,5\n"))[0]) == [
        "a",
        "a.2",
        "Unnamed: 2",
        "a.1",
        "Unnamed: 4",
    ]


def test_a_file_without_header_and_lines_above_the_header(write: Write) -> None:
    assert rows(write("t.csv", b"1,x\n2,y\n"), header=False)[0] == {"Column1": 1, "Column2": "x"}
    assert rows(write("u.csv", b"made by hand\na,b\n1,x\n"), skip_rows=1) == [{"a": 1, "b": "x"}]


def test_a_row_may_be_shorter_than_the_header_and_not_longer(write: Write) -> None:
    assert rows(write("s.csv", b"a,b\n1\n")) == [{"a": 1, "b": None}]
    with pytest.raises(BrokenTable, match=r"long\.csv cannot be read as a table"):
        rows(write("long.csv", b"a,b\n1,2\n3,4,5\n"))


def test_only_a_header_is_a_table_without_rows(write: Write) -> None:
    table = open_table(write("h.csv", b"a,b\n"), "uri_file")

    assert table.collect().shape == (0, 2)


def test_text_in_another_encoding_is_named_and_read_where_it_is_said(write: Write) -> None:
    path = write("l.csv", "a,b\n1,café\n".encode("latin-1"))

    with pytest.raises(BrokenTable, match="not text in UTF-8") as error:
        rows(path)
    assert "--encoding latin-1" in str(error.value.hint)
    assert rows(path, encoding="latin-1") == [{"a": 1, "b": "café"}]
    assert rows(write("w.csv", "a,b\n1,é\n".encode("utf-16")), encoding="utf-16") == [{"a": 1, "b": "é"}]
    with pytest.raises(PenstockError, match="no encoding `utf-88`"):
        rows(path, encoding="utf-88")


def test_an_odd_byte_far_down_is_told_as_one_at_the_beginning(write: Write) -> None:
    path = write("far.csv", b"a\n" + b"some text\n" * 200_000 + b"caf\xe9\n")

    with pytest.raises(BrokenTable, match="not text in UTF-8"):
        rows(path)


@pytest.mark.parametrize(
    ("first", "late", "read"),
    [
        (b"1", b"1.5", 1.5),
        (b"1", b"NA", None),
        (b"1", b"x", "x"),
        (b"true", b"maybe", "maybe"),
        (b"2024-01-31", b"never", "never"),
        (b"2024-01-31 08:00:00", b"2024-01-31 08:00:00.25", datetime(2024, 1, 31, 8, 0, 0, 250_000)),
        (b"", b"7", 7),
        (b"9223372036854775807", b"9223372036854775808", 9223372036854775808),
    ],
)
def test_a_value_far_down_may_change_a_type(write: Write, first: bytes, late: bytes, read: object) -> None:
    """What the beginning tells is believed until a value says otherwise; nothing becomes null for it."""
    path = write("late.csv", b"a,b\n" + (first + b",some text to make it long\n") * 60_000 + late + b",end\n")

    last = over_table(path, "uri_file", lambda table: table.last().collect().to_dicts())

    assert last == [{"a": read, "b": "end"}]


def test_numbers_padded_with_blanks_are_numbers_also_when_all_are_looked_at(write: Write) -> None:
    path = write("padded.csv", b"a,b\n 1,2\n")

    assert open_table(path, "uri_file", sure=True).collect().to_dicts() == [{"a": 1, "b": 2}]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("model.pkl", b"\x80\x04", "ends in `.pkl`"),
        ("a.png", b"\x89PNG", "ends in `.png`"),
        ("config.json", b'{"a": 1}', "array of mappings"),
        ("list.json", b"[1, 2]", "no mapping"),
        ("empty.csv", b"", "empty"),
        ("blank.csv", b"\n \n", "empty"),
        ("empty.jsonl", b"\n", "empty"),
        ("empty.json", b"", "empty"),
        ("prose.txt", b"It was a dark and stormy night.\nThe rain fell; it fell\n", "no delimiter"),
        ("core", b"\x00\x01", "no ending"),
    ],
)
def test_what_is_no_table_is_said_so(write: Write, name: str, content: bytes, said: str) -> None:
    with pytest.raises(NoTable, match=said) as error:
        open_table(write(name, content), "uri_file")
    assert name in error.value.message


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.parquet", b"PAR1 nonsense"),
        ("t.arrow", b"ARROW1 nonsense"),
        ("t.xlsx", b"PK\x03\x04 nonsense"),
        ("t.json", b"[{"),
        ("t.jsonl", b'{"a": 1}\n{"a": \n'),
        ("t.jsonl", b'{"a": 1}\n[2]\n'),
        ("t.csv", b'a,b\n1,"never closed\n'),
    ],
)
def test_a_broken_file_is_named(write: Write, name: str, content: bytes) -> None:
    with pytest.raises(BrokenTable, match=name.replace(".", r"\.")):
        rows(write(name, content))


def test_a_truncated_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n" * 1000)[:-20])

    with pytest.raises(BrokenTable, match=r"t\.csv\.gz"):
        rows(path)


def test_json_lines_have_the_names_of_all_lines(write: Write) -> None:
    """A name that only the last line has is a column; a mixed column is as wide as its widest value."""
    content = b'{"a": 1}\n' * 2000 + b'\n{"a": 2.5, "b": {"c": [1]}}\n'

    for name in ("t.jsonl", "odd [1]*.ndjson", "t.jsonl.gz"):
        found = rows(write(name, content))
        assert len(found) == 2001
        assert found[-1] == {"a": 2.5, "b": {"c": [1]}}


def test_a_json_array_is_a_table(write: Write) -> None:
    assert rows(write("t.json", b' [{"a": 1}, {"a": 2, "b": "x"}]')) == [
        {"a": 1, "b": None},
        {"a": 2, "b": "x"},
    ]
    assert rows(write("none.json", b"[]")) == []


def test_parquet_and_feather_keep_their_types(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": [1, None], "b": [["x"], []]}, schema={"a": pl.Int16, "b": pl.List(pl.String)})
    frame.write_parquet(tmp_path / "odd [1]*.parquet")
    frame.write_ipc(tmp_path / "t.feather")

    for path in tmp_path.iterdir():
        assert open_table(path, "uri_file").collect_schema() == frame.schema
        assert rows(path) == frame.to_dicts()


def test_a_workbook_is_its_first_sheet_and_whole_numbers_are_integers(tmp_path: Path) -> None:
    path = xlsx_files.written(
        tmp_path / "t.xlsx", [["note"], ["id", "share", "name"], [1, 0.5, "x"], [2, 1, None]]
    )

    assert rows(path, skip_rows=1) == [
        {"id": 1, "share": 0.5, "name": "x"},
        {"id": 2, "share": 1.0, "name": None},
    ]


def test_a_folder_is_one_table(write: Write, tmp_path: Path) -> None:
    """Hidden files are none of it; the columns of its files may stand in another order."""
    write("t/b/2.csv", b"y,x\nb,2\n")
    write("t/1.csv", b"x,y\n1,a\n")
    write("t/3.csv", b"")
    write("t/_SUCCESS", b"")
    write("t/.hidden.csv", b"z\n1\n")

    assert rows(tmp_path / "t") == [{"x": 1, "y": "a"}, {"x": 2, "y": "b"}]


def test_a_type_is_that_of_all_files_of_a_folder(write: Write, tmp_path: Path) -> None:
    for number in range(30):
        write(f"t/{number:02}.csv", b"a\n1.5\n" if number == 28 else b"a\n1\n")

    assert sum(row["a"] for row in rows(tmp_path / "t")) == 30.5


def test_a_folder_partitioned_by_names_has_their_columns(tmp_path: Path) -> None:
    for year in (2024, 2025):
        (tmp_path / f"t/year={year}").mkdir(parents=True)
        pl.DataFrame({"a": [year - 2000]}).write_parquet(tmp_path / f"t/year={year}/part.parquet")

    assert rows(tmp_path / "t") == [{"a": 24, "year": 2024}, {"a": 25, "year": 2025}]


def test_a_folder_of_several_kinds_names_them_and_a_pattern_chooses(write: Write, tmp_path: Path) -> None:
    write("t/a.csv", b"x\n1\n")
    write("t/in/b.csv", b"x\n2\n")
    write("t/rows.jsonl", b'{"x": 1}\n')
    write("t/README.md", b"# read me\n")

    with pytest.raises(NoTable, match="several kinds") as error:
        open_table(tmp_path / "t", "uri_folder")

    assert error.value.details == (
        "a.csv (csv, 2 in all)",
        "rows.jsonl (json lines, 1 in all)",
        "README.md (no table)",
    )
    assert rows(tmp_path / "t", pattern="**/*.csv") == [{"x": 1}, {"x": 2}]
    with pytest.raises(NoTable, match=r"no table that matches `\*\.parquet`"):
        rows(tmp_path / "t", pattern="*.parquet")


def test_files_of_a_folder_with_other_columns_are_named(write: Write, tmp_path: Path) -> None:
    write("t/1.csv", b"x,y\n1,a\n")
    write("t/2.csv", b"x,z\n1,a\n")

    with pytest.raises(BrokenTable, match=r"2\.csv has other columns than .*1\.csv") as error:
        rows(tmp_path / "t")
    assert error.value.details == ("it lacks `y`", "it adds `z`")


def test_a_delta_table_says_how_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "_delta_log").mkdir()

    with pytest.raises(NoTable, match="Delta table"):
        open_table(tmp_path, "uri_folder")


def test_an_mltable_is_its_rows(write: Write, tmp_path: Path) -> None:
    """With the transformations of its file, by the module that steps use."""
    write("t/a.csv", b"x,y\n1,a\n2,b\n3,\n")
    write(
        "t/MLTable",
        b"paths:\n  - file: a.csv\ntransformations:\n  - read_delimited:\n      delimiter: ','\n  - skip: 1\n",
    )

    found = over_table(tmp_path / "t", "mltable", lambda table: table.collect().to_dicts())

    assert found == [{"x": 2, "y": "b"}, {"x": 3, "y": None}]
    write("t/MLTable", b"paths:\n  - file: gone.csv\n")
    with pytest.raises(BrokenTable, match=r"gone\.csv"):
        open_table(tmp_path / "t", "mltable")


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PenstockError, match="gone does not exist"):
        open_table(tmp_path / "gone", "uri_file")
    with pytest.raises(PenstockError, match="is a folder"):
        open_table(tmp_path, "uri_file")


def test_real_files_are_read(test_data: Path) -> None:
    taxi = open_table(test_data / "taxi/taxi-data.csv", "uri_file").collect()
    wine = open_table(test_data / "wine/winedata.csv", "uri_file").collect()
    credit = open_table(test_data / "credit-default/credit_default.xls", "uri_file", skip_rows=1).collect()

    assert (taxi.shape, taxi.columns[0]) == ((9773, 22), "Unnamed: 0")
    assert wine.schema["datetime"] == pl.Datetime("us")
    assert credit.schema["LIMIT_BAL"] == pl.Int64
    assert credit.columns[-1] == "default payment next month"


def test_text_has_columns_of_any_name(write: Write) -> None:
    """Also of those that are patterns to the library which reads it."""
    file = write("a.csv", b"*,^.*$,count,when\n1,2,true,2024-01-31\n3,4,NA,2024-02-29\n")

    found = rows(file)

    assert found[0] == {"*": 1, "^.*$": 2, "count": True, "when": date(2024, 1, 31)}
    assert found[1]["count"] is None
