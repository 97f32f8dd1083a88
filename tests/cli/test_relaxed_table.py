"""The table of differences: each column wraps within itself, at every width."""

import pytest

from penstock.cli.relaxed_table import lines_of
from penstock.resources.relaxed import as_rows, line_of, marked, short_of

ROWS = [
    {"what": "python", "asked": "3.7.5", "taken": "3.9.18", "why": "this machine has no Python 3.7"},
    {
        "what": "scikit-learn",
        "asked": "==0.24.1",
        "taken": "1.0.2",
        "why": "0.24.1 has no wheel for Python 3.9 on this platform; 1.0.2 is the closest later release that has one",
    },
    {
        "what": "azureml-contrib-fairness",
        "asked": "git+https://github.com/somebody/a-very-long-repository-name.git@0123456789abcdef",
        "taken": None,
        "why": "means nothing here",
    },
]


@pytest.mark.parametrize("columns", [64, 80, 100, 120, 200])
def test_the_table_fits_and_nothing_of_it_is_lost(columns: int) -> None:
    """No line is longer than the terminal; the text of every cell can be read downwards in its column."""
    lines = list(lines_of(ROWS, columns))

    assert max(map(len, lines)) <= columns
    rule = lines[1]
    starts = [index for index, sign in enumerate(rule) if sign == "-" and rule[index - 1] == " "]
    ends = [*(start - 2 for start in starts[1:]), columns]
    read = [
        "".join(line[start:end].strip() for line in lines[2:])
        for start, end in zip(starts, ends, strict=True)
    ]
    for column, name in enumerate(("what", "asked", "taken", "why")):
        cells = [str(row[name] or "left out").removeprefix("==") for row in ROWS]
        assert read[column] == "".join(cells).replace(" ", "") or read[column].replace(" ", "") == "".join(
            cells
        ).replace(" ", "")


def test_a_table_that_fits_has_one_line_per_difference() -> None:
    """Nothing is wrapped without need."""
    lines = list(lines_of(ROWS[:1], 80))

    assert lines == [
        "  what    asked  taken   why",
        "  ------  -----  ------  ------------------------------",
        "  python  3.7.5  3.9.18  this machine has no Python 3.7",
    ]


def test_the_words_are_the_same_everywhere() -> None:
    """A line per difference, a short text for all, a mark."""
    assert [line_of(row) for row in ROWS[:2]] == ["python 3.7.5 → 3.9.18", "scikit-learn 0.24.1 → 1.0.2"]
    assert short_of(ROWS[:1] * 5) == ", ".join(["python 3.7.5 → 3.9.18"] * 3) + " and 2 more"
    assert marked([]) == {}
    assert marked(ROWS)["mark"] == "relaxed"
    assert as_rows([]) == []
