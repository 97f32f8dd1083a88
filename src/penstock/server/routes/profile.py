"""Profiles of data: lines of JSON while the data is read, the last of which is the profile."""

import asyncio
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from penstock.server.platform import Platform
from penstock.server.routes.long_answers import long_answer
from penstock.server.routes.request import By, Here, Scope, in_both
from penstock.server.verbs import data_profile
from penstock.server.verbs.data_profile import Subject

# Any in this module: JSON.

_versions = APIRouter(tags=["data"], prefix="/data")
_places = APIRouter(tags=["data"], prefix="/workspaces/{workspace}")


def _reading(
    pattern: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    header: bool = True,
    skip_rows: int = 0,
) -> dict[str, Any]:
    """How text is read; without what is as usual."""
    given = {"pattern": pattern, "delimiter": delimiter, "encoding": encoding, "skip_rows": skip_rows or None}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    return options if header else {**options, "header": False}


Reading = Annotated[dict[str, Any], Depends(_reading)]
"""How text is read where it does not say so itself."""
Columns = Annotated[list[str], Query(alias="column", default_factory=list)]


@_versions.get("/{name}/versions/{version}/profile", response_class=StreamingResponse)
async def profile_version(
    here: Here,
    by: By,
    scope: Scope,
    name: str,
    version: str,
    reading: Reading,
    columns: Columns,
    propose: bool = False,
) -> StreamingResponse:
    """What is in the columns of a version of data."""
    subject = await asyncio.to_thread(
        lambda: data_profile.version(here, by, scope, name, version=version, options=reading)
    )
    return _answer(here, subject, columns, propose)


@_versions.get("/{name}/labels/{label}/profile", response_class=StreamingResponse)
async def profile_label(
    here: Here,
    by: By,
    scope: Scope,
    name: str,
    label: str,
    reading: Reading,
    columns: Columns,
    propose: bool = False,
) -> StreamingResponse:
    """What is in the columns of the version that a label names."""
    subject = await asyncio.to_thread(
        lambda: data_profile.version(here, by, scope, name, label=label, options=reading)
    )
    return _answer(here, subject, columns, propose)


@_places.get("/profile", response_class=StreamingResponse)
async def profile_place(
    here: Here,
    by: By,
    workspace: str,
    reading: Reading,
    columns: Columns,
    path: str = "",
    kind: Annotated[str | None, Query(alias="type")] = None,
    propose: bool = False,
) -> StreamingResponse:
    """What is in the columns of data at a reference, or of a file or folder of the server's machine."""
    subject = await asyncio.to_thread(
        lambda: data_profile.place(here, by, workspace, path, kind=kind, options=reading)
    )
    return _answer(here, subject, columns, propose)


def _answer(here: Platform, subject: Subject, columns: list[str], propose: bool) -> StreamingResponse:
    def work(progress: Callable[[int], None], is_wanted: Callable[[], bool]) -> dict[str, Any]:
        found = data_profile.profile(here, subject, tuple(columns), progress=progress, is_wanted=is_wanted)
        return data_profile.with_proposal(found, tuple(columns)) if propose else found

    return long_answer(work, "profile")


router = APIRouter()
router.include_router(_places)
router.include_router(in_both(_versions))
