"""The rows that a new job is written as: its own first, then its steps' in the order of the file, each before its own."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from penstock.jobs import statuses as st
from penstock.jobs.planning import PlannedJob
from penstock.jobs.plans import OutputOf
from penstock.jobs.scopes import Placed, steps_within
from penstock.resources.job import CommandJob, PipelineJob
from penstock.resources.relaxed import Row
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
    root = _root(job, birth, _pipeline_plan(job, planned.outputs), None)
    rows = {"": root}
    for path, placed in steps_within(job).items():
        rows[path] = _step(job, planned, path, placed, rows[path.rpartition("/")[0]], len(rows) - 1)
    return list(rows.values())


def _pipeline_plan(job: PipelineJob, outputs: Mapping[str, OutputOf]) -> dict[str, Any]:
    return {
        "continue_on_step_failure": job.settings.continue_on_step_failure,
        "outputs": {name: asdict(output) for name, output in outputs.items()},
    }


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


def _step(
    job: PipelineJob, planned: PlannedJob, path: str, placed: Placed, above: JobRecord, position: int
) -> JobRecord:
    """A step of the pipeline `above`. `position` counts all steps of the job, each before what is inside it."""
    step, key = placed.step, path.rpartition("/")[2]
    written = step.to_document()
    plan = planned.steps.get(path)
    planned_record = (
        plan.as_record() if plan is not None else _pipeline_plan(job, planned.pipelines.get(path, {}))
    )
    return JobRecord(
        workspace=above.workspace,
        name=planned.names[path],
        type=step.type,
        status=st.NOT_STARTED,
        display_name=step.display_name or key,
        experiment_name=above.experiment_name,
        description=step.description,
        tags=dict(step.tags),
        properties=dict(step.properties),
        parent=above.name,
        root=above.root,
        step=key,
        spec={"document": written, "plan": planned_record, "path": path, "pointer": placed.pointer},
        inputs=written.get("inputs") or {},
        outputs=written.get("outputs") or {},
        compute=plan.compute if plan is not None else None,
        error=None,
        created_at=above.created_at,
        created_by=above.created_by,
        position=position,
    )


RELAXED = "relaxed"
"""The entry of a job's `spec` that says what its environments have otherwise than was asked; of a pipeline by `step`."""


def relaxed_of(job: JobRecord) -> Sequence[Row]:
    """What the job's environment, or those of its steps, has otherwise than was asked; known once it is prepared."""
    found: Sequence[Row] = job.spec.get(RELAXED) or ()
    return found


def path_of(job: JobRecord) -> str | None:
    """How a step is called in its whole job: `train`, or `train/fit` inside the step `train`; None for the job itself."""
    path = job.spec.get("path", job.step)
    return None if path is None else str(path)


def pointer_of_step(job: JobRecord) -> str:
    """Where the step stands in the document of its whole job; empty for the job itself."""
    return "" if job.step is None else str(job.spec.get("pointer", f"/jobs/{job.step}"))
