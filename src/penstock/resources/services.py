"""`services`: what a job offers to people while it runs."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import Choice, Whole
from penstock.resources.model_base import Part

_NO_NODE = "the job runs on this machine, which is no node to log in to: leave the service out, and open a shell or an editor here"
_OF_A_NODE = ("ssh", "vs_code")
# What Azure ML starts beside the command, and how it is had here.
_NOT_STARTED = {
    "tensor_board": "run `tensorboard --logdir <folder>` yourself, beside the job",
    "jupyter_lab": "run `jupyter lab` yourself, beside the job",
}


class Service(Part):
    """Something that listens at a port. It is shown as an address of this machine; who listens there is the job's affair."""

    noun = "a service"
    output_only = frozenset({"endpoint", "status", "error_message"})

    type: Annotated[
        Literal["custom", "tensor_board", "jupyter_lab"], Choice(not_yet=_OF_A_NODE, hint=_NO_NODE)
    ] = Field(
        default="custom",
        description="custom: the command listens at `port`; tensor_board and jupyter_lab are recorded, with a warning",
    )
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = Field(
        default=None, description="where the command listens, on this machine"
    )
    nodes: Annotated[Literal["all"], Choice()] | None = Field(
        default=None, description="`all`: shown for every instance; else for the first"
    )
    log_dir: str | None = Field(default=None, description="of tensor_board; kept")
    properties: dict[str, Any] | None = Field(default=None, description="kept")

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        for kind in _OF_A_NODE:  # their own fields deserve no words of their own
            if str(data.get("type")).strip().lower().replace("_", "") == kind.replace("_", ""):
                message = f"a service of type `{kind}` is not supported yet"
                return Problem("/type", message, hint=_NO_NODE, code="unsupported")
        return None

    def remarks(self) -> Iterator[Problem]:
        if self.type in _NOT_STARTED:
            message = f"a service of type `{self.type}` is recorded and not started"
            yield Problem("/type", message, hint=_NOT_STARTED[self.type], code="unsupported")
        elif self.port is None:
            message = "a service of type `custom` without `port` has no address that could be shown"
            yield Problem("/port", message, hint="write `port:`, the one at which the command listens")


Services = dict[str, Service]
