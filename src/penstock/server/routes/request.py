"""What every route takes from a request: the platform, the caller, and the bodies that documents come in."""

from typing import Annotated, Any

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict

from penstock.errors import NotAuthenticated
from penstock.identity.tokens import Caller
from penstock.server.platform import Platform


def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def _caller(request: Request) -> Caller:
    caller = request.scope.get("penstock.caller")
    if not isinstance(caller, Caller):  # the outer application forgot; never let a request through unnamed
        raise NotAuthenticated("the request carries no identity")
    return caller


Here = Annotated[Platform, Depends(_platform)]
By = Annotated[Caller, Depends(_caller)]


class Body(BaseModel):
    """A request's body: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class DocumentBody(Body):
    """A resource as its YAML file describes it."""

    document: dict[str, Any]
