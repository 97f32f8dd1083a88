"""Assets: named, versioned things, environments, data and models alike. A version's content never changes."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, and_, case, delete, func, insert, not_, select, update

from penstock.errors import AlreadyExists
from penstock.resources.scope import told
from penstock.store.records.absence import absent
from penstock.store.records.tables import assets as table
from penstock.store.records.tags import tagged


@dataclass(frozen=True)
class AssetRecord:
    """One version of an asset.

    `workspace` is the scope that it lives in, a workspace's or a registry's (`resources/scope.py`). `digest` is the
    identity of its content; `sequence` the order of creation within the scope, given by `create`.
    `archived_whole`: it is archived because its whole name is, and comes back only with that.
    Times are seconds since 1970 (UTC).
    """

    workspace: str
    kind: str
    name: str
    version: str
    spec: dict[str, Any]
    digest: str
    description: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    archived: bool
    anonymous: bool
    created_at: float
    created_by: str
    modified_at: float
    sequence: int = 0
    archived_whole: bool = False


def content_digest(content: Mapping[str, Any]) -> str:
    """The identity of a version's content: equal content has an equal digest, however the file was written."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


class AssetChanges(TypedDict, total=False):
    """What may change after a version was made; of `spec` only what is no content, such as a display name."""

    spec: dict[str, Any]
    description: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    archived: bool


_COLUMNS = [table.c[field.name] for field in fields(AssetRecord)]


class AssetRepository:
    """Reads and writes assets inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(self, record: AssetRecord) -> AssetRecord:
        """The version as it was kept, with its `sequence`. AlreadyExists where name and version are taken.

        A new version of a name that is archived as a whole is archived with it.
        """
        if self.find(record.workspace, record.kind, record.name, record.version) is not None:
            raise AlreadyExists(
                f"{record.kind} `{record.name}:{record.version}` exists already in {told(record.workspace)}"
            )
        query = select(func.max(table.c.sequence)).where(table.c.workspace == record.workspace)
        record = replace(record, sequence=(self._connection.execute(query).scalar() or 0) + 1)
        if self.is_archived_whole(record.workspace, record.kind, record.name):
            record = replace(record, archived=True, archived_whole=True)
        self._connection.execute(insert(table).values(vars(record)))
        return record

    def find(self, workspace: str, kind: str, name: str, version: str) -> AssetRecord | None:
        """That version, archived or not."""
        row = (
            self._connection.execute(select(*_COLUMNS).where(_is(workspace, kind, name, version)))
            .mappings()
            .first()
        )
        return None if row is None else _record(row)

    def get(self, workspace: str, kind: str, name: str, version: str) -> AssetRecord:
        """That version, archived or not, or NotFound with what there is instead."""
        record = self.find(workspace, kind, name, version)
        if record is None:
            self._must_be_known(workspace, kind, name)
            versions = [each.version for each in self.list(workspace, kind, name, include_archived=True)]
            where = f" in {told(workspace)}"
            raise absent(kind, f"{name}:{version}", where, versions, called=f"versions of `{name}` there")
        return record

    def find_latest(self, workspace: str, kind: str, name: str) -> AssetRecord | None:
        """The version that was created last, whatever its number, among those that are not archived."""
        latest = self.list(workspace, kind, name, limit=1)
        return latest[0] if latest else None

    def get_latest(self, workspace: str, kind: str, name: str) -> AssetRecord:
        """Like `find_latest`, or NotFound with what there is instead."""
        record = self.find_latest(workspace, kind, name)
        if record is None:
            self._must_be_known(workspace, kind, name)
            where = f" in {told(workspace)}: all its versions are archived"
            raise absent(kind, f"{name}@latest", where, (), called="versions that are not archived")
        return record

    def list(
        self,
        workspace: str,
        kind: str,
        name: str | None = None,
        *,
        include_archived: bool = False,
        archived_only: bool = False,
        tag: str | None = None,
        limit: int | None = None,
    ) -> tuple[AssetRecord, ...]:
        """Newest first. With a name: its versions. Without: each name's latest version, those made in passing left out.

        A name counts as archived where all its versions are. `tag` is a key, or `key=value`.
        """
        wanted = [table.c.workspace == workspace, table.c.kind == kind]
        if name is not None:
            wanted.append(table.c.name == name)
            if archived_only:
                wanted.append(table.c.archived)
            elif not include_archived:
                wanted.append(not_(table.c.archived))
        else:
            wanted.append(not_(table.c.anonymous))
            shown = func.max(case((not_(table.c.archived), table.c.sequence)))
            latest = select(func.coalesce(shown, func.max(table.c.sequence))).where(*wanted)
            latest = latest.group_by(table.c.name)
            if archived_only:
                latest = latest.having(shown.is_(None))
            elif not include_archived:
                latest = latest.having(shown.is_not(None))
            wanted.append(table.c.sequence.in_(latest))
        if tag is not None:
            wanted.append(tagged(table.c.tags, tag))
        query = select(*_COLUMNS).where(*wanted).order_by(table.c.sequence.desc()).limit(limit)
        return tuple(_record(row) for row in self._connection.execute(query).mappings())

    def every(self, workspace: str, kind: str) -> tuple[AssetRecord, ...]:
        """All versions of all names, archived ones and those made in passing too, oldest first."""
        wanted = and_(table.c.workspace == workspace, table.c.kind == kind)
        query = select(*_COLUMNS).where(wanted).order_by(table.c.sequence)
        return tuple(_record(row) for row in self._connection.execute(query).mappings())

    def next_version(self, workspace: str, kind: str, name: str) -> str:
        """One more than the highest version that is a whole number (archived ones count), `1` where there is none."""
        query = select(table.c.version).where(_named(workspace, kind, name))
        versions = self._connection.execute(query).scalars()
        return str(max((int(each) for each in versions if each.isascii() and each.isdigit()), default=0) + 1)

    def update_mutable(
        self,
        workspace: str,
        kind: str,
        name: str,
        version: str,
        *,
        modified_at: float,
        **changes: Unpack[AssetChanges],
    ) -> AssetRecord:
        """The version with another description, tags, properties or archived flag; its content stays."""
        self._connection.execute(
            update(table)
            .where(_is(workspace, kind, name, version))
            .values({**changes, "modified_at": modified_at})
        )
        return self.get(workspace, kind, name, version)

    def is_archived_whole(self, workspace: str, kind: str, name: str) -> bool:
        """Whether the name was archived with all its versions."""
        query = select(table.c.sequence).where(_named(workspace, kind, name), table.c.archived_whole).limit(1)
        return self._connection.execute(query).first() is not None

    def archive_whole(
        self, workspace: str, kind: str, name: str, archived: bool, *, modified_at: float
    ) -> None:
        """Archive or restore a name with all its versions, also those that were archived alone. NotFound without any."""
        changed = {"archived": archived, "archived_whole": archived, "modified_at": modified_at}
        self._must_be_known(workspace, kind, name)
        self._connection.execute(update(table).where(_named(workspace, kind, name)).values(changed))

    def delete(self, workspace: str, kind: str, name: str, version: str) -> None:
        """The version goes. NotFound where there is none."""
        if self._connection.execute(delete(table).where(_is(workspace, kind, name, version))).rowcount == 0:
            self.get(workspace, kind, name, version)

    def _must_be_known(self, workspace: str, kind: str, name: str) -> None:
        query = select(table.c.name, table.c.anonymous).where(
            table.c.workspace == workspace, table.c.kind == kind
        )
        known = self._connection.execute(query.distinct().order_by(table.c.name)).all()
        if name not in {row.name for row in known}:
            shown = [row.name for row in known if not row.anonymous]
            raise absent(kind, name, f" in {told(workspace)}", shown, called=f"{kind} assets there")


def _named(workspace: str, kind: str, name: str) -> ColumnElement[bool]:
    return and_(table.c.workspace == workspace, table.c.kind == kind, table.c.name == name)


def _is(workspace: str, kind: str, name: str, version: str) -> ColumnElement[bool]:
    return and_(_named(workspace, kind, name), table.c.version == version)


def _record(row: Mapping[Any, Any]) -> AssetRecord:
    return AssetRecord(**row)
