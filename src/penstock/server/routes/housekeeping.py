"""Health, status, disk use, garbage, and the server's own end."""

import os
import signal
from typing import Any

from fastapi import APIRouter

import penstock
from penstock.identity.permissions import Action, require
from penstock.server.routes.request import Body, By, Here
from penstock.server.verbs import housekeeping as verbs

router = APIRouter(tags=["server"])


class Collection(Body):
    """What to collect: only things older than so many days; `dry_run` only says what it would be."""

    dry_run: bool = False
    older_than_days: float | None = None


@router.get("/health")
def health() -> dict[str, Any]:
    """That the server answers, and which one it is."""
    return {"status": "ok", "version": penstock.__version__, "pid": os.getpid()}


@router.get("/status")
def status(here: Here, by: By) -> dict[str, Any]:
    """What the server is doing."""
    return verbs.status(here, by)


@router.get("/usage")
def usage(here: Here, by: By) -> dict[str, Any]:
    """What takes up how much of the disk."""
    return verbs.usage(here, by)


@router.post("/gc")
def collect_garbage(here: Here, by: By, body: Collection) -> dict[str, Any]:
    """Remove what nothing refers to."""
    return verbs.collect(here, by, older_than_days=body.older_than_days, dry_run=body.dry_run)


@router.post("/shutdown", status_code=202)
def shutdown(by: By) -> dict[str, Any]:
    """End the server. Running steps go on, and the next server adopts them."""
    require(by, Action.SERVER_ADMINISTER)
    os.kill(os.getpid(), signal.SIGTERM)  # the same way out as from a terminal or a service manager
    return {"status": "stopping", "pid": os.getpid()}
