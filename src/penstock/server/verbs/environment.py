"""Environments: their content is an image and a conda file, or a build context; building waits for the first job that asks."""

from typing import Any

from penstock.errors import InvalidDocument
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.plans import PlannedEnvironment
from penstock.jobs.software import request_for
from penstock.resources import documents
from penstock.resources.environment import Environment
from penstock.resources.relaxed import how_to_relax
from penstock.resources.workspace_settings import CondaPackages, conda_packages, relaxes
from penstock.server.platform import Platform
from penstock.server.verbs import asset, upload
from penstock.server.verbs.answer import Created
from penstock.server.verbs.build_context import planned_build
from penstock.server.verbs.relaxing import Relaxed, relaxed
from penstock.server.verbs.scope import must_exist
from penstock.server.verbs.workspace import settings_of


def create(
    platform: Platform,
    caller: Caller,
    workspace: str,
    document: dict[str, Any],
    *,
    shared: Relaxed | None = None,
) -> Created:
    """A new version. Content equal to the latest version's is that version again, however often it is sent.

    Where it may be relaxed, the index is asked what can be had, and the version keeps the difference. `shared` is what a
    version that is shared has found out already.
    """
    require(caller, Action.ASSET_WRITE, workspace)
    parsed = documents.parse("environment", document)
    environment = parsed.resource
    assert isinstance(environment, Environment)
    name = str(environment.name)
    with platform.database.reading() as tx:
        must_exist(tx, workspace)
        settings = settings_of(tx, workspace, caller.settings)
    relax = relaxes(settings) if shared is None else bool(shared.rows)
    planned = _planned(platform, environment, document, relax, conda_packages(settings))
    if shared is not None:
        found = shared
    elif relax and not planned.in_container:
        found = relaxed(platform, request_for(planned), at="/build" if environment.build else None)
    else:
        found = Relaxed()
    spec = environment.to_document()
    new = asset.NewVersion(
        kind="environment",
        name=name,
        version=environment.version,
        spec={**{key: value for key, value in spec.items() if key not in _OWN_COLUMNS}, **found.as_spec()},
        content=_content_of(environment, found),
        description=environment.description,
        tags=dict(environment.tags or {}),
        properties=dict(environment.properties or {}),
        keeps_version=True,
    )
    with platform.database.transaction() as tx:
        record = asset.save(platform, tx, workspace, new)
        return asset.answer(platform, tx, record, parsed)


def _planned(
    platform: Platform,
    environment: Environment,
    document: dict[str, Any],
    relax: bool,
    conda_packages: CondaPackages,
) -> PlannedEnvironment:
    """What the environment stands for. Raises InvalidDocument with everything wrong that shows without the network."""
    name = str(environment.name)
    if environment.build is not None:
        upload.demand(platform, document)
        return planned_build(
            platform, environment.build, name, "/build", relax=relax, conda_packages=conda_packages
        )
    planned = PlannedEnvironment(
        name, environment.image, environment.conda_file, relax=relax, conda_packages=conda_packages
    )
    request = request_for(planned)
    if platform.environments.check(request):
        # It is refused anyway: the index is asked too, so that all that is wrong is told at once.
        problems = platform.environments.obstacles(request) or platform.environments.check(request)
        raise InvalidDocument(problems, hint=how_to_relax(problems, relax=relax))
    return planned


def _content_of(environment: Environment, found: Relaxed) -> dict[str, Any]:
    """What makes two versions the same: of a build context the digest of its files, not what the folder is called.

    A version that was relaxed is another one than what is written, and than one that was relaxed otherwise; the reasons
    are words.
    """
    differs = [[row["what"], row["asked"], row["taken"]] for row in found.rows]
    taken = {"relaxed": differs} if differs else {}
    if environment.build is not None:
        return {"build": environment.build.identity, **taken}
    return {"image": environment.image, "conda_file": environment.conda_file, **taken}


_OWN_COLUMNS = ("name", "version", "description", "tags", "properties")
