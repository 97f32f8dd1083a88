"""JSON bodies that name places: only those inside the workspace pass."""

import json

import pytest

from penstock.tracking.bodies import OutsideLocation, check_location, checked, needs_reading

OUTSIDE = [
    "/etc", "file:///etc", "file:/etc", "s3://bucket/x", "http://127.0.0.1:80/x", "https://example.org", "ftp://x/y",
    "dbfs:/x", "hdfs://x", "mlflow-artifacts://host/x", "mlflow-artifacts:/../../etc", "mlflow-artifacts:/%2e%2e/x",
    "mlflow-artifacts:/x/../../y", "mlflow-artifacts:/workspaces/prod/1", "mlflow-artifacts:/workspaces",
    "mlflow-artifacts:/./workspaces/prod", "mlflow-artifacts:/x?y=../..", "mlflow-artifacts:/x#../..",
    "mlflow-artifacts:/x;y", "MLFLOW-ARTIFACTS:/x", "./x", "x", "\\\\host\\share", "C:\\x", "mlflow-artifacts:x",
    {"a": 1}, 7, ["/etc"],
]  # fmt: skip


@pytest.mark.parametrize("location", OUTSIDE)
def test_reliability_03_a_location_outside_the_workspace_is_refused(location: object) -> None:
    """As an experiment's location, in both spellings of the field, and in a trace's tags."""
    with pytest.raises(OutsideLocation):
        check_location(location, "demo")
    for body in (
        {"name": "e", "artifact_location": location},
        {"name": "e", "artifactLocation": location},
        {"key": "mlflow.artifactLocation", "value": location},
        {"trace": {"trace_info": {"tags": {"mlflow.trace.archiveLocation": location}}}},
        {"tags": [{"key": "x", "value": "y"}, {"key": "mlflow.artifactLocation", "value": location}]},
    ):
        with pytest.raises(OutsideLocation):
            checked(json.dumps(body).encode(), "demo")
        with pytest.raises(OutsideLocation):
            checked(json.dumps(json.dumps(body)).encode(), "demo")


@pytest.mark.parametrize("location", ["mlflow-artifacts:/x", "mlflow-artifacts:/workspaces/demo/1", "", None])
def test_a_location_inside_the_workspace_passes(location: str | None) -> None:
    """Unchanged."""
    body = {"name": "e", "artifact_location": location}

    assert json.loads(checked(json.dumps(body).encode(), "demo")) == body


def test_the_archived_reader_cannot_be_chosen() -> None:
    """MLflow would read a trace from where the client says."""
    body = {"key": "mlflow.trace.spansLocation", "value": "ARCHIVE_REPO"}

    with pytest.raises(OutsideLocation):
        checked(json.dumps(body).encode(), "demo")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b'"{"'])
def test_a_body_that_is_not_json_is_refused(body: bytes) -> None:
    """What we cannot read, MLflow does not get."""
    with pytest.raises(OutsideLocation, match="not JSON"):
        checked(body, "demo")


def test_of_two_equal_names_mlflow_reads_the_one_that_was_checked() -> None:
    """The body is written anew, so that there is one."""
    body = b'{"artifact_location": "/etc", "artifact_location": ""}'

    assert json.loads(checked(body, "demo")) == {"artifact_location": ""}
    assert checked(body, "demo").count(b"artifact_location") == 1


@pytest.mark.parametrize(
    "path",
    ["/api/2.0/mlflow/experiments/create", "/ajax-api/3.0/mlflow/traces", "/api/2.0/mlflow/traces/tr-1/tags"],
)  # fmt: skip
def test_bodies_with_locations_are_read(path: str) -> None:
    """Of both prefixes."""
    assert needs_reading(path)
