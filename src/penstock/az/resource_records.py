"""Workspaces and registries as the resources that `az` knows them as."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from penstock.client.client import Client

_PROVIDER = "Microsoft.MachineLearningServices"


def resources(client: "Client") -> list[dict[str, Any]]:  # Any: records as `az` prints them
    """Every workspace and registry of the server."""
    found = [_resource(record, "workspaces", "Default") for record in client.workspaces.list()]
    return found + [_resource(record, "registries", None) for record in client.registries.list()]


def group_of(resource: Mapping[str, Any]) -> str:
    return str(resource["resourceGroup"])


def _resource(record: Mapping[str, Any], plural: str, kind: str | None) -> dict[str, Any]:
    return {
        "id": record["id"],
        "identity": None,
        "kind": kind,
        "location": record.get("location") or "local",
        "managedBy": None,
        "name": record["name"],
        "plan": None,
        "properties": dict(record),
        "provisioningState": "Succeeded",
        "resourceGroup": record.get("resource_group") or record["resourceGroup"],
        "sku": None,
        "tags": record.get("tags") or {},
        "type": f"{_PROVIDER}/{plural}",
    }
