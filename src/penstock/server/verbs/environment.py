"""Environments: their content is an image and a conda file, or a build context; building waits for the first job that asks."""

from typing import Any

from penstock.environments.environments import EnvironmentRequest
from penstock.errors import InvalidDocument
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.resources import documents
from penstock.resources.environment import Environment
from penstock.server.platform import Platform
from penstock.server.verbs import asset, upload
from penstock.server.verbs.answer import Created
from penstock.server.verbs.build_context import planned_build


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new version. Content equal to the latest version's is that version again, however often it is sent."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("environment", document)
    environment = parsed.resource
    assert isinstance(environment, Environment)
    name = str(environment.name)
    _check(platform, environment, document)
    spec = environment.to_document()
    new = asset.NewVersion(
        kind="environment",
        name=name,
        version=environment.version,
        spec={key: value for key, value in spec.items() if key not in _OWN_COLUMNS},
        content=_content_of(environment),
        description=environment.description,
        tags=dict(environment.tags or {}),
        properties=dict(environment.properties or {}),
        keeps_version=True,
    )
    with platform.database.transaction() as tx:
        record = asset.save(platform, tx, workspace, new)
        return asset.answer(tx, record, parsed)


def _check(platform: Platform, environment: Environment, document: dict[str, Any]) -> None:
    """Raise InvalidDocument with everything that shows without the network."""
    if environment.build is not None:
        upload.demand(platform, document)
        planned_build(platform, environment.build, str(environment.name), "/build")
        return
    request = EnvironmentRequest(str(environment.name), environment.image, environment.conda_file, "")
    problems = platform.environments.check(request)
    if problems:
        raise InvalidDocument(problems)


def _content_of(environment: Environment) -> dict[str, Any]:
    """What makes two versions the same: of a build context the digest of its files, not what the folder is called."""
    if environment.build is not None:
        return {"build": environment.build.identity}
    return {"image": environment.image, "conda_file": environment.conda_file}


_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")
