"""A datastore: a named place where data lies. Of this machine it is a folder; of the cloud, an address with a name."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import AbsolutePath, AnyTags, Choice, DatastoreLabel
from penstock.resources.model_base import OUTPUT_ONLY, Part, forgotten

_SECRETS = "nothing of the cloud is reached, so Penstock has no use for them"


# One part of a host's name, or of a path below it.
_Word = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9$][A-Za-z0-9._ -]*$")]
_Host = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[A-Za-z0-9][A-Za-z0-9.-]*$")]


class Datastore(Part):
    """What every datastore has."""

    noun = "a datastore"
    output_only = OUTPUT_ONLY | {"folder", "is_default"}

    name: DatastoreLabel
    type: Annotated[
        Literal[
            "local", "azure_blob", "azure_file", "azure_data_lake_gen2", "azure_data_lake_gen1", "one_lake"
        ],
        Choice(),
    ]
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        if not data.get("credentials", True):
            del data["credentials"]  # as `show` prints it in the cloud: there are none
        return data

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        if data.get("type") is None:
            return Problem("/type", "`type` is missing", f"one of {', '.join(BY_TYPE)}", code="missing")
        return None


class LocalDatastore(Datastore):
    """A folder of this machine, read and written where it is."""

    path: AbsolutePath = Field(
        description="a folder that exists; relative to the file, or to the current folder"
    )


class AzureBlob(Datastore):
    """A container of an Azure storage account."""

    account_name: _Host
    container_name: _Word
    endpoint: _Host | None = None
    protocol: Annotated[Literal["https", "http", "wasb", "wasbs"], Choice()] | None = None
    credentials: Any = forgotten(_SECRETS)


class AzureFile(Datastore):
    """A file share of an Azure storage account."""

    account_name: _Host
    file_share_name: _Word
    endpoint: _Host | None = None
    protocol: Annotated[Literal["https", "http"], Choice()] | None = None
    credentials: Any = forgotten(_SECRETS)


class AzureDataLakeGen2(Datastore):
    """A file system of an Azure data lake."""

    account_name: _Host
    filesystem: _Word
    endpoint: _Host | None = None
    protocol: Annotated[Literal["https", "http", "abfs", "abfss"], Choice()] | None = None
    credentials: Any = forgotten(_SECRETS)


class AzureDataLakeGen1(Datastore):
    """A data lake of the first generation."""

    store_name: _Host
    credentials: Any = forgotten(_SECRETS)


class OneLakeArtifact(Part):
    """A lake house of Microsoft Fabric."""

    noun = "`artifact`"

    type: Annotated[Literal["lake_house"], Choice()] = "lake_house"
    name: _Word


class OneLake(Datastore):
    """A lake house of Microsoft Fabric as a datastore."""

    one_lake_workspace_name: _Word
    endpoint: _Host | None = None
    artifact: OneLakeArtifact
    credentials: Any = forgotten(_SECRETS)


BY_TYPE: Mapping[str, type[Datastore]] = {
    "local": LocalDatastore,
    "azure_blob": AzureBlob,
    "azure_file": AzureFile,
    "azure_data_lake_gen2": AzureDataLakeGen2,
    "azure_data_lake_gen1": AzureDataLakeGen1,
    "one_lake": OneLake,
}
