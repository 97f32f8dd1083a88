"""Workspaces, and the tokens that open one to a notebook."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped
from penstock.settings import WORKSPACE_SETTINGS, absolute

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

        settings = document.data.get("settings")
        if isinstance(settings, dict):
            folder = document.file if document.file.is_dir() else document.file.parent
            files = {
                name: absolute(value, Path.cwd() / folder)
                for name, value in settings.items()
                if name in WORKSPACE_SETTINGS and isinstance(value, str) and value
            }
            document = replace(document, data={**document.data, "settings": {**settings, **files}})
        return send(self._connection, _PATH, prepare(document))

    def list(self) -> list[Record]:
        found: list[Record] = self._connection.get(_PATH)
        return found

    def show(self, name: str | None = None) -> Record:
        found: Record = self._connection.get(f"{_PATH}/{escaped(name or self._workspace)}")
        return found

    def update(self, name: str | None, changes: Mapping[str, Any]) -> Record:
        """Change names, tags and settings: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`.

        A setting's relative path starts from the current folder.
        """
        files = {f"settings.{name}" for name in WORKSPACE_SETTINGS}
        values = {
            path: absolute(value, Path.cwd()) if path in files and isinstance(value, str) and value else value
            for path, value in dict(changes.get("set") or {}).items()
        }
        found: Record = self._connection.request(
            "PATCH", f"{_PATH}/{escaped(name or self._workspace)}", body={**changes, "set": values}
        )
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{_PATH}/{escaped(name)}")

    def token(self, lifetime_seconds: float) -> Record:
        """A token for MLflow clients outside any job: `token`, `expires_at`, `mlflow_tracking_uri`, `environment`."""
        path = f"{_PATH}/{escaped(self._workspace)}/tokens"
        found: Record = self._connection.post(path, {"lifetime_seconds": lifetime_seconds})
        return found
