"""Components, where they differ from other assets: they may be checked without being created, and are files again."""

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from penstock.server.platform import Platform
from penstock.server.routes.request import Body, By, DocumentBody, Here, Scope, in_both
from penstock.server.verbs import component as verbs
from penstock.server.verbs import component_download

_routes = APIRouter(tags=["component"])


@_routes.post("/components:validate")
def validate_component(here: Here, by: By, scope: Scope, body: DocumentBody) -> dict[str, Any]:
    """Say everything that is wrong with a component's document."""
    return verbs.validate(here, by, scope, body.document)


class ComponentFile(Body):
    """One file of a component, by its path beside `component.yml`."""

    path: str
    size: int


@_routes.get("/components/{name}/versions/{version}/files")
def list_component_files(
    here: Here, by: By, scope: Scope, name: str, version: str
) -> dict[str, list[ComponentFile]]:
    """What `component download` fetches."""
    found = component_download.files(here, by, scope, name, version)
    return {"files": [ComponentFile(path=path, size=piece.size) for path, piece in found.items()]}


@_routes.get("/components/{name}/versions/{version}/files/{path:path}", response_class=StreamingResponse)
def read_component_file(
    here: Here, by: By, scope: Scope, name: str, version: str, path: str
) -> StreamingResponse:
    """The bytes of one file. Only paths of the listing are served."""
    piece = component_download.file(here, by, scope, name, version, path)
    return StreamingResponse(_chunks(here, piece), media_type="application/octet-stream")


def _chunks(platform: Platform, piece: component_download.Piece) -> Iterator[bytes]:
    if piece.digest is None:
        yield piece.text
        return
    with platform.artifacts.open(piece.digest) as stream:
        while chunk := stream.read(1024 * 1024):
            yield chunk


router = in_both(_routes)
