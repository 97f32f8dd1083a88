"""Jobs: check, create, list, show, cancel."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from penstock.errors import AlreadyExists, Conflict, InvalidDocument, Problem
from penstock.events import JobCancelRequested, JobStatusChanged
from penstock.identity.permissions import Action, require
from penstock.identity.tokens import Caller
from penstock.jobs import statuses as st
from penstock.jobs.description import group_of, job_record
from penstock.jobs.downloads import file_of, files_of
from penstock.jobs.forecast import UNNAMED, Foreseen, forecast
from penstock.jobs.names import new_job_name, step_names
from penstock.jobs.planning import PlannedJob, plan_command, plan_pipeline
from penstock.jobs.plans import PlannedEnvironment
from penstock.jobs.rows import Birth, path_of, rows_of
from penstock.jobs.scopes import steps_within
from penstock.jobs.services import services_on
from penstock.jobs.software import request_for
from penstock.resources import documents
from penstock.resources.documents import Parsed
from penstock.resources.job import CommandJob, PipelineJob
from penstock.resources.relaxed import HOW_TO_RELAX, as_rows, notice
from penstock.server.platform import Platform
from penstock.server.verbs import upload
from penstock.server.verbs.answer import Created, failed, problem_record, succeeded, warnings_of
from penstock.server.verbs.expansion import Expanded, expanded, pinned_row
from penstock.server.verbs.lifecycle import Shown
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.server.verbs.requirements import missing_for
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction
from penstock.subscription import subscription_of

DEFAULT_EXPERIMENT = "Default"


def validate(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> dict[str, Any]:
    """Everything that is wrong with a job's document or absent from the workspace, without creating anything."""
    require(caller, Action.JOB_READ, workspace)
    try:
        checked = _checked(platform, caller, workspace, document)
        with platform.database.reading() as tx:
            _check_free(tx, workspace, document.get("name"))
            lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
            _planned(tx, workspace, checked, str(document.get("name") or "validated"), lookup)
            notices = _notices(lookup)
    except InvalidDocument as error:
        return failed(error.problems, document)
    except AlreadyExists as error:
        return failed([Problem("/name", error.message, hint=error.hint, code="taken")], document)
    return succeeded((*checked.parsed.warnings, *notices), document)


def check(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> dict[str, Any]:
    """What a job's document needs and the workspace lacks, apart from what is wrong with the document itself."""
    require(caller, Action.JOB_READ, workspace)
    problems: tuple[Problem, ...] = ()
    with platform.database.reading() as tx:
        tx.workspaces.get(workspace)
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        whole = expanded(document, lookup)
        missing = [*whole.missing, *missing_for(platform, tx, workspace, lookup, whole.document)]
    try:
        documents.parse("job", whole.document)
    except InvalidDocument as error:
        problems = whole.placed(error.problems)
    records = [each.as_record() for each in missing]
    relaxed = [{"environment": label, "relaxed": list(rows)} for label, rows in lookup.relaxed.items()]
    return {
        "missing": [{**each, "pointer": whole.pointer_for(each["pointer"])} for each in records],
        "problems": [problem_record(problem, document) for problem in problems],
        **({"relaxed": relaxed} if relaxed else {}),
    }


def plan(
    platform: Platform,
    caller: Caller,
    workspace: str,
    document: dict[str, Any],
    default_experiment: str | None,
) -> Created:
    """What `create` would make of the document, which is refused as it is there. Nothing is created or uploaded."""
    require(caller, Action.JOB_READ, workspace)
    checked = _checked(platform, caller, workspace, document)
    job = checked.parsed.resource
    assert isinstance(job, CommandJob | PipelineJob)
    facts = {
        "name": job.name,
        "type": job.type,
        "display_name": job.display_name,
        "experiment_name": job.experiment_name or default_experiment or DEFAULT_EXPERIMENT,
        "workspace": workspace,
    }
    with platform.database.reading() as tx:
        _check_free(tx, workspace, job.name)
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        planned = _planned(tx, workspace, checked, job.name or UNNAMED, lookup)

    def foresee(environment: PlannedEnvironment) -> Foreseen:
        if environment.in_container:
            return Foreseen(*platform.containers.foreseen(environment))
        request = request_for(environment)
        digest, is_built = platform.environments.foreseen(request)
        if digest is None or not environment.relax:
            return Foreseen(digest, is_built)
        # Resolved before, so that nobody is asked now.
        return Foreseen(digest, is_built, as_rows(platform.environments.resolve(request).relaxations))

    return Created(forecast(planned, facts, foresee, lookup.versions), warnings_of(checked.parsed))


def create(
    platform: Platform,
    caller: Caller,
    workspace: str,
    document: dict[str, Any],
    default_experiment: str | None,
) -> Created:
    """A new job, planned and handed to the engine. Nothing is left behind where the document is refused."""
    require(caller, Action.JOB_WRITE, workspace)
    checked = _checked(platform, caller, workspace, document)
    upload.demand(platform, document)
    job = checked.parsed.resource
    assert isinstance(job, CommandJob | PipelineJob)
    name = job.name or new_job_name()
    experiment = job.experiment_name or default_experiment or DEFAULT_EXPERIMENT
    with platform.database.transaction() as tx:
        group = group_of(tx, workspace)
        _check_free(tx, workspace, name)
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        planned = _planned(tx, workspace, checked, name, lookup)
        more = (*lookup.remarks, *_notices(lookup))
        said = replace(checked.parsed, warnings=(*checked.parsed.warnings, *more))
        birth = Birth(workspace, name, experiment, platform.clock(), platform.user)
        records = [pinned_row(record, lookup) for record in rows_of(job, planned, birth)]
        for record in records:
            tx.jobs.insert(record)
            event = JobStatusChanged(
                f"job/{record.name}", name, path_of(record), record.status, record.display_name
            )
            tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    platform.engine.look_at(workspace, name)
    described = _described(platform, records[0], records[1:], group)
    return Created(described, warnings_of(said))


def _check_free(tx: Transaction, workspace: str, name: str | None) -> None:
    if name is not None and tx.jobs.find(workspace, name) is not None:
        raise AlreadyExists(
            f"job `{name}` exists in workspace `{workspace}`",
            hint="leave the name out to get a new one, or choose another",
        )


@dataclass(frozen=True)
class _Checked:
    """A job's document that may be planned, and how its registered components stand in it."""

    parsed: Parsed
    whole: Expanded


def _checked(platform: Platform, caller: Caller, workspace: str, document: dict[str, Any]) -> _Checked:
    """The document with its model, or every problem: what is mistaken and what is missing."""
    problems: list[Problem] = []
    parsed = None
    with platform.database.reading() as tx:
        tx.workspaces.get(workspace)
        lookup = WorkspaceLookup(platform, tx, workspace, caller.settings)
        whole = expanded(document, lookup)
        missing = [*whole.missing, *missing_for(platform, tx, workspace, lookup, whole.document)]
    try:
        parsed = documents.parse("job", whole.document)
    except InvalidDocument as error:
        problems += error.problems
    told = {problem.pointer for problem in problems}
    problems += [each.as_problem() for each in missing if each.need.pointer not in told]
    if problems or parsed is None:
        absent = any(each.is_absent_software for each in missing)
        way = HOW_TO_RELAX if absent and not lookup.relax else None
        raise InvalidDocument(whole.placed(problems), hint=way)
    return _Checked(Parsed(parsed.resource, whole.placed(parsed.warnings)), whole)


def _planned(
    tx: Transaction, workspace: str, checked: _Checked, name: str, lookup: WorkspaceLookup
) -> PlannedJob:
    job = checked.parsed.resource
    try:
        if isinstance(job, CommandJob):
            planned = plan_command(job, name, lookup)
        else:
            assert isinstance(job, PipelineJob)
            names = step_names(
                name, steps_within(job), lambda wanted: tx.jobs.find(workspace, wanted) is not None
            )
            planned = plan_pipeline(job, names, lookup)
    except InvalidDocument as error:
        raise InvalidDocument(checked.whole.placed(error.problems)) from error
    steps = {
        key: replace(
            step,
            settings=lookup.settings,
            environment=_as_set(lookup.in_its_image(step.environment), lookup),
        )
        for key, step in planned.steps.items()
    }
    return replace(planned, steps=steps)


def _notices(lookup: WorkspaceLookup) -> tuple[Problem, ...]:
    """A warning for each registered environment that is relaxed: nobody should overlook it."""
    return tuple(Problem("", notice(label, rows), code="relaxed") for label, rows in lookup.relaxed.items())


def _as_set(environment: PlannedEnvironment, lookup: WorkspaceLookup) -> PlannedEnvironment:
    """The environment of a step, made as the settings say, one that is written into the document too.

    An image has what it has.
    """
    return replace(
        environment,
        relax=(environment.relax or lookup.relax) and not environment.in_container,
        conda_packages=None
        if environment.in_container
        else environment.conda_packages or lookup.conda_packages,
    )


def show(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """One job; a pipeline with its steps."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
        job = tx.jobs.get(workspace, name)
        return _described(platform, job, tx.jobs.below(workspace, name), group)


def services(
    platform: Platform, caller: Caller, workspace: str, name: str, node: int
) -> dict[str, dict[str, Any]]:
    """What a job offers on one of its instances."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        return services_on(tx.jobs.get(workspace, name), node)


def listing(
    platform: Platform,
    caller: Caller,
    workspace: str,
    *,
    parent: str | None = None,
    status: str | None = None,
    tag: str | None = None,
    shown: Shown = Shown.ACTIVE,
    limit: int | None = None,
) -> list[dict[str, Any]]:
    """Jobs, newest first; with `parent` the steps of a pipeline, in order. Steps' records come without their own steps.

    Steps are listed whether their pipeline is archived or not: they are asked for by its name.
    """
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        group = group_of(tx, workspace)
        if parent is not None:
            tx.jobs.get(workspace, parent)
        statuses = (status,) if status else None
        archived = None if parent is not None or shown is Shown.ALL else shown is Shown.ARCHIVED
        jobs = tx.jobs.list(workspace, parent, statuses=statuses, tag=tag, archived=archived, limit=limit)
        return [_described(platform, job, (), group) for job in jobs]


def _described(platform: Platform, job: JobRecord, below: Sequence[JobRecord], group: str) -> dict[str, Any]:
    return job_record(job, below, subscription_of(platform.home), group, platform.loopback_url)


def cancel(platform: Platform, caller: Caller, workspace: str, name: str) -> dict[str, Any]:
    """Ask for a job's end. A job that has ended stays as it is; a step is canceled with its pipeline only."""
    require(caller, Action.JOB_WRITE, workspace)
    with platform.database.transaction() as tx:
        job = tx.jobs.get(workspace, name)
        if job.parent is not None:
            raise Conflict(
                f"`{name}` is a step of job `{job.root}` and is not canceled on its own",
                hint=f"cancel the whole job: `penstock job cancel -n {job.root}`",
            )
        if job.status not in st.TERMINAL and job.cancel_requested_at is None:
            job = tx.jobs.update(workspace, name, cancel_requested_at=platform.clock())
            event = JobCancelRequested(f"job/{name}", platform.user)
            tx.events.append(workspace, platform.clock(), event.type, event.subject, event.body())
    platform.engine.look_at(workspace, name)
    return show(platform, caller, workspace, name)


def files(
    platform: Platform, caller: Caller, workspace: str, name: str, *, output: str | None, every: bool
) -> dict[str, Path]:
    """The files that `job download` fetches: path under the download folder → path on this machine."""
    job, children = _ended(platform, caller, workspace, name)
    return files_of(platform.runner, job, children, output=output, every=every)


def file(platform: Platform, caller: Caller, workspace: str, name: str, path: str) -> Path:
    """One of these files."""
    job, children = _ended(platform, caller, workspace, name)
    return file_of(platform.runner, job, children, path)


def _ended(
    platform: Platform, caller: Caller, workspace: str, name: str
) -> tuple[JobRecord, tuple[JobRecord, ...]]:
    """A job with its steps, once nothing of it changes any more."""
    require(caller, Action.JOB_READ, workspace)
    with platform.database.reading() as tx:
        job, children = tx.jobs.get(workspace, name), tx.jobs.below(workspace, name)
    if job.status not in st.TERMINAL:
        raise Conflict(
            f"job `{name}` is {job.status}: files can be downloaded once it has ended",
            hint=f"follow it with `penstock job stream -n {name}`",
        )
    return job, children
