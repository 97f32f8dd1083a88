"""Environments: their content is an image and a conda file; building waits for the first job that asks."""

from typing import Any

from penstock.environments.environments import EnvironmentRequest
from penstock.errors import InvalidDocument
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.resources import documents
from penstock.resources.environment import Environment
from penstock.server.platform import Platform
from penstock.server.verbs import asset
from penstock.server.verbs.answer import Created


def create(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> Created:
    """A new version. Content equal to the latest version's is that version again, however often it is sent."""
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("environment", document)
    environment = parsed.resource
    assert isinstance(environment, Environment)
    name = str(environment.name)
    request = EnvironmentRequest(name, environment.image, environment.conda_file, "")
    problems = platform.environments.check(request)
    if problems:
        raise InvalidDocument(problems)
    spec = environment.to_document()
    new = asset.NewVersion(
        kind="environment",
        name=name,
        version=environment.version,
        spec={key: value for key, value in spec.items() if key not in _OWN_COLUMNS},
        content={"image": environment.image, "conda_file": environment.conda_file},
        description=environment.description,
        tags=dict(environment.tags or {}),
        properties=dict(environment.properties or {}),
        keeps_version=True,
    )
    with platform.database.transaction() as tx:
        record = asset.save(platform, tx, workspace, new)
        return asset.answer(tx, record, parsed)


_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")
