"""Components, where they differ from other assets: one may be checked without being created."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, DocumentBody, Here, Scope, in_both
from penstock.server.verbs import component as verbs

_routes = APIRouter(tags=["component"])


@_routes.post("/components:validate")
def validate_component(here: Here, by: By, scope: Scope, body: DocumentBody) -> dict[str, Any]:
    """Say everything that is wrong with a component's document."""
    return verbs.validate(here, by, scope, body.document)


router = in_both(_routes)
