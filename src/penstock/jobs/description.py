"""A job as people and scripts see it: the shape of the YAML schema, with what happened since."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from penstock.jobs.rows import relaxed_of
from penstock.jobs.services import services_of
from penstock.resources.relaxed import marked
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction


def iso(seconds: float | None) -> str | None:
    """Epoch seconds as UTC in ISO 8601, with microseconds as Azure ML prints them."""
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
    )


DEFAULT_RESOURCE_GROUP = "local"


def group_of(tx: Transaction, workspace: str) -> str:
    """The workspace's resource group; NotFound where there is no such workspace."""
    return tx.workspaces.get(workspace).resource_group or DEFAULT_RESOURCE_GROUP


def resource_id(subscription: str, resource_group: str, workspace: str, kind: str, name: str) -> str:
    """The long id that Azure ML prints; `kind` is `jobs`, `computes`, …"""
    return (
        f"azureml:/subscriptions/{subscription}/resourceGroups/{resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{workspace}/{kind}/{name}"
    )


def creation_context(created_at: float, created_by: str, modified_at: float | None = None) -> dict[str, Any]:
    """Who made it, and when."""
    context = {"created_at": iso(created_at), "created_by": created_by, "created_by_type": "User"}
    if modified_at is not None:
        context["last_modified_at"] = iso(modified_at)
    return context


def job_record(
    job: JobRecord, below: Sequence[JobRecord], subscription: str, resource_group: str, page_base: str
) -> dict[str, Any]:
    """The record that REST returns and the command prints. `below` are all steps inside, `page_base` the loopback address."""
    document = dict(job.spec.get("document") or {})
    described = {
        **{key: value for key, value in document.items() if key not in ("name", "jobs")},
        "name": job.name,
        "display_name": job.display_name,
        "experiment_name": job.experiment_name,
        "description": job.description,
        "type": job.type,
        "status": job.status,
        "compute": _compute(job),
        "inputs": job.inputs,
        "outputs": job.outputs,
        "tags": job.tags,
        "properties": job.properties,
        "archived": job.archived,
        "creation_context": creation_context(job.created_at, job.created_by),
        "started_at": iso(job.started_at),
        "ended_at": iso(job.ended_at),
        "error": job.error,
        "mlflow_run_id": job.mlflow_run,
        "id": resource_id(subscription, resource_group, job.workspace, "jobs", job.name),
        "resourceGroup": resource_group,
        "services": {**_services(job, page_base), **services_of(job)},
        **marked(relaxed_of(job)),
    }
    if job.parent is not None:
        described |= {"parent_job_name": job.parent, "step": job.step}
    if job.type == "pipeline":
        described["jobs"] = _steps(job.name, below)
    return described


def _steps(pipeline: str, below: Sequence[JobRecord]) -> dict[str | None, dict[str, Any]]:
    return {child.step: _step(child, below) for child in below if child.parent == pipeline}


def _step(child: JobRecord, below: Sequence[JobRecord]) -> dict[str, Any]:
    """As it was written, with what became of it."""
    described = {
        **(child.spec.get("document") or {}),
        "name": child.name,
        "status": child.status,
        "started_at": iso(child.started_at),
        "ended_at": iso(child.ended_at),
        "error": child.error,
        **marked(relaxed_of(child)),
    }
    if child.type == "pipeline":
        described["jobs"] = _steps(child.name, below)
    return described


def _compute(job: JobRecord) -> str | None:
    return f"azureml:{job.compute}" if job.compute else None


def _services(job: JobRecord, page_base: str) -> dict[str, Any]:
    tracking = f"{page_base}/mlflow/{job.workspace}/"
    studio = f"{tracking}#/experiments" if job.mlflow_run is None else f"{tracking}#/runs/{job.mlflow_run}"
    return {
        "Studio": {"endpoint": studio, "type": "Studio"},
        "Tracking": {"endpoint": tracking, "type": "Tracking"},
    }
