"""Registries: what all workspaces share, and the assets in one."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped

if TYPE_CHECKING:
    from penstock.client.assets import Assets
    from penstock.client.components import Components
    from penstock.client.data import Data
    from penstock.client.models import Models
    from penstock.client.uploads import Created
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]

_PATH = "/api/v1/registries"


class Registries:
    """All registries of the server; `azureml`, which holds the curated environments, is always one of them."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, document: "Document") -> "Created":
        from penstock.client.uploads import prepare, send

        return send(self._connection, _PATH, prepare(document))

    def list(self) -> list[Record]:
        found: list[Record] = self._connection.get(_PATH)
        return found

    def show(self, name: str) -> Record:
        found: Record = self._connection.get(f"{_PATH}/{escaped(name)}")
        return found

    def update(self, name: str, changes: Mapping[str, Any]) -> Record:
        """Change the description and tags: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`."""
        found: Record = self._connection.request("PATCH", f"{_PATH}/{escaped(name)}", body=dict(changes))
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{_PATH}/{escaped(name)}")


class InRegistry:
    """The assets of one registry, by the same names as those of a workspace on the client."""

    def __init__(self, connection: Connection, name: str, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._base = f"{_PATH}/{escaped(name)}"
        self._say = say

    @cached_property
    def environments(self) -> "Assets":
        return self._assets("environments")

    @cached_property
    def data(self) -> "Data":
        from penstock.client.data import Data

        return Data(self._connection, self._base, "data", self._say)

    @cached_property
    def models(self) -> "Models":
        from penstock.client.models import Models

        return Models(self._connection, self._base, "models", self._say)

    @cached_property
    def components(self) -> "Components":
        from penstock.client.components import Components

        return Components(self._connection, self._base, "components", self._say)

    def _assets(self, kind: str) -> "Assets":
        from penstock.client.assets import Assets

        return Assets(self._connection, self._base, kind, self._say)
