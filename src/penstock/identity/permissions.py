"""Who may do what: asked once, at the top of each verb."""

from enum import StrEnum

from penstock.errors import PermissionDenied
from penstock.identity.tokens import Caller
from penstock.resources.scope import BUILT_IN_REGISTRY, registry_of


class Action(StrEnum):
    """Everything that a permission is needed for, as `noun:verb`."""

    WORKSPACE_READ = "workspace:read"
    WORKSPACE_WRITE = "workspace:write"
    REGISTRY_READ = "registry:read"
    REGISTRY_WRITE = "registry:write"
    ASSET_READ = "asset:read"
    ASSET_WRITE = "asset:write"
    COMPUTE_READ = "compute:read"
    COMPUTE_WRITE = "compute:write"
    JOB_READ = "job:read"
    JOB_WRITE = "job:write"
    UPLOAD = "upload:write"
    TOKEN_ISSUE = "token:issue"  # noqa: S105 - the name of an action, not a password
    SERVER_ADMINISTER = "server:administer"


# A job sees its own workspace, as Azure ML's jobs do, and changes nothing through this API: it writes through MLflow.
_JOB = frozenset(
    {Action.WORKSPACE_READ, Action.ASSET_READ, Action.COMPUTE_READ, Action.JOB_READ},
)
# What a registry is for: every workspace reads what is in it.
_OF_A_REGISTRY = frozenset({Action.REGISTRY_READ, Action.ASSET_READ})
_PERSON = frozenset(Action) - {Action.SERVER_ADMINISTER, Action.TOKEN_ISSUE}


def require(caller: Caller, action: Action, workspace: str | None = None) -> None:
    """Return if the caller may; raise PermissionDenied, with the reason, if not.

    `workspace` is a scope (`resources/scope.py`): a registry is read by everybody, and written by who belongs to no one
    workspace. Nobody writes to the built-in one.
    """
    registry = None if workspace is None else registry_of(workspace)
    if registry == BUILT_IN_REGISTRY and action not in _OF_A_REGISTRY:
        raise PermissionDenied(
            f"registry `{BUILT_IN_REGISTRY}` is built in and read-only: it holds the curated environments",
            hint="make a registry of your own with `penstock registry create -n <name>`",
        )
    if caller.kind == "owner":
        return
    if registry is not None:
        if action not in _OF_A_REGISTRY and (caller.kind != "person" or caller.workspace is not None):
            raise PermissionDenied(
                f"a token for workspace `{caller.workspace}` does not permit {action.value} in registry `{registry}`"
            )
        return
    if workspace is not None and not caller.may_enter(workspace):
        raise PermissionDenied(f"this token is for workspace `{caller.workspace}`, not for `{workspace}`")
    allowed = _JOB if caller.kind == "job" else _PERSON
    if action not in allowed or (
        workspace is None and caller.workspace is not None and action is not Action.UPLOAD
    ):
        raise PermissionDenied(f"a {caller.kind}'s token does not permit {action.value}")
