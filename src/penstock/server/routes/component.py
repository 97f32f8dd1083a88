"""Components, where they differ from other assets: one may be checked without being created."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, DocumentBody, Here
from penstock.server.verbs import component as verbs

router = APIRouter(tags=["component"], prefix="/workspaces/{workspace}")


@router.post("/components:validate")
def validate_component(here: Here, by: By, workspace: str, body: DocumentBody) -> dict[str, Any]:
    """Say everything that is wrong with a component's document."""
    return verbs.validate(here, by, workspace, body.document)
