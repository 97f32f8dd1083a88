"""Environments, data assets and components: what versioned assets share is here once."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path

from penstock.server.routes.request import (
    AssetBody,
    By,
    ChangesBody,
    Here,
    Scope,
    Which,
    WhichBody,
    in_both,
)
from penstock.server.verbs import asset as verbs
from penstock.server.verbs import component, data, data_facts, environment
from penstock.server.verbs.answer import Created

_routes = APIRouter(tags=["assets"], prefix="/{kind}")


class Kind(StrEnum):
    """The nouns whose versions we keep ourselves, as they stand in a path."""

    ENVIRONMENTS = "environments"
    DATA = "data"
    COMPONENTS = "components"

    @property
    def noun(self) -> str:
        return self.value.removesuffix("s")


_CREATE: dict[Kind, Callable[..., Created]] = {
    Kind.ENVIRONMENTS: environment.create,
    Kind.DATA: data.create,
    Kind.COMPONENTS: component.create,
}
KindPath = Annotated[Kind, Path()]


@_routes.get("")
def list_assets(
    here: Here,
    by: By,
    scope: Scope,
    kind: KindPath,
    shown: Which,
    name: str | None = None,
    tag: str | None = None,
    max_results: int | None = None,
) -> list[dict[str, Any]]:
    """One row per name, or all versions of one name, newest first."""
    return verbs.listing(here, by, scope, kind.noun, name=name, shown=shown, tag=tag, limit=max_results)


@_routes.post("", status_code=201)
def create_asset(here: Here, by: By, scope: Scope, kind: KindPath, body: AssetBody) -> dict[str, Any]:
    """Create a version."""
    if kind is Kind.DATA:
        made = data.create(here, by, scope, body.document, skip_validation=body.skip_validation)
        return made.as_record()
    return _CREATE[kind](here, by, scope, body.document).as_record()


@_routes.get("/{name}/versions/{version}")
def show_asset(here: Here, by: By, scope: Scope, kind: KindPath, name: str, version: str) -> dict[str, Any]:
    """One version."""
    if kind is Kind.DATA:
        return data_facts.shown(here, by, scope, name, version=version)
    return verbs.show(here, by, scope, kind.noun, name, version)


@_routes.get("/{name}/labels/{label}")
def show_asset_by_label(
    here: Here, by: By, scope: Scope, kind: KindPath, name: str, label: str
) -> dict[str, Any]:
    """The version that a label names."""
    if kind is Kind.DATA and label == verbs.LATEST:
        return data_facts.shown(here, by, scope, name)
    return verbs.show_label(here, by, scope, kind.noun, name, label)


@_routes.patch("/{name}/versions/{version}")
def update_asset(
    here: Here, by: By, scope: Scope, kind: KindPath, name: str, version: str, body: ChangesBody
) -> dict[str, Any]:
    """Change what describes a version."""
    return verbs.update(here, by, scope, kind.noun, name, version, body.changes)


@_routes.post("/{name}/archive", status_code=204)
def archive_asset(here: Here, by: By, scope: Scope, kind: KindPath, name: str, body: WhichBody) -> None:
    """Hide a version, or a name with all its versions, from lists and from `@latest`."""
    verbs.archive(here, by, scope, kind.noun, name, version=body.version, label=body.label)


@_routes.post("/{name}/restore", status_code=204)
def restore_asset(here: Here, by: By, scope: Scope, kind: KindPath, name: str, body: WhichBody) -> None:
    """Undo archiving."""
    verbs.restore(here, by, scope, kind.noun, name, version=body.version, label=body.label)


router = in_both(_routes)
