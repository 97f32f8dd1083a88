"""One-time links and tokens."""

from typing import Any

from fastapi import APIRouter

from penstock.server.routes.request import Body, By, Here
from penstock.server.verbs import access as verbs

router = APIRouter(tags=["access"])


class NewLink(Body):
    """Where the link leads: a path of this server."""

    workspace: str
    target: str


class NewToken(Body):
    """How long the token lives, in seconds; twelve hours where it is not said."""

    lifetime_seconds: float | None = None


@router.post("/links", status_code=201)
def create_link(here: Here, by: By, body: NewLink) -> dict[str, Any]:
    """A link that works once."""
    return verbs.link(here, by, body.workspace, body.target)


@router.post("/workspaces/{workspace}/tokens", status_code=201)
def create_token(here: Here, by: By, workspace: str, body: NewToken) -> dict[str, Any]:
    """A token and the variables that go with it."""
    return verbs.token(here, by, workspace, body.lifetime_seconds)
