"""A workspace: the unit of isolation, with its own assets, jobs and experiments."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import AnyTags, WorkspaceName
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.workspace_settings import WorkspaceSettings

_CLOUD = "they are parts of an Azure workspace; this one is a folder and a database"

LATER_KINDS = ("hub", "project", "featurestore")


class Workspace(Part):
    """A workspace."""

    noun = "a workspace"
    output_only = OUTPUT_ONLY | {
        "discovery_url", "mlflow_tracking_uri", "workspace_id", "workspace_hub", "notebook_info", "datastores_folder",
    }  # fmt: skip

    name: WorkspaceName
    display_name: str | None = None
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    properties: AnyTags = Field(default_factory=dict)
    settings: WorkspaceSettings = Field(
        default_factory=WorkspaceSettings,
        description="what addresses and names stand for, and how environments are made",
    )
    location: str | None = Field(default=None, description="kept as it is written")
    resource_group: str | None = Field(default=None, description="kept as it is written")
    kind: str | None = Field(
        default=None, description="`default`; hubs, projects and feature stores are refused"
    )
    storage_account: str | None = recorded(_CLOUD)
    key_vault: str | None = recorded(_CLOUD)
    application_insights: str | None = recorded(_CLOUD)
    container_registry: str | None = recorded(_CLOUD)
    customer_managed_key: dict[str, Any] | None = recorded(_CLOUD)
    hbi_workspace: bool | None = recorded(_CLOUD)
    public_network_access: str | None = recorded(_CLOUD)
    image_build_compute: str | None = recorded(_CLOUD)
    identity: dict[str, Any] | None = recorded(_CLOUD)
    primary_user_assigned_identity: str | None = recorded(_CLOUD)
    managed_network: dict[str, Any] | None = recorded(_CLOUD)
    provision_network_now: bool | None = recorded(_CLOUD)
    serverless_compute: dict[str, Any] | None = recorded(_CLOUD)
    network_acls: dict[str, Any] | None = recorded(_CLOUD)
    system_datastores_auth_mode: str | None = recorded(_CLOUD)
    allow_roleassignment_on_rg: bool | None = recorded(_CLOUD)
    enable_data_isolation: bool | None = recorded(_CLOUD)
    v1_legacy_mode: bool | None = recorded(_CLOUD)
    feature_store_settings: dict[str, Any] | None = recorded(_CLOUD)

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        kind = str(data.get("kind", "default")).lower().replace("_", "")
        if kind in LATER_KINDS:
            return Problem("/kind", f"a workspace of kind `{kind}` is not supported yet", code="unsupported")
        return None
