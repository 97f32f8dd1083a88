"""What every model of a document shares: each key is supported, named in a warning, or refused, and nothing is silent.

A model's field says which: `field: T = recorded("why it has no effect")` is accepted and named in a warning,
`field: Any = forgotten("why")` is accepted,
named and not kept, `field: Any = not_yet("what to do instead")` is refused, everything else is supported. All findings of a mapping are
reported together: pydantic's, unknown keys, refused keys, and what contradicts (`contradictions`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import InitErrorDetails

from penstock.errors import Problem
from penstock.resources.nearest import did_you_mean
from penstock.resources.wording import in_our_words, pointer_of, quoted, trouble_line

Status = Literal["supported", "warned", "forgotten", "refused"]
_STATUS = "x-penstock-status"
_NOTE = "x-penstock-note"

# What `show` prints beside the fields of the file. Accepted anywhere on top, so that its output can be fed back.
OUTPUT_ONLY = frozenset(
    {
        "$schema", "id", "creation_context", "status", "log_files", "provisioning_state", "provisioning_errors",
        "latest_version", "resourceGroup", "created_on", "modified_on", "archived",
    }
)  # fmt: skip


def recorded(note: str, *, default: Any = None) -> Any:
    """A field that is accepted and kept, has no effect here, and says so in a warning; `note` is the reason."""
    return Field(default=default, description=note, json_schema_extra={_STATUS: "warned", _NOTE: note})


def forgotten(note: str) -> Any:
    """A field that is accepted, not kept, never shown, and says so in a warning: for secrets."""
    return Field(
        default=None,
        exclude=True,
        repr=False,
        description=note,
        json_schema_extra={_STATUS: "forgotten", _NOTE: note},
    )


def not_yet(note: str = "") -> Any:
    """A field that is recognised and refused; `note` says what to do instead."""
    return Field(
        default=None,
        description=note or None,
        json_schema_extra={_STATUS: "refused", _NOTE: note, "deprecated": True},
    )


def status_of(field: FieldInfo) -> Status:
    """Whether the field is supported, warned about, or refused."""
    extra = field.json_schema_extra
    return extra.get(_STATUS, "supported") if isinstance(extra, dict) else "supported"  # type: ignore[return-value]


def note_of(field: FieldInfo) -> str:
    """What the support table says about the field."""
    extra = field.json_schema_extra
    note = extra.get(_NOTE) if isinstance(extra, dict) else None
    return str(note if note is not None else field.description or "")


class Part(BaseModel):
    """A mapping in a document. Its keys are the fields' aliases; a key without a value counts as absent."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=(), populate_by_name=False)

    noun: ClassVar[str] = "mapping"
    """What a message calls it: "an environment", "a command job"."""
    output_only: ClassVar[frozenset[str]] = frozenset()
    """Keys that are printed but never read; dropped without a word."""

    @classmethod
    def refusal(cls, data: Mapping[str, Any]) -> Problem | None:
        """Why the whole mapping is not supported, if it is not: nothing else is said about it then."""
        return None

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        """The mapping with another spelling of the same thing replaced; its keys are judged afterwards."""
        return data

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        """What keys say together that they may not say. Looks at raw data; pointers are relative to the mapping."""
        yield from ()

    def remarks(self) -> Iterator[Problem]:
        """Warnings beside those of the fields' statuses; pointers are relative to the mapping."""
        yield from ()

    @classmethod
    def known_fields(cls) -> dict[str, FieldInfo]:
        """The fields by the keys that a file uses."""
        return {info.alias or name: info for name, info in cls.model_fields.items()}

    @classmethod
    def unknown_key(cls, key: str) -> tuple[str, str | None]:
        """What to say about a key that is no field: the message and a hint."""
        return f"`{key}` is not a field of {cls.noun}", did_you_mean(key, cls._offered())

    @model_validator(mode="wrap")
    @classmethod
    def _all_findings_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(data, Mapping):
            return handler(data)
        fields = cls.known_fields()
        values = cls.rewritten(
            {
                str(key): value
                for key, value in data.items()
                if key not in cls.output_only and not (value is None and key in fields)
            }
        )
        refusal = cls.refusal(values)
        if refusal is not None:
            raise ValidationError.from_exception_data(cls.__name__, [trouble_line(refusal, data)])
        lines = [trouble_line(problem, values) for problem in cls._key_problems(values)]
        lines += [trouble_line(problem, values) for problem in cls.contradictions(values)]
        if cls.model_config["extra"] == "forbid":
            values = {key: value for key, value in values.items() if key in fields}
        values = {
            key: value
            for key, value in values.items()
            if key not in fields or status_of(fields[key]) != "refused"
        }
        return cls._validated(values, handler, lines)

    @classmethod
    def _validated(
        cls, values: dict[str, Any], handler: ModelWrapValidatorHandler[Self], lines: list[InitErrorDetails]
    ) -> Self:
        try:
            result = handler(values)
        except ValidationError as found:
            lines = [in_our_words(error) for error in found.errors(include_url=False)] + lines
            raise ValidationError.from_exception_data(cls.__name__, lines) from None
        if lines:
            raise ValidationError.from_exception_data(cls.__name__, lines)
        return result

    @classmethod
    def _key_problems(cls, values: Mapping[str, Any]) -> Iterator[Problem]:
        fields = cls.known_fields()
        for key in values:
            pointer = pointer_of((key,))
            if key in fields:
                if status_of(fields[key]) == "refused":
                    note = note_of(fields[key])
                    yield Problem(
                        pointer, f"`{key}` is not supported yet", hint=note or None, code="unsupported"
                    )
            elif cls.model_config["extra"] == "forbid":
                message, hint = cls.unknown_key(key)
                yield Problem(pointer, message, None if hint else f"one of {quoted(cls._offered())}", hint)

    @classmethod
    def _offered(cls) -> list[str]:
        return sorted(key for key, info in cls.known_fields().items() if status_of(info) != "refused")

    def warnings(self) -> Iterator[Problem]:
        """Fields that were given and have no effect (one warning per reason), keys that were let pass, and remarks."""
        by_reason: dict[str, list[str]] = {}
        for name, info in type(self).model_fields.items():
            if name in self.model_fields_set and status_of(info) == "warned":
                by_reason.setdefault(note_of(info), []).append(info.alias or name)
        for reason, keys in by_reason.items():
            verb = "is" if len(keys) == 1 else "are"
            message = f"{quoted(keys)} {verb} recorded and {'has' if len(keys) == 1 else 'have'} no effect: {reason}"
            yield Problem(pointer_of((keys[0],)), message, code="unsupported")
        for name, info in type(self).model_fields.items():
            if name in self.model_fields_set and status_of(info) == "forgotten":
                message = f"`{info.alias or name}` is not kept: {note_of(info)}"
                yield Problem(pointer_of((info.alias or name,)), message, code="unsupported")
        for key in self.model_extra or ():
            message, hint = self.unknown_key(key)
            yield Problem(pointer_of((key,)), f"{message}; it is ignored", hint=hint)
        yield from self.remarks()

    def to_document(self) -> dict[str, Any]:
        """The mapping as JSON-able data that parses to an equal model again."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def warnings_within(value: object, pointer: str = "") -> Iterator[Problem]:
    """The warnings of a model and of everything in it, with pointers from the top."""
    if isinstance(value, Part):
        for warning in value.warnings():
            yield Problem(
                pointer + warning.pointer, warning.message, warning.expected, warning.hint, warning.code
            )
        for name, info in type(value).model_fields.items():
            yield from warnings_within(getattr(value, name), pointer + pointer_of((info.alias or name,)))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from warnings_within(item, pointer + pointer_of((str(key),)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from warnings_within(item, pointer + pointer_of((index,)))
