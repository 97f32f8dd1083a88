"""A command component: a command with declared inputs and outputs, which steps of a pipeline use."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from pydantic import ConfigDict, Field

from penstock.errors import Problem
from penstock.resources.field_types import ComponentName, FilledText, Flag, TextTags, Version
from penstock.resources.job_types import type_problem, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part, not_yet
from penstock.resources.ports import InputPorts, OutputPorts
from penstock.resources.reference_fields import CodePath, EnvironmentValue
from penstock.resources.run_settings import NodeResources

LATER_TYPES = ("pipeline", "parallel", "spark", "automl", "sweep", "data_transfer", "import")


class CommandComponent(Part):
    """A command component."""

    noun = "a command component"
    output_only = OUTPUT_ONLY

    type: Literal["command"] = "command"
    name: ComponentName | None = None
    version: Version | None = None
    display_name: str | None = None
    description: str | None = None
    tags: TextTags = Field(default_factory=dict)
    properties: TextTags = Field(default_factory=dict)
    inputs: InputPorts = Field(default_factory=dict)
    outputs: OutputPorts = Field(default_factory=dict)
    command: FilledText
    code: CodePath | None = Field(
        default=None, description="a local folder or file, relative to the component's file"
    )
    environment: EnvironmentValue
    resources: NodeResources | None = None
    is_deterministic: Flag = Field(
        default=True, description="kept; steps are not reused yet, so every step runs"
    )
    distribution: Any = not_yet("a step runs as one process")
    additional_includes: Any = not_yet("put the files into the `code` folder")

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        return type_problem("a component", data, ("command",), LATER_TYPES)

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        return with_spelled_type(data)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        for side in ("inputs", "outputs"):
            seen: dict[str, str] = {}
            ports = data.get(side)
            for name in map(str, ports) if isinstance(ports, Mapping) else ():
                twin = seen.setdefault(name.lower(), name)
                if twin != name:
                    yield Problem(f"/{side}/{name}", f"`{name}` and `{twin}` differ only by case")


class InlineComponent(CommandComponent):
    """A component written into, or read for, a step: keys that it does not know are let pass with a warning."""

    model_config = ConfigDict(extra="allow")

    name: str | None = Field(default=None, description="read, and ignored: the component is not registered")
