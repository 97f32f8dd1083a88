"""A data asset: a file or a folder with a name and a version."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.expectations import Expectations
from penstock.resources.field_types import AlsoWritten, AnyTags, AssetName, Choice, Version
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.reference_fields import DataPath, DatastoreName, place_remarks, snapshot_is_file


class Data(Part):
    """A data asset."""

    noun = "a data asset"
    output_only = OUTPUT_ONLY | {
        "last_validation", "content_digest", "size_bytes", "files", "schema", "row_count", "facts"
    }  # fmt: skip

    name: AssetName
    version: Version | None = Field(default=None, description="the next whole number if absent")
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)
    type: Annotated[Literal["uri_folder", "uri_file", "mltable"], Choice()] = "uri_folder"
    path: DataPath = Field(
        description="a local path, a place in a datastore, a job's output, a public address"
    )
    datastore: DatastoreName | None = Field(
        default=None, description="where a local path is put; `workspaceblobstore` if absent"
    )
    expectations: Annotated[Expectations, AlsoWritten(("string",))] | None = Field(
        default=None,
        description="what its rows and columns are like: a file, or its content; `<name of this file>.expectations.yml` beside it"
        " if absent. Azure ML does not know the field: leave it to the file beside where it must read this one too",
    )
    auto_delete_setting: dict[str, Any] | None = recorded("nothing is deleted by itself")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        path, kind = data.get("path"), str(data.get("type", "uri_folder"))
        is_file = snapshot_is_file(path) if isinstance(path, str) else None
        if is_file and kind == "uri_folder":
            hint = "write `type: uri_file`, or give the folder that holds it"
            yield Problem("/path", "a `uri_folder` needs a folder, and the path is a file", hint=hint)
        if is_file and kind == "mltable":
            hint = "give the folder that holds the file named `MLTable`"
            yield Problem("/path", "an `mltable` needs a folder, and the path is a file", hint=hint)
        if is_file is False and kind == "uri_file":
            hint = "write `type: uri_folder`, or give the file itself"
            yield Problem("/path", "a `uri_file` needs a file, and the path is a folder", hint=hint)

    def remarks(self) -> Iterator[Problem]:
        yield from place_remarks(self.path, "data", "/path")
