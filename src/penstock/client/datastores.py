"""Datastores of one workspace."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped
from penstock.settings import absolute

if TYPE_CHECKING:
    from penstock.client.uploads import Created
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]


class Datastores:
    """Named places where data lies."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._path = f"/api/v1/workspaces/{escaped(workspace)}/datastores"

    def create(self, document: "Document") -> "Created":
        """Create it, or give an existing one these settings. A relative `path` starts from the file's folder."""
        from penstock.client.uploads import prepare, send

        path = document.data.get("path")
        if isinstance(path, str) and path and "://" not in path:
            folder = document.file if document.file.is_dir() else document.file.parent
            data = {**document.data, "path": absolute(path, Path.cwd() / folder)}
            document = replace(document, data=data)
        return send(self._connection, self._path, prepare(document))

    def list(self) -> list[Record]:
        found: list[Record] = self._connection.get(self._path)
        return found

    def show(self, name: str) -> Record:
        found: Record = self._connection.get(f"{self._path}/{escaped(name)}")
        return found

    def show_default(self) -> Record:
        found: Record = self._connection.get(f"{self._path}:default")
        return found

    def update(self, name: str, changes: Mapping[str, Any]) -> Record:
        """Change settings: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`.

        A folder's relative path starts from the current one.
        """
        values = dict(changes.get("set") or {})
        if isinstance(values.get("path"), str) and values["path"]:
            values["path"] = absolute(values["path"], Path.cwd())
        found: Record = self._connection.request(
            "PATCH", f"{self._path}/{escaped(name)}", body={**changes, "set": values}
        )
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{self._path}/{escaped(name)}")
