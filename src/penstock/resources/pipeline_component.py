"""A pipeline component: steps with declared inputs and outputs around them, itself used as a step."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    ConfigDict,
    Discriminator,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    Tag,
    field_serializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from penstock.errors import Problem
from penstock.resources.component import Component, ComponentOrReference, as_written
from penstock.resources.field_types import GroupedPortName, StepName, TextTags
from penstock.resources.inputs_and_outputs import Inputs, StepOutputs
from penstock.resources.job_types import step_type, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, not_yet, recorded
from penstock.resources.pipeline_settings import PipelineSettings
from penstock.resources.ports import InputPort, OutputPort
from penstock.resources.reference_fields import ComputeTarget
from penstock.resources.step import CommandStep
from penstock.resources.wording import BRANCH


class PipelineComponent(Component):
    """A pipeline component."""

    noun = "a pipeline component"

    type: Literal["pipeline"]
    inputs: dict[GroupedPortName, InputPort] = Field(default_factory=dict)
    jobs: "Steps" = Field(default_factory=dict, description="at least one")
    settings: Any = not_yet(
        "a pipeline component follows the settings of the job that uses it: write them there"
    )
    additional_includes: Any = not_yet("write them in the components of the steps")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from super().contradictions(data)
        if data.get("jobs") in (None, {}):
            yield Problem(
                "/jobs", "a pipeline component needs at least one step under `jobs`", code="missing"
            )


class InlinePipelineComponent(PipelineComponent):
    """A pipeline component written into, or read for, a step."""

    is_anonymous: ClassVar[bool] = True

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
    compute: ComputeTarget | None = recorded(
        "the inner steps run on the compute that they name, or on the job's default"
    )
    settings: PipelineSettings | None = recorded("a pipeline inside another follows the job's settings")

    @property
    def inner(self) -> InlinePipelineComponent:
        """The component's own fields: by the time when a job is planned, it is no reference any more."""
        assert not isinstance(self.component, str), "a reference is put in before"
        return self.component

    @property
    def ports(self) -> Mapping[str, InputPort]:
        """The inputs that the component declares."""
        return self.inner.inputs

    @property
    def output_ports(self) -> Mapping[str, OutputPort]:
        """The outputs that the component declares."""
        return self.inner.outputs

    @field_serializer("component", mode="wrap")
    def _component_as_written(self, value: Any, handler: SerializerFunctionWrapHandler) -> Any:
        return as_written(value, handler)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return without_printed_steps(with_spelled_type(data))

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if "jobs" in data:
            hint = "write them into a file and name it as `component`, or write `component: {type: pipeline, jobs: …}`"
            yield Problem("/jobs", "the steps of an inner pipeline stand in its component", hint=hint)


def without_printed_steps(data: dict[str, Any]) -> dict[str, Any]:
    """A job's record shows the steps of a component beside it, with their statuses: output, not a wish."""
    if "component" not in data or not isinstance(data.get("jobs"), Mapping):
        return data
    if any(not isinstance(step, Mapping) or "status" not in step for step in data["jobs"].values()):
        return data
    return {key: value for key, value in data.items() if key != "jobs"}


def _type_of_step(value: Any) -> str:
    """A step says its type itself, or its component does."""
    is_nested = isinstance(value, PipelineStep) or (
        isinstance(value, Mapping) and step_type(value) == "pipeline"
    )
    return BRANCH + ("pipeline" if is_nested else "command")


class _EitherStep:
    """For editors: a step whose component is a path may be of either kind, and only its file says which."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": handler(schema)["oneOf"]}


Step = Annotated[
    Annotated[CommandStep, Tag(BRANCH + "command")] | Annotated[PipelineStep, Tag(BRANCH + "pipeline")],
    Discriminator(_type_of_step),
    _EitherStep(),
]
"""A step of a pipeline: a job's, or a component's."""
Steps = dict[StepName, Step]

PipelineComponent.model_rebuild()
InlinePipelineComponent.model_rebuild()
PipelineStep.model_rebuild()
