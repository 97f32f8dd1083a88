"""Components: what steps of pipelines are made of. What all have in common, and the command component.

Pipeline components, which hold steps themselves, are in `pipeline_component`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    Tag,
    model_serializer,
    model_validator,
)

from penstock.errors import Problem
from penstock.resources.distribution import Distribution
from penstock.resources.field_types import ComponentName, FilledText, Flag, TextTags, Version
from penstock.resources.job_types import type_problem, with_spelled_type
from penstock.resources.model_base import OUTPUT_ONLY, Part
from penstock.resources.ports import InputPorts, OutputPorts
from penstock.resources.reference_fields import CodePath, ComponentReference, EnvironmentValue
from penstock.resources.run_settings import NodeResources
from penstock.resources.wording import BRANCH, describe, quoted, trouble

TYPES = ("command", "pipeline")
LATER_TYPES = ("parallel", "spark", "automl", "sweep", "data_transfer", "import")
_WHERE_READ = "read, and ignored: the component is not registered"


class Registered(dict[str, Any]):
    """The document of a registered component, put where a step refers to it.

    `reference` names it with its explicit version (`azureml:train:3`); what is written about a job says that again.
    """

    def __init__(self, document: Mapping[str, Any], reference: str) -> None:
        super().__init__(document)
        self.reference = reference


# What belongs to the step that uses a component, and is often written one level too deep.
_OF_STEPS = frozenset(
    {
        "compute",
        "environment_variables",
        "limits",
        "queue_settings",
        "identity",
        "services",
        "experiment_name",
    }
)


class Component(Part):
    """What components of every type say about themselves.

    Keys at their top that they do not know are let pass with a warning, as Azure's own loader does, and are not kept.
    """

    model_config = ConfigDict(extra="allow")
    noun = "a component"
    output_only = OUTPUT_ONLY
    is_anonymous: ClassVar[bool] = False
    """Whether it is read for a step: it has no name of its own then."""

    name: ComponentName | None = None
    version: Version | None = Field(default=None, description="the next whole number if absent")
    display_name: str | None = None
    description: str | None = None
    tags: TextTags = Field(default_factory=dict)
    properties: TextTags = Field(default_factory=dict)
    inputs: InputPorts = Field(default_factory=dict)
    outputs: OutputPorts = Field(default_factory=dict)
    is_deterministic: Flag = Field(
        default=True, description="kept; steps are not reused yet, so every step runs"
    )

    _registered_as: str | None = PrivateAttr(default=None)

    @property
    def registered_as(self) -> str | None:
        """The reference with its explicit version, of a component that a step referred to; None for one read from files."""
        return self._registered_as

    def remarks(self) -> Iterator[Problem]:
        given = [key for key in ("name", "version") if getattr(self, key) is not None]
        if self.is_anonymous and given and self._registered_as is None:
            verb = "is" if len(given) == 1 else "are"
            message = f"{quoted(given)} {verb} ignored: a component that is read for a step is not registered"
            yield Problem(f"/{given[0]}", message)

    @classmethod
    def unknown_key(cls, key: str) -> tuple[str, str | None]:
        message, hint = super().unknown_key(key)
        return message, f"write `{key}` in the step that uses the component" if key in _OF_STEPS else hint

    @model_serializer(mode="wrap")
    def _without_unknown_keys(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is ignored is not kept either: it would make two versions of the same content."""
        written: dict[str, Any] = handler(self)
        return {key: value for key, value in written.items() if key not in (self.model_extra or ())}

    @model_validator(mode="wrap")
    @classmethod
    def _remember_its_reference(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        result = handler(data)
        if isinstance(data, Registered):
            result._registered_as = data.reference
        return result

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        return type_problem("a component", data, TYPES, LATER_TYPES)

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


def _merged(value: Any) -> Any:
    # The command line has merged them by now; what is still there came from elsewhere.
    hint = "the command line adds the files to `code`; a REST caller uploads them as a part of it"
    raise trouble("{field} cannot be read here", hint=hint)


Includes = Annotated[list[str], BeforeValidator(_merged)]


class CommandComponent(Component):
    """A command component: a command with declared inputs and outputs."""

    noun = "a command component"

    type: Literal["command"] = "command"
    command: FilledText
    code: CodePath | None = Field(
        default=None, description="a local folder or file, relative to the component's file"
    )
    environment: EnvironmentValue
    resources: NodeResources | None = None
    distribution: Distribution | None = Field(
        default=None, description="the command runs as several processes of this machine"
    )
    additional_includes: Includes | None = Field(
        default=None,
        description="files and folders, relative to the component's file, that are added to the top of the code; "
        "`<folder>.zip` adds an archive of the folder",
    )


class InlineComponent(CommandComponent):
    """A command component written into, or read for, a step."""

    is_anonymous: ClassVar[bool] = True

    name: str | None = Field(default=None, description=_WHERE_READ)


def _text_or_mapping(value: Any) -> str:
    return BRANCH + ("text" if isinstance(value, str) else "mapping")


def _must_be_text_or_mapping(value: Any) -> Any:
    if not isinstance(value, str | Mapping | Component):
        wanted = "a file, a reference, or a mapping"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return value


C = TypeVar("C", bound=Component)

ComponentOrReference = Annotated[
    Annotated[ComponentReference, Tag(BRANCH + "text")] | Annotated[C, Tag(BRANCH + "mapping")],
    Discriminator(_text_or_mapping),
    BeforeValidator(_must_be_text_or_mapping),
]
"""What a step's `component` holds. Where a job is planned it is no reference any more: see `Registered`."""


def as_written(component: Any, handler: SerializerFunctionWrapHandler) -> Any:
    """A step's component as it stands in a document: a registered one as its reference, with its version."""
    if isinstance(component, Component) and component.registered_as is not None:
        return component.registered_as
    return handler(component)
