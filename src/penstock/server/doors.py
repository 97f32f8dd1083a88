"""Who is calling, by the door they came through: the unix socket is its owner's, everything else shows a token."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from penstock.identity.tokens import Caller
from penstock.server.loopback import LOOPBACK_NAMES, loopback_app
from penstock.server.platform import Platform
from penstock.server.verbs import workspace
from penstock.tracking.proxy import MlflowProxy, authorize_in_workspace
from penstock.tracking.rest import MlflowRest
from penstock.tracking.routes_table import Action

Scope = MutableMapping[str, Any]
App = Callable[[Scope, Any, Any], Awaitable[None]]

_OWNER = Caller("owner")


def owner_door(api: App) -> App:
    """The API on the unix socket: its file permissions let only the owner in."""

    async def door(scope: Scope, receive: Any, send: Any) -> None:
        scope["penstock.caller"] = _OWNER
        await api(scope, receive, send)

    return door


def loopback_door(api: App, platform: Platform, rest: MlflowRest, host: str | None = None) -> App:
    """MLflow, the API and one-time links on the TCP port: nothing without a token. `host` is a name of this server."""

    def authorize(caller: Caller, name: str, action: Action) -> None:
        """A workspace is made by `penstock workspace create`, never by the first request that names it."""
        with platform.database.reading() as tx:
            tx.workspaces.get(name)
        authorize_in_workspace(caller, name, action)

    return loopback_app(
        platform.tokens,
        platform.links,
        MlflowProxy(rest, authorize),
        api_app=api,
        now=platform.clock,
        workspaces=lambda caller: [each["name"] for each in workspace.listing(platform, caller)],
        hosts=LOOPBACK_NAMES | ({host} if host else set()),
    )
