"""Jobs after they were made: described otherwise, archived, restored. A pipeline's steps follow their pipeline."""

from typing import Any

from penstock.errors import Conflict
from penstock.events import JobUpdated
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.resources.changes import Changes, changed_fields
from penstock.server.platform import Platform
from penstock.server.verbs.job import show
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction

# What may change of a job at any time; `properties` may only grow.
MAY_CHANGE = ("display_name", "description", "tags", "properties")


def update(platform: Platform, caller: Caller, workspace: str, name: str, changes: Changes) -> dict[str, Any]:
    """Change what describes a job. Its run in MLflow is called as the job is."""
    require(caller, Action.JOB_WRITE, workspace)
    with platform.database.transaction() as tx:
        job = _root(tx, workspace, name, "changed")
        present = {key: getattr(job, key) for key in MAY_CHANGE}
        record = {**(job.spec.get("document") or {}), **present}
        columns: Any = changed_fields(record, changes, what=f"job `{name}`", may_change=MAY_CHANGE)
        if columns:
            tx.jobs.update(workspace, name, **columns)
            _tell(platform, tx, workspace, name, "updated")
    if job.mlflow_run is not None and "display_name" in changes.fields:
        # Also where the job was called so before: the command can be repeated when MLflow was out of reach.
        called = columns.get("display_name", job.display_name)
        platform.runs.rename(workspace, job.mlflow_run, called or name)
    return show(platform, caller, workspace, name)


def archive(platform: Platform, caller: Caller, workspace: str, name: str) -> None:
    """Hide a job that has ended from lists."""
    require(caller, Action.JOB_WRITE, workspace)
    with platform.database.transaction() as tx:
        job = _root(tx, workspace, name, "archived")
        if job.status not in st.TERMINAL:
            raise Conflict(
                f"job `{name}` is {job.status}: only a job that has ended can be archived",
                hint=f"wait for it with `penstock job stream -n {name}`, or stop it with `penstock job cancel -n {name}`",
            )
        if not job.archived:
            tx.jobs.update(workspace, name, archived=True)
            _tell(platform, tx, workspace, name, "archived")


def restore(platform: Platform, caller: Caller, workspace: str, name: str) -> None:
    """Show an archived job in lists again."""
    require(caller, Action.JOB_WRITE, workspace)
    with platform.database.transaction() as tx:
        if _root(tx, workspace, name, "restored").archived:
            tx.jobs.update(workspace, name, archived=False)
            _tell(platform, tx, workspace, name, "restored")


def _root(tx: Transaction, workspace: str, name: str, done: str) -> JobRecord:
    job: JobRecord = tx.jobs.get(workspace, name)
    if job.parent is not None:
        raise Conflict(
            f"`{name}` is a step of job `{job.root}` and is not {done} on its own",
            hint=f"name the whole job: -n {job.root}",
        )
    return job


def _tell(platform: Platform, tx: Transaction, workspace: str, name: str, change: str) -> None:
    event = JobUpdated(f"job/{name}", change)
    tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
