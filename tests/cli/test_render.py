"""The formats, held against what the Azure command line prints."""

import json
from typing import Any

import pytest
import yaml

from penstock.cli.render import compile_query, render
from penstock.errors import PenstockError, UsageError

JOB = {
    "name": "happy_frog",
    "id": "azureml:/x",
    "type": "command",
    "status": "Running",
    "tags": {"a": 1},
    "error": None,
}


@pytest.mark.parametrize("output", ["json", "jsonc", "yaml", "yamlc", "table", "tsv", "none"])
def test_null_prints_nothing(output: str) -> None:
    """In every format."""
    assert render(None, output) == ""


def test_json_is_indented_sorted_and_keeps_characters() -> None:
    """Two blanks, keys in order, no escapes."""
    assert (
        render({"b": "ü", "a": [1, None]}, "json") == '{\n  "a": [\n    1,\n    null\n  ],\n  "b": "ü"\n}\n'
    )


def test_an_empty_list_is_an_empty_list() -> None:
    """`list` of nothing."""
    assert render([], "json") == "[]\n"
    assert render([], "tsv") == ""
    assert render([], "table") == ""
    assert render([], "yaml") == "[]\n"


def test_yaml_can_be_read_back() -> None:
    """Also what a query made."""
    made = compile_query("{Name:name,Tags:tags}")(JOB)

    assert yaml.safe_load(render(made, "yaml")) == {"Name": "happy_frog", "Tags": {"a": 1}}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("happy_frog", "happy_frog\n"),
        (True, "true\n"),
        (False, "false\n"),
        (3, "3\n"),
        (0.5, "0.5\n"),
        ("", "\n"),
        (["a", "b"], "a\nb\n"),
        ([["a", 1], ["b", None]], "a\t1\nb\tNone\n"),
        ([{"b": 1, "a": True}], "True\t1\n"),
        ({"b": {"x": 1}, "a": [1, 2], "c": "z"}, "2\t\tz\n"),
        ([None], "None\n"),
        ([[True]], "True\n"),
        ("a\tb", "a\tb\n"),
    ],
)
def test_tsv_is_what_scripts_expect(value: Any, text: str) -> None:
    """Edge case 17.4. One row per item, scalars bare, a list its length, an object nothing."""
    assert render(value, "tsv") == text


def test_tsv_keeps_the_order_of_the_query() -> None:
    """`{Name:name,Id:id}` is not sorted."""
    made = compile_query("[].{Status:status,Name:name}")([JOB])

    assert render(made, "tsv", queried=True) == "Running\thappy_frog\n"


def test_counting_lines_of_a_query_works() -> None:
    """`list --query "[?name=='x'][name]" -o tsv | wc -l`, as templates do."""
    search = compile_query("[?name=='happy_frog'][name]")

    assert render(search([JOB]), "tsv").count("\n") == 1
    assert render(search([]), "tsv") == ""


def test_a_table_shows_scalars_sorted_without_ids() -> None:
    """Nested values, nulls, id and type are left out."""
    assert render([JOB], "table").splitlines() == [
        "Name        Status",
        "----------  --------",
        "happy_frog  Running",
    ]


def test_a_table_of_a_query_has_the_querys_columns() -> None:
    """In its order, with its names."""
    made = compile_query("[].{Status:status,name:name}")([JOB])

    assert render(made, "table", queried=True).splitlines()[0].split() == ["Status", "Name"]


@pytest.mark.parametrize(
    ("value", "head"),
    [(["a", "b"], "Result"), ([["a", "b"]], "Column1    Column2"), ("x", "Result"), (True, "Result")],
)
def test_a_table_of_scalars_has_made_up_columns(value: Any, head: str) -> None:
    """As the Azure command line makes them up."""
    assert render(value, "table", queried=True).splitlines()[0] == head


def test_numbers_in_a_table_stay_as_they_are() -> None:
    """Versions such as 1.10 are no numbers to be tidied."""
    assert "1.10" in render([{"version": "1.10", "n": 10000000}], "table")
    assert "10000000" in render([{"n": 10000000}], "table")


def test_a_table_of_nothing_but_nested_values_is_an_empty_line() -> None:
    """There is no column."""
    assert render([{"a": {}}], "table") == "\n"


def test_colour_is_only_for_the_coloured_formats() -> None:
    """And only where it was asked for."""
    assert render(JOB, "jsonc") == render(JOB, "json")
    assert render(JOB, "json", colour=True) == render(JOB, "json")
    assert "\033[" in render(JOB, "jsonc", colour=True)
    assert "\033[" in render(JOB, "yamlc", colour=True)
    assert json.loads(_plain(render(JOB, "jsonc", colour=True))) == JOB
    assert yaml.safe_load(_plain(render(JOB, "yamlc", colour=True))) == JOB


@pytest.mark.parametrize("expression", ["[", "a b", "a.", "nofunction(@", "[?x=]"])
def test_a_query_that_is_none_is_a_usage_error(expression: str) -> None:
    """Exit code 2, before the command acts."""
    with pytest.raises(UsageError, match="--query"):
        compile_query(expression)


def test_a_query_that_does_not_fit_the_result_is_an_error() -> None:
    """`max` of words and numbers, for example."""
    with pytest.raises(PenstockError, match="fails"):
        compile_query("max(@)")([1, "a"])


def _plain(text: str) -> str:
    import re

    return re.sub(r"\033\[\d+m", "", text)


@pytest.mark.parametrize("output", ["json", "jsonc", "yaml", "yamlc"])
def test_what_an_encoding_does_not_have_is_still_the_same_value(output: str) -> None:
    """JSON and YAML have a way to write every character in ASCII."""
    text = render({"name": "Größe 尺"}, output, only_ascii=True)

    assert text.isascii()
    assert yaml.safe_load(text) == {"name": "Größe 尺"}


def test_a_function_that_jmespath_lacks_is_refused_before_anything_is_done() -> None:
    """Wherever in the expression it stands; with a near name."""
    for expression in ("lenght(@)", "[?lenght(name) > `3`].name", "{n: max_by(@, &lenght(@))}"):
        with pytest.raises(UsageError, match="no function `lenght`") as caught:
            compile_query(expression)
        assert caught.value.hint == "did you mean `length`?"
