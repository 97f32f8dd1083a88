"""Datastores."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, ChangesBody, DocumentBody, Here
from penstock.server.verbs import datastore as verbs

router = APIRouter(tags=["datastore"], prefix="/workspaces/{workspace}/datastores")


@router.get("")
def list_datastores(here: Here, by: By, workspace: str) -> list[dict[str, Any]]:
    """Every datastore of a workspace, the built-in ones first."""
    return verbs.listing(here, by, workspace)


@router.post("", status_code=201)
def create_datastore(here: Here, by: By, workspace: str, body: DocumentBody) -> dict[str, Any]:
    """Create a datastore, or give an existing one these settings."""
    return verbs.create(here, by, workspace, body.document).as_record()


@router.get(":default")
def show_default_datastore(here: Here, by: By, workspace: str) -> dict[str, Any]:
    """The datastore where things go that name none."""
    return verbs.show_default(here, by, workspace)


@router.get("/{name}")
def show_datastore(here: Here, by: By, workspace: str, name: str) -> dict[str, Any]:
    """One datastore."""
    return verbs.show(here, by, workspace, name)


@router.patch("/{name}")
def update_datastore(here: Here, by: By, workspace: str, name: str, body: ChangesBody) -> dict[str, Any]:
    """Change a datastore's description, tags or folder."""
    return verbs.update(here, by, workspace, name, body.changes)


@router.delete("/{name}", status_code=204)
def delete_datastore(here: Here, by: By, workspace: str, name: str) -> None:
    """Forget a datastore; its data stays."""
    verbs.delete(here, by, workspace, name)
