"""Expectations as a file says them: what is understood, what is refused and how, conditions."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument
from penstock.resources.documents import parse
from penstock.resources.expectation_values import age_in_seconds
from penstock.resources.expectations import Expectations
from penstock.resources.kinds import kind_of
from penstock.resources.row_conditions import (
    Arithmetic,
    BadCondition,
    Both,
    Column,
    Comparison,
    Either,
    Literal,
    Membership,
    Missing,
    Negation,
    columns_of,
    parse_condition,
)
from penstock.resources.validation import validate_file
from penstock.resources.yaml_source import load_yaml


def expectations(text: str) -> Expectations:
    found = parse("expectations", load_yaml(text, name="e.yml")).resource
    assert isinstance(found, Expectations)
    return found


def problems(text: str) -> dict[str, str]:
    """By pointer, what is wrong."""
    with pytest.raises(InvalidDocument) as error:
        parse("expectations", load_yaml(text, name="e.yml"))
    return {problem.pointer: problem.message for problem in error.value.problems}


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("max: 500", "max: {value: 500}"),
        ("nulls: 0", "nulls: {max: 0}"),
        ("nulls: 1%", "nulls: {max_fraction: 0.01}"),
        ("unique: true", "unique: {value: true}"),
        ("allowed: [1, 2]", "allowed: {values: [1, 2]}"),
        ("length: 3", "length: {min: 3, max: 3}"),
        ("distinct: 3", "distinct: {min: 3, max: 3}"),
        ("mostly: 99%", "mostly: 0.99"),
        ("type: string", "type: text"),
        ("type: Float", "type: number"),
        ("quantiles: {0.5: {max: 3}}", "quantiles: {'0.5': {max: 3}}"),
    ],
)
def test_a_short_form_says_the_same_as_the_long_one(short: str, long: str) -> None:
    """So that a file reads well, and a rule can still say more about itself."""
    assert expectations(f"columns:\n  a:\n    {short}") == expectations(f"columns:\n  a:\n    {long}")


def test_a_file_is_kept_as_it_was_meant() -> None:
    """What the model writes parses to the same expectations again."""
    text = (Path(__file__).parents[2] / "docs/reference/sources/examples/expectations.yml").read_text()

    found = expectations(text)

    assert parse("expectations", found.to_document()).resource == found


@pytest.mark.parametrize(
    ("column", "pointer", "says"),
    [
        ("min: abc", "/min", "`min` must be a number, or a time"),
        ("min: 3, max: 2", "/max", "`max` is less than `min`"),
        ("min: 2024-02-01, max: 2024-01-01", "/max", "`max` is less than `min`"),
        ("min: 1, above: 0", "/above", "say the same end twice"),
        ("nulls: 0.5", "/nulls", "must be a number of rows, a share such as `1%`"),
        ("nulls: {}", "/nulls", "`nulls` needs one of `max` and `max_fraction`"),
        ("nulls: -1", "/nulls", "must be a number of rows"),
        ("type: float64x", "/type", "`type` must be one of"),
        ("unique: maybe", "/unique", "`unique` must be true or false"),
        ("allowed: []", "/allowed", "`allowed` must be a list of values"),
        ("allowed: [null]", "/allowed", "`allowed` cannot hold nothing"),
        ("allowed: 3", "/allowed", "`allowed` must be a list of values"),
        ("matches: '('", "/matches", "`matches` is no regular expression"),
        ("matches: 'a(?=b)'", "/matches", "looks around or back"),
        ("mostly: 2", "/mostly", "`mostly` must be a share"),
        ("mean: 3", "/mean", "`mean` must be a mapping with `min` or `max`"),
        ("mean: {}", "/mean", "a range needs `min`, `max` or both"),
        ("quantiles: {2: {max: 3}}", "/quantiles", "`quantiles` must be a share"),
        ("length: -1", "/length", "`length` must be a whole number"),
        ("maxx: 3", "/maxx", "`maxx` is not a field of the expectations of a column"),
        ("max: {value: 3, severty: warning}", "/max/severty", "`severty` is not a field of a limit"),
        ("severity: fatal", "/severity", "`severity` must be one of `error`, `warning`"),
        ("where: 'a <'", "/where", "`where` is not understood: `a <`: the end where"),
        ("type: text, min: 1", "/min", "is for numbers and times, and the column is text"),
        ("type: integer, matches: a", "/matches", "is for texts, and the column is of type integer"),
        ("increasing: true, decreasing: true", "/decreasing", "cannot be both"),
    ],
)
def test_a_mistake_in_a_column_is_told_at_its_place(column: str, pointer: str, says: str) -> None:
    """In words that name the field as the file has it."""
    found = problems(f"columns:\n  a: {{{column}}}")

    assert says in found["/columns/a" + pointer]


@pytest.mark.parametrize(
    ("text", "pointer", "says"),
    [
        ("{}", "", "there is nothing to check"),
        ("rows: many", "/rows", "`rows` must be a whole number"),
        ("rows: {min: 5, max: 1}", "/rows/max", "`max` is less than `min`"),
        ("freshness: 7", "/freshness", "`freshness` must be a time such as `7d`"),
        ("freshness: {max_age: soon}", "/freshness/max_age", "`max_age` must be a time such as `7d`"),
        ("freshness: {column: a}", "/freshness/max_age", "`max_age` is missing"),
        ("extra_columns: no\nrows: 1", "/extra_columns", "`extra_columns` must be one of"),
        ("unique: [a]", "/unique/0", "`unique[0]` must be a list of columns"),
        ("rules: [3]", "/rules/0", "`rules[0]` must be a condition"),
        ("rules: [a < b, a < b]", "/rules/1", "there is a rule `a < b` already"),
        ("rules: ['import os']", "/rules/0/that", "`that` is not understood"),
        ("colums: {a: {}}", "/colums", "`colums` is not a field of expectations"),
        ("columns: [a]", "/columns", "`columns` must be a mapping"),
    ],
)
def test_a_mistake_in_the_file_is_told_at_its_place(text: str, pointer: str, says: str) -> None:
    """All of them are told at once; each with its pointer."""
    assert says in problems(text)[pointer]


def test_a_column_with_nothing_behind_it_must_only_be_there() -> None:
    """`columns:` with names alone is the shortest useful file."""
    found = expectations("columns:\n  a:\n  b:\n")

    assert list(found.columns) == ["a", "b"]


@pytest.mark.parametrize(
    "text",
    ["columns: {a: {nulls: 0}}", "rows: 3", "freshness: 7d", "unique: [[a, b]]", "rules: [a < b]",
     "$schema: https://example.org/expectations.schema.json\ndescription: x"],
)  # fmt: skip
def test_the_content_shows_that_a_file_holds_expectations(text: str) -> None:
    """`penstock validate -f` needs no word about it."""
    assert kind_of(load_yaml(text, name="e.yml")) == "expectations"


def test_a_mistake_has_its_file_and_line(tmp_path: Path) -> None:
    """As in every other file."""
    file = tmp_path / "taxi.expectations.yml"
    file.write_text("rows: {min: 1}\ncolumns:\n  fare:\n    mni: 3\n")

    verdict = validate_file(file)

    assert verdict.kind == "expectations"
    assert [(each.file, each.line, each.hint) for each in verdict.problems] == [
        (str(file), 4, "did you mean `min`?")
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7d", 604_800), ("36h", 129_600), ("1d 12h", 129_600), ("1.5h", 5_400), ("2w", 1_209_600)],
)
def test_an_age_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert age_in_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a < b", Comparison("<", Column("a"), Column("b"))),
        ("`fixed acidity` >= 1.5", Comparison(">=", Column("fixed acidity"), Literal(1.5))),
        ("a = 'it''s'", Comparison("==", Column("a"), Literal("it's"))),
        ("a <> -1", Comparison("!=", Column("a"), Literal(-1))),
        ("a in (1, -2, 'x', true)", Membership(Column("a"), (1, -2, "x", True))),
        ("a not in ['x']", Negation(Membership(Column("a"), ("x",)))),
        ("a IS NOT NULL", Negation(Missing(Column("a")))),
        ("a and b or c", Either(Both(Column("a"), Column("b")), Column("c"))),
        ("not a and b", Both(Negation(Column("a")), Column("b"))),
        ("(a or b) and c", Both(Either(Column("a"), Column("b")), Column("c"))),
        (
            "(a + b) * 2 < c",
            Comparison("<", Arithmetic("*", Arithmetic("+", Column("a"), Column("b")), Literal(2)), Column("c")),
        ),
        ("((a < b))", Comparison("<", Column("a"), Column("b"))),
        ("a - -b > 0", Comparison(">", Arithmetic("-", Column("a"), Arithmetic("-", Literal(0), Column("b"))), Literal(0))),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_people_write_it(text: str, tree: object) -> None:
    """`and` binds tighter than `or`, `*` than `+`; words in any case; SQL's and Python's signs."""
    assert parse_condition(text) == tree


@pytest.mark.parametrize(
    "text",
    ["", "a <", "< a", "a < b < c", "a b", "f(a)", "a in ()", "a in 3", "a is 3", "1", "'x'", "a + b", "a.b()", "a; b",
     "__import__('os')", "a <\x00 b", "(a < b", "a not b", "(" * 60 + "a" + ")" * 60, "not " * 60 + "a", "a" * 3000],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    """With what was expected where. Nothing of it is ever run."""
    with pytest.raises(BadCondition):
        parse_condition(text)


@given(st.text(alphabet="ab`'\" ()[]<>=!+-*/,.12not inadr", max_size=40))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    """Never another error, and never for ever."""
    try:
        found = parse_condition(text)
    except BadCondition:
        return
    assert isinstance(list(columns_of(found)), list)


_rule = st.one_of(
    st.integers(-5, 5),
    st.floats(),
    st.text(max_size=5),
    st.booleans(),
    st.none(),
    st.lists(st.integers(), max_size=2),
)
_name = st.sampled_from(
    [
        "type",
        "nulls",
        "min",
        "max",
        "above",
        "allowed",
        "matches",
        "length",
        "mean",
        "quantiles",
        "unique",
        "mostly",
        "where",
    ]
)
_column: Any = st.dictionaries(
    _name, st.one_of(_rule, st.dictionaries(st.sampled_from(["value", "min", "max", "severity"]), _rule))
)


@given(st.dictionaries(st.text(min_size=1, max_size=5), _column, min_size=1, max_size=3))
def test_any_columns_are_understood_or_refused(columns: dict[str, Any]) -> None:
    """Whatever stands in a file, the answer is expectations or a list of problems."""
    with suppress(InvalidDocument):
        parse("expectations", {"columns": columns})
