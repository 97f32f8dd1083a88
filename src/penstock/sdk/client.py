"""`Client` for notebooks and scripts: one attribute per noun."""

import os
import sys
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from penstock.client.client import Client as Connected
from penstock.settings import Home, setting

if TYPE_CHECKING:
    from penstock.client.assets import Assets
    from penstock.client.components import Components
    from penstock.client.computes import Computes
    from penstock.client.data import Data
    from penstock.client.datastores import Datastores
    from penstock.client.models import Models
    from penstock.client.registries import InRegistry, Registries
    from penstock.client.server import Server
    from penstock.client.workspaces import Workspaces
    from penstock.sdk.jobs import Jobs


class Client:
    """One workspace of one server: the one that PENSTOCK_SERVER names, else that of this machine, started when needed.

    `workspace` is PENSTOCK_WORKSPACE, else `default`, where it is not given. Nothing is sent before the first verb.
    `relax` says whether environments' packages may be the nearest that can be had; where it is not given PENSTOCK_RELAX
    does, else the workspace's settings.
    """

    def __init__(
        self,
        workspace: str | None = None,
        *,
        home: str | PathLike[str] | None = None,
        quiet: bool = False,
        relax: bool | None = None,
    ) -> None:
        self.workspace = workspace or setting("PENSTOCK_WORKSPACE") or "default"
        self._connected = Connected.connect(
            workspace=self.workspace,
            home=None if home is None else Home(Path(home)),
            say=(lambda text: None) if quiet else _say,
            settings=None if relax is None else {"environments": {"relax": relax}},
        )

    @cached_property
    def jobs(self) -> "Jobs":
        """`create`, `list`, `show`, `stream`, `cancel`, `download` …"""
        from penstock.sdk.jobs import Jobs

        return Jobs(self._connected.jobs)

    @property
    def environments(self) -> "Assets":
        """The software that jobs run in."""
        return self._connected.environments

    @property
    def data(self) -> "Data":
        """Files and folders as versioned data; `profile` says what is in them."""
        return self._connected.data

    @property
    def models(self) -> "Models":
        """Registered models: those of MLflow's registry."""
        return self._connected.models

    @property
    def components(self) -> "Components":
        """Steps that are written once and used by their names."""
        return self._connected.components

    @property
    def datastores(self) -> "Datastores":
        """Named places where data lies."""
        return self._connected.datastores

    @property
    def computes(self) -> "Computes":
        """Where jobs may run, and how many at once."""
        return self._connected.computes

    @property
    def workspaces(self) -> "Workspaces":
        """All workspaces of the server."""
        return self._connected.workspaces

    @property
    def registries(self) -> "Registries":
        """All registries of the server: what workspaces share."""
        return self._connected.registries

    def in_registry(self, name: str) -> "InRegistry":
        """The assets of a registry: `client.in_registry("shared").models.list()`."""
        return self._connected.in_registry(name)

    @property
    def server(self) -> "Server":
        """The server itself: status, room on the disk."""
        return self._connected.server

    def use_mlflow(self, *, hours: float = 24.0) -> str:
        """Let MLflow in this process log to the workspace, and read from it; gives the tracking address.

        Sets the variables that `penstock env` would print. They hold a token that is good for `hours`.
        """
        token = self._connected.workspaces.token(hours * 3600)
        os.environ.update({name: str(value) for name, value in token["environment"].items()})
        return str(token["mlflow_tracking_uri"])

    def close(self) -> None:
        """Give the connection back. A later verb opens a new one."""
        self._connected.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client(workspace={self.workspace!r})"


def _say(text: str) -> None:
    print(text, file=sys.stderr)
