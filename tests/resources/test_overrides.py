"""`--set`: paths, values, and what cannot be set."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import UsageError
from penstock.resources.overrides import (
    Override,
    additions_in_doubt,
    apply_overrides,
    parse_override,
    spelled,
)
from penstock.resources.yaml_source import Position


def after(data: dict[str, Any], *texts: str) -> dict[str, Any]:
    """The data after `--set`, which must go well."""
    assert apply_overrides(data, [parse_override(text) for text in texts], {}) == []
    return data


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("name=x", ("name",), "x"),
        ("inputs.rate=0.1", ("inputs", "rate"), "0.1"),
        ("a.b=c=d=e", ("a", "b"), "c=d=e"),
        ("a=", ("a",), ""),
        ("a= b ", ("a",), " b "),
        ('tags."a.b"=c', ("tags", "a.b"), "c"),
        ('tags."a\\"=b"=c', ("tags", 'a"=b'), "c"),
        ("a[0]=x", ("a", 0), "x"),
        (
            "identity.user_assigned_identities[0].resource_id=x",
            ("identity", "user_assigned_identities", 0, "resource_id"),
            "x",
        ),
        ("a[0][1].b=x", ("a", 0, 1, "b"), "x"),
        ("inputs.with-dash_1=x", ("inputs", "with-dash_1"), "x"),
        ("command=python train.py --x ${{inputs.x}}", ("command",), "python train.py --x ${{inputs.x}}"),
        ("a=line\nline", ("a",), "line\nline"),
    ],
)
def test_the_path_ends_at_the_first_equals_sign(text: str, path: tuple[str | int, ...], value: str) -> None:
    """Dots, indexes and quoted keys before it; everything after it is the value."""
    assert parse_override(text) == Override(path, value)


@pytest.mark.parametrize("text", ["", "a", "=x", "a.=x", ".a=x", "a..b=x", "a[x]=1", "a[-1]=1", "a[0=1", 'a"b"=1', '"a=1', "[0]=1", "a]=1", "a[0]b=1"])  # fmt: skip
def test_what_is_no_path_and_value_is_a_usage_error(text: str) -> None:
    """The message repeats the text, the hint shows the form."""
    with pytest.raises(UsageError, match="cannot understand --set") as caught:
        parse_override(text)

    assert "path=value" in str(caught.value.hint)


@given(
    st.lists(st.text(min_size=1, max_size=6) | st.integers(0, 99), min_size=1, max_size=4),
    st.text(max_size=9),
)
def test_every_path_can_be_written_and_read_again(path: list[str | int], value: str) -> None:
    """Quoting is enough for any key."""
    steps = ("first", *path) if isinstance(path[0], int) else tuple(path)

    assert parse_override(f"{spelled(steps)}={value}") == Override(steps, value)


def test_missing_mappings_are_made_on_the_way() -> None:
    """Also where the file says null; lists can be begun and continued, without holes."""
    assert after({}, "a.b.c=1") == {"a": {"b": {"c": "1"}}}
    assert after({"limits": None}, "limits.timeout=30") == {"limits": {"timeout": "30"}}
    assert after({}, "list[0]=a", "list[1]=b") == {"list": ["a", "b"]}
    assert after({"list": [1, 2]}, "list[0]=a") == {"list": ["a", 2]}
    assert after({"list": [{"x": 1}]}, "list[0].x=a") == {"list": [{"x": "a"}]}


def test_values_stay_text() -> None:
    """The field decides what `5` is; a literal input stays the text "5"."""
    assert after({"inputs": {"n": 1}}, "inputs.n=5", "inputs.flag=true") == {
        "inputs": {"n": "5", "flag": "true"}
    }


def test_the_last_one_wins() -> None:
    """They are applied in order; a whole mapping can be replaced by a text."""
    assert after({"environment": {"image": "a"}}, "environment=azureml:e:1") == {"environment": "azureml:e:1"}
    assert after({}, "a=1", "a=2") == {"a": "2"}


@pytest.mark.parametrize(
    ("data", "text", "message", "pointer"),
    [
        ({"environment": "azureml:e:1"}, "environment.image=x", "cannot set `environment.image`: `environment` is the reference `azureml:e:1`, which has no fields", "/environment"),
        ({"a": {"b": 3}}, "a.b.c=x", "cannot set `a.b.c`: `a.b` is `3`, which has no fields", "/a/b"),
        ({"a": "x y"}, "a.b=x", "cannot set `a.b`: `a` is the text `x y`, which has no fields", "/a"),
        ({"a": [1]}, "a.b=x", "cannot set `a.b`: `a` is a list", "/a"),
        ({"a": {"b": 1}}, "a[0]=x", "cannot set `a[0]`: `a` is a mapping, not a list", "/a"),
        ({"a": [1]}, "a[2]=x", "cannot set `a[2]`: `a` has 1 items", "/a"),
        ({"a": []}, "a[0].b=x", "cannot set `a[0].b`: `a` has 0 items", "/a"),
    ],
)  # fmt: skip
def test_what_cannot_be_reached_is_a_problem_of_the_flag(
    data: dict[str, Any], text: str, message: str, pointer: str
) -> None:
    """A reference is not replaced silently; the problem stands on the command line, the data stays as it was."""
    before = repr(data)

    (problem,) = apply_overrides(data, [parse_override(text)], {})

    assert (problem.message, problem.pointer, problem.file, problem.line) == (
        message,
        pointer,
        f"--set {text}",
        0,
    )
    assert repr(data) == before


def test_a_value_that_was_set_is_found_on_the_command_line() -> None:
    """Its position is the flag; what was below the old value is forgotten; a long value is cut."""
    positions = {pointer: Position("job.yml", 1, 1) for pointer in ("/a", "/a/b", "/a/b/c", "/ab")}
    overrides = [parse_override("a.b=x"), parse_override("n.m=" + "y" * 100)]

    apply_overrides({"a": {"b": {"c": 1}}, "ab": 1}, overrides, positions)

    assert positions["/a/b"] == Position("--set a.b=x", 0, 0)
    assert "/a/b/c" not in positions
    assert positions["/ab"].file == positions["/a"].file == "job.yml"
    assert positions["/n"] == positions["/n/m"]
    assert len(positions["/n/m"].file) == 80


def test_a_name_that_is_added_beside_a_near_one_is_doubted() -> None:
    """`inputs.alhpa` beside `inputs.alpha` would change nothing that runs; what is new altogether is welcome."""
    document = {"inputs": {"alpha": 1}, "jobs": {"train": {"inputs": {"rate": 1}}}, "tags": {"alpha": "x"}}
    texts = ("inputs.alhpa=2", "inputs.fresh=2", "jobs.trian.inputs.rate=2", "tags.alpah=2", "inputs.alpha=3")

    doubts = additions_in_doubt(document, [parse_override(text) for text in texts])

    assert doubts == [
        "--set inputs.alhpa=2: it adds `alhpa` to `inputs`; did you mean `alpha`?",
        "--set jobs.trian.inputs.rate=2: it adds `trian` to `jobs`; did you mean `train`?",
    ]
