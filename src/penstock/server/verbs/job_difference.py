"""What differs between two jobs: the facts of both, gathered from database, snapshots, environments and MLflow."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from penstock.errors import NotFound, PenstockError
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs.description import iso
from penstock.jobs.differences import Facts, differences
from penstock.jobs.plans import OutputOf, PlannedEnvironment, PlannedInput, StepPlan, source_record
from penstock.jobs.recording import ENVIRONMENT_PROPERTY
from penstock.jobs.rows import relaxed_of
from penstock.resources.relaxed import line_of
from penstock.resources.snapshots import parse_snapshot_uri
from penstock.server.platform import Platform
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction

# A longer file is compared by its digest alone.
_LONGEST_TEXT = 200_000

# Any in this module: a JSON value.


def difference(platform: Platform, caller: Caller, workspace: str, a: str, b: str) -> dict[str, Any]:
    """Step by step, what differs between jobs `a` and `b`. `steps` is empty where nothing does; a job's own facts are under ``."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        jobs = {side: _family(tx, tx.jobs.get(workspace, name)) for side, name in (("a", a), ("b", b))}
    facts = {side: _facts(platform, family) for side, family in jobs.items()}
    steps = differences(facts["a"], facts["b"], lambda digest: _text(platform, digest))
    return {
        **{side: _headline(family[""]) for side, family in jobs.items()},
        "equal": not steps,
        "steps": steps,
    }


def _family(tx: Transaction, job: JobRecord, key: str = "") -> dict[str, JobRecord]:
    """The job and all beneath it, by key; steps of steps are `outer/inner`."""
    found = {key: job}
    for child in tx.jobs.children(job.workspace, job.name):
        found |= _family(tx, child, f"{key}/{child.step}" if key else str(child.step))
    return found


def _headline(job: JobRecord) -> dict[str, Any]:
    return {
        "name": job.name,
        "status": job.status,
        "experiment_name": job.experiment_name,
        "created_at": iso(job.created_at),
    }


def _facts(platform: Platform, family: Mapping[str, JobRecord]) -> dict[str, Facts]:
    keys = {job.name: key for key, job in family.items()}
    return {key: _facts_of(platform, job, keys) for key, job in family.items()}


def _facts_of(platform: Platform, job: JobRecord, keys: Mapping[str, str]) -> Facts:
    values: dict[str, Any] = {"type": job.type, "status": job.status}
    groups: dict[str, Mapping[str, Any]] = _logged(platform, job)
    if "command" not in job.spec["plan"]:
        return Facts(values, groups)
    plan = StepPlan.from_record(job.spec["plan"])
    values |= {"command": plan.command, "compute": plan.compute, "timeout": plan.timeout}
    values |= {"instance_count": plan.instance_count}
    groups |= {
        "inputs": {name: _shown(value, keys) for name, value in plan.inputs.items()},
        "outputs": {name: {"type": value.type, "mode": value.mode} for name, value in plan.outputs.items()},
        "environment": {**_made_of(plan.environment), "relaxed": _relaxed(job)},
        "environment_variables": plan.environment_variables,
        "distribution": {} if plan.distribution is None else asdict(plan.distribution),
    }
    packages = platform.environments.packages(str(job.properties.get(ENVIRONMENT_PROPERTY)))
    return Facts(values, groups, _code(platform, plan.code), packages or {})


def _made_of(environment: PlannedEnvironment) -> dict[str, Any]:
    """What it may be is no difference, only what it was."""
    return {name: value for name, value in asdict(environment).items() if name != "relax"}


def _relaxed(job: JobRecord) -> str | None:
    return "; ".join(line_of(row) for row in relaxed_of(job)) or None


def _logged(platform: Platform, job: JobRecord) -> dict[str, Mapping[str, Any]]:
    """Parameters and metrics in MLflow; nothing of a run that was deleted there."""
    if job.mlflow_run is None:
        return {}
    try:
        return {
            "parameters": platform.runs.params(job.workspace, job.mlflow_run),
            "metrics": platform.runs.metrics(job.workspace, job.mlflow_run),
        }
    except NotFound:
        return {}


def _shown(value: PlannedInput, keys: Mapping[str, str]) -> Any:
    """An input as it is compared: the output of a sibling is the same one in both jobs, whatever the jobs are called."""
    if value.source is None:
        return value.text
    source = value.source
    if isinstance(source, OutputOf) and source.job in keys:
        return {"output_of": {"step": keys[source.job], "output": source.output, "path": source.path}}
    return source_record(source)


def _code(platform: Platform, code: str | None) -> dict[str, str]:
    snapshot = parse_snapshot_uri(code) if code is not None else None
    if snapshot is None:
        return {}
    try:
        files = platform.checkouts.load(snapshot.digest).files
    except NotFound:  # removed by `penstock gc`
        return {f"{snapshot.name} (no longer kept)": snapshot.digest}
    return {file.path or snapshot.name: file.digest for file in files}


def _text(platform: Platform, digest: str) -> str | None:
    try:
        with platform.artifacts.open(digest) as stream:
            content = stream.read(_LONGEST_TEXT + 1)
        return content.decode("utf-8") if len(content) <= _LONGEST_TEXT and b"\0" not in content else None
    except (PenstockError, UnicodeDecodeError):
        return None  # gone, damaged or no text: the digests have said that it differs
