"""What a job offers to people while it runs, and at which address."""

from typing import Any

from penstock.errors import NotFound
from penstock.jobs.process_layout import HERE
from penstock.store.records.job import JobRecord


def services_of(job: JobRecord) -> dict[str, dict[str, Any]]:
    """The services of the job's file, with the address of those that have one. A pipeline runs no process, and has none."""
    written = (job.spec.get("document") or {}).get("services") or {}
    return {
        name: {**service, "endpoint": _endpoint(service), "status": job.status}
        for name, service in (written.items() if job.type != "pipeline" else ())
    }


def services_on(job: JobRecord, node: int) -> dict[str, dict[str, Any]]:
    """Those on one instance: all of them on the first, on the others what is said to be on all. NotFound without such one."""
    count = int(job.spec["plan"].get("instance_count", 1))
    if not 0 <= node < count:
        raise NotFound(
            f"job `{job.name}` has no node {node}",
            details=(f"its nodes: {', '.join(map(str, range(count)))}",),
        )
    return {
        name: {"error": None, "port": None, "properties": None, **service}
        for name, service in services_of(job).items()
        if node == 0 or service.get("nodes") == "all"
    }


def _endpoint(service: dict[str, Any]) -> str | None:
    """Only what the job's own command listens at: what is not started has no address."""
    port = service.get("port")
    return f"http://{HERE}:{port}" if port is not None and service.get("type") == "custom" else None
