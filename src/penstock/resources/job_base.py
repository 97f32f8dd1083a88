"""What jobs of every type say about themselves."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import JobName, TextTags
from penstock.resources.job_types import type_problem, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, not_yet, recorded
from penstock.resources.reference_fields import ComputeTarget
from penstock.resources.run_settings import IDENTITY_NOTE, JobIdentity, printed_services_dropped

LATER_TYPES = (
    "sweep", "parallel", "spark", "automl", "import", "data_transfer", "finetuning", "distillation",
)  # fmt: skip


class JobBase(Part):
    """The fields that every type of job has."""

    noun = "a job"
    output_only = OUTPUT_ONLY | {
        "started_at", "ended_at", "error", "step", "mlflow_run_id", "mark", "relaxed",
    }  # fmt: skip

    name: JobName | None = Field(default=None, description="made up if absent; unique in the workspace")
    display_name: str | None = None
    experiment_name: str | None = Field(default=None, description="the folder's name if absent")
    description: str | None = None
    tags: TextTags = Field(default_factory=dict)
    properties: TextTags = Field(default_factory=dict)
    compute: ComputeTarget | None = Field(default=None, description="this machine if absent")
    identity: JobIdentity | None = recorded(IDENTITY_NOTE)
    parent_job_name: Any = not_yet("write the job as a step of a pipeline")

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return printed_services_dropped(with_spelled_type(data))

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        return type_problem("a job", data, ("command", "pipeline"), LATER_TYPES)
