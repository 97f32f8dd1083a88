"""Which folder of this machine stands behind a datastore."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.datastores.url_map import UrlMap
from penstock.errors import NotFound, PenstockError
from penstock.resources.nearest import nearest
from penstock.settings import Home
from penstock.store.records.datastore import DatastoreRecord
from penstock.store.transaction import Transaction

BLOB_STORE = "workspaceblobstore"
ARTIFACT_STORE = "workspaceartifactstore"
BUILT_IN = (BLOB_STORE, ARTIFACT_STORE, "workspacefilestore", "workspaceworkingdirectory")
"""They exist in every workspace, as folders of it. The first is where things go that name no datastore."""

LOCAL = "local"

# Finds a workspace's datastore by name, for whoever holds no transaction.
FindDatastore = Callable[[str, str], DatastoreRecord | None]


@dataclass(frozen=True)
class Place:
    """A place in a datastore: the folder that holds it, and the path below. `where` says which line of a map chose it.

    `is_elsewhere`: the folder is none of the workspace's own.
    """

    root: Path
    inside: str
    datastore: str
    where: str | None = None
    is_elsewhere: bool = False

    @property
    def path(self) -> Path:
        """The local path. Resolved, then checked: a link may not lead out of the datastore."""
        root = self.root.resolve()
        resolved = (root / self.inside).resolve()
        if resolved != root and root not in resolved.parents:
            raise PenstockError(
                f"path `{self.inside}` leaves datastore `{self.datastore}`",
                hint="use a path inside the datastore",
            )
        return resolved


class Folders:
    """The datastores of one home."""

    def __init__(self, home: Home, find: FindDatastore) -> None:
        self._home = home
        self._find = find

    def place(self, workspace: str, datastore: str, path: str, urls: Callable[[], UrlMap]) -> Place:
        """Where a path of a datastore lies. Nothing is created. NotFound where there is no such datastore."""
        if datastore in BUILT_IN:
            return Place(self._home.datastore(workspace, datastore), path, datastore)
        record = self._find(workspace, datastore)
        if record is None:
            raise NotFound(
                f"datastore `{datastore}` is no longer in workspace `{workspace}`",
                hint=f"create it again: `penstock datastore create -n {datastore} …`",
            )
        return place_in(self._home, record, path, urls)


def place_in(home: Home, record: DatastoreRecord, path: str, urls: Callable[[], UrlMap]) -> Place:
    """Where a path of a datastore lies: its own folder, what a map names for its address, or a folder of the workspace."""
    if record.type == LOCAL:
        root = Path(record.spec["path"])
        if not root.is_dir():
            raise PenstockError(
                f"the folder of datastore `{record.name}` is not there: {root}",
                hint="bring it back, or `penstock datastore update` with another path",
            )
        return Place(root, path, record.name, is_elsewhere=True)
    address = cloud_address(record.type, record.spec)
    mapped = urls().find(address + path) if address else None
    if mapped is not None:
        return Place(mapped.root, mapped.inside, record.name, mapped.where, is_elsewhere=True)
    return Place(home.datastore(record.workspace, record.name), path, record.name)


def cloud_address(kind: str, spec: Mapping[str, Any]) -> str | None:
    """The address of a datastore of the cloud, with a slash at its end; None for one of this machine."""
    endpoint = spec.get("endpoint") or "core.windows.net"
    match kind:
        case "azure_blob":
            return f"https://{spec['account_name']}.blob.{endpoint}/{spec['container_name']}/"
        case "azure_data_lake_gen2":
            return f"https://{spec['account_name']}.dfs.{endpoint}/{spec['filesystem']}/"
        case "azure_file":
            return f"https://{spec['account_name']}.file.{endpoint}/{spec['file_share_name']}/"
        case "azure_data_lake_gen1":
            return f"adl://{spec['store_name']}.azuredatalakestore.net/"
        case "one_lake":
            host = spec.get("endpoint") or "onelake.dfs.fabric.microsoft.com"
            return f"https://{host}/{spec['one_lake_workspace_name']}/{spec['artifact']['name']}/Files/"
    return None


def names_of(tx: Transaction, workspace: str) -> list[str]:
    """Every datastore of a workspace, the built-in ones first."""
    return [*BUILT_IN, *(record.name for record in tx.datastores.list(workspace))]


def demand(tx: Transaction, workspace: str, name: str) -> DatastoreRecord | None:
    """The record of a datastore, None for a built-in one; NotFound with the nearest name where there is none."""
    if name in BUILT_IN:
        return None
    record: DatastoreRecord | None = tx.datastores.find(workspace, name)
    if record is not None:
        return record
    names = names_of(tx, workspace)
    close = nearest(name, names)
    command = f"`penstock datastore create -n {name} --type local --path <a folder of this machine>`"
    raise NotFound(
        f"datastore `{name}` was not found in workspace `{workspace}`",
        details=(f"looked in: workspace `{workspace}` ({', '.join(names)})",),
        hint=f"did you mean `{close}`? If not, create it: {command}"
        if close
        else f"create it with its file (`penstock datastore create -f <file>`), or as a folder: {command}",
    )
