"""`services`: what a job offers to people while it runs."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import Choice, Whole
from penstock.resources.model_base import Part

_NO_NODE = "the job runs on this machine, which is no node to log in to: open a shell or an editor here"
# What Azure ML starts beside the command, and how it is had here.
_NOT_STARTED = {
    "tensor_board": "run `tensorboard --logdir <folder>` yourself, beside the job",
    "jupyter_lab": "run `jupyter lab` yourself, beside the job",
    "vs_code": _NO_NODE,
    "ssh": _NO_NODE,
}


class Service(Part):
    """Something that listens at a port. It is shown as an address of this machine; who listens there is the job's affair."""

    noun = "a service"
    output_only = frozenset({"endpoint", "status", "error_message"})

    type: Annotated[Literal["custom", "tensor_board", "jupyter_lab", "vs_code", "ssh"], Choice()] = Field(
        default="custom",
        description="custom: the command listens at `port`; the others are recorded, with a warning",
    )
    port: Annotated[Whole, Field(ge=1, le=65535)] | None = Field(
        default=None, description="where the command listens, on this machine"
    )
    nodes: Annotated[Literal["all"], Choice()] | None = Field(
        default=None, description="`all`: shown for every instance; else for the first"
    )
    log_dir: str | None = Field(default=None, description="of tensor_board; kept")
    ssh_public_keys: str | None = Field(default=None, description="of ssh; kept")
    properties: dict[str, Any] | None = Field(default=None, description="kept")

    def remarks(self) -> Iterator[Problem]:
        if self.type in _NOT_STARTED:
            message = f"a service of type `{self.type}` is recorded and not started"
            yield Problem("/type", message, hint=_NOT_STARTED[self.type], code="unsupported")
        elif self.port is None:
            message = "a service of type `custom` without `port` has no address that could be shown"
            yield Problem("/port", message, hint="write `port:`, the one at which the command listens")


Services = dict[str, Service]
