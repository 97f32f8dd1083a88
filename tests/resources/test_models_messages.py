"""Whatever is put into a field, the answer is one sentence for people at the right place."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import InvalidDocument, Problem
from penstock.resources import documents
from tests.resources.corpus import GOOD, read

WRONG: tuple[object, ...] = (3, 1.5, True, "", "x y/z", [], [1], {}, {"zzz": 1}, [{"a": 1}], None)
# Words of pydantic's own messages, which nobody should read.
RAW = (
    "Input should",
    "valid string",
    "Extra inputs",
    "Field required",
    "Unable to",
    "union_tag",
    "Value error",
    "\0",
)

# Compared by kind: one good document of each, as rich as the corpus has it.
RICH = [
    "an environment of image and conda file", "an environment with server routes", "a data file", "a model of a run",
    "a cluster", "a workspace with cloud keys", "a command job", "a pipeline", "bindings in compute, limits and variables",
]  # fmt: skip


def places_in(value: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of everything in a document."""
    items: list[tuple[Any, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for key, item in items:
        yield (*path, key)
        yield from places_in(item, (*path, key))


def with_value(document: Any, path: tuple[Any, ...], value: object) -> Any:
    changed = json.loads(json.dumps(document))
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


def problems_of(kind: str, data: Any) -> tuple[Problem, ...]:
    try:
        documents.parse(kind, data)
    except InvalidDocument as error:
        return error.problems or pytest.fail("an error without a problem")
    return ()


def assert_for_people(problems: tuple[Problem, ...]) -> None:
    for problem in problems:
        said = " ".join(filter(None, (problem.message, problem.expected, problem.hint)))
        assert not any(word in said for word in RAW), said
        assert "{" not in problem.message.replace("${{", "").replace("{<name>", ""), said
    places = [(problem.pointer, problem.message) for problem in problems]
    assert len(places) == len(set(places))


@pytest.mark.parametrize("name", RICH)
def test_a_wrong_value_anywhere_is_said_in_words(name: str) -> None:
    """Every place of a good document is given every kind of wrong value."""
    kind, text = GOOD[name]
    document = read(text)

    for path in places_in(document):
        for value in WRONG:
            assert_for_people(problems_of(kind, with_value(document, path, value)))


@pytest.mark.parametrize("name", RICH)
def test_a_wrong_value_gives_one_problem_at_its_place(name: str) -> None:
    """No problem for every branch of a union: a list where a list cannot be is told once."""
    kind, text = GOOD[name]
    document = read(text)

    for path in places_in(document):
        if any(isinstance(part, int) for part in path) or "conda_file" in path[:-1]:
            continue
        pointer = "/" + "/".join(map(str, path))
        problems = problems_of(kind, with_value(document, path, [[]]))
        here = [problem for problem in problems if problem.pointer.startswith(pointer)]
        assert len(here) == 1, (pointer, here)


_json = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=True) | st.sampled_from(
        ["", "x", "command", "pipeline", "${{inputs.x}}", "${{parent.jobs.a.outputs.o}}", "${{", "azureml:x:1", "1e400"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(
            ["a", "x", "type", "jobs", "inputs", "outputs", "command", "environment", "component", "path", "value",
             "limits", "settings", "image", "conda_file", "tags", "default", "min", "optional", "compute", "A~/b"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=25,
)  # fmt: skip


@given(kind=st.sampled_from(sorted(documents.MODELS)), data=_json)
def test_no_document_is_too_strange(kind: str, data: Any) -> None:
    """Any JSON is either a resource or an InvalidDocument with problems for people."""
    assert_for_people(problems_of(kind, data))
