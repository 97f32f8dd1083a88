"""The model registry, which is MLflow's: what `penstock model …` and `azureml:name@label` see, every MLflow client sees.

A version made here is a logged model of MLflow's whose files are laid straight into the artifact folder, so that
`mlflow.pyfunc.load_model("models:/name/1")` works with every client from 1.30 on.
"""

import json
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from penstock.errors import AlreadyExists, InvalidDocument, NotFound, PenstockError
from penstock.resources.scope import flag_of, reference_to, told
from penstock.tracking import model_files, model_records
from penstock.tracking.model_folders import ModelFolders
from penstock.tracking.model_records import (
    ModelType,
    ModelVersion,
    find_version,
    get_version,
    records_of,
    with_model,
)
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import quoted

_PAGE = 1000
_MLMODEL = "MLmodel"
# Bytes of an MLmodel file; MLflow's own are a few thousand.
_LONGEST_MLMODEL = 1_000_000


class Models:
    """Registered models of every workspace. Safe to use from several threads of the one control plane."""

    def __init__(self, rest: MlflowRest) -> None:
        self._rest = rest
        self._folders = ModelFolders(rest)
        self._locks: defaultdict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def catalogue(self, workspace: str) -> list[ModelVersion]:
        """One version of every model, by name: the newest that is not archived; where all are, the newest."""
        said = {
            model["name"]: model
            for model in self._pages(workspace, "registered-models/search", "registered_models")
        }
        newest: dict[str, ModelVersion] = {}
        for record in records_of(self._pages(workspace, "model-versions/search", "model_versions")):
            found = with_model(record, said.get(record.name, {}))
            present = newest.get(record.name)
            if present is None or (present.archived and not found.archived):
                newest[record.name] = found
        return [newest[name] for name in sorted(newest)]

    def versions(self, workspace: str, name: str) -> list[ModelVersion]:
        """All versions of one model, newest first; empty where there is no such model."""
        wanted = f"name = {quoted(name)}"
        found = records_of(self._pages(workspace, "model-versions/search", "model_versions", wanted))
        if not found:
            return []
        model = self._rest.get(workspace, "registered-models/get", {"name": name})["registered_model"]
        return [with_model(record, model) for record in found]

    def find(self, workspace: str, name: str, version: str) -> ModelVersion | None:
        """One version with its flavors, by our name for it or MLflow's number; None if there is none."""
        found = find_version(self.versions(workspace, name), version)
        return None if found is None else self._with_flavors(workspace, found)

    def get(self, workspace: str, name: str, version: str) -> ModelVersion:
        """As `find`; NotFound says which versions there are."""
        versions = self.versions(workspace, name)
        return self._with_flavors(workspace, get_version(versions, workspace, name, version))

    def labelled(self, workspace: str, name: str, label: str = "latest") -> ModelVersion:
        """The version that a label names: `latest` the newest that is not archived, else MLflow's alias."""
        versions = self.versions(workspace, name)
        for record in versions:
            if label in record.aliases or (label == "latest" and not record.archived):
                return self._with_flavors(workspace, record)
        if label == "latest" and versions:
            raise NotFound(
                f"model `{name}@{label}` was not found in {told(workspace)}: all its versions are archived",
                hint=f"`penstock model restore -n {name}{flag_of(workspace)}`, or name a version: "
                f"`{reference_to(workspace, 'model', name, versions[0].version)}`",
            )
        labels = sorted({alias for record in versions for alias in record.aliases} | {"latest"})
        known = f"its labels: {', '.join(labels)}" if versions else "no such name"
        raise NotFound(
            f"model `{name}@{label}` was not found in {told(workspace)}",
            details=[f"looked in: {told(workspace)} ({known})"],
            hint=None if versions else model_records.how_to_list(workspace),
        )

    def create(
        self,
        workspace: str,
        name: str,
        version: str | None,
        source: Path,
        *,
        type: ModelType = "custom_model",  # noqa: A002  the YAML file's word
        file_name: str | None = None,
        is_folder: bool | None = None,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        stage: str | None = None,
        job_name: str | None = None,
        run_id: str | None = None,
    ) -> ModelVersion:
        """Register a local file or folder; `version` None takes the next number.

        A version that exists with the same content is that one, described as it is now; with other content it is
        AlreadyExists. `run_id` is the MLflow run that made it, which its page then links to. `file_name` is what the file
        or folder was called where it came from; `is_folder` says which it was, where `source` does not.
        """
        folder = source.is_dir() if is_folder is None else is_folder
        with self._locks[workspace, name], self._folders.taken_in(source) as (staged, files):
            digest = model_files.digest_of(files)
            _check_type(type, name, files)
            versions = self.versions(workspace, name)
            existing = find_version(versions, version) if version is not None else None
            if existing is not None and existing.version == version:
                self._must_be_same(existing, digest)
                return self._described(workspace, existing, description, tags, properties, stage)
            own = {
                model_records.VERSION: version or model_records.next_version(versions),
                model_records.TYPE: type,
                model_records.DIGEST: digest,
                model_records.FILE_NAME: file_name or source.name,
                model_records.PROPERTIES: json.dumps(dict(properties or {})),
                **({model_records.FOLDER_NAME: file_name or source.name} if folder else {}),
                **({model_records.STAGE: stage} if stage else {}),
                **({model_records.JOB: job_name} if job_name else {}),
            }
            self._folders.keep_manifest(digest, files)
            logged = self._folders.log(workspace, name, run_id, staged)
            body = {
                "name": name,
                "source": f"models:/{logged}",
                "model_id": logged,
                "description": description or "",
                "tags": _pairs({**model_records.tags_for(tags or {}), **own}),
                **({"run_id": run_id} if run_id else {}),
            }
            try:
                with suppress(AlreadyExists):
                    self._rest.post(workspace, "registered-models/create", {"name": name})
                self._rest.post(workspace, "model-versions/create", body)
            except PenstockError:
                self._folders.forget(workspace, logged)
                raise
        return self.get(workspace, name, own[model_records.VERSION])

    def update(
        self,
        workspace: str,
        name: str,
        version: str,
        *,
        description: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, str] | None = None,
        stage: str | None = None,
        archived: bool | None = None,
    ) -> ModelVersion:
        """Change what may change; None leaves it as it is, an empty text removes it.

        `tags` and `properties` replace a person's as a whole.
        """
        record = self.get(workspace, name, version)
        which = {"name": name, "version": record.mlflow_version}
        if description is not None:
            body = {**which, "description": description}
            self._rest.call(workspace, "PATCH", "model-versions/update", body=body)
        wanted: dict[str, str] = {} if archived is None else {model_records.ARCHIVED: str(archived).lower()}
        if properties is not None:
            wanted[model_records.PROPERTIES] = json.dumps(dict(properties))
        if stage is not None:
            wanted[model_records.STAGE] = stage
        if tags is not None:
            wanted.update({model_records.OTHER_TAGS: "{}", **model_records.tags_for(tags)})
            for key in model_records.tags_for(record.tags).keys() - wanted.keys():
                self._rest.call(workspace, "DELETE", "model-versions/delete-tag", body={**which, "key": key})
        for key, value in wanted.items():
            self._rest.post(workspace, "model-versions/set-tag", {**which, "key": key, "value": value})
        return self.get(workspace, name, version)

    def archive_whole(self, workspace: str, name: str, archived: bool) -> None:
        """Archive or restore a model with all its versions, also those that were archived alone. NotFound without any."""
        versions = self.versions(workspace, name)
        if not versions:
            get_version((), workspace, name, "latest")
        body = {"name": name, "key": model_records.ARCHIVED, "value": str(archived).lower()}
        self._rest.post(workspace, "registered-models/set-tag", body)
        for record in versions if not archived else ():
            if record.archived_alone:
                which = {"name": name, "version": record.mlflow_version, "key": model_records.ARCHIVED}
                self._rest.post(workspace, "model-versions/set-tag", {**which, "value": "false"})

    def delete(self, workspace: str, name: str, version: str) -> None:
        """Delete one version, with its files if they were taken in here; the model too if it was the last."""
        with self._locks[workspace, name]:
            versions = self.versions(workspace, name)
            record = get_version(versions, workspace, name, version)
            which = {"name": name, "version": record.mlflow_version}
            self._rest.call(workspace, "DELETE", "model-versions/delete", body=which)
            if len(versions) == 1:
                self._rest.call(workspace, "DELETE", "registered-models/delete", body={"name": name})
            if record.digest is not None and record.path.startswith("models:/m-"):
                self._folders.forget(workspace, record.path.removeprefix("models:/"))

    def local_folder(self, workspace: str, name: str, version: str, *, verify: bool = True) -> Path:
        """The folder on this machine that holds the version's files.

        With `verify`, files that were taken in here are read again; Conflict names those that have changed since.
        """
        record = get_version(self.versions(workspace, name), workspace, name, version)
        folder = self._place_of(workspace, record, verify=verify)
        if not folder.is_dir():
            raise NotFound(f"the files of model `{name}:{version}` are gone: {folder} does not exist")
        return folder

    def local_place(self, workspace: str, name: str, version: str, *, verify: bool = True) -> Path:
        """As `local_folder`; what an MLflow client registered may be a single file."""
        record = get_version(self.versions(workspace, name), workspace, name, version)
        place = self._place_of(workspace, record, verify=verify)
        if not place.exists():
            raise NotFound(f"the files of model `{name}:{version}` are gone: {place} does not exist")
        return place

    def folder_name(self, workspace: str, name: str, version: str) -> str | None:
        """What the folder was called that the version was made of; None where it is a single file."""
        record = get_version(self.versions(workspace, name), workspace, name, version)
        if record.digest is not None:
            return record.folder_name
        return self._folders.name_of(workspace, record)

    def _place_of(self, workspace: str, record: ModelVersion, *, verify: bool) -> Path:
        place = self._folders.folder_of(workspace, record)
        if verify and record.digest is not None and place.is_dir():
            self._folders.check(place, record.digest, f"model `{record.name}:{record.version}`")
        return place

    def logged_by(self, workspace: str, run_id: str) -> dict[str, Path]:
        """Where a run's `log_…` calls wrote: its artifacts under ``, its logged models by name."""
        return self._folders.all_of_run(workspace, run_id)

    def run_artifact(self, workspace: str, run_id: str, path: str) -> Path:
        """Where `runs:/<run>/<path>` is on this machine. Whether there is anything is for the caller to look."""
        return self._folders.of_run(workspace, run_id, path)

    def _pages(
        self, workspace: str, path: str, what: str, wanted: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """MLflow's records, page by page. `Any`: JSON."""
        params: dict[str, Any] = {"max_results": _PAGE, **({"filter": wanted} if wanted else {})}
        while True:
            answer = self._rest.get(workspace, path, params)
            yield from answer.get(what, ())
            token = answer.get("next_page_token")
            if not token:
                return
            params["page_token"] = token

    def _described(
        self,
        workspace: str,
        existing: ModelVersion,
        description: str | None,
        tags: Mapping[str, str] | None,
        properties: Mapping[str, str] | None,
        stage: str | None,
    ) -> ModelVersion:
        """The version with what is said of it now; what is not said stays."""
        wanted: dict[str, Any] = {
            "description": existing.description if description is None else description or None,
            "tags": {**existing.tags, **(tags or {})},
            "properties": {**existing.properties, **(properties or {})},
            "stage": existing.stage if stage is None else stage or None,
        }
        changed = {key: value for key, value in wanted.items() if getattr(existing, key) != value}
        if not changed:
            return self._with_flavors(workspace, existing)
        texts: dict[str, Any] = {key: "" if value is None else value for key, value in changed.items()}
        return self.update(workspace, existing.name, existing.version, **texts)

    def _must_be_same(self, existing: ModelVersion, digest: str) -> None:
        if existing.digest == digest:
            return
        raise AlreadyExists(
            f"model `{existing.name}:{existing.version}` exists with other content",
            details=[f"registered: {(existing.digest or 'by an MLflow client, without digest')[:40]}", f"given: {digest[:40]}"],
            hint="leave the version out to get the next one, or give one that is free",
        )  # fmt: skip

    def _with_flavors(self, workspace: str, record: ModelVersion) -> ModelVersion:
        """The record with what its MLmodel file says; nothing for a model that has none."""
        if record.type == "custom_model":
            return replace(record, flavors={})
        from penstock.resources.yaml_source import load_yaml

        try:
            with (self._folders.folder_of(workspace, record) / _MLMODEL).open("rb") as file:
                text = file.read(_LONGEST_MLMODEL).decode("utf-8")
            said = load_yaml(text, name=f"{record.name}:{record.version}/{_MLMODEL}")
            flavors = said.get("flavors", {})
        except (NotFound, OSError, ValueError, AttributeError, InvalidDocument):
            flavors = {}  # the version may come from elsewhere or be damaged; a list of models still shows it
        return replace(record, flavors=flavors)


def _check_type(type: ModelType, name: str, files: tuple[model_files.ModelFile, ...]) -> None:  # noqa: A002
    if type == "mlflow_model" and all(file.path != _MLMODEL for file in files):
        raise PenstockError(
            f"model `{name}` is said to be an mlflow_model, but its folder has no file {_MLMODEL}",
            details=[f"found: {', '.join(file.path for file in files[:5])}"],
            hint="give the folder that `mlflow.<flavor>.save_model` wrote, or say `type: custom_model`",
        )


def _pairs(entries: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in entries.items()]
