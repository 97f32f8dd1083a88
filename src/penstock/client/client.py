"""`Client`: one attribute per noun, and no verbs of its own."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Address, Connection, escaped
from penstock.settings import Home, setting

if TYPE_CHECKING:
    from penstock.client.assets import Assets
    from penstock.client.components import Components
    from penstock.client.computes import Computes
    from penstock.client.data import Data
    from penstock.client.datastores import Datastores
    from penstock.client.jobs import Jobs
    from penstock.client.models import Models
    from penstock.client.registries import InRegistry, Registries
    from penstock.client.server import Server
    from penstock.client.workspaces import Workspaces

Say = Callable[[str], None]


def _silently(text: str) -> None:
    """Talk that nobody asked for."""


class Client:
    """The way to one workspace of one server. Nothing is sent, and no server started, before the first call of a verb.

    `say` is told what takes time (uploads) and what a person should know. For one thread.
    """

    def __init__(self, connection: Connection, workspace: str = "default", *, say: Say = _silently) -> None:
        self.connection = connection
        self.workspace = workspace
        self._say = say

    @classmethod
    def connect(
        cls,
        workspace: str = "default",
        *,
        home: Home | None = None,
        say: Say = _silently,
        trace: Say | None = None,
        settings: Mapping[str, Any] | None = None,  # Any: a JSON value
    ) -> "Client":
        """The server that PENSTOCK_SERVER names (PENSTOCK_TOKEN opens it), else the embedded one of the home.

        `settings` are those of the workspace that count otherwise for this client, before its variables do.
        """
        url = setting("PENSTOCK_SERVER")
        if url:
            address = Address(url=url.rstrip("/"), token=setting("PENSTOCK_TOKEN"))
            return cls(Connection(address, trace=trace, settings=settings), workspace, say=say)
        from penstock.client import starting

        home = home or Home.from_environment()
        starting.replace_if_outdated(home, say)
        connection = Connection(
            Address(socket=home.socket),
            revive=lambda: starting.ensure_server(home),
            trace=trace,
            settings=settings,
        )
        return cls(connection, workspace, say=say)

    def close(self) -> None:
        """Give the connection back. A later verb opens a new one."""
        self.connection.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # A noun's module is imported when the noun is used: a command needs one of them.

    @cached_property
    def workspaces(self) -> "Workspaces":
        from penstock.client.workspaces import Workspaces

        return Workspaces(self.connection, self.workspace)

    @cached_property
    def registries(self) -> "Registries":
        from penstock.client.registries import Registries

        return Registries(self.connection)

    def in_registry(self, name: str) -> "InRegistry":
        """The assets of a registry: `client.in_registry("shared").models.list()`."""
        from penstock.client.registries import InRegistry

        return InRegistry(self.connection, name, self._say)

    @cached_property
    def environments(self) -> "Assets":
        return self._assets("environments")

    @cached_property
    def data(self) -> "Data":
        from penstock.client.data import Data

        return Data(self.connection, self._base, "data", self._say)

    @cached_property
    def models(self) -> "Models":
        from penstock.client.models import Models

        return Models(self.connection, self._base, "models", self._say)

    @cached_property
    def components(self) -> "Components":
        from penstock.client.components import Components

        return Components(self.connection, self._base, "components", self._say)

    @cached_property
    def computes(self) -> "Computes":
        from penstock.client.computes import Computes

        return Computes(self.connection, self.workspace)

    @cached_property
    def datastores(self) -> "Datastores":
        from penstock.client.datastores import Datastores

        return Datastores(self.connection, self.workspace)

    @cached_property
    def jobs(self) -> "Jobs":
        from penstock.client.jobs import Jobs

        return Jobs(self.connection, self.workspace, self._say)

    @cached_property
    def server(self) -> "Server":
        from penstock.client.server import Server

        return Server(self.connection, self.workspace)

    def _assets(self, kind: str) -> "Assets":
        from penstock.client.assets import Assets

        return Assets(self.connection, self._base, kind, self._say)

    @property
    def _base(self) -> str:
        """The address of the workspace."""
        return f"/api/v1/workspaces/{escaped(self.workspace)}"
