"""Reading JSON bodies that could make MLflow look outside a workspace's own artifacts.

MLflow takes an experiment's artifact location, and the tags in which a trace keeps its own, from the client, and later
reads from there as the server. Only locations inside the workspace's artifacts pass.
"""

import json
from collections.abc import Iterator
from typing import Any

from penstock.errors import PenstockError
from penstock.tracking.paths import UnsafePath, check_artifact_path

_SCHEME = "mlflow-artifacts:/"
_LOCATION_FIELDS = frozenset({"artifact_location", "artifactLocation"})
_LOCATION_TAGS = frozenset({"mlflow.artifactLocation", "mlflow.trace.archiveLocation"})
# MLflow switches to another reader by this tag; clients never need to set the archived one.
_SPANS_TAG, _ARCHIVED = "mlflow.trace.spansLocation", "ARCHIVE_REPO"


class OutsideLocation(PenstockError):
    """A location that is not one of the workspace's own artifacts."""


def needs_reading(path: str) -> bool:
    """Whether the body of a write to this path carries a location."""
    return path.endswith("/mlflow/experiments/create") or "/mlflow/traces" in path


def checked(body: bytes, workspace: str) -> bytes:
    """The body in a spelling of our own, once nothing in it points outside; `workspace` is MLflow's name for it.

    Written anew, so that MLflow cannot read anything else in it than was read here.
    """
    if not body.strip():
        return body
    try:
        read = json.loads(body)
        if isinstance(read, str):  # old clients encode twice, and MLflow decodes twice
            read = json.loads(read)
    except (ValueError, RecursionError) as error:
        raise OutsideLocation("the body is not JSON") from error
    for value in _locations(read):
        check_location(value, workspace)
    return json.dumps(read).encode()


def check_location(location: object, workspace: str) -> None:
    """Refuse a location that is not below the workspace's artifacts."""
    if location in (None, ""):
        return
    text = str(location)
    refused = OutsideLocation(
        f"artifacts cannot be kept at {text!r}: they belong to the workspace's own store",
        hint="leave the location out; MLflow puts artifacts in the workspace",
    )
    if not text.startswith(_SCHEME):
        raise refused
    below = text.removeprefix(_SCHEME)
    try:
        check_artifact_path(below)
    except UnsafePath as error:
        raise refused from error
    segments = below.split("/")
    if any(character in below for character in "?#;%") or (
        segments[0] == "workspaces" and segments[1:2] != [workspace]
    ):
        raise refused


def _locations(value: Any) -> Iterator[object]:
    """Every location that the body names, at any depth. `Any`: JSON."""
    waiting = [value]
    while waiting:
        here = waiting.pop()
        if isinstance(here, list):
            waiting.extend(here)
        elif isinstance(here, dict):
            waiting.extend(here.values())
            yield from (here[name] for name in (_LOCATION_FIELDS | _LOCATION_TAGS) & here.keys())
            key, said = here.get("key"), here.get("value")
            if key in _LOCATION_TAGS:
                yield said
            if (key == _SPANS_TAG and said == _ARCHIVED) or here.get(_SPANS_TAG) == _ARCHIVED:
                yield _ARCHIVED
