"""A job of type `command`: one command in one environment. Pipelines are in `pipeline`, offered here too."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.distribution import Distribution
from penstock.resources.field_types import FilledText, Variables
from penstock.resources.inputs_and_outputs import Inputs, Outputs
from penstock.resources.job_base import JobBase
from penstock.resources.pipeline import PipelineJob
from penstock.resources.pipeline_component import PipelineComponent, PipelineStep
from penstock.resources.pipeline_settings import PipelineSettings
from penstock.resources.ports import InputPort, OutputPort
from penstock.resources.reference_fields import CodePath, EnvironmentValue
from penstock.resources.run_settings import Limits, QueueSettings, Resources
from penstock.resources.services import Services
from penstock.resources.step import CommandStep

__all__ = [
    "CommandJob",
    "CommandStep",
    "PipelineComponent",
    "PipelineJob",
    "PipelineSettings",
    "PipelineStep",
]


class CommandJob(JobBase):
    """A command job."""

    noun = "a command job"

    type: Literal["command"] = "command"
    command: FilledText
    code: CodePath | None = Field(
        default=None, description="a local folder or file, copied to where the command runs"
    )
    environment: EnvironmentValue
    environment_variables: Variables = Field(default_factory=dict)
    inputs: Inputs = Field(default_factory=dict)
    outputs: Outputs = Field(default_factory=dict)
    limits: Limits | None = None
    resources: Resources | None = None
    queue_settings: QueueSettings | None = None
    distribution: Distribution | None = Field(
        default=None, description="the command runs as several processes of this machine"
    )
    services: Services | None = Field(default=None, description="addresses that `show-services` prints")

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        if "type" not in data and "jobs" in data:
            message = "`type` is missing: a job with steps under `jobs` is a pipeline"
            return Problem("/type", message, hint="write `type: pipeline`", code="missing")
        return super().refusal(data)

    # What a step of a pipeline has; planning treats a command job as a step of its own.

    @property
    def ports(self) -> Mapping[str, InputPort]:
        """Declared inputs: none, for a standalone command declares no types."""
        return {}

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.inputs)

    @property
    def output_ports(self) -> Mapping[str, OutputPort]:
        return {}

    @property
    def is_deterministic(self) -> bool:
        return True
