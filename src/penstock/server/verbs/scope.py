"""The scope that an asset lives in, as verbs need it: that it is there, and what its assets are called."""

from typing import Any

from penstock.jobs.description import group_of, resource_id
from penstock.resources.scope import PLURALS, registry_of
from penstock.server.platform import Platform
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of


def must_exist(tx: Transaction, scope: str) -> None:
    """Return if there is such a workspace or registry; raise NotFound, with those that there are, if not."""
    registry = registry_of(scope)
    if registry is None:
        tx.workspaces.get(scope)
    else:
        tx.registries.get(registry)


def identity_of(platform: Platform, tx: Transaction, scope: str, kind: str) -> "Identity":
    """What the assets of a kind are called in this scope, which must exist."""
    registry = registry_of(scope)
    if registry is not None:
        tx.registries.get(registry)
    group = None if registry is not None else group_of(tx, scope)
    return Identity(kind, registry, scope, group, subscription_of(platform.home))


class Identity:
    """The long ids of one kind's assets in one scope."""

    def __init__(
        self, kind: str, registry: str | None, workspace: str, group: str | None, subscription: str
    ) -> None:
        self._kind = PLURALS[kind]
        self._registry = registry
        self._workspace = workspace
        self._group = group
        self._subscription = subscription

    def of(self, name: str, version: str) -> dict[str, Any]:
        """`id`, and the resource group that only a workspace's assets have."""
        if self._group is None:
            return {"id": f"azureml://registries/{self._registry}/{self._kind}/{name}/versions/{version}"}
        place = resource_id(self._subscription, self._group, self._workspace, self._kind, name)
        return {"id": f"{place}/versions/{version}", "resourceGroup": self._group}

    def path(self, path: str) -> str:
        """Where an asset's bytes are, as it is shown: a registry's data is in no workspace's datastore."""
        if self._registry is None:
            return path
        return path.replace("azureml://datastores/", f"azureml://registries/{self._registry}/datastores/", 1)
