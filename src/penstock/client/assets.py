"""What all versioned assets share: environments, data, models."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from penstock.client.connection import Connection, escaped

if TYPE_CHECKING:
    from penstock.client.uploads import Created, HasDocument
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = dict[str, Any]


class Assets:
    """The versioned assets of one kind in one workspace or registry; `base` is its address."""

    def __init__(self, connection: Connection, base: str, kind: str, say: Callable[[str], None]) -> None:
        self._connection = connection
        self._path = f"{base}/{kind}"
        self._say = say

    def create(
        self,
        document: "Document | HasDocument",
        *,
        skip_validation: bool = False,
        relax: bool | None = None,
    ) -> "Created":
        """Register what the document describes, with its local files. `skip_validation`: an MLTable file is not looked into.

        `relax` says whether an environment's packages may be the nearest that can be had; None: as the settings say.
        """
        from penstock.client.uploads import prepare, send

        more = {"skip_validation": True} if skip_validation else None
        with self._connection.relaxing(relax):
            if self._path.endswith("/environments") and self._connection.relaxes:
                self._say("asking the package index what can be had; this may take a minute")
            return send(self._connection, self._path, prepare(document), more=more, say=self._say)

    def list(
        self,
        name: str | None = None,
        *,
        include_archived: bool = False,
        archived_only: bool = False,
        tag: str | None = None,
        max_results: int | None = None,
    ) -> list[Record]:
        """Without a name one row per name; with a name all its versions, newest first. `tag`: a key, or `key=value`."""
        query = {
            "name": name,
            "include_archived": include_archived,
            "archived_only": archived_only,
            "tag": tag,
            "max_results": max_results,
        }
        found: list[Record] = self._connection.get(self._path, query)
        return found

    def share(
        self,
        name: str,
        version: str,
        *,
        registry: str,
        share_with_name: str | None = None,
        share_with_version: str | None = None,
    ) -> Record:
        """Put a version into a registry, under its own name and version where no others are given. Needs no upload."""
        path = f"{self._path}/{escaped(name, 'versions', version, 'share')}"
        body = {"registry": registry, "name": share_with_name, "version": share_with_version}
        found: Record = self._connection.post(path, body)["record"]
        return found

    def show(self, name: str, *, version: str | None = None, label: str | None = None) -> Record:
        """One version, by its version or by a label."""
        place = escaped("versions", version) if version is not None else escaped("labels", label or "latest")
        found: Record = self._connection.get(f"{self._path}/{escaped(name)}/{place}")
        return found

    def update(
        self, name: str, changes: Mapping[str, Any], *, version: str | None = None, label: str | None = None
    ) -> Record:
        """Change what describes a version: `{"set": {path: value}, "add": [{"path", "value"}], "remove": [path]}`."""
        if version is None:
            version = str(self.show(name, label=label)["version"])
        found: Record = self._connection.request(
            "PATCH", f"{self._path}/{escaped(name, 'versions', version)}", body=dict(changes)
        )
        return found

    def archive(self, name: str, *, version: str | None = None, label: str | None = None) -> None:
        """Hide a version from lists and from `@latest`; without version and label the name with all its versions."""
        self._connection.post(f"{self._path}/{escaped(name, 'archive')}", _which(version, label))

    def restore(self, name: str, *, version: str | None = None, label: str | None = None) -> None:
        """Undo `archive`. A version that was archived with its name comes back with the name only."""
        self._connection.post(f"{self._path}/{escaped(name, 'restore')}", _which(version, label))


def _which(version: str | None, label: str | None) -> Record:
    return {key: value for key, value in (("version", version), ("label", label)) if value is not None}
