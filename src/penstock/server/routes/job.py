"""Jobs: create, follow, cancel, download."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse, StreamingResponse

from penstock.identity.permissions import Action, require
from penstock.jobs.streaming import Follower
from penstock.server.platform import Platform
from penstock.server.routes.request import Body, By, ChangesBody, DocumentBody, Here, Which
from penstock.server.verbs import job as verbs
from penstock.server.verbs import job_difference, job_lifecycle

router = APIRouter(tags=["job"], prefix="/workspaces/{workspace}")

# Seconds between looks at a job that is followed: short while things happen, longer when nothing does.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.02, 0.25
DEFAULT_RESULTS = 50


class NewJob(DocumentBody):
    """A job's document; `default_experiment` is the experiment of a file that names none."""

    default_experiment: str | None = None


class CheckedDocument(DocumentBody):
    """A document to be checked; so far `kind` is always `job`."""

    kind: str = "job"


@router.get("/jobs")
def list_jobs(
    here: Here,
    by: By,
    workspace: str,
    shown: Which,
    parent_job_name: str | None = None,
    max_results: int = DEFAULT_RESULTS,
    all_results: bool = False,
    status: str | None = None,
    tag: str | None = None,
) -> list[dict[str, Any]]:
    """Jobs, newest first; a pipeline's steps in order, whatever is archived."""
    limit = None if all_results else max_results
    return verbs.listing(
        here, by, workspace, parent=parent_job_name, status=status, tag=tag, shown=shown, limit=limit
    )


@router.post("/jobs", status_code=201)
def create_job(here: Here, by: By, workspace: str, body: NewJob) -> dict[str, Any]:
    """Create a job and start it."""
    return verbs.create(here, by, workspace, body.document, body.default_experiment).as_record()


@router.post("/jobs:plan")
def plan_job(here: Here, by: By, workspace: str, body: NewJob) -> dict[str, Any]:
    """Say what a job would do, and create nothing."""
    return verbs.plan(here, by, workspace, body.document, body.default_experiment).as_record()


@router.post("/jobs:validate")
def validate_job(here: Here, by: By, workspace: str, body: DocumentBody) -> dict[str, Any]:
    """Say everything that is wrong with a job's document."""
    return verbs.validate(here, by, workspace, body.document)


@router.post("/documents:check")
def check_document(here: Here, by: By, workspace: str, body: CheckedDocument) -> dict[str, Any]:
    """Say what a document needs and the workspace lacks."""
    return verbs.check(here, by, workspace, body.document)


@router.get("/jobs/{name}")
def show_job(here: Here, by: By, workspace: str, name: str) -> dict[str, Any]:
    """One job."""
    return verbs.show(here, by, workspace, name)


@router.get("/jobs/{name}/difference/{other}")
def show_difference(here: Here, by: By, workspace: str, name: str, other: str) -> dict[str, Any]:
    """What differs between two jobs."""
    return job_difference.difference(here, by, workspace, name, other)


@router.get("/jobs/{name}/services")
def list_services(
    here: Here, by: By, workspace: str, name: str, node_index: int = 0
) -> dict[str, dict[str, Any]]:
    """What a job offers on one of its instances."""
    return verbs.services(here, by, workspace, name, node_index)


@router.post("/jobs/{name}/cancel")
def cancel_job(here: Here, by: By, workspace: str, name: str) -> dict[str, Any]:
    """Ask for a job's end."""
    return verbs.cancel(here, by, workspace, name)


@router.patch("/jobs/{name}")
def update_job(here: Here, by: By, workspace: str, name: str, body: ChangesBody) -> dict[str, Any]:
    """Change what describes a job."""
    return job_lifecycle.update(here, by, workspace, name, body.changes)


@router.post("/jobs/{name}/archive", status_code=204)
def archive_job(here: Here, by: By, workspace: str, name: str) -> None:
    """Hide a job that has ended from lists."""
    job_lifecycle.archive(here, by, workspace, name)


@router.post("/jobs/{name}/restore", status_code=204)
def restore_job(here: Here, by: By, workspace: str, name: str) -> None:
    """Show an archived job in lists again."""
    job_lifecycle.restore(here, by, workspace, name)


class JobFile(Body):
    """One file of a job, by its path under the download folder."""

    path: str
    size: int
    url: str


@router.get("/jobs/{name}/files")
def list_files(
    here: Here,
    by: By,
    workspace: str,
    name: str,
    output_name: str | None = None,
    every: Annotated[bool, Query(alias="all")] = False,
) -> dict[str, list[JobFile]]:
    """What `job download` fetches."""
    found = verbs.files(here, by, workspace, name, output=output_name, every=every)
    prefix = f"/api/v1/workspaces/{quote(workspace)}/jobs/{quote(name)}/files"
    return {
        "files": [
            JobFile(path=path, size=local.stat().st_size, url=f"{prefix}/{quote(path)}")
            for path, local in found.items()
        ]
    }


@router.get("/jobs/{name}/files/{path:path}", response_class=FileResponse)
def read_file(here: Here, by: By, workspace: str, name: str, path: str) -> FileResponse:
    """The bytes of one file. Only paths of the listing are served."""
    return FileResponse(verbs.file(here, by, workspace, name, path))


@router.get("/jobs/{name}/stream", response_class=StreamingResponse)
async def stream_job(here: Here, by: By, workspace: str, name: str, after: str = "0") -> StreamingResponse:
    """Status changes and logs as lines of JSON, until the job has ended. `after` is the cursor of the last line seen."""
    require(by, Action.JOB_READ, workspace)
    follower = await asyncio.to_thread(Follower, here.database, here.home, workspace, name)
    follower.resume(after)
    return StreamingResponse(_lines(here, follower), media_type="application/x-ndjson")


async def _lines(here: Platform, follower: Follower) -> AsyncIterator[bytes]:
    pause = _SHORTEST_PAUSE
    while not follower.ended:
        lines = await asyncio.to_thread(
            lambda: [json.dumps(line).encode() + b"\n" for line in follower.read()]
        )
        if lines:
            pause = _SHORTEST_PAUSE
            yield b"".join(lines)
        else:
            pause = min(pause * 1.2, _LONGEST_PAUSE)
        if not follower.ended:
            await asyncio.sleep(pause)
