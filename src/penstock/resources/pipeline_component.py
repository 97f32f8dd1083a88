"""A pipeline component: steps with declared inputs and outputs around them, itself used as a step."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Field, SerializerFunctionWrapHandler, Tag, field_serializer

from penstock.errors import Problem
from penstock.resources.component import Component, ComponentOrReference, as_written
from penstock.resources.field_types import StepName, TextTags
from penstock.resources.inputs_and_outputs import Inputs, StepOutputs
from penstock.resources.job_types import spelled_type, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, not_yet
from penstock.resources.step import CommandStep
from penstock.resources.wording import BRANCH


class PipelineComponent(Component):
    """A pipeline component."""

    noun = "a pipeline component"

    type: Literal["pipeline"]
    jobs: "dict[StepName, Step]" = Field(default_factory=dict, description="at least one")
    settings: Any = not_yet("write them in the job, or in the step that uses the component")
    additional_includes: Any = not_yet("write them in the components of the steps")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from super().contradictions(data)
        if data.get("jobs") in (None, {}):
            yield Problem(
                "/jobs", "a pipeline component needs at least one step under `jobs`", code="missing"
            )


class InlinePipelineComponent(PipelineComponent):
    """A pipeline component written into, or read for, a step: keys that it does not know are let pass with a warning."""

    model_config = ConfigDict(extra="allow")

    name: str | None = Field(default=None, description="read, and ignored: the component is not registered")


class PipelineStep(Part):
    """A step that is a pipeline."""

    model_config = ConfigDict(extra="allow")
    noun = "a step of type `pipeline`"
    output_only = OUTPUT_ONLY | {"name", "started_at", "ended_at", "error"}

    type: Literal["pipeline"] = "pipeline"
    component: ComponentOrReference[InlinePipelineComponent] = Field(
        description="a component file, or a registered component"
    )
    inputs: Inputs = Field(default_factory=dict)
    outputs: StepOutputs = Field(default_factory=dict)
    display_name: str | None = None
    description: str | None = None
    comment: str | None = Field(default=None, description="kept")
    tags: TextTags = Field(default_factory=dict)
    properties: TextTags = Field(default_factory=dict)

    @field_serializer("component", mode="wrap")
    def _component_as_written(self, value: Any, handler: SerializerFunctionWrapHandler) -> Any:
        return as_written(value, handler)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return with_spelled_type(data)


def _type_of_step(value: Any) -> str:
    """A step says its type itself, or its component does."""
    if isinstance(value, PipelineStep):
        return BRANCH + "pipeline"
    if not isinstance(value, Mapping):
        return BRANCH + "command"
    component = value.get("component")
    told_by = value if "type" in value or not isinstance(component, Mapping) else component
    return BRANCH + ("pipeline" if spelled_type(told_by) == "pipeline" else "command")


Step = Annotated[
    Annotated[CommandStep, Tag(BRANCH + "command")] | Annotated[PipelineStep, Tag(BRANCH + "pipeline")],
    Discriminator(_type_of_step),
]
"""A step of a pipeline component."""

PipelineComponent.model_rebuild()
InlinePipelineComponent.model_rebuild()
PipelineStep.model_rebuild()
