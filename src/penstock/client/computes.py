"""Computes of one workspace."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped

if TYPE_CHECKING:
    from penstock.client.uploads import Created, HasDocument
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]


class Computes:
    """Where jobs may run, and how many at once."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._path = f"/api/v1/workspaces/{escaped(workspace)}/computes"

    def create(self, document: "Document | HasDocument") -> "Created":
        """Create it, or update what may change of one that exists."""
        from penstock.client.uploads import prepare, send

        return send(self._connection, self._path, prepare(document))

    def list(self) -> list[Record]:
        found: list[Record] = self._connection.get(self._path)
        return found

    def show(self, name: str) -> Record:
        found: Record = self._connection.get(f"{self._path}/{escaped(name)}")
        return found

    def update(self, name: str, changes: Mapping[str, Any]) -> Record:
        """Change settings: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`."""
        found: Record = self._connection.request("PATCH", f"{self._path}/{escaped(name)}", body=dict(changes))
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{self._path}/{escaped(name)}")
