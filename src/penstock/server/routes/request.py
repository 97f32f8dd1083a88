"""What every route takes from a request: the platform, the caller, and the bodies that documents come in."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from penstock.errors import NotAuthenticated, NotFound, PenstockError
from penstock.identity.tokens import Caller
from penstock.resources.changes import Changes
from penstock.resources.scope import registry_of, registry_scope
from penstock.resources.workspace_settings import WorkspaceSettings
from penstock.server.platform import Platform
from penstock.server.verbs.lifecycle import Shown
from penstock.settings import WORKSPACE_SETTINGS


def _platform(request: Request) -> Platform:
    platform: Platform = request.app.state.platform
    return platform


def _caller(request: Request) -> Caller:
    caller = request.scope.get("penstock.caller")
    if not isinstance(caller, Caller):  # the outer application forgot; never let a request through unnamed
        raise NotAuthenticated("the request carries no identity")
    header = request.headers.get("penstock-settings")
    if header:
        return replace(caller, settings=_settings(header, may_name_files=caller.kind == "owner"))
    return caller


def _shown(include_archived: bool = False, archived_only: bool = False) -> Shown:
    return Shown.of(include_archived=include_archived, archived_only=archived_only)


def _settings(header: str, *, may_name_files: bool) -> Mapping[str, Any]:
    """The workspace settings that the caller's flags and environment override. Files of this machine are its owner's."""
    try:
        settings = WorkspaceSettings.model_validate(json.loads(header))
    except (ValueError, ValidationError) as error:
        raise PenstockError(
            "the header Penstock-Settings cannot be read",
            hint="it is JSON: the settings of a workspace, with absolute paths",
        ) from error
    said = settings.to_document()
    return {name: value for name, value in said.items() if may_name_files or name not in WORKSPACE_SETTINGS}


Here = Annotated[Platform, Depends(_platform)]
By = Annotated[Caller, Depends(_caller)]
Which = Annotated[Shown, Depends(_shown)]
"""Whether a list has what is archived."""


def _in_workspace(request: Request, workspace: str) -> None:
    if registry_of(workspace) is not None:  # a registry has its own address, and one is enough
        raise NotFound(f"workspace `{workspace}` was not found")
    request.state.scope = workspace


def _in_registry(request: Request, registry: str) -> None:
    request.state.scope = registry_scope(registry)


def _scope(request: Request) -> str:
    scope: str = request.state.scope
    return scope


Scope = Annotated[str, Depends(_scope)]
"""The workspace's or registry's scope (`resources/scope.py`) that a route of `in_both` was asked in."""


def in_both(router: APIRouter) -> APIRouter:
    """The routes of assets, whose paths begin with `/{kind}`: under every workspace, and under every registry."""
    both = APIRouter()
    both.include_router(router, prefix="/workspaces/{workspace}", dependencies=[Depends(_in_workspace)])
    both.include_router(router, prefix="/registries/{registry}", dependencies=[Depends(_in_registry)])
    return both


class Body(BaseModel):
    """A request's body: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Addition(Body):
    """What to add to a list or a mapping."""

    path: str
    value: Any


class ChangesBody(Body):
    """What `update` changes: values by path, what is added, paths that are removed."""

    values: dict[str, Any] = Field(default_factory=dict, alias="set")
    add: list[Addition] = Field(default_factory=list)
    remove: list[str] = Field(default_factory=list)

    @property
    def changes(self) -> Changes:
        return Changes(self.values, tuple((each.path, each.value) for each in self.add), tuple(self.remove))


class WhichBody(Body):
    """One version of an asset, by its version or a label; the asset with all its versions where both are absent."""

    version: str | None = None
    label: str | None = None


class DocumentBody(Body):
    """A resource as its YAML file describes it."""

    document: dict[str, Any]


class AssetBody(DocumentBody):
    """An asset; `skip_validation` takes the MLTable file of a data asset as it is."""

    skip_validation: bool = False
