"""What a job's file needs and the workspace does not have: computes, environments, data, models, Pythons.

Works on the document as it was sent, right or wrong, so that what is missing is told together with what is mistaken.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock.datastores import folders
from penstock.environments.environments import EnvironmentRequest
from penstock.errors import EnvironmentCannotBeBuilt, NotFound, PenstockError, Problem
from penstock.jobs.lookup import LOCAL_COMPUTE
from penstock.resources import references as refs
from penstock.resources.job_types import step_type
from penstock.resources.raw_pipeline import MOST_LEVELS
from penstock.resources.scope import BUILT_IN_REGISTRY
from penstock.server.platform import Platform
from penstock.server.verbs import compute
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.store.transaction import Transaction


@dataclass(frozen=True)
class Need:
    """One thing that a document refers to. `what` is `compute`, `environment`, `component`, `data`, `datastore`, `model` or `software`."""

    what: str
    pointer: str
    reference: Any


@dataclass(frozen=True)
class Missing:
    """A need that is not met, with the command that meets it; `create` is the same as a request, where there is one."""

    need: Need
    name: str
    error: PenstockError
    command: str | None
    create: dict[str, Any] | None = None

    @property
    def is_absent_software(self) -> bool:
        """Whether it is a Python or a package of an environment that the document brings along."""
        return self.need.what == "software"

    def as_problem(self) -> Problem:
        message = self.error.message
        if self.error.details:
            message = f"{message} ({'; '.join(self.error.details)})"
        return Problem(self.need.pointer, message, hint=self.error.hint, code="not_found")

    def as_record(self) -> dict[str, Any]:
        return {
            "what": self.need.what,
            "name": self.name,
            "pointer": self.need.pointer,
            "message": self.error.message,
            "command": self.command,
            "hint": self.error.hint,
            "create": self.create,
        }


def needs_of(document: dict[str, Any]) -> Iterator[Need]:
    """Everything outside itself that a job's document refers to."""
    yield from _needs_at(document, "")
    settings = document.get("settings")
    if isinstance(settings, dict):
        yield from _compute_need(settings.get("default_compute"), "/settings/default_compute")
        default = settings.get("default_datastore")
        if isinstance(default, str) and default:
            yield Need("datastore", "/settings/default_datastore", default.removeprefix("azureml:"))
    component = document.get("component")
    if isinstance(component, dict):
        yield from _needs_of_steps(component.get("jobs"), "/component/jobs")
    yield from _needs_of_steps(document.get("jobs"), "/jobs")


def _needs_of_steps(jobs: Any, pointer: str, levels: int = MOST_LEVELS) -> Iterator[Need]:
    for key, step in jobs.items() if isinstance(jobs, dict) and levels else ():
        if not isinstance(step, dict):
            continue
        component = step.get("component")
        if step_type(step) == "pipeline":  # its compute and environment have no effect
            yield from _data_needs(step, f"{pointer}/{key}")
            inner = component.get("jobs") if isinstance(component, dict) else None
            yield from _needs_of_steps(inner, f"{pointer}/{key}/component/jobs", levels - 1)
            continue
        yield from _needs_at(step, f"{pointer}/{key}")
        if isinstance(component, dict) and "environment" not in step:
            yield from _environment_need(
                component.get("environment"), f"{pointer}/{key}/component/environment"
            )


def _needs_at(value: dict[str, Any], pointer: str) -> Iterator[Need]:
    yield from _compute_need(value.get("compute"), f"{pointer}/compute")
    yield from _environment_need(value.get("environment"), f"{pointer}/environment")
    yield from _data_needs(value, pointer)


def _data_needs(value: dict[str, Any], pointer: str) -> Iterator[Need]:
    inputs = value.get("inputs")
    for name, given in inputs.items() if isinstance(inputs, dict) else ():
        path = given.get("path") if isinstance(given, dict) else None
        if isinstance(path, str):
            yield from _datastore_need(path, f"{pointer}/inputs/{name}/path")
        if isinstance(path, str) and _names_an_asset(path):
            what = "model" if given.get("type") in ("custom_model", "mlflow_model") else "data"
            yield Need(what, f"{pointer}/inputs/{name}/path", path)

    outputs = value.get("outputs")
    for name, given in outputs.items() if isinstance(outputs, dict) else ():
        path = given.get("path") if isinstance(given, dict) else None
        if isinstance(path, str):
            yield from _datastore_need(path, f"{pointer}/outputs/{name}/path")


# A name that holds an expression is known when the job is planned.
_IN_DATASTORE = re.compile(r"azureml://datastores/([A-Za-z0-9_.-]+)/")


def _datastore_need(path: str, pointer: str) -> Iterator[Need]:
    found = _IN_DATASTORE.match(path)
    if found:
        yield Need("datastore", pointer, found[1])


def _names_an_asset(path: str) -> bool:
    in_registry = path.startswith("azureml://registries/")
    return in_registry or (path.startswith("azureml:") and not path.startswith("azureml://"))


def _compute_need(value: Any, pointer: str) -> Iterator[Need]:
    if isinstance(value, str) and "${{" not in value:
        try:
            reference = refs.parse_reference(value, "compute")
        except refs.BadReference:
            return  # the document's own check says what is wrong with it
        if isinstance(reference, refs.AssetReference) and reference.name not in (LOCAL_COMPUTE, "serverless"):
            yield Need("compute", pointer, reference)


def _environment_need(value: Any, pointer: str) -> Iterator[Need]:
    if isinstance(value, str):
        yield Need("environment", pointer, value)
    elif isinstance(value, dict):
        yield Need("software", pointer, value)


def missing_for(
    platform: Platform, tx: Transaction, workspace: str, lookup: WorkspaceLookup, document: dict[str, Any]
) -> list[Missing]:
    """Every need of the document that the workspace cannot meet, in the order of the document."""
    found: list[Missing] = []
    for need in needs_of(document):
        try:
            missing = _check(platform, tx, workspace, lookup, need)
        except refs.BadReference:
            continue  # the document's own check says what is wrong with it
        found.extend(missing)
    return found


def _check(
    platform: Platform, tx: Transaction, workspace: str, lookup: WorkspaceLookup, need: Need
) -> list[Missing]:
    match need.what:
        case "compute":
            return _compute(tx, workspace, lookup, need)
        case "software":
            return _software(platform, need, lookup)
        case "datastore":
            return _unless(
                need, need.reference, lambda: folders.demand(tx, workspace, need.reference), _create_datastore
            )
    reference = refs.parse_reference(need.reference, need.what)
    if not isinstance(reference, refs.AssetReference):
        return []
    if need.what == "environment":
        return _unless(need, reference.name, lambda: lookup.environment(reference), create_asset)
    if need.what == "data":
        return _unless(need, reference.name, lambda: lookup.data(reference), create_asset)
    return _unless(need, reference.name, lambda: lookup.model(reference), create_asset)


def _compute(tx: Transaction, workspace: str, lookup: WorkspaceLookup, need: Need) -> list[Missing]:
    name, place = need.reference.name, need.reference.workspace
    elsewhere = _unless(
        need, name, lambda: lookup.must_be_here("compute", name, place), lambda *_: (None, None)
    )
    return elsewhere or _unless(need, name, lambda: compute.find(tx, workspace, name), _create_compute)


def _unless(need: Need, name: str, look: Any, command: Any) -> list[Missing]:
    try:
        look()
    except (NotFound, EnvironmentCannotBeBuilt) as error:
        return [Missing(need, name, error, *command(need, name))]
    return []


def _create_compute(_: Need, name: str) -> tuple[str, dict[str, Any]]:
    document = {"name": name, "type": "amlcompute", "min_instances": 0, "max_instances": 2}
    command = f"penstock compute create -n {name} --type amlcompute --min-instances 0 --max-instances 2"
    return command, {"method": "POST", "path": "computes", "body": {"document": document}}


def _create_datastore(_: Need, name: str) -> tuple[str, None]:
    return f"penstock datastore create -n {name} --path <a folder of this machine>", None


def create_asset(need: Need, name: str) -> tuple[str | None, None]:
    """The command that creates what is missing. Only its author knows the file."""
    reference = refs.parse_reference(need.reference, need.what) if isinstance(need.reference, str) else None
    registry = reference.registry if isinstance(reference, refs.AssetReference) else None
    if registry == BUILT_IN_REGISTRY:
        return None, None
    more = f" --registry-name {registry}" if registry is not None else ""
    return f"penstock {need.what} create -f <the file that defines `{name}`>{more}", None


def _software(platform: Platform, need: Need, lookup: WorkspaceLookup) -> list[Missing]:
    """An inline environment whose Python or packages this machine cannot give."""
    value = need.reference
    if "build" in value:
        return []  # planning reads its Dockerfile, when its bytes are here
    request = EnvironmentRequest(
        label="the environment",
        image=value.get("image") if isinstance(value.get("image"), str) else None,
        conda=value.get("conda_file") if isinstance(value.get("conda_file"), dict) else None,
        pointer=need.pointer,
        relax=lookup.relax,
        conda_packages=lookup.conda_packages,
    )
    problems = platform.environments.check(request)
    if problems:  # it is refused anyway: the index is asked too, so that all is told at once
        problems = platform.environments.obstacles(request)
    return [
        Missing(
            Need("software", problem.pointer, None),
            "python" if "ython" in problem.message else "package",
            NotFound(problem.message, hint=problem.hint),
            None,
        )
        for problem in problems
    ]
