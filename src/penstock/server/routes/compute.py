"""Computes."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from penstock.server.routes.request import By, ChangesBody, DocumentBody, Here
from penstock.server.verbs import compute as verbs

router = APIRouter(tags=["compute"], prefix="/workspaces/{workspace}/computes")


@router.get("")
def list_computes(
    here: Here, by: By, workspace: str, kind: Annotated[str | None, Query(alias="type")] = None
) -> list[dict[str, Any]]:
    """Every compute of a workspace."""
    return verbs.listing(here, by, workspace, kind)


@router.post("", status_code=201)
def create_compute(here: Here, by: By, workspace: str, body: DocumentBody) -> dict[str, Any]:
    """Create a compute, or give an existing one these settings."""
    return verbs.create(here, by, workspace, body.document).as_record()


@router.get("/{name}")
def show_compute(here: Here, by: By, workspace: str, name: str) -> dict[str, Any]:
    """One compute."""
    return verbs.show(here, by, workspace, name)


@router.patch("/{name}")
def update_compute(here: Here, by: By, workspace: str, name: str, body: ChangesBody) -> dict[str, Any]:
    """Change a compute's settings."""
    return verbs.update(here, by, workspace, name, body.changes)


@router.delete("/{name}", status_code=204)
def delete_compute(here: Here, by: By, workspace: str, name: str) -> None:
    """Delete a compute."""
    verbs.delete(here, by, workspace, name)
