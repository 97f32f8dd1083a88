"""Datastores of one workspace."""

import re
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

_FORGOTTEN = "credentials"
_NOT_SENT = "not sent"


class Datastores:
    """Named places where data lies."""

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._path = f"/api/v1/workspaces/{escaped(workspace)}/datastores"

    def create(self, document: "Document") -> "Created":
        """Create it, or give an existing one these settings. A relative `path` starts from the file's folder.

        Credentials are of no use here and stay where they are: the server hears that there are some, not which.
        """
        from penstock.client.uploads import prepare, send

        path = document.data.get("path")
        if isinstance(path, str) and path and "://" not in path:
            folder = document.file if document.file.is_dir() else document.file.parent
            data = {**document.data, "path": absolute(path, Path.cwd() / folder)}
            document = replace(document, data=data)
        if document.data.get(_FORGOTTEN):
            document = replace(document, data={**document.data, _FORGOTTEN: _NOT_SENT})
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
        values = {
            path: _NOT_SENT if _is_secret(path) else value
            for path, value in (changes.get("set") or {}).items()
        }
        added = [
            {**each, "value": _NOT_SENT} if _is_secret(str(each["path"])) else each
            for each in changes.get("add") or ()
        ]
        if isinstance(values.get("path"), str) and values["path"]:
            values["path"] = absolute(values["path"], Path.cwd())
        found: Record = self._connection.request(
            "PATCH", f"{self._path}/{escaped(name)}", body={**changes, "set": values, "add": added}
        )
        return found

    def delete(self, name: str) -> None:
        self._connection.request("DELETE", f"{self._path}/{escaped(name)}")


def _is_secret(path: str) -> bool:
    """Whether a dotted path leads to credentials or into them."""
    return re.split(r"[.\[]", path.replace('"', ""), maxsplit=1)[0] == _FORGOTTEN
