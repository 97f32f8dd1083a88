"""Jobs: check, create, list, show, cancel."""

from dataclasses import asdict
from typing import Any

from penstock.errors import AlreadyExists, Conflict, InvalidDocument, PenstockError, Problem
from penstock.events import JobCancelRequested, JobStatusChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import job_record
from penstock.jobs.names import new_job_name
from penstock.jobs.planning import PlannedJob, plan_command, plan_pipeline
from penstock.resources import documents
from penstock.resources.documents import Parsed
from penstock.resources.job import CommandJob, PipelineJob
from penstock.server.platform import Platform
from penstock.server.verbs import upload
from penstock.server.verbs.answer import Created, warnings_of
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.requirements import missing_for
from penstock.store.records.job import JobRecord

DEFAULT_EXPERIMENT = "Default"


def validate(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> dict[str, Any]:
    """Everything that is wrong with a job's document or absent from the workspace, without creating anything."""
    require(caller, Action.JOB_READ, workspace)
    try:
        parsed = _checked(platform, workspace, document)
        with platform.database.reading() as tx:
            _plan(platform, tx, workspace, parsed, str(document.get("name") or "validated"))
    except InvalidDocument as error:
        problems = [_problem_record(problem, document) for problem in error.problems]
        return {"result": "Failed", "errors": problems, "warnings": []}
    return {"result": "Succeeded", "warnings": [_problem_record(each, document) for each in parsed.warnings]}


def check(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> dict[str, Any]:
    """What a job's document needs and the workspace lacks, apart from what is wrong with the document itself."""
    require(caller, Action.JOB_READ, workspace)
    problems: tuple[Problem, ...] = ()
    try:
        documents.parse("job", document)
    except InvalidDocument as error:
        problems = error.problems
    with platform.database.reading() as tx:
        tx.workspaces.get(workspace)
        missing = missing_for(platform, tx, workspace, document)
    return {
        "missing": [each.as_record() for each in missing],
        "problems": [_problem_record(problem, document) for problem in problems],
    }


def create(
    platform: Platform, caller: Caller, workspace: str, document: dict[str, Any], default_experiment: str | None
) -> Created:
    """A new job, planned and handed to the engine. Nothing is left behind where the document is refused."""
    require(caller, Action.JOB_WRITE, workspace)
    parsed = _checked(platform, workspace, document)
    upload.demand(platform, document)
    job = parsed.resource
    assert isinstance(job, CommandJob | PipelineJob)
    name = job.name or new_job_name()
    experiment = job.experiment_name or default_experiment or DEFAULT_EXPERIMENT
    with platform.database.transaction() as tx:
        group = tx.workspaces.get(workspace).resource_group
        if tx.jobs.find(workspace, name) is not None:
            raise AlreadyExists(
                f"job `{name}` exists in workspace `{workspace}`",
                hint="leave the name out to get a new one, or choose another",
            )
        planned = _plan(platform, tx, workspace, parsed, name)
        records = _records(platform, workspace, name, experiment, job, planned)
        for record in records:
            tx.jobs.insert(record)
            event = JobStatusChanged(f"job/{record.name}", name, record.step, record.status, record.display_name)
            tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    platform.engine.look_at(workspace, name)
    described = job_record(records[0], records[1:], group, platform.loopback_url)
    return Created(described, warnings_of(parsed))


def _checked(platform: Platform, workspace: str, document: dict[str, Any]) -> Parsed:
    """The document with its model, or every problem: what is mistaken and what is missing."""
    problems: list[Problem] = []
    parsed = None
    try:
        parsed = documents.parse("job", document)
    except InvalidDocument as error:
        problems += error.problems
    with platform.database.reading() as tx:
        tx.workspaces.get(workspace)
        told = {problem.pointer for problem in problems}
        missing = [each.as_problem() for each in missing_for(platform, tx, workspace, document)]
        problems += [problem for problem in missing if problem.pointer not in told]
    if problems or parsed is None:
        raise InvalidDocument(problems)
    return parsed


def _plan(platform: Platform, tx: Any, workspace: str, parsed: Parsed, name: str) -> PlannedJob:
    lookup, job = WorkspaceLookup(platform, tx, workspace), parsed.resource
    if isinstance(job, CommandJob):
        return plan_command(job, name, lookup)
    assert isinstance(job, PipelineJob)
    names = {key: _free_name(tx, workspace, f"{name}_{key}") for key in job.jobs}
    return plan_pipeline(job, names, lookup)


def _free_name(tx: Any, workspace: str, wanted: str) -> str:
    name, number = wanted, 1
    while tx.jobs.find(workspace, name) is not None:
        number += 1
        name = f"{wanted}_{number}"
    return name


def _records(
    platform: Platform,
    workspace: str,
    name: str,
    experiment: str,
    job: CommandJob | PipelineJob,
    planned: PlannedJob,
) -> list[JobRecord]:
    """The rows of a job: its own first, then its steps' in the order of the file."""
    document = job.to_document()
    shared: dict[str, Any] = {
        "workspace": workspace,
        "status": st.NOT_STARTED,
        "experiment_name": experiment,
        "properties": {},
        "error": None,
        "created_at": platform.clock(),
        "created_by": platform.user,
        "started_at": None,
        "ended_at": None,
        "cancel_requested_at": None,
        "mlflow_run": None,
        "worker": None,
        "fence": 0,
        "root": name,
    }
    is_pipeline = isinstance(job, PipelineJob)
    own_plan = planned.steps[name].as_record() if not is_pipeline else _pipeline_plan(job, planned)
    root = JobRecord(
        **{
            **shared,
            "name": name,
            "type": "pipeline" if is_pipeline else "command",
            "display_name": job.display_name or name,
            "description": job.description,
            "tags": dict(job.tags or {}),
            "properties": dict(job.properties or {}),
            "parent": None,
            "step": None,
            "spec": {"document": document, "plan": own_plan},
            "inputs": document.get("inputs") or {},
            "outputs": document.get("outputs") or {},
            "compute": None if is_pipeline else planned.steps[name].compute,
            "position": 0,
        }
    )
    if not is_pipeline:
        return [root]
    steps = document.get("jobs") or {}
    return [root] + [
        JobRecord(
            **{
                **shared,
                "name": planned.names[key],
                "type": "command",
                "display_name": job.jobs[key].display_name or key,
                "description": job.jobs[key].description,
                "tags": dict(job.jobs[key].tags or {}),
                "parent": name,
                "step": key,
                "spec": {"document": steps.get(key) or {}, "plan": plan.as_record()},
                "inputs": (steps.get(key) or {}).get("inputs") or {},
                "outputs": (steps.get(key) or {}).get("outputs") or {},
                "compute": plan.compute,
                "position": position,
            }
        )
        for position, (key, plan) in enumerate(planned.steps.items())
    ]


def _pipeline_plan(job: CommandJob | PipelineJob, planned: PlannedJob) -> dict[str, Any]:
    assert isinstance(job, PipelineJob)
    return {
        "continue_on_step_failure": job.settings.continue_on_step_failure,
        "outputs": {name: asdict(output) for name, output in planned.outputs.items()},
    }


def show(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """One job; a pipeline with its steps."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        group = tx.workspaces.get(workspace).resource_group
        job = tx.jobs.get(workspace, name)
        return job_record(job, tx.jobs.children(workspace, name), group, platform.loopback_url)


def listing(
    platform: Platform,
    caller: Caller,
    workspace: str,
    *,
    parent: str | None = None,
    status: str | None = None,
    tag: str | None = None,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Jobs, newest first; with `parent` the steps of a pipeline, in order. Steps' records come without their own steps."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        group = tx.workspaces.get(workspace).resource_group
        if parent is not None:
            tx.jobs.get(workspace, parent)
        statuses = (status,) if status else None
        jobs = tx.jobs.list(workspace, parent=parent, statuses=statuses, tag=tag, limit=limit)
        return [job_record(job, (), group, platform.loopback_url) for job in jobs]


def cancel(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """Ask for a job's end. A job that has ended stays as it is; a step is canceled with its pipeline only."""
    require(caller, Action.JOB_WRITE, workspace)
    with platform.database.transaction() as tx:
        job = tx.jobs.get(workspace, name)
        if job.parent is not None:
            raise Conflict(
                f"`{name}` is a step of job `{job.parent}` and is not canceled on its own",
                hint=f"cancel the whole job: `penstock job cancel -n {job.parent}`",
            )
        if job.status not in st.TERMINAL and job.cancel_requested_at is None:
            job = tx.jobs.update(workspace, name, cancel_requested_at=platform.clock())
            event = JobCancelRequested(f"job/{name}", platform.user)
            tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    platform.engine.look_at(workspace, name)
    return show(platform, caller, workspace, name)


def _problem_record(problem: Problem, document: dict[str, Any]) -> dict[str, Any]:
    """The product's shape (`message`, `path`, `value`) with our own fields beside it."""
    return {
        **asdict(problem),
        "path": problem.pointer.strip("/").replace("/", "."),
        "value": _value_at(document, problem.pointer),
    }


def _value_at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document if isinstance(document, str | int | float | bool) else None


def files(platform: Platform, caller: Caller, workspace: str, name: str, *, output: str | None, every: bool) -> Any:
    """The files that `job download` fetches: path under the download folder → path on this machine."""
    require(caller, Action.JOB_READ, workspace)
    from penstock.jobs.downloads import files_of

    with platform.database.reading() as tx:
        job = tx.jobs.get(workspace, name)
        children = tx.jobs.children(workspace, name)
    if job.status not in st.TERMINAL:
        raise PenstockError(
            f"job `{name}` is {job.status}: files can be downloaded once it has ended",
            hint=f"follow it with `penstock job stream -n {name}`",
        )
    return files_of(platform.runner, job, children, output=output, every=every)
