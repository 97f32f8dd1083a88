"""A job of type `pipeline`: steps, bound to one another by their inputs and outputs."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from penstock.errors import Problem
from penstock.resources.expressions import whole
from penstock.resources.field_types import Flag, StepName
from penstock.resources.inputs_and_outputs import Inputs, Outputs, OutputValue
from penstock.resources.job_base import JobBase
from penstock.resources.model_base import Part, not_yet, recorded
from penstock.resources.reference_fields import ComputeTarget, DatastoreName
from penstock.resources.services import Services
from penstock.resources.step import CommandStep


class PipelineSettings(Part):
    """Defaults of a pipeline's steps."""

    model_config = ConfigDict(extra="allow")
    noun = "`settings` of a pipeline"

    default_compute: ComputeTarget | None = None
    default_datastore: DatastoreName | None = None
    continue_on_step_failure: Flag = Field(
        default=True, description="steps that do not need the failed one still run"
    )
    force_rerun: Flag = Field(default=False, description="steps are not reused yet, so every step runs")
    on_init: Any = not_yet("make it the step that all others read from")
    on_finalize: Any = not_yet("run it after the pipeline")


class PipelineJob(JobBase):
    """A pipeline job."""

    noun = "a pipeline job"

    type: Literal["pipeline"]
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    jobs: dict[StepName, CommandStep] = Field(default_factory=dict, description="at least one")
    settings: PipelineSettings = Field(default_factory=PipelineSettings)
    component: Any = not_yet("write the pipeline's steps under `jobs`")
    services: Services | None = recorded("a pipeline has no process of its own; write them into a step")

    @property
    def default_compute(self) -> str | None:
        """The compute of steps that name none. `compute` of the job is the older spelling."""
        return self.settings.default_compute or self.compute

    def type_of_output(self, step: str, output: str) -> str:
        """What the step says of its output; else its component; else the pipeline's output that it is bound to."""
        given, port = self.jobs[step].outputs.get(output), self.jobs[step].output_ports.get(output)
        text = given if isinstance(given, str) else given.path if given is not None else None
        bound = whole(text) if text is not None else None
        of_pipeline = self.outputs.get(".".join(bound.path)) if bound is not None else None
        own = given if isinstance(given, OutputValue) else None
        return next(
            (each.type for each in (own, port, of_pipeline) if each is not None and each.type), "uri_folder"
        )

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if data.get("jobs") in (None, {}) and "component" not in data:
            yield Problem("/jobs", "a pipeline needs at least one step under `jobs`", code="missing")
