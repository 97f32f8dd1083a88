"""Where assets live: in a workspace, or in a registry, which workspaces share.

A scope is a text: a workspace's name as it is, a registry's as `registry:<name>`. No workspace's name can hold a colon.
"""

from typing import Final

BUILT_IN_REGISTRY: Final = "azureml"
"""The registry of the curated environments: it is always there, and nobody writes to it."""

PLURALS: Final = {"environment": "environments", "data": "data", "model": "models", "component": "components"}
"""The kinds of assets, and how they are called in addresses."""

_PREFIX: Final = "registry:"


def registry_scope(name: str) -> str:
    """The scope of a registry's assets."""
    return f"{_PREFIX}{name}"


def registry_of(scope: str) -> str | None:
    """The registry that a scope names; None for a workspace's."""
    return scope.removeprefix(_PREFIX) if scope.startswith(_PREFIX) else None


def told(scope: str) -> str:
    """A scope in a message.

    >>> told("taxi"), told("registry:shared")
    ('workspace `taxi`', 'registry `shared`')
    """
    registry = registry_of(scope)
    return f"workspace `{scope}`" if registry is None else f"registry `{registry}`"


def flag_of(scope: str) -> str:
    """What leads a command to a registry's assets, with a blank before it; nothing for a workspace's.

    >>> flag_of("taxi"), flag_of("registry:shared")
    ('', ' --registry-name shared')
    """
    registry = registry_of(scope)
    return "" if registry is None else f" --registry-name {registry}"


def reference_to(scope: str, kind: str, name: str, version: str) -> str:
    """What a file says to refer to a version.

    >>> reference_to("taxi", "model", "fares", "3"), reference_to("registry:shared", "model", "fares", "3")
    ('azureml:fares:3', 'azureml://registries/shared/models/fares/versions/3')
    """
    registry = registry_of(scope)
    if registry is None:
        return f"azureml:{name}:{version}"
    return f"azureml://registries/{registry}/{PLURALS[kind]}/{name}/versions/{version}"
