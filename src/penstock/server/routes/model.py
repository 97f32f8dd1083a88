"""Models."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from penstock.server.routes.request import (
    Body,
    By,
    ChangesBody,
    DocumentBody,
    Here,
    Scope,
    Which,
    WhichBody,
    in_both,
)
from penstock.server.verbs import model as verbs
from penstock.server.verbs import model_download

_routes = APIRouter(tags=["model"], prefix="/models")


@_routes.get("")
def list_models(
    here: Here,
    by: By,
    scope: Scope,
    shown: Which,
    name: str | None = None,
    tag: str | None = None,
    max_results: int | None = None,
) -> list[dict[str, Any]]:
    """One row per name, or all versions of one name, newest first."""
    return verbs.listing(here, by, scope, name=name, shown=shown, tag=tag, limit=max_results)


@_routes.post("", status_code=201)
def create_model(here: Here, by: By, scope: Scope, body: DocumentBody) -> dict[str, Any]:
    """Register a version."""
    return verbs.create(here, by, scope, body.document).as_record()


@_routes.get("/{name}/versions/{version}")
def show_model(here: Here, by: By, scope: Scope, name: str, version: str) -> dict[str, Any]:
    """One version."""
    return verbs.show(here, by, scope, name, version)


@_routes.get("/{name}/labels/{label}")
def show_model_by_label(here: Here, by: By, scope: Scope, name: str, label: str) -> dict[str, Any]:
    """The version that a label or an MLflow alias names."""
    return verbs.show_label(here, by, scope, name, label)


@_routes.patch("/{name}/versions/{version}")
def update_model(
    here: Here, by: By, scope: Scope, name: str, version: str, body: ChangesBody
) -> dict[str, Any]:
    """Change what describes a version."""
    return verbs.update(here, by, scope, name, version, body.changes)


@_routes.post("/{name}/archive", status_code=204)
def archive_model(here: Here, by: By, scope: Scope, name: str, body: WhichBody) -> None:
    """Hide a version, or a model with all its versions, from lists and from `@latest`."""
    verbs.archive(here, by, scope, name, version=body.version, label=body.label)


@_routes.post("/{name}/restore", status_code=204)
def restore_model(here: Here, by: By, scope: Scope, name: str, body: WhichBody) -> None:
    """Undo archiving."""
    verbs.restore(here, by, scope, name, version=body.version, label=body.label)


class ModelFile(Body):
    """One file of a model, by its path within the model."""

    path: str
    size: int


@_routes.get("/{name}/versions/{version}/files")
def list_model_files(here: Here, by: By, scope: Scope, name: str, version: str) -> dict[str, list[ModelFile]]:
    """What `model download` fetches."""
    found = model_download.files(here, by, scope, name, version)
    return {"files": [ModelFile(path=path, size=local.stat().st_size) for path, local in found.items()]}


@_routes.get("/{name}/versions/{version}/files/{path:path}", response_class=FileResponse)
def read_model_file(here: Here, by: By, scope: Scope, name: str, version: str, path: str) -> FileResponse:
    """The bytes of one file. Only paths of the listing are served."""
    return FileResponse(model_download.file(here, by, scope, name, version, path))


router = in_both(_routes)
