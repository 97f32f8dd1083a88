"""Registries."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import By, ChangesBody, DocumentBody, Here
from penstock.server.verbs import registry as verbs

router = APIRouter(tags=["registry"])


@router.get("/registries")
def list_registries(here: Here, by: By) -> list[dict[str, Any]]:
    """Every registry."""
    return verbs.listing(here, by)


@router.post("/registries", status_code=201)
def create_registry(here: Here, by: By, body: DocumentBody) -> dict[str, Any]:
    """Create a registry."""
    return verbs.create(here, by, body.document).as_record()


@router.get("/registries/{registry}")
def show_registry(here: Here, by: By, registry: str) -> dict[str, Any]:
    """One registry."""
    return verbs.show(here, by, registry)


@router.patch("/registries/{registry}")
def update_registry(here: Here, by: By, registry: str, body: ChangesBody) -> dict[str, Any]:
    """Change a registry's description and tags."""
    return verbs.update(here, by, registry, body.changes)


@router.delete("/registries/{registry}", status_code=204)
def delete_registry(here: Here, by: By, registry: str) -> None:
    """Delete a registry with everything in it."""
    verbs.delete(here, by, registry)
