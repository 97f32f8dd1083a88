"""A server that is killed while it takes in a model."""

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from penstock.tracking.half_made import HalfMadeModels
from penstock.tracking.models import Models
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs

pytestmark = pytest.mark.slow


class Killed(MlflowRest):
    """Calls to MLflow, until one that is never asked: whoever makes it stands still for ever, as a killed server does."""

    def __init__(self, rest: MlflowRest, at: str) -> None:
        super().__init__(rest.server)
        self._at = at
        self.struck = threading.Event()

    def call(
        self,
        workspace: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        if path == self._at:
            self.struck.set()
            threading.Event().wait()
        return super().call(workspace, method, path, params=params, body=body)


def kill(rest: MlflowRest, at: str, workspace: str, source: Path) -> None:
    """Begin to create a model, and get no further than a call."""
    killed = Killed(rest, at)
    work = threading.Thread(target=lambda: Models(killed).create(workspace, "taxi", "1", source), daemon=True)
    work.start()
    assert killed.struck.wait(60)


def logged(rest: MlflowRest, workspace: str) -> list[Any]:
    body = {"experiment_ids": [Runs(rest).experiment_id(workspace, "registered models")]}
    found: list[Any] = rest.post(workspace, "logged-models/search", body).get("models", [])
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A model of one file."""
    file = tmp_path / "weights.bin"
    file.write_bytes(b"\x00" * 1000)
    return file


@pytest.mark.parametrize(
    ("at", "left"), [("logged-models", 0), ("registered-models/create", 1), ("model-versions/create", 1)]
)
def test_what_a_kill_left_is_found_and_removed(
    rest: MlflowRest, workspace: str, source: Path, at: str, left: int
) -> None:
    """Wherever it struck; what the same server is about to make is not touched, and the model can be made then."""
    began = time.time()
    half_made = HalfMadeModels(rest)

    kill(rest, at, workspace, source)
    assert len(logged(rest, workspace)) == left
    assert half_made.found(before=began) == []
    [one] = half_made.found(before=time.time() + 1)
    half_made.remove(one)

    assert logged(rest, workspace) == []
    assert half_made.found(before=time.time() + 1) == []
    assert not list(rest.artifacts_of(workspace).rglob("weights.bin"))
    made = Models(rest).create(workspace, "taxi", "1", source)
    assert (Models(rest).local_folder(workspace, "taxi", made.version) / "weights.bin").is_file()


def test_a_version_that_was_made_before_the_kill_stays(
    rest: MlflowRest, workspace: str, source: Path
) -> None:
    """Only the note of it goes: it was the last thing to be removed."""
    note = rest.server.folder / "incoming" / "x.json"
    models, half_made = Models(rest), HalfMadeModels(rest)
    made = models.create(workspace, "taxi", "1", source)
    [model] = logged(rest, workspace)
    tag = next(each["value"] for each in model["info"]["tags"] if each["key"] == "penstock.taken_in")
    note = note.with_name(f"{tag}.json")
    note.write_text(
        f'{{"workspace": "{workspace}", "experiment": "{model["info"]["experiment_id"]}"}}', "utf-8"
    )

    [one] = half_made.found(before=time.time() + 1)
    half_made.remove(one)

    assert half_made.found(before=time.time() + 1) == []
    assert (models.local_folder(workspace, "taxi", made.version) / "weights.bin").is_file()


def test_what_was_made_of_a_workspace_that_is_gone_is_forgotten(
    rest: MlflowRest, workspace: str, source: Path
) -> None:
    """MLflow has removed it with the workspace."""
    half_made = HalfMadeModels(rest)
    kill(rest, "model-versions/create", workspace, source)
    rest.delete_workspace(workspace)

    [one] = half_made.found(before=time.time() + 1)
    half_made.remove(one)

    assert half_made.found(before=time.time() + 1) == []
