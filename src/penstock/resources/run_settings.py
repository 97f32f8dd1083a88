"""What jobs and steps say about how they run: limits, resources, identity, queue."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from penstock.errors import Problem
from penstock.resources.field_types import Choice, Whole
from penstock.resources.model_base import Part, recorded
from penstock.resources.numbers import CountOrBinding, SecondsOrBinding
from penstock.resources.wording import describe, trouble


def _memory_size(text: str) -> str:
    if not re.fullmatch(r"0*[1-9]\d*[bkmgBKMG]", text):
        wanted = "a whole number and `b`, `k`, `m` or `g`, such as `2g`"
        raise trouble(f"{{field}} must be {wanted}, got {describe(text)}", expected=wanted)
    return text


def _text_or_texts(value: Any) -> Any:
    texts = [value] if isinstance(value, str) else value
    if isinstance(texts, list) and all(isinstance(each, str) for each in texts):
        for text in texts:
            try:
                shlex.split(text)
            except ValueError as error:
                raise trouble(f"{{field}} cannot be split into arguments: {error}") from error
        return value
    wanted = "text, or a list of texts"
    raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)


class Limits(Part):
    """How long a job may take."""

    noun = "`limits` of a command"

    timeout: SecondsOrBinding | None = Field(
        default=None, description="seconds; a job that takes longer is canceled"
    )


class Resources(Part):
    """How many machines of which kind, as the cloud would be asked."""

    noun = "`resources` of a command"

    instance_count: CountOrBinding = Field(
        default=1,
        description="on how many instances of its compute the command runs; all of them are this machine",
    )
    instance_type: str | None = recorded("a step runs on this machine, whatever the machine size asked for")
    shm_size: Annotated[str, AfterValidator(_memory_size)] | None = recorded(
        "it counts where the step runs in a container (PENSTOCK_CONTAINERS); without one it shares the machine's memory"
    )
    locations: list[str] | None = recorded("a step runs on this machine, whatever the region asked for")
    max_instance_count: Annotated[Whole, Field(ge=1)] | None = recorded(
        "a step runs on as many instances as `instance_count` says"
    )
    properties: dict[str, Any] | None = recorded("they are settings of a cloud compute")
    docker_args: Annotated[str | list[str], BeforeValidator(_text_or_texts)] | None = recorded(
        "they count where the step runs in a container (PENSTOCK_CONTAINERS)"
    )


class NodeResources(Resources):
    """The same inside a pipeline, where unknown keys are let pass."""

    model_config = ConfigDict(extra="allow")

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A default that is written out would stand in the way of the component's own value when it is read again.
        given = self.model_fields_set | set(self.model_extra or ())
        return {key: value for key, value in handler(self).items() if key in given}


class JobIdentity(Part):
    """As whom a job runs in the cloud."""

    noun = "an identity of a job"

    type: Annotated[Literal["user_identity", "managed", "managed_identity", "aml_token"], Choice()]
    client_id: str | None = None
    object_id: str | None = None
    msi_resource_id: str | None = None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        kind = str(data.get("type")).strip().lower().replace("_", "")
        for key in ("client_id", "object_id", "msi_resource_id"):
            if key in data and kind in ("useridentity", "amltoken"):
                hint = "write `type: managed`, or remove it"
                yield Problem(f"/{key}", f"`{key}` belongs to a managed identity", hint=hint)


class ComputeIdentity(Part):
    """As whom a compute acts in the cloud."""

    noun = "an identity of a compute"

    type: Annotated[Literal["system_assigned", "user_assigned", "none"], Choice()]
    user_assigned_identities: list[dict[str, Any]] | None = None
    principal_id: str | None = None
    tenant_id: str | None = None


class QueueSettings(Part):
    """Which of the steps that wait for one compute comes first."""

    noun = "`queue_settings`"

    job_tier: Annotated[Literal["spot", "basic", "standard", "premium", "null"], Choice()] | None = recorded(
        "there are no tiers of machines here"
    )
    priority: Annotated[Literal["low", "medium", "high"], Choice()] | None = Field(
        default=None, description="`medium` if absent; among equals the one that came first is first"
    )


IDENTITY_NOTE = "a job runs as the user who runs the server"


def printed_services_dropped(data: dict[str, Any]) -> dict[str, Any]:
    """Without the `Studio` and `Tracking` entries that every job shows: they are output, not a wish."""
    services = data.get("services")
    if isinstance(services, Mapping):
        wished = {name: entry for name, entry in services.items() if name not in ("Studio", "Tracking")}
        data.pop("services")
        return {**data, "services": wished} if wished else data
    return data
