"""Ways in for what cannot speak to a socket: one-time links for browsers, tokens for notebooks and scripts."""

from typing import Any

from penstock.errors import PenstockError
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.description import group_of, iso
from penstock.server.platform import Platform

DEFAULT_LIFETIME = 12 * 3600.0
LONGEST_LIFETIME = 365 * 24 * 3600.0


def link(platform: Platform, caller: Caller, workspace: str, target: str) -> dict[str, Any]:
    """A link that opens `target` in a browser once, within five minutes."""
    require(caller, Action.TOKEN_ISSUE, workspace)
    with platform.database.reading() as tx:
        tx.workspaces.get(workspace)
    if not target.startswith("/"):
        raise PenstockError(f"a link leads to a path of this server, not to `{target}`")
    code = platform.links.issue(Caller("person", workspace), target, platform.clock())
    return {"url": f"{platform.loopback_url}/link/{code}"}


def token(platform: Platform, caller: Caller, workspace: str, lifetime: float | None) -> dict[str, Any]:
    """A token for one workspace, and the variables that a notebook or a script needs."""
    require(caller, Action.TOKEN_ISSUE, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
    seconds = DEFAULT_LIFETIME if lifetime is None else lifetime
    if not 0 < seconds <= LONGEST_LIFETIME:
        raise PenstockError(f"a token lives between one second and {LONGEST_LIFETIME:g} s, not {seconds:g} s")
    expires = platform.clock() + seconds
    issued = platform.tokens.issue(Caller("person", workspace), expires)
    uri = platform.tracking_uri(workspace)
    return {
        "token": issued,
        "expires_at": iso(expires),
        "mlflow_tracking_uri": uri,
        "environment": {
            "MLFLOW_TRACKING_URI": uri,
            "MLFLOW_REGISTRY_URI": uri,
            "MLFLOW_TRACKING_TOKEN": issued,
            "AZUREML_ARM_WORKSPACE_NAME": workspace,
            "AZUREML_ARM_RESOURCEGROUP": group,
        },
    }
