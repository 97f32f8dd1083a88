"""Models."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, DocumentBody, Here
from penstock.server.verbs import model as verbs

router = APIRouter(tags=["model"], prefix="/workspaces/{workspace}/models")


@router.get("")
def list_models(
    here: Here,
    by: By,
    workspace: str,
    name: str | None = None,
    include_archived: bool = False,
    archived_only: bool = False,
    max_results: int | None = None,
) -> list[dict[str, Any]]:
    """One row per name, or all versions of one name, newest first. No model is archived yet."""
    del include_archived
    return [] if archived_only else verbs.listing(here, by, workspace, name=name, limit=max_results)


@router.post("", status_code=201)
def create_model(here: Here, by: By, workspace: str, body: DocumentBody) -> dict[str, Any]:
    """Register a version."""
    return verbs.create(here, by, workspace, body.document).as_record()


@router.get("/{name}/versions/{version}")
def show_model(here: Here, by: By, workspace: str, name: str, version: str) -> dict[str, Any]:
    """One version."""
    return verbs.show(here, by, workspace, name, version)


@router.get("/{name}/labels/{label}")
def show_model_by_label(here: Here, by: By, workspace: str, name: str, label: str) -> dict[str, Any]:
    """The version that a label or an MLflow alias names."""
    return verbs.show_label(here, by, workspace, name, label)
