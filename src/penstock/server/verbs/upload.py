"""Bytes that a client sends ahead of a document, named by their digest, and snapshots made of them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from penstock.datastores.folders import BLOB_STORE
from penstock.errors import UploadsMissing
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.places import UPLOADS, uploaded_path
from penstock.jobs.plans import InDatastore, Source
from penstock.resources.snapshots import SnapshotUri, parse_snapshot_uri
from penstock.server.platform import Platform

_SNAPSHOT = re.compile(r"^snapshot://[0-9a-f]{64}/")


def missing(platform: Platform, caller: Caller, digests: Iterable[str]) -> list[str]:
    """Which of these the server does not have yet."""
    require(caller, Action.UPLOAD)
    return sorted(platform.artifacts.missing(set(digests)))


def put(platform: Platform, caller: Caller, digest: str, chunks: Iterable[bytes]) -> None:
    """Keep bytes under their digest; refused where they have another one."""
    require(caller, Action.UPLOAD)
    platform.artifacts.put(digest, chunks)


def snapshots_in(value: Any) -> Iterator[SnapshotUri]:
    """Every snapshot that a document names, wherever it stands."""
    if isinstance(value, str):
        snapshot = parse_snapshot_uri(value) if _SNAPSHOT.match(value) else None
        if snapshot is not None:
            yield snapshot
    elif isinstance(value, dict):
        for each in value.values():
            yield from snapshots_in(each)
    elif isinstance(value, list):
        for each in value:
            yield from snapshots_in(each)


def demand(platform: Platform, document: dict[str, Any]) -> None:
    """Return if every byte that the document names is here; raise UploadsMissing with what is not."""
    digests = {snapshot.digest for snapshot in snapshots_in(document)}
    unknown = set(platform.artifacts.missing(digests))
    wanted = {digest for manifest in digests - unknown for digest in files_of(platform, manifest)}
    absent = sorted({*unknown, *platform.artifacts.missing(wanted)})
    if absent:
        raise UploadsMissing(absent)


def files_of(platform: Platform, manifest: str) -> list[str]:
    """The digests of a snapshot's files."""
    return [file.digest for file in platform.checkouts.load(manifest).files]


def lay_out(platform: Platform, workspace: str, snapshot: SnapshotUri) -> None:
    """Give a snapshot its place in the workspace's default datastore."""
    place = uploaded_path(platform.home, workspace, snapshot)
    platform.checkouts.checkout(snapshot.digest, place, writable=False)


def uploaded_as(source: Source) -> SnapshotUri | None:
    """The snapshot that data was uploaded as, where it was: its bytes are here, and never change."""
    if not isinstance(source, InDatastore) or source.datastore != BLOB_STORE:
        return None
    parts = source.path.rstrip("/").split("/")
    if len(parts) != 3 or parts[0] != UPLOADS:
        return None
    return SnapshotUri(parts[1], parts[2], source.path.endswith("/"))
