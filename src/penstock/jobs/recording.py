"""The one place that writes a job's status, and the words that go with its end."""

from collections.abc import Callable, Sequence
from typing import Any

from penstock.errors import PenstockError
from penstock.events import JobStatusChanged
from penstock.jobs import statuses as st
from penstock.jobs.rows import RELAXED, path_of, relaxed_of
from penstock.jobs.streaming import WARNING_PROPERTY
from penstock.resources.relaxed import Row
from penstock.store.database import Database
from penstock.store.records.job import JobRecord


class Recorder:
    """Writes a status and its event in one transaction."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def relaxed(self, step: JobRecord, rows: Sequence[Row]) -> None:
        """Note in the whole job what the environment of one of its steps has otherwise than it was asked."""
        path = path_of(step)
        with self._database.transaction() as tx:
            root = tx.jobs.get(step.workspace, step.root)
            known = [row for row in relaxed_of(root) if row.get("step") != path]
            told = [*known, *({"step": path, **row} for row in rows)]
            tx.jobs.update(root.workspace, root.name, spec={**root.spec, RELAXED: told})

    def set(self, job: JobRecord, status: str, **columns: Any) -> JobRecord:
        """The job with its new status. Only what the table of statuses allows; `columns` are those of the record."""
        if not st.may_follow(job.status, status):
            raise AssertionError(f"{job.name}: {status} may not follow {job.status}")
        if status in st.TERMINAL:
            columns.setdefault("ended_at", self._clock())
        # The fence that we know: a job that has another owner by now is not written.
        columns.setdefault("fence", job.fence)
        with self._database.transaction() as tx:
            job = tx.jobs.update(job.workspace, job.name, status=status, **columns)
            event = JobStatusChanged(
                f"job/{job.name}", job.root, path_of(job), status, job.display_name, columns.get("error")
            )
            tx.events.append(job.workspace, self._clock(), event.type, event.subject, event.body())
        return job


# The property of a job that names, by digest, the environment that it was prepared with.
ENVIRONMENT_PROPERTY = "penstock.environment"


def what(job: JobRecord) -> str:
    """How messages call it."""
    path = path_of(job)
    return f"step `{path}`" if path is not None else f"job `{job.name}`"


def never_ran(job: JobRecord, because: str) -> dict[str, Any]:
    """The error of a step that was canceled before it had a process."""
    message = f"{what(job)} did not run: {because}"
    return {"code": "Canceled", "message": message, "details": [], "hint": None}


def failed_with(job: JobRecord, error: PenstockError) -> dict[str, Any]:
    """The error of a step that could not be prepared or started."""
    return {**error.as_record(), "message": f"{what(job)} failed: {error.message}"}


def error_of_pipeline(steps: Sequence[JobRecord]) -> dict[str, Any] | None:
    """Its first failed step's error, with the names of the others; or that a step took longer than it may."""
    failed = [step for step in steps if step.status == st.FAILED]
    if not failed:
        errors = (step.error for step in steps if step.status == st.CANCELED)
        return next((error for error in errors if error and error.get("code") == "Timeout"), None)
    nameless = {"code": "UserError", "message": f"{what(failed[0])} failed", "details": []}
    first = failed[0].error or nameless
    names = ", ".join(f"`{path_of(job)}`" for job in failed[1:])
    message = f"{first['message']}; also failed: {names}" if names else first["message"]
    return {**first, "message": message}


def warning_properties(warnings: Sequence[str]) -> dict[str, str]:
    """Warnings as the properties under which a job's record keeps them."""
    return {f"{WARNING_PROPERTY}{number}": text for number, text in enumerate(warnings, start=1)}
