"""Reading a model version out of MLflow's record of it, and finding the version that a name means.

MLflow numbers versions 1, 2, 3, …; Azure ML takes any word. A version that MLflow numbered otherwise than it was asked
for keeps its own name in the tag `penstock.version`; what MLflow's clients registered goes by MLflow's number.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from penstock.errors import NotFound
from penstock.resources.scope import flag_of, reference_to, told

ModelType = Literal["custom_model", "mlflow_model"]

OURS = "penstock."
VERSION, TYPE, DIGEST = "penstock.version", "penstock.type", "penstock.digest"
FILE_NAME, JOB, STAGE = "penstock.file_name", "penstock.job", "penstock.stage"
# There for what was made of a folder only.
FOLDER_NAME = "penstock.folder_name"
# On a version: that one is archived. On the registered model: all its versions are, and those to come.
ARCHIVED = "penstock.archived"
PROPERTIES, OTHER_TAGS = "penstock.properties", "penstock.other_tags"
_PROMPT = "mlflow.prompt.is_prompt"
# What MLflow takes as a tag's name and value; the others travel together in one tag of ours.
_LEGAL_TAG = re.compile(r"[/\w.\- :]{1,250}")


@dataclass(frozen=True)
class ModelVersion:
    """One version of a registered model. Times are epoch seconds.

    `version` is Penstock's name for it, `mlflow_version` MLflow's number: `models:/<name>/<mlflow_version>`. `path` is
    where its artifacts are (`mlflow-artifacts:/…`); `file_name` the name of the file or folder that it came from, `folder_name` the same for folders only.
    `flavors` is None where they were not read, as in lists. `digest` is None for what MLflow's clients registered.
    `archived` is either: `archived_alone`, or because the whole model is, and then it comes back only with that.
    """

    name: str
    version: str
    mlflow_version: str
    type: ModelType
    path: str
    file_name: str | None
    description: str | None
    tags: Mapping[str, str]
    properties: Mapping[str, str]
    flavors: Mapping[str, Any] | None
    aliases: tuple[str, ...]
    run_id: str | None
    job_name: str | None
    digest: str | None
    archived: bool
    created_at: float
    modified_at: float
    stage: str | None = None
    folder_name: str | None = None
    archived_alone: bool = False
    archived_whole: bool = False

    @property
    def uri(self) -> str:
        """What MLflow's clients call it."""
        return f"models:/{self.name}/{self.mlflow_version}"


def record_of(said: Mapping[str, Any]) -> ModelVersion | None:
    """MLflow's record as one of ours; None for a prompt, which MLflow keeps beside the models. `Any`: JSON."""
    tags = {tag["key"]: tag.get("value", "") for tag in said.get("tags", ())}
    if tags.get(_PROMPT) == "true":
        return None
    number = str(said["version"])
    own = {key: value for key, value in tags.items() if not key.startswith((OURS, "mlflow."))}
    created = float(said.get("creation_timestamp", 0)) / 1000
    return ModelVersion(
        name=said["name"],
        version=tags.get(VERSION, number),
        mlflow_version=number,
        type="custom_model" if tags.get(TYPE) == "custom_model" else "mlflow_model",
        path=said.get("source", ""),
        file_name=tags.get(FILE_NAME),
        description=said.get("description") or None,
        tags={**own, **json.loads(tags.get(OTHER_TAGS, "{}"))},
        properties=json.loads(tags.get(PROPERTIES, "{}")),
        flavors=None,
        aliases=(),
        run_id=said.get("run_id") or None,
        job_name=tags.get(JOB),
        digest=tags.get(DIGEST),
        archived=tags.get(ARCHIVED) == "true",
        archived_alone=tags.get(ARCHIVED) == "true",
        created_at=created,
        modified_at=float(said.get("last_updated_timestamp", 0)) / 1000 or created,
        stage=tags.get(STAGE) or None,
        folder_name=tags.get(FOLDER_NAME) or None,
    )


def records_of(said: Iterable[Mapping[str, Any]]) -> list[ModelVersion]:
    """All versions, newest first. A number that another version of the model took as its name gets a name of its own."""
    found = [record for record in map(record_of, said) if record is not None]
    named = {(record.name, record.version) for record in found if record.version != record.mlflow_version}
    clear = [
        replace(record, version=f"mlflow-{record.mlflow_version}")
        if record.version == record.mlflow_version and (record.name, record.version) in named
        else record
        for record in found
    ]
    return sorted(clear, key=lambda record: int(record.mlflow_version), reverse=True)


def with_model(record: ModelVersion, model: Mapping[str, Any]) -> ModelVersion:
    """The version with what MLflow tells only of the model as a whole: aliases, and whether all is archived. `Any`: JSON."""
    named = [
        alias["alias"] for alias in model.get("aliases", ()) if str(alias["version"]) == record.mlflow_version
    ]
    tags = {tag["key"]: tag.get("value", "") for tag in model.get("tags", ())}
    whole = tags.get(ARCHIVED) == "true"
    return replace(
        record, aliases=tuple(sorted(named)), archived=record.archived or whole, archived_whole=whole
    )


def find_version(versions: Iterable[ModelVersion], version: str) -> ModelVersion | None:
    """The version of this name; else, of a model whose versions are all words, the one with this number in MLflow.

    Where some have numbers of their own, one that none has is none: `azureml:taxi:1` never means version 10.
    """
    every = list(versions)
    by_name = next((record for record in every if record.version == version), None)
    if by_name is not None or any(record.version.isdecimal() for record in every):
        return by_name
    return next((record for record in every if record.mlflow_version == version), None)


def get_version(versions: Iterable[ModelVersion], workspace: str, name: str, version: str) -> ModelVersion:
    """As `find_version`; NotFound says which there are."""
    every = list(versions)
    found = find_version(every, version)
    if found is None:
        raise NotFound(
            f"model `{name}:{version}` was not found in {told(workspace)}",
            details=[f"looked in: {told(workspace)} ({_what_there_is(every)})"],
            hint=f"use `{reference_to(workspace, 'model', name, every[0].version)}`"
            if every
            else how_to_list(workspace),
        )
    return found


def how_to_list(scope: str) -> str:
    """The next step of whoever asked for what is not there."""
    return f"`penstock model list{flag_of(scope)}` shows what there is"


def next_version(versions: Iterable[ModelVersion]) -> str:
    """The version that comes next where none is asked for: one more than the greatest number among them."""
    numbers = [int(record.version) for record in versions if record.version.isdecimal()]
    return str(max(numbers, default=0) + 1)


def tags_for(tags: Mapping[str, str]) -> dict[str, str]:
    """A person's tags as MLflow takes them: as they are where it allows their names, else in one tag of ours."""
    plain = {
        key: str(value)
        for key, value in tags.items()
        if _LEGAL_TAG.fullmatch(key) and not key.startswith((OURS, "mlflow."))
    }
    others = {key: str(value) for key, value in tags.items() if key not in plain}
    return {**plain, **({OTHER_TAGS: json.dumps(others)} if others else {})}


def _what_there_is(versions: list[ModelVersion]) -> str:
    if not versions:
        return "no such name"
    shown = ", ".join(record.version for record in versions[:10])
    return f"versions {shown}{', …' if len(versions) > 10 else ''}"
