"""A model asset: files with a name and a version."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import AnyTags, AssetName, Choice, Version
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.reference_fields import ModelPath, place_remarks, snapshot_is_file


class Model(Part):
    """A model asset."""

    noun = "a model"
    output_only = OUTPUT_ONLY | {"job_name", "mlflow_run_id", "mlflow_version"}

    name: AssetName
    version: Version | None = Field(default=None, description="the next whole number if absent")
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)
    type: Annotated[Literal["custom_model", "mlflow_model"], Choice(not_yet=("triton_model",))] = (
        "custom_model"
    )
    path: ModelPath = Field(
        description="a local path, a place in a datastore, a job's output, `runs:/<run>/<path>`"
    )
    stage: str | None = Field(default=None, description="free text, such as Production; kept with the model")
    flavors: dict[str, Any] | None = recorded(
        "the flavors that count are those in the model's `MLmodel` file"
    )
    datastore: str | None = recorded("files are kept in the workspace's own store")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        path = data.get("path")
        if data.get("type") == "mlflow_model" and isinstance(path, str) and snapshot_is_file(path):
            hint = "give the folder that holds the file `MLmodel`"
            yield Problem("/path", "an `mlflow_model` needs a folder, and the path is a file", hint=hint)

    def remarks(self) -> Iterator[Problem]:
        yield from place_remarks(self.path, "model", "/path")
