"""Putting a version of a workspace's asset into a registry."""

from enum import StrEnum
from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import Body, By, Here
from penstock.server.verbs import share as verbs

router = APIRouter(tags=["assets"], prefix="/workspaces/{workspace}")


class Shareable(StrEnum):
    """What a registry holds, as it stands in a path."""

    ENVIRONMENTS = "environments"
    DATA = "data"
    MODELS = "models"
    COMPONENTS = "components"

    @property
    def noun(self) -> str:
        return self.value if self is Shareable.DATA else self.value.removesuffix("s")


class ShareBody(Body):
    """The registry; the version's name and version there, its own where none are given."""

    registry: str
    name: str | None = None
    version: str | None = None


@router.post("/{kind}/{name}/versions/{version}/share", status_code=201)
def share_asset(
    here: Here, by: By, workspace: str, kind: Shareable, name: str, version: str, body: ShareBody
) -> dict[str, Any]:
    """Put a version into a registry."""
    target = verbs.Target(body.registry, body.name, body.version)
    return verbs.share(here, by, workspace, kind.noun, name, version, target).as_record()
