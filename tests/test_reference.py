"""What the reference pages are made of is true: examples are read, named tests exist, every case has one."""

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.resources.validation import validate_file

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "docs" / "reference" / "sources"
EXAMPLES = SOURCES / "examples"

# How many cases each part of the semantics has; what is not here yet is said so in its row.
CASES = {1: 8, 2: 6, 3: 6, 4: 8, 5: 8, 6: 8, 15: 5, 16: 5, 17: 5}
LATER = {"6.4": "reuse of steps", "16.4": "endpoints"}

# On what the public sources disagree, or say nothing, and everybody meets: words of the row that decides it.
DISPUTED = (
    "continue_on_step_failure", "evaluation_interval", "idle_time_before_scale_down", "keys of a recurrence", "chi-square",
    "transformation code", "preprocessing component", "max_concurrency_per_instance", "reference window", "`compute` left out",
    "`job download` without a path", "rolling_rate", "retries left out", "variables that a step sees", "data window",
    "cron expression",
)  # fmt: skip

# The kinds of the example files; the conda file and the map belong to others and are no documents.
KINDS = {
    "workspace.yml": "workspace",
    "registry.yml": "registry",
    "environment.yml": "environment",
    "data.yml": "data",
    "expectations.yml": "expectations",
    "flowers/MLTable": "mltable",
    "datastore.yml": "datastore",
    "datastore-blob.yml": "datastore",
    "model.yml": "model",
    "compute.yml": "compute",
    "component.yml": "component",
    "pipeline-component.yml": "component",
    "job.yml": "job",
    "pipeline.yml": "job",
    "nested.yml": "job",
    "values.yml": "job",
}


def source(name: str) -> Any:
    return yaml.safe_load((SOURCES / name).read_text(encoding="utf-8"))


@cache
def docstrings(path: str) -> dict[str, str]:
    """The docstrings of a file's tests, by name."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    return {node.name: ast.get_docstring(node) or "" for node in functions if node.name.startswith("test_")}


def numbers_in(docstring: str) -> set[str]:
    """`Edge case 1.2 …`, `Edge cases 4.8 and 5.3 …`."""
    runs = re.findall(r"Edge cases? (\d+\.\d+(?:(?:, | and )\d+\.\d+)*)", docstring)
    return {number for run in runs for number in re.findall(r"\d+\.\d+", run)}


@pytest.mark.parametrize("name", KINDS)
def test_an_example_of_the_reference_is_a_good_file(name: str) -> None:
    """As `penstock validate` judges it: read by the models, with all that it includes."""
    verdict = validate_file(EXAMPLES / name)

    assert verdict.problems == ()
    assert verdict.kind == KINDS[name]


def test_every_example_is_shown_and_every_noun_with_a_file_has_one() -> None:
    """No file lies about that no page shows, but for what the shown ones include."""
    shown = {name for page in source("pages.yml") for name in page.get("examples", ())}

    assert shown - {"conda.yml"} == set(KINDS)
    assert [
        page["page"] for page in source("pages.yml") if page.get("sections") and not page.get("examples")
    ] == []


@pytest.mark.parametrize("row", source("edge-cases.yml"), ids=lambda row: row["number"])
def test_a_case_of_the_reference_is_held_by_the_test_it_names(row: dict[str, Any]) -> None:
    """The test exists, and says the case's number. What is not here yet has no test and says what it waits for."""
    if row["number"] in LATER:
        assert row["later"] == LATER[row["number"]]
        return
    path, name = row["test"].split("::")

    assert row["number"] in numbers_in(docstrings(path)[name])


def test_every_case_in_scope_is_told_and_held() -> None:
    """One row at least for each, and one docstring at least."""
    wanted = {f"{part}.{number}" for part, count in CASES.items() for number in range(1, count + 1)}
    tests = [path.relative_to(ROOT).as_posix() for path in ROOT.glob("tests/**/test_*.py")]
    held = {number for path in tests for text in docstrings(path).values() for number in numbers_in(text)}

    assert {row["number"] for row in source("edge-cases.yml")} == wanted
    assert held == wanted - LATER.keys()


@pytest.mark.parametrize("words", DISPUTED)
def test_every_disputed_topic_is_decided(words: str) -> None:
    """In one row and no second; what is not here yet says so."""
    (row,) = [row for row in source("decisions.yml") if words in row["topic"]]

    assert row["here"] == "not here yet" or row["pages"]


def test_a_decision_has_one_row() -> None:
    """Its topic, what the sources say, and what is done; where it has no page its noun is not here yet."""
    rows = source("decisions.yml")
    topics = [row["topic"] for row in rows]

    assert sorted(set(topics)) == sorted(topics)
    assert [row for row in rows if set(row) != {"topic", "pages", "sources", "here"} or not row["here"]] == []
    assert [row["topic"] for row in rows if not row["pages"] and row["here"] != "not here yet"] == []
