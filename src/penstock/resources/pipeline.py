"""A job of type `pipeline`: steps, bound to one another by their inputs and outputs."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, field_serializer

from penstock.errors import Problem
from penstock.resources.component import ComponentOrReference, as_written
from penstock.resources.expressions import whole
from penstock.resources.inputs_and_outputs import Inputs, Outputs, OutputValue
from penstock.resources.job_base import JobBase
from penstock.resources.model_base import recorded
from penstock.resources.pipeline_component import (
    InlinePipelineComponent,
    PipelineStep,
    Steps,
    without_printed_steps,
)
from penstock.resources.pipeline_settings import PipelineSettings
from penstock.resources.ports import InputPort
from penstock.resources.services import Services
from penstock.resources.step import CommandStep


class PipelineJob(JobBase):
    """A pipeline job."""

    noun = "a pipeline job"

    type: Literal["pipeline"]
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    jobs: Steps = Field(default_factory=dict, description="at least one, unless there is a `component`")
    settings: PipelineSettings = Field(default_factory=PipelineSettings)
    component: ComponentOrReference[InlinePipelineComponent] | None = Field(
        default=None, description="a pipeline component whose steps the job runs, in place of `jobs`"
    )
    services: Services | None = recorded("a pipeline has no process of its own; write them into a step")

    @property
    def default_compute(self) -> str | None:
        """The compute of steps that name none. `compute` of the job is the older spelling."""
        return self.settings.default_compute or self.compute

    @property
    def inner(self) -> InlinePipelineComponent | None:
        """The component's own fields: by the time when a job is planned, it is no reference any more."""
        return None if isinstance(self.component, str) else self.component

    @property
    def steps(self) -> Mapping[str, CommandStep | PipelineStep]:
        """The job's own steps, or its component's."""
        return self.inner.jobs if self.inner is not None else self.jobs

    @property
    def ports(self) -> Mapping[str, InputPort]:
        """The inputs that the component declares; none for steps that stand in the job."""
        return self.inner.inputs if self.inner is not None else {}

    def type_of_output(self, step: str, output: str) -> str:
        """What the step says of its output; else its component; else the pipeline's output that it is bound to."""
        given, port = self.steps[step].outputs.get(output), self.steps[step].output_ports.get(output)
        text = given if isinstance(given, str) else given.path if given is not None else None
        bound = whole(text) if text is not None else None
        of_pipeline = self.outputs.get(".".join(bound.path)) if bound is not None else None
        own = given if isinstance(given, OutputValue) else None
        return next(
            (each.type for each in (own, port, of_pipeline) if each is not None and each.type), "uri_folder"
        )

    @field_serializer("component", mode="wrap")
    def _component_as_written(self, value: Any, handler: SerializerFunctionWrapHandler) -> Any:
        return as_written(value, handler)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return without_printed_steps(super().rewritten(data))

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if data.get("jobs") in (None, {}):
            if "component" not in data:
                yield Problem("/jobs", "a pipeline needs at least one step under `jobs`", code="missing")
        elif "component" in data:
            hint = "remove `jobs`, or remove `component`"
            yield Problem("/jobs", "a pipeline has either `component` or `jobs`, not both", hint=hint)
