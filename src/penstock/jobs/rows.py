"""The rows that a new job is written as: its own first, then its steps' in the order of the file."""

from dataclasses import asdict, dataclass
from typing import Any

from penstock.jobs import statuses as st
from penstock.jobs.planning import PlannedJob
from penstock.resources.job import CommandJob, PipelineJob
from penstock.store.records.job import JobRecord


@dataclass(frozen=True)
class Birth:
    """Where, as what, when and by whom a job is created."""

    workspace: str
    name: str
    experiment: str
    created_at: float
    created_by: str


def rows_of(job: CommandJob | PipelineJob, planned: PlannedJob, birth: Birth) -> list[JobRecord]:
    """Every row of the job, not started yet."""
    if isinstance(job, CommandJob):
        plan = planned.steps[birth.name]
        return [_root(job, birth, plan.as_record(), plan.compute)]
    root_plan = {
        "continue_on_step_failure": job.settings.continue_on_step_failure,
        "outputs": {name: asdict(output) for name, output in planned.outputs.items()},
    }
    root = _root(job, birth, root_plan, None)
    return [root, *(_step(job, planned, birth, key, root) for key in planned.steps)]


def _root(
    job: CommandJob | PipelineJob, birth: Birth, plan: dict[str, Any], compute: str | None
) -> JobRecord:
    document = job.to_document()
    return JobRecord(
        workspace=birth.workspace,
        name=birth.name,
        type=job.type,
        status=st.NOT_STARTED,
        display_name=job.display_name or birth.name,
        experiment_name=birth.experiment,
        description=job.description,
        tags=dict(job.tags),
        properties=dict(job.properties),
        parent=None,
        root=birth.name,
        step=None,
        spec={"document": document, "plan": plan},
        inputs=document.get("inputs") or {},
        outputs=document.get("outputs") or {},
        compute=compute,
        error=None,
        created_at=birth.created_at,
        created_by=birth.created_by,
    )


def _step(job: PipelineJob, planned: PlannedJob, birth: Birth, key: str, root: JobRecord) -> JobRecord:
    step, plan = job.jobs[key], planned.steps[key]
    written = root.spec["document"]["jobs"][key]
    return JobRecord(
        workspace=birth.workspace,
        name=planned.names[key],
        type="command",
        status=st.NOT_STARTED,
        display_name=step.display_name or key,
        experiment_name=birth.experiment,
        description=step.description,
        tags=dict(step.tags),
        properties=dict(step.properties),
        parent=birth.name,
        root=birth.name,
        step=key,
        spec={"document": written, "plan": plan.as_record()},
        inputs=written.get("inputs") or {},
        outputs=written.get("outputs") or {},
        compute=plan.compute,
        error=None,
        created_at=birth.created_at,
        created_by=birth.created_by,
        position=list(planned.steps).index(key),
    )
