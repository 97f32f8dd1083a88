"""A registry: environments, data, models and components that all workspaces share."""

from typing import Any

from pydantic import Field

from penstock.resources.field_types import AnyTags, RegistryName
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded

_CLOUD = "it is a part of an Azure registry; this one is a folder and a database"


class Registry(Part):
    """A registry."""

    noun = "a registry"
    output_only = OUTPUT_ONLY | {
        "discovery_url", "mlflow_registry_uri", "managed_resource_group", "read_only", "created_by", "assets_folder",
    }  # fmt: skip

    name: RegistryName
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)
    location: str | None = Field(default=None, description="kept as it is written")
    primary_location: str | None = Field(default=None, description="kept as it is written")
    resource_group: str | None = Field(default=None, description="kept as it is written")
    replication_locations: list[dict[str, Any]] | None = recorded("there is one copy, on this machine")
    public_network_access: str | None = recorded(_CLOUD)
    container_registry: Any = recorded(_CLOUD)
    storage_account: Any = recorded(_CLOUD)
    identity: dict[str, Any] | None = recorded(_CLOUD)
    managed_resource_group_tags: dict[str, Any] | None = recorded(_CLOUD)
    managed_resource_group_settings: dict[str, Any] | None = recorded(_CLOUD)
    intellectual_property: dict[str, Any] | None = recorded("what is in a registry is shown to all its users")
