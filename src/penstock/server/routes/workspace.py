"""Workspaces."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, ChangesBody, DocumentBody, Here
from penstock.server.verbs import workspace as verbs

router = APIRouter(tags=["workspace"])


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
def update_workspace(here: Here, by: By, workspace: str, body: ChangesBody) -> dict[str, Any]:
    """Change a workspace's names, tags and settings."""
    return verbs.update(here, by, workspace, body.changes)


@router.delete("/workspaces/{workspace}", status_code=204)
def delete_workspace(here: Here, by: By, workspace: str) -> None:
    """Delete a workspace with everything in it."""
    verbs.delete(here, by, workspace)
