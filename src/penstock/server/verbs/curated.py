"""What stands for a curated environment: a file that a map names, and whether this machine has its Python."""

from pathlib import Path
from typing import Any

from penstock.environments import curated
from penstock.errors import InvalidDocument, NotFound, PenstockError
from penstock.jobs.plans import PlannedEnvironment
from penstock.jobs.software import request_for
from penstock.resources import documents
from penstock.resources.environment import Environment
from penstock.resources.reading import read_document
from penstock.resources.scope import BUILT_IN_REGISTRY, registry_scope
from penstock.server.platform import Platform
from penstock.store.records.asset import AssetRecord
from penstock.store.transaction import Transaction


def environment_in(file: Path, name: str) -> PlannedEnvironment:
    """The environment that a file of a map describes, under the curated name. Raises NotFound with its lines."""
    try:
        document = read_document(file, "environment", fields={"name": name})
    except PenstockError as error:
        raise NotFound(
            f"{file}, which a map of environments names, cannot be read: {error.message}", hint=error.hint
        ) from error
    problems = document.problems
    environment = None
    try:
        environment = documents.parse("environment", document.data).resource
    except InvalidDocument as error:
        problems = document.together(error.problems)
    if problems or not isinstance(environment, Environment):
        lines = [f"{problem.file or file}:{problem.line or 0}  {problem.message}" for problem in problems]
        raise NotFound(f"{file}, which a map of environments names, is no environment", details=lines)
    return PlannedEnvironment(f"{name} ({file})", environment.image, environment.conda_file)


def checked_environment(platform: Platform, planned: PlannedEnvironment) -> PlannedEnvironment:
    """The same, or NotFound: a Python or a package that this machine cannot give shows when the job is created."""
    problems = platform.environments.check(request_for(planned))
    if problems:
        raise NotFound(f"curated environment `{planned.label}`: {problems[0].message}", hint=problems[0].hint)
    return planned


def is_built_in(scope: str) -> bool:
    """Whether it is the registry of the curated environments, whose assets stand in tables and in no row."""
    return scope == registry_scope(BUILT_IN_REGISTRY)


def curated_reference(kind: str, name: str) -> str | None:
    """What a file says to mean the curated environment of this name; None where there is none."""
    if kind != "environment" or not curated.is_known(name):
        return None
    return f"azureml://registries/{BUILT_IN_REGISTRY}/environments/{name}/labels/latest"


def environments_only(kind: str, name: str) -> NotFound:
    """What whoever asks the built-in registry for something else is told."""
    return NotFound(
        f"registry `{BUILT_IN_REGISTRY}` has no {kind} `{name}` here: it holds the curated environments only",
        hint=f"put the {kind} into a registry of your own: `penstock {kind} create -f <file> "
        "--registry-name <registry>`, and refer to that",
    )


def built_in_asset(tx: Transaction, kind: str, name: str, version: str | None) -> AssetRecord:
    """One curated environment as an asset of its registry, or NotFound with the near ones."""
    if kind != "environment":
        raise environments_only(kind, name)
    return _record_of(tx, curated.find(name, version=version))


def built_in_assets(tx: Transaction, kind: str, name: str | None, tag: str | None) -> tuple[AssetRecord, ...]:
    """The curated environments, by name; nothing for every other kind."""
    found = curated.catalogue() if kind == "environment" else ()
    records = (_record_of(tx, each) for each in found if name in (None, each.name))
    return tuple(each for each in records if tag is None or _is_tagged(each.tags, tag))


def _is_tagged(tags: dict[str, Any], tag: str) -> bool:
    key, has_value, value = tag.partition("=")
    return key in tags and (not has_value or tags[key] == value)


def _record_of(tx: Transaction, found: curated.CuratedEnvironment) -> AssetRecord:
    registry = tx.registries.get(BUILT_IN_REGISTRY)
    properties: dict[str, Any] = {"source": ", ".join(found.source)}
    if found.warnings:
        properties["differs"] = "; ".join(found.warnings)
    if found.refused is not None:
        properties["refused"] = found.refused
    return AssetRecord(
        workspace=registry_scope(BUILT_IN_REGISTRY),
        kind="environment",
        name=found.name,
        version=found.version,
        spec={"image": found.image, "conda_file": dict(found.conda), "os_type": "linux"},
        digest="",
        description=found.description,
        tags=dict(found.tags),
        properties=properties,
        archived=False,
        anonymous=False,
        created_at=registry.created_at,
        created_by=registry.created_by,
        modified_at=registry.created_at,
    )
