"""Checking data against expectations."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field

from penstock.profiling.checking import EXAMPLES
from penstock.server.routes.request import Body, By, Here, Scope, WhichBody, in_both
from penstock.server.verbs import data_validation as verbs

_routes = APIRouter(tags=["data"])


class _Asked(Body):
    """What to check against; what is kept with the asset where `expectations` is absent."""

    expectations: dict[str, Any] | None = None
    source: str | None = Field(default=None, description="what the report calls the expectations")
    examples: int = Field(default=EXAMPLES, ge=0, le=100, description="rows that are shown of what fails")

    def asked(self, *, keep: bool = False) -> verbs.Asked:
        return verbs.Asked(self.expectations, self.source, self.examples, keep)


class ValidationBody(WhichBody, _Asked):
    """One version, the latest where none is named. `keep`: the expectations are kept with it."""

    keep: bool = False


class PathValidationBody(_Asked):
    """Files of the server's machine, by their absolute path."""

    path: str
    type: str | None = Field(default=None, pattern="^(uri_file|uri_folder|mltable)$")


@_routes.post("/data/{name}/validate")
def validate_data(here: Here, by: By, scope: Scope, name: str, body: ValidationBody) -> dict[str, Any]:
    """Check a version against expectations, and keep the result with it."""
    return verbs.validate(
        here, by, scope, name, body.asked(keep=body.keep), version=body.version, label=body.label
    )


@_routes.post("/data:validate")
def validate_path(here: Here, by: By, body: PathValidationBody) -> dict[str, Any]:
    """Check files of the server's machine against expectations."""
    return verbs.validate_path(here, by, body.path, body.asked(), kind=body.type)


router = in_both(_routes)
