"""Jobs: one execution each; a pipeline's steps are jobs whose parent is the pipeline's job."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, TypedDict, Unpack

from sqlalchemy import ColumnElement, Connection, and_, func, insert, not_, select, update

from penstock.errors import AlreadyExists, Conflict
from penstock.store.records.absence import absent
from penstock.store.records.tables import jobs as table
from penstock.store.records.tags import tagged

# A job in one of these has ended for good. Which status may follow which else is the business of `jobs/`.
TERMINAL: Final = frozenset({"Completed", "Failed", "Canceled", "NotResponding", "Paused", "Bypassed"})


@dataclass(frozen=True)
class JobRecord:
    """One job. Times are seconds since 1970 (UTC).

    `root` is the job that the user created (a root's own name), `step` the key within the parent, `position` the order
    among all steps of the root, each before its own. `worker` describes the process that runs it; `fence` grows with every new owner of the job.
    """

    workspace: str
    name: str
    type: str
    status: str
    display_name: str | None
    experiment_name: str
    description: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    parent: str | None
    root: str
    step: str | None
    spec: dict[str, Any]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    compute: str | None
    error: dict[str, Any] | None
    created_at: float
    created_by: str
    started_at: float | None = None
    ended_at: float | None = None
    cancel_requested_at: float | None = None
    mlflow_run: str | None = None
    worker: dict[str, Any] | None = None
    fence: int = 0
    position: int = 0
    archived: bool = False


class JobChanges(TypedDict, total=False):
    """What may change while a job lives."""

    status: str
    display_name: str | None
    experiment_name: str
    description: str | None
    tags: dict[str, Any]
    properties: dict[str, Any]
    spec: dict[str, Any]
    inputs: dict[str, Any]
    outputs: dict[str, Any]
    compute: str | None
    error: dict[str, Any] | None
    started_at: float | None
    ended_at: float | None
    cancel_requested_at: float | None
    mlflow_run: str | None
    worker: dict[str, Any] | None
    archived: bool


_COLUMNS = [table.c[field.name] for field in fields(JobRecord)]
_IN_ORDER = (table.c.position, table.c.name)


class JobRepository:
    """Reads and writes jobs inside one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def insert(self, record: JobRecord) -> JobRecord:
        """A new job. AlreadyExists where the name is taken in its workspace."""
        if self.find(record.workspace, record.name) is not None:
            raise AlreadyExists(
                f"job `{record.name}` exists already in workspace `{record.workspace}`",
                hint="choose another name with `--name`, or leave it out and a fresh one is made",
            )
        self._connection.execute(
            insert(table).values({**vars(record), "open": record.status not in TERMINAL})
        )
        return record

    def find(self, workspace: str, name: str) -> JobRecord | None:
        row = self._connection.execute(select(*_COLUMNS).where(_is(workspace, name))).mappings().first()
        return None if row is None else _record(row)

    def get(self, workspace: str, name: str) -> JobRecord:
        """The job, or NotFound with the latest ones that there are."""
        record = self.find(workspace, name)
        if record is None:
            names = [each.name for each in self.list(workspace, limit=100)]
            raise absent("job", name, f" in workspace `{workspace}`", names, called="latest jobs there")
        return record

    def list(
        self,
        workspace: str,
        parent: str | None = None,
        *,
        every: bool = False,
        statuses: Collection[str] | None = None,
        tag: str | None = None,
        archived: bool | None = None,
        limit: int | None = None,
    ) -> tuple[JobRecord, ...]:
        """The jobs that users created, newest first; or a parent's steps in their order; or, with `every`, both kinds.

        `tag` is a key, or `key=value`. `archived` True or False: only those, or only the others.
        """
        wanted: list[ColumnElement[bool]] = [table.c.workspace == workspace]
        if not every:
            wanted.append(table.c.parent == parent)
        if statuses is not None:
            wanted.append(table.c.status.in_(statuses))
        if tag is not None:
            wanted.append(tagged(table.c.tags, tag))
        if archived is not None:
            wanted.append(table.c.archived if archived else not_(table.c.archived))
        newest = (table.c.created_at.desc(), table.c.name.desc())
        return self._all(and_(*wanted), *(_IN_ORDER if parent is not None else newest), limit=limit)

    def children(self, workspace: str, parent: str) -> tuple[JobRecord, ...]:
        """The steps of a pipeline's job, in their order."""
        return self.list(workspace, parent)

    def below(self, workspace: str, name: str) -> tuple[JobRecord, ...]:
        """Everything inside a pipeline's job, at whatever depth: in the order of its file, each step before its own."""
        tree = (
            select(table.c.name)
            .where(table.c.workspace == workspace, table.c.parent == name)
            .cte("below", recursive=True)
        )
        inside = select(table.c.name).join(tree, table.c.parent == tree.c.name)
        tree = tree.union_all(inside.where(table.c.workspace == workspace))
        return self._all(
            and_(table.c.workspace == workspace, table.c.name.in_(select(tree.c.name))), *_IN_ORDER
        )

    def using_compute(
        self, workspace: str, compute: str, statuses: Collection[str] | None = None
    ) -> tuple[JobRecord, ...]:
        """Jobs and steps that name this compute, in one of the statuses where some are given; oldest first."""
        wanted = and_(table.c.workspace == workspace, table.c.compute == compute)
        if statuses is not None:
            wanted = and_(wanted, table.c.status.in_(statuses))
        return self._all(wanted, table.c.created_at, table.c.name)

    def open_roots(self) -> tuple[JobRecord, ...]:
        """The jobs that users created and that have not ended, of all workspaces, oldest first."""
        return self._all(and_(table.c.open, table.c.parent.is_(None)), table.c.created_at, table.c.name)

    def count_by_status(self) -> dict[str, int]:
        """How many jobs, steps among them, of all workspaces are open, by status."""
        query = (
            select(table.c.status, func.count().label("jobs")).where(table.c.open).group_by(table.c.status)
        )
        return {row.status: row.jobs for row in self._connection.execute(query)}

    def update(
        self, workspace: str, name: str, *, fence: int | None = None, **columns: Unpack[JobChanges]
    ) -> JobRecord:
        """The job with the given columns changed.

        A status that is terminal never changes: Conflict. `fence` says for which owner of the job the caller speaks: an
        older one than the job's is a Conflict, a newer one becomes the job's, and from then on the older is refused.
        """
        job = self.get(workspace, name)
        status = columns.get("status", job.status)
        if job.status in TERMINAL and status != job.status:
            raise Conflict(
                f"job `{name}` has ended as {job.status}; it cannot become {status}",
                details=(f"workspace: {workspace}",),
            )
        if fence is not None and fence < job.fence:
            raise Conflict(
                f"job `{name}` has another owner by now",
                details=(f"workspace: {workspace}", f"fence: {job.fence}, the caller's is {fence}"),
            )
        values = {**columns, "fence": max(fence or 0, job.fence), "open": status not in TERMINAL}
        self._connection.execute(update(table).where(_is(workspace, name)).values(values))
        return self.get(workspace, name)

    def take_over(self, workspace: str, name: str) -> JobRecord:
        """A new owner: the job with a fence that is higher by one. Whoever holds an older fence is refused from now on."""
        return self.update(workspace, name, fence=self.get(workspace, name).fence + 1)

    def _all(
        self, wanted: ColumnElement[bool], *order: ColumnElement[Any], limit: int | None = None
    ) -> tuple[JobRecord, ...]:
        query = select(*_COLUMNS).where(wanted).order_by(*order).limit(limit)
        return tuple(_record(row) for row in self._connection.execute(query).mappings())


def _is(workspace: str, name: str) -> ColumnElement[bool]:
    return and_(table.c.workspace == workspace, table.c.name == name)


def _record(row: Mapping[Any, Any]) -> JobRecord:
    return JobRecord(**row)
