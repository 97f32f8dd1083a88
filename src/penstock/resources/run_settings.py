"""What jobs and steps say about how they run: limits, resources, identity, queue."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    WithJsonSchema,
    model_serializer,
)

from penstock.resources.field_types import Choice
from penstock.resources.model_base import Part, not_yet, recorded
from penstock.resources.wording import describe, trouble


def _positive_seconds(value: Any) -> Any:
    if isinstance(value, str) and "${{" in value:
        return value
    try:
        seconds = None if isinstance(value, bool | float) else int(value)
    except (TypeError, ValueError):
        seconds = None
    if seconds is None or seconds < 1:
        wanted = "a whole number of seconds, at least 1"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return seconds


def _single_instance(value: Any) -> Any:
    if isinstance(value, str) and "${{" in value:
        hint = "write `instance_count: 1`"
        raise trouble("{field} from a binding is not supported yet", hint=hint, code="unsupported")
    try:
        count = None if isinstance(value, bool | float) else int(value)
    except (TypeError, ValueError):
        count = None
    if count is None or count < 1:
        wanted = "a whole number, at least 1"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    if count > 1:
        hint = "write `instance_count: 1`; the step then runs as one process"
        raise trouble(
            f"{{field}} of {count} is not supported yet", expected="1", hint=hint, code="unsupported"
        )
    return count


def _memory_size(text: str) -> str:
    if not re.fullmatch(r"\d+[bkmgBKMG]", text):
        wanted = "a whole number and `b`, `k`, `m` or `g`, such as `2g`"
        raise trouble(f"{{field}} must be {wanted}, got {describe(text)}", expected=wanted)
    return text


class Limits(Part):
    """How long a job may take."""

    noun = "`limits` of a command"

    timeout: Annotated[
        int | str | None, BeforeValidator(_positive_seconds), WithJsonSchema({"type": ["integer", "string"]})
    ] = Field(default=None, description="seconds; a job that takes longer is canceled")


class Resources(Part):
    """How many machines of which kind, as the cloud would be asked."""

    noun = "`resources` of a command"

    instance_count: Annotated[
        int,
        BeforeValidator(_single_instance),
        WithJsonSchema({"type": "integer", "minimum": 1, "default": 1}),
    ] = Field(default=1, description="1; more is not supported yet")
    instance_type: str | None = recorded("a step runs on this machine, whatever the machine size asked for")
    shm_size: Annotated[str, AfterValidator(_memory_size)] | None = recorded(
        "a step runs without a container and shares the machine's memory"
    )
    locations: list[str] | None = recorded("a step runs on this machine, whatever the region asked for")
    max_instance_count: int | None = recorded("a step runs as one instance")
    properties: dict[str, Any] | None = recorded("they are settings of a cloud compute")
    docker_args: Any = not_yet("no container engine is used yet")


class NodeResources(Resources):
    """The same inside a pipeline, where unknown keys are let pass."""

    model_config = ConfigDict(extra="allow")

    @model_serializer(mode="wrap")
    def _as_given(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # A default that is written out would stand in the way of the component's own value when it is read again.
        given = self.model_fields_set | set(self.model_extra or ())
        return {key: value for key, value in handler(self).items() if key in given}


class Identity(Part):
    """As whom a job runs in the cloud."""

    noun = "an identity"

    type: Annotated[
        Literal[
            "user_identity", "managed", "managed_identity", "aml_token", "system_assigned", "user_assigned"
        ],
        Choice(),
    ]
    client_id: str | None = None
    object_id: str | None = None
    msi_resource_id: str | None = None
    user_assigned_identities: list[dict[str, Any]] | None = None
    principal_id: str | None = None
    tenant_id: str | None = None


class QueueSettings(Part):
    """How soon a job runs in the cloud."""

    noun = "`queue_settings`"

    job_tier: Annotated[Literal["spot", "basic", "standard", "premium", "null"], Choice()] | None = None
    priority: Annotated[Literal["low", "medium", "high"], Choice()] | None = None


IDENTITY_NOTE = "a job runs as the user who runs the server"
QUEUE_NOTE = "jobs wait for a free place on their compute, in the order in which they came"


def printed_services_dropped(data: dict[str, Any]) -> dict[str, Any]:
    """Without the `Studio` and `Tracking` entries that every job shows: they are output, not a wish."""
    services = data.get("services")
    if isinstance(services, Mapping):
        wished = {name: entry for name, entry in services.items() if name not in ("Studio", "Tracking")}
        data.pop("services")
        return {**data, "services": wished} if wished else data
    return data
