"""A compute: a named place with room for so many steps at a time."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from penstock.errors import Problem
from penstock.resources.field_types import AnyTags, Choice, ComputeName, Flag, Whole
from penstock.resources.model_base import OUTPUT_ONLY, Part, recorded
from penstock.resources.run_settings import IDENTITY_NOTE, ComputeIdentity

_THIS_MACHINE = "steps run on this machine"
_NO_NODES = "there are no nodes of a cloud to reach"

LATER_TYPES = ("computeinstance", "kubernetes", "virtualmachine", "synapsespark", "ray")


class SshSettings(Part):
    """Who may log in to a node of the cluster. The password is never kept."""

    noun = "`ssh_settings`"

    admin_username: str | None = None
    admin_password: str | None = Field(default=None, exclude=True, repr=False)
    ssh_key_value: str | None = None


class NetworkSettings(Part):
    """The cloud network of a cluster."""

    noun = "`network_settings`"

    vnet_name: str | None = None
    subnet: str | None = None


class Compute(Part):
    """`amlcompute` is a pool with `max_instances` places; `local` is this machine with as many as it has room for."""

    noun = "a compute"
    output_only = OUTPUT_ONLY | {"properties", "state"}

    name: ComputeName
    type: Annotated[Literal["amlcompute", "local"], Choice(not_yet=LATER_TYPES)]
    description: str | None = None
    tags: AnyTags = Field(default_factory=dict)
    min_instances: Annotated[Whole, Field(ge=0)] = Field(
        default=0, description="kept; nothing starts or stops by itself here"
    )
    max_instances: Annotated[Whole, Field(ge=1)] | None = Field(
        default=None,
        description="how many steps run at a time: 4 for amlcompute, the machine's cores for local",
    )
    location: str | None = recorded(_THIS_MACHINE)
    size: str | None = recorded(_THIS_MACHINE)
    tier: Annotated[Literal["dedicated", "low_priority"], Choice()] | None = recorded(_THIS_MACHINE)
    idle_time_before_scale_down: Annotated[Whole, Field(ge=0)] | None = recorded(_THIS_MACHINE)
    identity: ComputeIdentity | None = recorded(IDENTITY_NOTE)
    network_settings: NetworkSettings | None = recorded(_NO_NODES)
    ssh_settings: SshSettings | None = recorded(_NO_NODES)
    ssh_public_access_enabled: Flag | None = recorded(_NO_NODES)
    enable_node_public_ip: Flag | None = recorded(_NO_NODES)

    @property
    def capacity(self) -> int | None:
        """How many steps may run at a time; None is left to the machine."""
        if self.max_instances is None and self.type == "amlcompute":
            return 4
        return self.max_instances

    def remarks(self) -> Iterator[Problem]:
        if self.min_instances > 0:
            message = "`min_instances` is recorded and has no effect: nothing starts or stops by itself here"
            yield Problem("/min_instances", message, code="unsupported")

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        wanted = str(data.get("type", "")).lower().replace("_", "")
        if wanted in LATER_TYPES:
            message = f"a compute of type `{wanted}` is not supported yet"
            return Problem("/type", message, expected="`amlcompute` or `local`", code="unsupported")
        return None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        low, high = data.get("min_instances", 0), data.get("max_instances", 4)
        try:
            wrong = int(low) > int(high)
        except (TypeError, ValueError):
            return  # said by the fields themselves
        if wrong:
            yield Problem("/min_instances", f"`min_instances` ({low}) is more than `max_instances` ({high})")
