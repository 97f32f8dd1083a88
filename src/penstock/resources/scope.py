"""Where assets live: in a workspace, or in a registry, which workspaces share.

A scope is a text: a workspace's name as it is, a registry's as `registry:<name>`. No workspace's name can hold a colon.
"""

from typing import Final

BUILT_IN_REGISTRY: Final = "azureml"
"""The registry of the curated environments: it is always there, and nobody writes to it."""

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
