"""Where models' files lie: taken in from a local path, laid where MLflow looks for them, found again from its sources."""

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from penstock.errors import NotFound, PenstockError
from penstock.tracking import model_files
from penstock.tracking.model_records import ModelVersion
from penstock.tracking.rest import DEFAULT_WORKSPACE, MlflowRest, mlflow_workspace
from penstock.tracking.runs import Runs, quoted

# The experiment that holds logged models which no run has made.
_HOME_EXPERIMENT = "registered models"
# Which copy a logged model of ours was made of (`half_made.py`).
TAKEN_IN = "penstock.taken_in"


class ModelFolders:
    """The files of registered models on this machine."""

    def __init__(self, rest: MlflowRest) -> None:
        self._rest = rest
        self._runs = Runs(rest)

    @property
    def incoming(self) -> Path:
        """Where copies lie until they are in place."""
        return self._rest.server.folder / "incoming"

    @contextmanager
    def taken_in(self, source: Path) -> Iterator[tuple[Path, tuple[model_files.ModelFile, ...]]]:
        """A private copy of the files on the artifacts' own disk, so that laying it in place is a rename."""
        staged = self.incoming / uuid.uuid4().hex
        try:
            yield staged, model_files.copy_in(source, staged)
        finally:
            shutil.rmtree(staged, ignore_errors=True)
            _note_of(staged).unlink(missing_ok=True)

    def log(self, workspace: str, name: str, run_id: str | None, staged: Path) -> str:
        """Make a logged model of the staged files; answers its id."""
        if run_id is None:
            experiment = self._runs.experiment_id(workspace, _HOME_EXPERIMENT)
        else:
            experiment = self._rest.get(workspace, "runs/get", {"run_id": run_id})["run"]["info"][
                "experiment_id"
            ]
        legal = "".join("-" if character in "/:.%\"'" else character for character in name)
        _note_of(staged).write_text(json.dumps({"workspace": workspace, "experiment": experiment}), "utf-8")
        body = {
            "experiment_id": experiment,
            "name": legal,
            "tags": [{"key": TAKEN_IN, "value": staged.name}],
            **({"source_run_id": run_id} if run_id else {}),
        }
        info = self._rest.post(workspace, "logged-models", body)["model"]["info"]
        identifier = str(info["model_id"])
        try:
            place = self._local(workspace, info["artifact_uri"])
            place.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(place)
            ready = {"model_id": identifier, "status": "LOGGED_MODEL_READY"}
            self._rest.call(workspace, "PATCH", f"logged-models/{identifier}", body=ready)
        except (PenstockError, OSError):
            self.forget(workspace, identifier)
            raise
        return identifier

    def forget(self, workspace: str, identifier: str) -> None:
        """Remove a logged model and its files."""
        with suppress(NotFound):
            folder = self._logged(workspace, identifier)
            self._rest.call(workspace, "DELETE", f"logged-models/{identifier}")
            shutil.rmtree(folder.parent, ignore_errors=True)

    def folder_of(self, workspace: str, record: ModelVersion) -> Path:
        """Where the version's files lie, if they still do."""
        which = {"name": record.name, "version": record.mlflow_version}
        source = self._rest.get(workspace, "model-versions/get-download-uri", which)["artifact_uri"]
        return self._resolve(workspace, str(source))

    def name_of(self, workspace: str, record: ModelVersion) -> str | None:
        """What an MLflow client called the folder that it registered: `model` of `log_model(name="model")`."""
        if record.path.startswith("models:/m-"):
            identifier = record.path.removeprefix("models:/")
            answer = self._rest.get(workspace, f"logged-models/{quote(identifier, safe='')}")
            return str(answer["model"]["info"]["name"])
        place = self.folder_of(workspace, record)
        return place.name if place.is_dir() else None

    def _resolve(self, workspace: str, source: str) -> Path:
        if source.startswith("models:/m-"):
            return self._logged(workspace, source.removeprefix("models:/"))
        if source.startswith("runs:/"):
            return self.of_run(workspace, *source.removeprefix("runs:/").partition("/")[::2])
        return self._local(workspace, source)

    def _logged(self, workspace: str, identifier: str) -> Path:
        answer = self._rest.get(workspace, f"logged-models/{quote(identifier, safe='')}")
        return self._local(workspace, answer["model"]["info"]["artifact_uri"])

    def of_run(self, workspace: str, run_id: str, path: str) -> Path:
        """The place of `runs:/<run>/<path>`: in the run's artifacts, or since MLflow 3 in a logged model of the run."""
        run = self._rest.get(workspace, "runs/get", {"run_id": run_id})["run"]["info"]
        place = self._local(workspace, f"{run['artifact_uri']}/{path}")
        if place.exists():
            return place
        name, _, inside = path.strip("/").partition("/")
        logged = self._logged_by(workspace, run, f" AND name = {quoted(name)}").get(name)
        if logged is None or ".." in inside.split("/"):
            return place
        return logged / inside

    def all_of_run(self, workspace: str, run_id: str) -> dict[str, Path]:
        """Every place that a run's `log_…` calls wrote to: its artifacts under ``, its logged models by name."""
        run = self._rest.get(workspace, "runs/get", {"run_id": run_id})["run"]["info"]
        return {"": self._local(workspace, run["artifact_uri"]), **self._logged_by(workspace, run, "")}

    def _logged_by(self, workspace: str, run: dict[str, Any], also: str) -> dict[str, Path]:
        """The run's logged models by name, of each name the newest. `Any`: JSON."""
        body = {
            "experiment_ids": [run["experiment_id"]],
            "filter": f"source_run_id = {quoted(run['run_id'])}{also}",
            "order_by": [{"field_name": "creation_timestamp", "ascending": True}],
        }
        found: dict[str, Path] = {}
        while True:
            answer = self._rest.post(workspace, "logged-models/search", body)
            for model in answer.get("models", ()):
                found[str(model["info"]["name"])] = self._local(workspace, model["info"]["artifact_uri"])
            token = answer.get("next_page_token")
            if not token:
                return found
            body["page_token"] = token

    def _local(self, workspace: str, uri: str) -> Path:
        name = mlflow_workspace(workspace)
        artifacts = self._rest.server.folder / "artifacts"
        return model_files.local_path(artifacts, uri, None if name == DEFAULT_WORKSPACE else name)

    def _manifest(self, digest: str) -> Path:
        return self._rest.server.folder / "manifests" / f"{digest}.json"

    def check(self, folder: Path, digest: str, what: str) -> None:
        """Compare the files with those that came in under this digest; Conflict names what differs."""
        manifest = self._manifest(digest)
        if manifest.exists():
            model_files.check(folder, manifest.read_bytes(), what)

    def keep_manifest(self, digest: str, files: tuple[model_files.ModelFile, ...]) -> None:
        """Remember the files behind a digest, so that a later check can name the one that differs."""
        target = self._manifest(digest)
        target.parent.mkdir(exist_ok=True)
        fresh = target.with_suffix(f".{uuid.uuid4().hex}")
        fresh.write_bytes(model_files.manifest_of(files))
        fresh.replace(target)


def _note_of(staged: Path) -> Path:
    """What is known of a copy that is being taken in (`half_made.py`)."""
    return staged.with_name(f"{staged.name}.json")
