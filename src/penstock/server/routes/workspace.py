"""Workspaces."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from penstock.server.routes.request import Body, By, DocumentBody, Here
from penstock.server.verbs import workspace as verbs

router = APIRouter(tags=["workspace"])


class WorkspaceChange(Body):
    """Dotted paths with their new values, and dotted paths to forget."""

    changes: dict[str, Any] = Field(default_factory=dict, alias="set")
    remove: list[str] = Field(default_factory=list)


@router.get("/workspaces")
def list_workspaces(here: Here, by: By) -> list[dict[str, Any]]:
    """Every workspace."""
    return verbs.listing(here, by)


@router.post("/workspaces", status_code=201)
def create_workspace(here: Here, by: By, body: DocumentBody) -> dict[str, Any]:
    """Create a workspace."""
    return verbs.create(here, by, body.document).as_record()


@router.get("/workspaces/{workspace}")
def show_workspace(here: Here, by: By, workspace: str) -> dict[str, Any]:
    """One workspace."""
    return verbs.show(here, by, workspace)


@router.patch("/workspaces/{workspace}")
def update_workspace(here: Here, by: By, workspace: str, body: WorkspaceChange) -> dict[str, Any]:
    """Change a workspace's names, tags and settings."""
    return verbs.update(here, by, workspace, body.changes, body.remove)


@router.delete("/workspaces/{workspace}", status_code=204)
def delete_workspace(here: Here, by: By, workspace: str) -> None:
    """Delete a workspace with everything in it."""
    verbs.delete(here, by, workspace)
