"""Workspaces, and the tokens that open one to a notebook."""

from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped

if TYPE_CHECKING:
    from penstock.client.uploads import Created
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]

_PATH = "/api/v1/workspaces"


class Workspaces:
    """All workspaces of the server; `workspace` is the one that the client speaks for."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._workspace = workspace

    def create(self, document: "Document") -> "Created":
        from penstock.client.uploads import prepare, send

        return send(self._connection, _PATH, prepare(document))

    def list(self) -> list[Record]:
        found: list[Record] = self._connection.get(_PATH)
        return found

    def show(self, name: str | None = None) -> Record:
        found: Record = self._connection.get(f"{_PATH}/{escaped(name or self._workspace)}")
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{_PATH}/{escaped(name)}")

    def token(self, lifetime_seconds: float) -> Record:
        """A token for MLflow clients outside any job: `token`, `expires_at`, `mlflow_tracking_uri`, `environment`."""
        path = f"{_PATH}/{escaped(self._workspace)}/tokens"
        found: Record = self._connection.post(path, {"lifetime_seconds": lifetime_seconds})
        return found
