"""A root job as the rules see it, read from its rows."""

from penstock.jobs.rows import path_of
from penstock.jobs.transitions import RootView, StepView
from penstock.store.records.job import JobRecord
from penstock.store.transaction import Transaction


def members_of(tx: Transaction, root: JobRecord) -> list[JobRecord]:
    """All steps of the root in order, inner ones too; a standalone command job is its own only step."""
    return [root] if root.type == "command" else list(tx.jobs.below(root.workspace, root.name))


def view_of(root: JobRecord, members: list[JobRecord]) -> RootView:
    """What the rules may know."""
    return RootView(
        name=root.name,
        status=root.status,
        cancel_requested=root.cancel_requested_at is not None,
        continue_on_step_failure=bool(root.spec["plan"].get("continue_on_step_failure", True)),
        steps=tuple(
            StepView(
                job.name,
                path_of(job) or job.name,
                job.status,
                frozenset(job.spec["plan"].get("needs", ())),
                is_pipeline=job.type == "pipeline",
            )
            for job in members
        ),
        is_pipeline=root.type == "pipeline",
    )
