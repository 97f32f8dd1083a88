"""A job of type `pipeline`: steps, each a command, bound to one another by their inputs and outputs."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from penstock.errors import Problem
from penstock.resources.component import InlineComponent
from penstock.resources.environment import InlineEnvironment
from penstock.resources.expressions import whole
from penstock.resources.field_types import AlsoWritten, FilledText, Flag, StepName, TextTags, Variables
from penstock.resources.inputs_and_outputs import Inputs, Outputs, OutputValue, StepOutputs
from penstock.resources.job_base import JobBase
from penstock.resources.job_types import type_problem, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, not_yet, recorded
from penstock.resources.ports import InputPort, OutputPort
from penstock.resources.reference_fields import (
    CodePath,
    ComputeTarget,
    DatastoreName,
    EnvironmentValue,
    refuse_component_reference,
)
from penstock.resources.run_settings import (
    IDENTITY_NOTE,
    QUEUE_NOTE,
    Identity,
    Limits,
    NodeResources,
    QueueSettings,
    printed_services_dropped,
)

LATER_STEP_TYPES = (
    "sweep", "parallel", "spark", "automl", "pipeline", "import", "data_transfer", "do_while", "if_else",
    "parallel_for", "finetuning",
)  # fmt: skip


class CommandStep(Part):
    """A step. `command`, `code`, `environment` … read alike whether written in the step or in its component."""

    model_config = ConfigDict(extra="allow")
    noun = "a step"
    # `name` too: a step's name is its key.
    output_only = OUTPUT_ONLY | {"name", "started_at", "ended_at", "error"}

    type: Literal["command"] = "command"
    component: Annotated[
        InlineComponent | None,
        BeforeValidator(refuse_component_reference),
        AlsoWritten(("string",)),
    ] = Field(default=None, description="a component file; registered components are not supported yet")
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
    identity: Identity | None = recorded(IDENTITY_NOTE)
    queue_settings: QueueSettings | None = recorded(QUEUE_NOTE)
    distribution: Any = not_yet("a step runs as one process")
    services: Any = not_yet("run the tool on your own machine, beside the job")

    @property
    def command(self) -> str:
        return self.component.command if self.component else (self.own_command or "")

    @property
    def code(self) -> str | None:
        return self.component.code if self.component else self.own_code

    @property
    def environment(self) -> str | InlineEnvironment:
        """The step's own, else its component's; a parsed step has one of them."""
        if self.own_environment is not None or self.component is None:
            return self.own_environment or ""
        return self.component.environment

    @property
    def resources(self) -> NodeResources | None:
        """The component's, overridden key by key by the step's."""
        of_component = self.component.resources if self.component else None
        if self.own_resources is None or of_component is None:
            return self.own_resources or of_component
        own = {name: getattr(self.own_resources, name) for name in self.own_resources.model_fields_set}
        return of_component.model_copy(update=own)

    @property
    def ports(self) -> Mapping[str, InputPort]:
        """The inputs that the component declares; none for a command written in the step."""
        return self.component.inputs if self.component else {}

    @property
    def output_ports(self) -> Mapping[str, OutputPort]:
        """The outputs that the component declares."""
        return self.component.outputs if self.component else {}

    @property
    def is_deterministic(self) -> bool:
        return self.component.is_deterministic if self.component else True

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return printed_services_dropped(with_spelled_type(data))

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        return type_problem("a step", data, ("command",), LATER_STEP_TYPES)

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
