"""Checking data against expectations: lines of JSON while the data is read, the last of which is the report (`validation`)."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import Field

from penstock.profiling.checking import EXAMPLES
from penstock.server.platform import Platform
from penstock.server.routes.long_answers import long_answer
from penstock.server.routes.request import Body, By, Here, Scope, WhichBody, in_both
from penstock.server.verbs import data_validation as verbs
from penstock.server.verbs.data_profile import READING

_routes = APIRouter(tags=["data"])
_places = APIRouter(tags=["data"], prefix="/workspaces/{workspace}")


class _Asked(Body):
    """What to check against; what is kept with the asset where `expectations` is absent."""

    expectations: dict[str, Any] | None = None
    source: str | None = Field(default=None, description="what the report calls the expectations")
    examples: int = Field(default=EXAMPLES, ge=0, le=100, description="rows that are shown of what fails")
    pattern: str | None = Field(default=None, description="which files of a folder are the table")
    delimiter: str | None = None
    encoding: str | None = None
    header: bool = True
    skip_rows: int = Field(default=0, ge=0)

    def asked(self, *, keep: bool = False) -> verbs.Asked:
        reading = self.model_dump(include=set(READING), exclude_defaults=True)
        return verbs.Asked(self.expectations, self.source, self.examples, keep, reading)


class ValidationBody(WhichBody, _Asked):
    """One version, the latest where none is named. `keep`: the expectations are kept with it."""

    keep: bool = False


class PathValidationBody(_Asked):
    """A reference to data, or files of the server's machine, by their absolute path."""

    path: str
    type: str | None = Field(default=None, pattern="^(uri_file|uri_folder|mltable)$")


@_routes.post("/data/{name}/validate", response_class=StreamingResponse)
def validate_data(here: Here, by: By, scope: Scope, name: str, body: ValidationBody) -> StreamingResponse:
    """Check a version against expectations, and keep the result with it."""
    asked = body.asked(keep=body.keep)
    return _answer(
        here, verbs.of_version(here, by, scope, name, asked, version=body.version, label=body.label)
    )


@_places.post("/data:validate", response_class=StreamingResponse)
def validate_path(here: Here, by: By, workspace: str, body: PathValidationBody) -> StreamingResponse:
    """Check data at a reference, or files of the server's machine, against expectations."""
    return _answer(here, verbs.of_path(here, by, workspace, body.path, body.asked(), kind=body.type))


def _answer(here: Platform, ready: verbs.Ready) -> StreamingResponse:
    return long_answer(
        lambda progress, is_wanted: verbs.validate(here, ready, progress=progress, is_wanted=is_wanted),
        "validation",
    )


router = APIRouter()
router.include_router(_places)
router.include_router(in_both(_routes))
