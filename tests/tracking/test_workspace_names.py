"""Names of workspaces in MLflow, whose rule is stricter than ours."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.tracking.rest import mlflow_workspace


@pytest.mark.parametrize("name", ["default", "demo", "team-a", "x1", "a" * 63])
def test_a_legal_name_stays_as_it_is(name: str) -> None:
    """So that people find it in MLflow."""
    assert mlflow_workspace(name) == name


@pytest.mark.parametrize(
    "name", ["Demo", "a_b", "a", "api", "workspaces", "-x", "x-", "a" * 64, "é", "a.b", ""]
)
def test_another_name_becomes_a_legal_one(name: str) -> None:
    """With a digest, so that it cannot meet another name."""
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?-x[0-9a-f]{12}", mlflow_workspace(name))


@given(st.text(max_size=80))
def test_a_name_never_takes_anothers_place(name: str) -> None:
    """What a mapped name looks like is itself mapped when somebody uses it as a name."""
    mapped = mlflow_workspace(name)

    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", mapped)
    assert 2 <= len(mapped) <= 63
    assert mapped == name or mlflow_workspace(mapped) != mapped
