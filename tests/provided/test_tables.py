"""What tables say, against pandas itself and values worked out by hand."""

import datetime
import json
import random
import warnings
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from penstock.provided import mltable
from penstock.provided.mltable import DataType, MLTableError, records
from penstock.provided.mltable.paths import pattern_of


def table(folder: Path, text: str, **files: str) -> mltable.MLTable:
    """A folder with an MLTable file and others; `a__b.csv` lies in the folder `a`."""
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_csv", ".csv").replace("_jsonl", ".jsonl")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode())
    (folder / "MLTable").write_text("type: mltable\n" + text)
    return mltable.load(str(folder))


def frame_of(folder: Path, text: str, **files: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return table(folder, text, **files).to_pandas_dataframe()


def rows(frame: Any) -> list[list[Any]]:
    """The values row by row, null as None."""
    return [
        [None if pd.isna(value) else value for value in row] for row in frame.astype(object).values.tolist()
    ]


CSV = "paths: [{pattern: ./*.csv}]\ntransformations:\n- read_delimited: "
PEOPLE = "id,name,age,score,member,joined\n1,Ann,31,1.5,true,2020-01-02\n2,Bob,,2,false,2021-03-04T05:06:07\n3,,40,,TRUE,\n"


def test_columns_get_the_types_that_their_values_show(tmp_path: Path) -> None:
    """Whole numbers, numbers, truth values, times, texts; an empty value is null."""
    frame = frame_of(tmp_path, CSV + "{}", p_csv=PEOPLE)

    assert [str(kind)[:8] for kind in frame.dtypes[["id", "age", "score", "member"]]] == [
        "int64", "float64", "float64", "bool",
    ]  # fmt: skip
    assert frame["joined"].dtype.kind == "M"
    assert rows(frame[["id", "name", "age", "score", "member"]]) == [
        [1, "Ann", 31.0, 1.5, True], [2, "Bob", None, 2.0, False], [3, None, 40.0, None, True],
    ]  # fmt: skip
    assert list(frame["joined"])[:2] == [pd.Timestamp(2020, 1, 2), pd.Timestamp(2021, 3, 4, 5, 6, 7)]


def test_a_plain_file_is_what_pandas_reads(tmp_path: Path) -> None:
    """Numbers and texts, quoted delimiters and quotes, against `read_csv`."""
    text = 'a,"b",c\n1,"x, y",2.5\n-2,"say ""hi""",1e3\n3,z,-.5\n'
    frame = frame_of(tmp_path, CSV + "{}", p_csv=text)

    pd.testing.assert_frame_equal(frame, pd.read_csv(tmp_path / "p.csv"), check_dtype=False)
    assert [kind.kind for kind in frame.dtypes] == ["i", "O", "f"]


def test_mixed_values_after_the_sample_neither_crash_nor_vanish(tmp_path: Path) -> None:
    """Edge case 4.5: two hundred rows look like whole numbers, the next ones are none. A warning names the first."""
    lines = [f"{n},{n},{n}" for n in range(200)] + ["0.5,many,200"]
    with pytest.warns(UserWarning, match="column `") as said:
        frame = table(tmp_path, CSV + "{}", p_csv="a,b,c\n" + "\n".join(lines)).to_pandas_dataframe()

    assert [kind.kind for kind in frame.dtypes] == ["f", "O", "i"]
    assert rows(frame.tail(2)) == [[199.0, "199", 199], [0.5, "many", 200]]
    assert [str(each.message).split(". Give")[0] for each in said] == [
        "column `a`: its first 200 rows look like int, but row 201 holds `0.5`: the column is read as float",
        "column `b`: its first 200 rows look like int, but row 201 holds `many`: the column is read as text",
    ]


def test_a_larger_sample_sees_the_mixed_values(tmp_path: Path) -> None:
    """`sample_size` and `column_type_overrides` of `infer_column_types`; keys longer than numbers stay texts."""
    lines = [f"{n},7,{n}" for n in range(200)] + ["many,7,12345678901234567890"]
    settings = "{infer_column_types: {sample_size: 300, column_type_overrides: {b: string}}}"
    frame = frame_of(tmp_path, CSV + settings, p_csv="a,b,c\n" + "\n".join(lines))

    assert rows(frame.tail(1)) == [["many", "7", "12345678901234567890"]]


def test_empty_as_string_matters_for_texts_only(tmp_path: Path) -> None:
    """Edge case 4.6: an empty number is null either way."""
    text = "n,t\n1,x\n,\n"
    as_null = frame_of(tmp_path, CSV + "{}", p_csv=text)
    as_text = frame_of(tmp_path, CSV + "{empty_as_string: true}", p_csv=text)

    assert rows(as_null) == [[1.0, "x"], [None, None]]
    assert rows(as_text) == [[1.0, "x"], [None, ""]]


def test_without_inference_all_is_text(tmp_path: Path) -> None:
    """`infer_column_types: false`."""
    frame = frame_of(tmp_path, CSV + "{infer_column_types: false}", p_csv="a,b\n01,true\n,x\n")

    assert rows(frame) == [["01", "true"], [None, "x"]]


@pytest.mark.parametrize(
    ("header", "columns", "values"),
    [
        ("all_files_same_headers", ["a", "b"], [[1, 2], [3, 4]]),
        ("from_first_file", ["a", "b"], [["1", "2"], ["a", "b"], ["3", "4"]]),
        ("no_header", ["Column1", "Column2"], [["a", "b"], ["1", "2"], ["a", "b"], ["3", "4"]]),
        ("all_files_different_headers", ["a", "b"], [[1, 2], [3, 4]]),
    ],
)
def test_the_first_lines_are_headers_as_the_file_says(
    tmp_path: Path, header: str, columns: list[str], values: list[list[object]]
) -> None:
    """Two files with the same first line under each of the four modes."""
    frame = frame_of(tmp_path, CSV + f"{{header: {header}}}", p_csv="a,b\n1,2\n", q_csv="a,b\n3,4\n")

    assert list(frame.columns) == columns
    assert rows(frame) == values


def test_different_headers_are_put_together_by_name(tmp_path: Path) -> None:
    """And refused where the file says that they are the same."""
    files = {"p_csv": "a,b\n1,2\n", "q_csv": "c,a\n3,4\n"}
    frame = frame_of(tmp_path, CSV + "{header: all_files_different_headers}", **files)

    assert list(frame.columns) == ["a", "b", "c"]
    assert rows(frame) == [[1, 2, None], [4, None, 3]]
    with pytest.raises(MLTableError, match="all_files_different_headers"):
        frame_of(tmp_path, CSV + "{}", **files)


@pytest.mark.parametrize(
    ("encoding", "codec"),
    [
        ("utf8", "utf-8"), ("utf8bom", "utf-8-sig"), ("iso88591", "latin-1"), ("latin1", "latin-1"),
        ("ascii", "ascii"), ("utf16", "utf-16"), ("utf32", "utf-32"), ("windows1252", "cp1252"),
    ],
)  # fmt: skip
def test_every_encoding_is_read(tmp_path: Path, encoding: str, codec: str) -> None:
    """By the names of MLTable files."""
    name = "Muller" if encoding == "ascii" else "Müller"
    made = table(tmp_path, CSV + f"{{encoding: {encoding}}}")
    (tmp_path / "p.csv").write_bytes(f"a\n{name}\n".encode(codec))

    assert rows(made.to_pandas_dataframe()) == [[name]]


def test_a_wrong_encoding_is_named(tmp_path: Path) -> None:
    """With the file."""
    made = table(tmp_path, CSV + "{}")
    (tmp_path / "p.csv").write_bytes("a\nMüller\n".encode("latin-1"))

    with pytest.raises(MLTableError, match=r"p\.csv is not text in the encoding utf8"):
        made.to_pandas_dataframe()


def test_quoted_line_breaks_split_records_unless_they_are_supported(tmp_path: Path) -> None:
    """`support_multi_line`: the same file, read both ways."""
    text = 'A,B,C\nA1,B1,C1\nA2,"B\n2",C2\n'
    split = frame_of(tmp_path, CSV + "{}", p_csv=text)
    whole = frame_of(tmp_path, CSV + "{support_multi_line: true}", p_csv=text)

    assert rows(split) == [["A1", "B1", "C1"], ["A2", "B", None], ['2"', "C2", None]]
    assert rows(whole) == [["A1", "B1", "C1"], ["A2", "B\n2", "C2"]]


def test_delimiters_and_the_path_column(tmp_path: Path) -> None:
    """A tab, a semicolon; `Path` comes first."""
    frame = frame_of(tmp_path, CSV + '{delimiter: "\\t", include_path_column: true}', p_csv="a\tb\n1\t2\n")
    other = frame_of(tmp_path, CSV + "{delimiter: ';'}", p_csv="a;b\n1;2\n")

    assert list(frame.columns) == ["Path", "a", "b"]
    assert rows(frame) == [[str(tmp_path / "p.csv"), 1, 2]]
    assert rows(other) == [[1, 2]]


def test_a_record_with_too_many_values_is_refused(tmp_path: Path) -> None:
    """With the file and the number of the record."""
    with pytest.raises(MLTableError, match=r"p\.csv: record 3 has 3 values, the first one has 2"):
        frame_of(tmp_path, CSV + "{}", p_csv="a,b\n1,2\n1,2,3\n")


# -- other formats

LINES = '{"a": 1, "b": "x"}\n\n{"b": "y", "c": [1, 2]}\n'


def test_json_lines_are_what_pandas_reads(tmp_path: Path) -> None:
    """Columns in the order of their first mention; what a line lacks is null."""
    text = "paths: [{file: ./l.jsonl}]\ntransformations:\n- read_json_lines: {include_path_column: true}"
    frame = frame_of(tmp_path, text, l_jsonl=LINES)

    expected = pd.read_json(tmp_path / "l.jsonl", lines=True)
    pd.testing.assert_frame_equal(frame.drop(columns=["Path"]), expected, check_dtype=False)


@pytest.mark.parametrize("bad", ["{", "3", "[1]"])
def test_invalid_lines_are_an_error_or_dropped(tmp_path: Path, bad: str) -> None:
    """`invalid_lines: error|drop`."""
    text = "paths: [{file: ./l.jsonl}]\ntransformations:\n- read_json_lines: {invalid_lines: %s}"
    dropped = frame_of(tmp_path, text % "drop", l_jsonl='{"a": 1}\n' + bad + '\n{"a": 2}')

    assert rows(dropped) == [[1], [2]]
    with pytest.raises(MLTableError, match=r"l\.jsonl:2 is no line of JSON"):
        frame_of(tmp_path, text % "error")


def test_parquet_is_what_pandas_reads(tmp_path: Path) -> None:
    """Two files, one after the other; markers of other programs in the folder are no data."""
    first = pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2020-01-01", "2021-01-01"]), "s": ["x", None]})
    (tmp_path / "d").mkdir()
    first.to_parquet(tmp_path / "d" / "1.parquet")
    first.iloc[::-1].to_parquet(tmp_path / "d" / "2.parquet")
    (tmp_path / "d" / "_SUCCESS").write_text("")
    frame = frame_of(tmp_path, "paths: [{folder: ./d}]\ntransformations: [{read_parquet: }]")

    pd.testing.assert_frame_equal(frame, pd.concat([first, first.iloc[::-1]], ignore_index=True))


def test_a_table_without_a_read_step_lists_its_files(tmp_path: Path) -> None:
    """One row a file, in the order of the paths; the MLTable file is none of them."""
    text = "paths: [{file: ./z.csv}, {folder: ./}]"
    frame = frame_of(tmp_path, text, z_csv="1", a__b_csv="2")

    assert rows(frame) == [[str(tmp_path / name)] for name in ("z.csv", "a/b.csv", "z.csv")]


@pytest.mark.parametrize("settings", ["{}", "{timestamp_as_of: '2020-01-01', version_as_of: 1}"])
def test_a_delta_table_is_read_as_of_one_moment(tmp_path: Path, settings: str) -> None:
    """Exactly one of time and version."""
    (tmp_path / "d" / "_delta_log").mkdir(parents=True)
    with pytest.raises(MLTableError, match="exactly one of"):
        frame_of(tmp_path, f"paths: [{{folder: ./d}}]\ntransformations: [{{read_delta_lake: {settings}}}]")


def test_a_package_that_is_missing_is_named(tmp_path: Path) -> None:
    """As it goes into the conda file."""
    text = "paths: [{folder: ./d}]\ntransformations: [{read_delta_lake: {version_as_of: 1}}]"
    (tmp_path / "d" / "_delta_log").mkdir(parents=True)
    with pytest.raises(MLTableError, match="add `deltalake` to the dependencies of its conda file"):
        frame_of(tmp_path, text)


# -- transformations

NUMBERS = (
    "n,t,b,d\n" + "".join(f"{n},t{n % 3},{n % 2 == 0},2020-01-{n + 1:02}\n" for n in range(10)) + ",,,\n"
)


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ('col("n") > 7', [8, 9]),
        ("n >= 7 and n != 8", [7, 9]),
        ("7 < n", [8, 9]),
        ('col("t") == "t1"', [1, 4, 7]),
        ("col('t') == 't1' and not (col('n') == 4)", [1, 7]),
        ("n == 1 or n == 2 and t == 't1'", [1]),
        ("(n == 1 or n == 2) and t == 't2'", [2]),
        ("b and n > 5", [6, 8]),
        ("b == false & n < 4", [1, 3]),
        ('d > "2020-01-09"', [9]),
        ("d <= datetime(2020, 1, 2)", [0, 1]),
        ("n < -1", []),
        ("n == null", [None]),
        ("n != null and n < 2.5", [0, 1, 2]),
        ("n != 3 and n < 5", [0, 1, 2, 4]),
    ],
)
def test_a_filter_keeps_the_rows_for_which_it_is_true(
    tmp_path: Path, expression: str, kept: list[object]
) -> None:
    """Columns, values of every kind, precedence as in Python; null is in no comparison but with null."""
    made = table(tmp_path, CSV + "{}", p_csv=NUMBERS).filter(expression)

    frame = made.to_pandas_dataframe()

    assert [row[0] for row in rows(frame[["n"]])] == kept


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ('__import__("os")', "there is no function `__import__`"),
        ("col(n) > 3", 'a column is written `col("name")`'),
        ("n > 3 +", "`+` is not understood"),
        ("n >", "something is missing at the end"),
        ("1 < n < 3", "comparisons cannot be chained"),
        ("1 < 3", "neither side of `<` is a column"),
        ("n = 3", "`=` is not understood"),
        ("(n > 3", "`)` is missing"),
        ("n.x > 3", "`.` is not understood"),
        ("3", "a value alone is no condition"),
        ("n > 3 and 4", "a value alone is no condition"),
        ("", "a filter is an expression"),
        ("(" * 200 + "n", "nested too deep"),
        ("n > " + "9" * 5000, "a number has at most 400 digits"),
        ("n > datetime(99999, 1, 1)", "`datetime(…)` is none: year 99999 is out of range"),
        ("n > datetime(2024, 1, 31, 1, 1, 1, 1, 1)", "at most seven numbers"),
        ("n > 1 and 2 and n > 3", "a value alone is no condition"),
    ],
)
def test_a_filter_that_is_none_is_refused_before_anything_is_read(expression: str, says: str) -> None:
    """Text of a file is never run."""
    with pytest.raises(MLTableError) as found:
        mltable.from_paths([{"file": "nowhere"}]).filter(expression)

    assert says in str(found.value)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (
            'n == "3"',
            "column `n` holds no text, and is compared with a text (`3`); write the value without quotes",
        ),
        ("t == 3", "column `t` holds text"),
        ("t and n > 3", "column `t` is not of type boolean"),
        ("x > 3", "names column `x`, which the table does not have; its columns here: n, t, b, d"),
        ('d > "soon"', "`soon` is no time"),
    ],
)
def test_a_filter_that_does_not_fit_its_columns_is_refused(
    tmp_path: Path, expression: str, says: str
) -> None:
    """Rather than being false for every row."""
    with pytest.raises(MLTableError) as found:
        table(tmp_path, CSV + "{}", p_csv=NUMBERS).filter(expression).to_pandas_dataframe()

    assert says in str(found.value)


def test_columns_stay_in_the_order_of_the_table(tmp_path: Path) -> None:
    """`keep_columns` does not reorder; a column that is not there is named."""
    made = table(tmp_path, CSV + "{}", p_csv=NUMBERS)

    assert list(made.keep_columns(["d", "n"]).to_pandas_dataframe().columns) == ["n", "d"]
    assert list(made.drop_columns("t").to_pandas_dataframe().columns) == ["n", "b", "d"]
    with pytest.raises(MLTableError, match="`drop_columns` names column `z`"):
        made.drop_columns(["z"]).to_pandas_dataframe()
    with pytest.raises(MLTableError, match="names column `n` twice"):
        made.keep_columns(["n", "n"])


def test_steps_apply_in_the_order_of_the_list(tmp_path: Path) -> None:
    """Skip then take, take then skip, a filter before or after: rows of all files together, in path order."""
    files = {"p_csv": "n\n0\n1\n2\n", "q_csv": "n\n3\n4\n5\n"}
    made = table(tmp_path, CSV + "{}", **files)

    def numbers(changed: mltable.MLTable) -> list[int]:
        return [row[0] for row in rows(changed.to_pandas_dataframe())]

    assert numbers(made.skip(2).take(2)) == [2, 3]
    assert numbers(made.take(2).skip(1)) == [1]
    assert numbers(made.take(4).filter("n > 1")) == [2, 3]
    assert numbers(made.filter("n > 1").take(3)) == [2, 3, 4]
    assert numbers(made) == [0, 1, 2, 3, 4, 5]


def test_a_sample_is_the_same_for_the_same_seed(tmp_path: Path) -> None:
    """Near the probability, in the order of the table, and the same again."""
    made = table(tmp_path, CSV + "{}", p_csv="n\n" + "\n".join(map(str, range(2000))))
    first, other = made.take_random_sample(0.25, seed=7), made.take_random_sample(0.25, seed=8)

    values = [row[0] for row in rows(first.to_pandas_dataframe())]
    assert values == [row[0] for row in rows(first.to_pandas_dataframe())] == sorted(values)
    assert 400 < len(values) < 600
    assert values != [row[0] for row in rows(other.to_pandas_dataframe())]
    assert len(made.take_random_sample(1, seed=1).to_pandas_dataframe()) == 2000


def test_types_are_converted_as_asked(tmp_path: Path) -> None:
    """Numbers, texts, times in several formats, truth values with words of one's own; null stays null."""
    text = (
        CSV
        + """{infer_column_types: false}
- convert_column_types:
  - {columns: i, column_type: int}
  - {columns: [f], column_type: float}
  - columns: [d]
    column_type: {datetime: {formats: ["%d/%m/%Y", "%Y-%m-%d %H:%M"]}}
  - columns: [y]
    column_type: {boolean: {true_values: ['yes', 'on'], false_values: ["no"], mismatch_as: 'false'}}
  - {columns: b, column_type: boolean}
"""
    )
    made = frame_of(
        tmp_path,
        text,
        p_csv="i,f,d,y,b\n9007199254740993,1,31/12/2020,yes,1\n2,.5,2021-02-03 04:05,maybe,FALSE\n",
    )
    rest = frame_of(tmp_path, text, p_csv="i,f,d,y,b\n1,,,,\n,1,31/12/2020,no,0\n")

    assert rows(made.drop(columns="d")) == [[9007199254740993, 1.0, True, True], [2, 0.5, False, False]]
    assert list(made["d"]) == [pd.Timestamp(2020, 12, 31), pd.Timestamp(2021, 2, 3, 4, 5)]
    assert rows(rest.drop(columns="d")) == [[1.0, None, None, None], [None, 1.0, False, False]]
    assert [pd.isna(value) for value in rest["d"]] == [True, False]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("int", "column `a`: row 2 holds `1.5`, which is no int"),
        ("boolean", "column `a`: row 2 holds `1.5`, which is no boolean"),
        ("datetime", "column `a`: row 1 holds `1`, which is no datetime"),
    ],
)
def test_a_value_that_cannot_be_converted_is_named(tmp_path: Path, kind: str, says: str) -> None:
    """With its column and row; it does not become null unseen."""
    text = (
        CSV + f"{{infer_column_types: false}}\n- convert_column_types: [{{columns: a, column_type: {kind}}}]"
    )
    with pytest.raises(MLTableError) as found:
        frame_of(tmp_path, text, p_csv="a\n1\n1.5\n")

    assert says in str(found.value)


def test_columns_come_out_of_paths(tmp_path: Path) -> None:
    """Texts and times from a partition format, behind the table's own columns, and filters see them."""
    text = """paths: [{pattern: ./**/*.csv}]
transformations:
- read_delimited:
- extract_columns_from_partition_format: "/{region}/{day:yyyy/MM/dd/HH}/data.csv"
- filter: region == "north" and day > "2020-05-01"
"""
    frame = frame_of(
        tmp_path, text,
        north__2020__05__06__07__data_csv="a\n1\n", north__2019__05__06__07__data_csv="a\n2\n",
        south__2020__05__06__07__data_csv="a\n3\n",
    )  # fmt: skip

    assert rows(frame) == [[1, "north", pd.Timestamp(2020, 5, 6, 7)]]
    assert mltable.load(tmp_path).partition_keys == ["region", "day"]


def test_a_path_without_the_partition_format_is_named(tmp_path: Path) -> None:
    """Neither left out nor filled with nothing."""
    text = CSV + "\n- extract_columns_from_partition_format: '{year}/{x}_{y}.csv'"
    with pytest.raises(MLTableError, match=r"p\.csv does not have the partition format"):
        frame_of(tmp_path, text, p_csv="a\n1\n")


# -- paths


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.csv", {"a.csv", "b1.csv"}),
        ("./b?.csv", {"b1.csv"}),
        ("[a-b]*", {"a.csv", "b1.csv"}),
        ("[!a]*.csv", {"b1.csv"}),
        ("**/*.csv", {"a.csv", "b1.csv", "x/a.csv", "x/y/a.csv"}),
        ("x/**", {"x/a.csv", "x/y/a.csv"}),
        ("*/a.csv", {"x/a.csv"}),
        (".*", {".hidden.csv"}),
        ("**/y/*", {"x/y/a.csv"}),
        ("a.c[s]v", {"a.csv"}),
    ],
)
def test_patterns_are_globs(pattern: str, names: set[str]) -> None:
    """`*` stays within a part of a path, `**` does not; what begins with a point is asked for by a point."""
    present = ["a.csv", "b1.csv", "x/a.csv", "x/y/a.csv", ".hidden.csv", ".git/a.csv"]

    assert {name for name in present if pattern_of(pattern).match(name)} == names


@pytest.mark.parametrize(
    ("item", "says"),
    [
        ("{file: ./no.csv}", "`file: ./no.csv` does not exist"),
        ("{file: ./d}", "is a folder; write `folder: ./d`"),
        ("{folder: ./p.csv}", "is a file; write `file: ./p.csv`"),
        ("{pattern: ./*.tsv}", "matches no file"),
        ("{file: 'https://example.com/a.csv'}", "is an address whose data is not on this machine"),
        ("{folder: 'azureml://datastores/other/paths/x'}", "is an address whose data is not on this machine"),
    ],
)
def test_a_path_that_leads_to_nothing_is_named(tmp_path: Path, item: str, says: str) -> None:
    """Before anything is read."""
    with pytest.raises(MLTableError) as found:
        frame_of(tmp_path, f"paths: [{item}]\ntransformations: [read_delimited]", p_csv="a\n", d__x_csv="a\n")

    assert says in str(found.value)


def test_addresses_are_found_through_the_map_of_the_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Places in datastores (short and long form), public addresses, and the table itself; none leads out of its datastore."""
    store = tmp_path / "store"
    made = table(store / "t", "paths: [{file: ./a.csv}]\ntransformations: [read_delimited]", a_csv="n\n1\n")
    long = "azureml://subscriptions/s/resourcegroups/r/workspaces/w/datastores/blob/paths/t/a.csv"
    known = {
        "datastores": {"blob": str(store)},
        "addresses": {"https://x.y/a.csv": str(store / "t" / "a.csv")},
    }
    (tmp_path / "map.json").write_text(json.dumps(known))
    monkeypatch.setenv("PENSTOCK_MLTABLE", str(tmp_path / "map.json"))

    def values(path: str) -> list[list[object]]:
        return rows(mltable.from_delimited_files([{"file": path}]).to_pandas_dataframe())

    assert values("azureml://datastores/blob/paths/t/a.csv") == [[1]]
    assert values(long) == values("https://x.y/a.csv") == values((store / "t" / "a.csv").as_uri()) == [[1]]
    assert rows(mltable.load("azureml://datastores/blob/paths/t/").to_pandas_dataframe()) == rows(
        made.to_pandas_dataframe()
    )
    with pytest.raises(MLTableError, match="leads out of the datastore"):
        values("azureml://datastores/blob/paths/../../map.json")


# -- files


def test_a_table_is_saved_under_either_name_of_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The current folder is told by its real name, the output's path may lead through a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a.csv").write_text("x\n1\n")
    (tmp_path / "link").symlink_to("real")
    monkeypatch.chdir(tmp_path / "link")

    for file in ("a.csv", str(tmp_path / "link" / "a.csv"), str(tmp_path / "real" / "a.csv")):
        for folder in ("link", "real"):
            saved = mltable.from_delimited_files([{"file": file}]).save(tmp_path / folder)
            assert saved.paths == [{"file": "./a.csv"}], (file, folder)


def test_a_saved_table_loads_as_the_same_table(tmp_path: Path) -> None:
    """Paths are written relative to the new place, and every transformation comes back."""
    made = table(tmp_path / "t", CSV + "{}", p_csv=NUMBERS)
    changed = (
        made.filter("n > 2")
        .convert_column_types({"t": DataType.to_string(), ("n",): DataType.to_int()})
        .drop_columns("b")
    )

    saved = changed.save(str(tmp_path / "far" / "away"))
    copied = changed.save(str(tmp_path / "beside"), colocated=True)
    again = mltable.load(tmp_path / "far" / "away")

    for each in (saved, copied, again):
        pd.testing.assert_frame_equal(each.to_pandas_dataframe(), changed.to_pandas_dataframe())
    assert again.paths == [{"pattern": "../../t/*.csv"}]
    assert (tmp_path / "beside" / "p.csv").is_file()
    with pytest.raises(MLTableError, match="overwrite=True"):
        changed.save(str(tmp_path / "beside"), overwrite=False)


def test_a_delimited_table_is_made_by_a_script(tmp_path: Path) -> None:
    """The names and values that public code uses."""
    (tmp_path / "a.txt").write_text("1;x;2020\n2;y;2021\n")
    made = mltable.from_delimited_files(
        paths=[{"file": str(tmp_path / "a.txt")}],
        header=mltable.MLTableHeaders.no_header,
        delimiter=";",
        encoding=mltable.MLTableFileEncoding.utf8,
        infer_column_types={"Column3": DataType.to_datetime("%Y")},
    )

    assert rows(made.to_pandas_dataframe()) == [
        [1, "x", pd.Timestamp(2020, 1, 1)], [2, "y", pd.Timestamp(2021, 1, 1)],
    ]  # fmt: skip
    assert made.take(1).show().shape == (1, 3)
    assert isinstance(made.to_pandas_dataframe()["Column3"].iloc[0], datetime.datetime)
    made.validate()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("path: [{file: x}]", "`path` is no field of an MLTable file"),
        ("paths: []", "`paths` is a list"),
        ("paths: [./a.csv]", "item 1 of `paths` is `./a.csv`"),
        ("paths: [{file: a}]\ntransformations: [{read_csv: {}}]", "`read_csv` is no transformation"),
        ("paths: [{file: a}]\ntransformations: [{take: 3}, read_parquet]", "must be the first transformation"),
        ("paths: [{file: a}]\ntransformations: [{read_delimited: {sep: ;}}]", "`sep` is no setting of `read_delimited`"),
        ("paths: [{file: a}]\ntransformations: [{take: many}]", "`take` takes a number of rows"),
        ("paths: [{file: a}]\ntransformations: [{convert_column_types: [{columns: a, column_type: decimal}]}]", "`decimal` is no column type"),
        ("paths: [{folder: a}]\ntransformations: [{read_delta_lake: {version_as_of: 1}}, {extract_columns_from_partition_format: '{a}'}]", "cannot be used with `read_delta_lake`"),
    ],
)  # fmt: skip
def test_a_table_that_is_none_is_refused_with_its_file(tmp_path: Path, text: str, says: str) -> None:
    """When it is loaded, before its data is asked for."""
    with pytest.raises(MLTableError) as found:
        table(tmp_path, text)

    assert says in str(found.value)
    assert str(tmp_path / "MLTable") in str(found.value)


def test_both_readers_of_delimited_text_find_the_same(tmp_path: Path) -> None:
    """The fast one reads what has no quotes; where it is not sure it leaves the text to the careful one."""
    chance, fast = random.Random(5), 0
    signs = [
        "a",
        "1",
        "",
        ",",
        ",",
        "\n",
        "\n",
        "\r\n",
        "\r",
        " ",
        "\t",
        "'",
        "#",
        "\u2028",
        "\x0b",
        "\x85",
        "NA",
    ]
    words = ["a", "", "1", " b", "NA", "\u2028", "#"]
    for _ in range(500):
        width = chance.randint(1, 4)
        even = "\n".join(
            ",".join(chance.choice(words) for _ in range(width)) for _ in range(chance.randint(1, 5))
        )
        for text in (even, "".join(chance.choice(signs) for _ in range(chance.randint(1, 14)))):
            found = records._read_fast(text, ",")
            if found is not None:
                fast += 1
                careful = records._read_carefully(text, ",", False, "f")
                assert found.values.tolist() == careful.values.tolist(), repr(text)
    assert fast > 300


def test_a_filter_may_join_thousands_of_conditions(tmp_path: Path) -> None:
    """Lists of wanted values are written so, mostly by other programs."""
    wanted = " or ".join(f'name == "x{number}"' for number in range(800))
    made = table(tmp_path, CSV + "{}\n", a_csv="name\nx799\nx800\n").filter(wanted)

    assert rows(made.to_pandas_dataframe()) == [["x799"]]


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    """Two folders that link to each other, one that holds itself; the data behind each link is there once."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(f"n\n{name}\n")
        (tmp_path / name / "self").symlink_to(".")
    (tmp_path / "a" / "b").symlink_to("../b")
    (tmp_path / "b" / "a").symlink_to("../a")

    made = table(tmp_path, "paths: [{folder: ./a}]\ntransformations:\n- read_delimited\n")

    assert [str(Path(each).relative_to(tmp_path)) for each in made.files()] == ["a/b/x.csv", "a/x.csv"]


def test_a_folder_without_an_mltable_file_is_named(tmp_path: Path) -> None:
    """The name counts letter by letter."""
    (tmp_path / "mltable").write_text("type: mltable")
    with pytest.raises(MLTableError, match="no folder with a file named MLTable: it holds none"):
        mltable.load(str(tmp_path))
