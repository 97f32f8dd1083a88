"""A step of a pipeline that is a command, written in place or by way of a component."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field, SerializerFunctionWrapHandler, field_serializer

from penstock.errors import Problem
from penstock.resources.component import ComponentOrReference, InlineComponent, as_written
from penstock.resources.distribution import Distribution
from penstock.resources.environment import InlineEnvironment
from penstock.resources.field_types import FilledText, TextTags, Variables
from penstock.resources.inputs_and_outputs import Inputs, StepOutputs
from penstock.resources.job_types import spelled_type, type_problem, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.ports import InputPort, OutputPort
from penstock.resources.reference_fields import (
    CodePath,
    ComputeTarget,
    EnvironmentValue,
)
from penstock.resources.run_settings import (
    IDENTITY_NOTE,
    JobIdentity,
    Limits,
    NodeResources,
    QueueSettings,
    printed_services_dropped,
)
from penstock.resources.services import Services

LATER_STEP_TYPES = (
    "sweep", "parallel", "spark", "automl", "import", "data_transfer", "do_while", "if_else",
    "parallel_for", "finetuning",
)  # fmt: skip


class CommandStep(Part):
    """A step. `command`, `code`, `environment` … read alike whether written in the step or in its component."""

    model_config = ConfigDict(extra="allow")
    noun = "a step"
    # `name` too: a step's name is its key.
    output_only = OUTPUT_ONLY | {"name", "started_at", "ended_at", "error", "mark", "relaxed"}

    type: Literal["command"] = "command"
    component: ComponentOrReference[InlineComponent] | None = Field(
        default=None, description="a component file, or a registered component"
    )
    own_command: FilledText | None = Field(default=None, alias="command")
    own_code: CodePath | None = Field(
        default=None, alias="code", description="a local folder or file, copied to where the command runs"
    )
    own_environment: EnvironmentValue | None = Field(
        default=None, alias="environment", description="stands in for the component's"
    )
    own_resources: NodeResources | None = Field(default=None, alias="resources")
    environment_variables: Variables = Field(default_factory=dict)
    inputs: Inputs = Field(default_factory=dict)
    outputs: StepOutputs = Field(default_factory=dict)
    compute: ComputeTarget | None = Field(default=None, description="the pipeline's default if absent")
    limits: Limits | None = None
    display_name: str | None = None
    description: str | None = None
    comment: str | None = Field(default=None, description="kept")
    tags: TextTags = Field(default_factory=dict)
    properties: TextTags = Field(default_factory=dict)
    identity: JobIdentity | None = recorded(IDENTITY_NOTE)
    queue_settings: QueueSettings | None = None
    own_distribution: Distribution | None = Field(
        default=None, alias="distribution", description="stands in for the component's"
    )
    services: Services | None = Field(default=None, description="addresses that `show-services` prints")

    @property
    def inline(self) -> InlineComponent | None:
        """The component's own fields. A reference has none before the workspace has put the component in its place."""
        return None if isinstance(self.component, str) else self.component

    @property
    def command(self) -> str:
        return self.inline.command if self.inline else (self.own_command or "")

    @property
    def code(self) -> str | None:
        return self.inline.code if self.inline else self.own_code

    @property
    def environment(self) -> str | InlineEnvironment:
        """The step's own, else its component's; a parsed step has one of them."""
        if self.own_environment is not None or self.inline is None:
            return self.own_environment or ""
        return self.inline.environment

    @property
    def resources(self) -> NodeResources | None:
        """The component's, overridden key by key by the step's."""
        of_component = self.inline.resources if self.inline else None
        if self.own_resources is None or of_component is None:
            return self.own_resources or of_component
        own = {name: getattr(self.own_resources, name) for name in self.own_resources.model_fields_set}
        return of_component.model_copy(update=own)

    @property
    def distribution(self) -> Distribution | None:
        """The step's own, else its component's."""
        of_component = self.inline.distribution if self.inline else None
        return self.own_distribution or of_component

    @property
    def ports(self) -> Mapping[str, InputPort]:
        """The inputs that the component declares; none for a command written in the step."""
        return self.inline.inputs if self.inline else {}

    @property
    def input_names(self) -> tuple[str, ...]:
        """A component gets what it declares; what else is given was warned of."""
        return tuple(self.inline.inputs if self.inline else self.inputs)

    @property
    def output_ports(self) -> Mapping[str, OutputPort]:
        """The outputs that the component declares."""
        return self.inline.outputs if self.inline else {}

    @property
    def is_deterministic(self) -> bool:
        return self.inline.is_deterministic if self.inline else True

    @field_serializer("component", mode="wrap")
    def _component_as_written(self, value: Any, handler: SerializerFunctionWrapHandler) -> Any:
        return as_written(value, handler)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return printed_services_dropped(with_spelled_type(data))

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        component = data.get("component")
        if isinstance(component, Mapping) and spelled_type(component) == "pipeline":
            message = "the step is of type `command`, and its component is of type `pipeline`"
            hint = "write `type: pipeline` in the step, or leave its type out"
            return Problem("/type", message, expected="`pipeline`", hint=hint)
        return type_problem("a step", data, ("command", "pipeline"), LATER_STEP_TYPES)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if "component" in data:
            for key in ("command", "code"):
                if key in data:
                    hint = f"remove `{key}`, or remove `component`"
                    yield Problem(f"/{key}", f"a step has either `component` or `{key}`, not both", hint=hint)
            return
        if "command" not in data:
            hint = "write `component: <file>`, or `command:` and `environment:`"
            yield Problem("/command", "a step needs `command` or `component`", hint=hint, code="missing")
        if "environment" not in data:
            yield Problem("/environment", "`environment` is missing", code="missing")
