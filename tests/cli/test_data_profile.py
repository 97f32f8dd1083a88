"""How a profile looks at a terminal, what its flags ask for, and what is said while it is made."""

import shlex
from pathlib import Path
from typing import Any

import pytest

from penstock.cli.profile_text import as_text, rows_of
from penstock.profiling.profile import profile_table
from penstock.settings import Home
from tests.cli.conftest import Penstock


@pytest.fixture
def record(tmp_path: Path) -> dict[str, Any]:
    """A profile of columns that are hard to show."""
    lines = ["a very long name of a column indeed,t,empty,\x1b[31mred,κλμ,flag,n"]
    lines += [
        f"{row}.5,2024-0{1 + row % 9}-01 08:00:00,,word {row},{'ю' * 90},{row % 2 == 0},{row * 10**15}"
        for row in range(40)
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    return {"data": "azureml:t:1", **profile_table(tmp_path / "t.csv", "uri_file")}


@pytest.mark.parametrize("width", [60, 80, 100, 120, 250])
def test_a_profile_fits_the_terminal(
    record: dict[str, Any], width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line per column and none longer than the terminal is wide; 80 columns there must be."""
    monkeypatch.setenv("COLUMNS", str(width))

    lines = as_text(record).splitlines()

    assert lines[0] == "azureml:t:1: 40 rows, 7 columns"
    assert len([line for line in lines[3:] if line]) == 7
    assert max(map(len, lines)) <= max(width, 80)
    assert "\x1b" not in "".join(lines)
    assert ("frequent" in lines[2]) is (width >= 120)


def test_a_profile_says_what_is_estimated(record: dict[str, Any]) -> None:
    exact = as_text(record)
    record["columns"][0]["distinct_error"] = 0.0078

    assert "~" not in exact
    assert as_text(record).endswith("~ estimated, within 0.8%\n")
    assert as_text({"path": "x", "row_count": 0, "columns": []}) == "x: 0 rows, 0 columns\n"


def test_a_profile_as_a_table_has_a_flat_row_for_each_column(record: dict[str, Any]) -> None:
    rows = rows_of(record)

    assert [row["kind"] for row in rows] == [
        "float64",
        "datetime",
        "string",
        "string",
        "string",
        "boolean",
        "int64",
    ]
    assert all(not isinstance(value, dict | list) for row in rows for value in row.values())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "exactly one of --name and --path is required"),
        (["-n", "t", "-p", "t.csv"], "exactly one of --name and --path is required"),
        (["-n", "t", "-v", "1", "-l", "latest"], "cannot provide both --version and --label"),
        (["-p", "t.csv", "-v", "1"], "--version and --label go with --name"),
        (["-n", "azureml:t@latest", "-v", "1"], "names a version"),
        (["-p", "gone.csv"], "gone.csv does not exist"),
        (["-p", "t.csv", "--skip-rows", "two"], "`two` is not a whole number"),
    ],
)
def test_a_question_that_means_nothing_is_refused(
    words: list[str], said: str, penstock: Penstock, home: Home
) -> None:
    """Before a server is asked, or started."""
    ran = penstock(shlex.join(["data", "profile", *words]))

    assert ran.code != 0
    assert said in ran.err
    assert not home.socket.exists()
