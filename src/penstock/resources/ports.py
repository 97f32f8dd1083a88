"""The ports of a component: what it declares about its inputs and outputs, and which literals fit."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from penstock.errors import Problem
from penstock.resources.field_types import AlsoWritten, Choice, Flag, PortName
from penstock.resources.model_base import Part, not_yet
from penstock.resources.wording import describe, quoted, trouble


def finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise trouble(f"{{field}} must be a finite number, got {value}", expected="a finite number")
    return value


def _scalar(value: Any) -> Any:
    if not isinstance(value, bool | int | float | str):
        wanted = "text, a number, or true or false"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return finite(value)


def _number(value: Any) -> Any:
    try:
        number = parsed_parameter("number", value)
        return (
            parsed_parameter("integer", value) if number == int(number) and "." not in str(value) else number
        )
    except ValueError:
        raise trouble(f"{{field}} must be a number, got {describe(value)}", expected="a number") from None


Scalar = str | int | float | bool
ScalarValue = Annotated[Scalar, BeforeValidator(_scalar)]
Number = Annotated[int | float, BeforeValidator(_number)]
PARAMETER_TYPES = ("string", "integer", "number", "boolean")
MODEL_TYPES = ("custom_model", "mlflow_model")

_LATER = ("triton_model",)
OLD_TYPE_NAMES = {"path": "uri_folder", "float": "number"}
_AnyType = Literal[
    "uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "string", "integer", "number", "boolean",
]  # fmt: skip
ValueType = Annotated[_AnyType, Choice(not_yet=_LATER, also=tuple(OLD_TYPE_NAMES.items()))]
PortType = Annotated[_AnyType, Choice(not_yet=_LATER, also=tuple(OLD_TYPE_NAMES.items()), exact=True)]
OutputType = Annotated[
    Literal["uri_folder", "uri_file", "mltable", "custom_model", "mlflow_model"],
    Choice(not_yet=(*_LATER, *PARAMETER_TYPES), also=(("path", "uri_folder"),)),
]
InputMode = Annotated[
    Literal["ro_mount", "download", "direct", "rw_mount", "eval_mount", "eval_download"], Choice()
]
OutputMode = Annotated[Literal["rw_mount", "upload", "direct", "mount"], Choice()]


def parsed_parameter(kind: str, value: object) -> Scalar:
    """A literal as its port's type reads it; ValueError, with the reason, where it cannot be read so.

    >>> parsed_parameter("integer", "10.0")
    10
    """
    if kind == "string":
        return value if isinstance(value, str) else str(value)
    if kind == "boolean":
        spelled = str(value).strip().lower()
        if spelled in ("true", "false"):
            return spelled == "true"
        raise ValueError(f"must be true or false, got {describe(value)}")
    wanted = "a whole number" if kind == "integer" else "a number"
    if isinstance(value, bool):
        raise ValueError(f"must be {wanted}, got {describe(value)}")
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError(f"must be {wanted}, got {describe(value)}") from None
    if not math.isfinite(number) or (kind == "integer" and not number.is_integer()):
        raise ValueError(f"must be {wanted}, got {describe(value)}")
    if kind == "integer":
        # By way of float only where there is a point or an exponent: large integers would lose digits.
        return int(number) if any(mark in str(value) for mark in ".eE") else int(str(value))
    return number


def parameter_text(kind: str, value: object) -> str:
    """A literal as it stands in a command: `True`/`False`, integers without a point, the rest as written.

    >>> parameter_text("boolean", "true"), parameter_text("number", "1e-05")
    ('True', '1e-05')
    """
    if kind in ("boolean", "integer"):
        return str(parsed_parameter(kind, value))
    return str(value)


def misfit_of(
    kind: str,
    value: object,
    *,
    low: float | None = None,
    high: float | None = None,
    allowed: Sequence[object] | None = None,
) -> str | None:
    """Why a literal does not fit a type and its limits, as the end of a sentence; None where it fits."""
    try:
        parsed = parsed_parameter(kind, value)
    except ValueError as error:
        return str(error)
    if isinstance(parsed, int | float) and low is not None and parsed < low:
        return f"must be at least {low}, got {describe(value)}"
    if isinstance(parsed, int | float) and high is not None and parsed > high:
        return f"must be at most {high}, got {describe(value)}"
    if allowed is not None:
        texts = [str(item) for item in allowed]
        if str(parsed) not in texts and str(value) not in texts:
            return f"must be one of {quoted(texts)}, got {describe(value)}"
    return None


def mode_misfit(kind: str | None, mode: object) -> Iterator[Problem]:
    """`eval_mount` and `eval_download` give the files of a table; other data has none to evaluate."""
    if isinstance(mode, str) and mode.lower().startswith("eval_") and kind not in ("mltable", None):
        hint = (
            f"declare it `type: mltable`, or use `mode: {'ro_mount' if mode == 'eval_mount' else 'download'}`"
        )
        yield Problem("/mode", f"`mode: {mode}` is for inputs of type `mltable`, not `{kind}`", hint=hint)


class InputPort(Part):
    """What a component declares about one input."""

    noun = "an input of a component"

    type: PortType
    description: str | None = None
    optional: Flag = False
    default: ScalarValue | None = None
    min: Number | None = Field(default=None, description="integer and number only; inclusive")
    max: Number | None = Field(default=None, description="integer and number only; inclusive")
    enum: list[ScalarValue] | None = Field(
        default=None, description="the values that are allowed, compared as text"
    )
    mode: InputMode | None = None

    @property
    def is_data(self) -> bool:
        """Whether the port takes a file, folder or model rather than a literal."""
        return self.type not in PARAMETER_TYPES

    @property
    def is_required(self) -> bool:
        return not self.optional and self.default is None

    def misfit(self, value: object) -> str | None:
        """Why the literal does not fit the port, or None."""
        if self.is_data:
            return (
                None
                if isinstance(value, str)
                else f"must be data of type `{self.type}`, got {describe(value)}"
            )
        return misfit_of(self.type, value, low=self.min, high=self.max, allowed=self.enum)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        kind = OLD_TYPE_NAMES.get(str(data.get("type")), data.get("type"))
        if kind not in PARAMETER_TYPES:
            if isinstance(kind, str):
                yield from mode_misfit(kind, data.get("mode"))
            for key in _LIMITS:
                if key in data and isinstance(kind, str):
                    yield Problem(f"/{key}", f"`{key}` has no meaning for an input of type `{kind}`")
            return
        if "mode" in data:
            yield Problem("/mode", f"`mode` has no meaning for an input of type `{kind}`")
        if kind not in ("integer", "number"):
            for key in ("min", "max"):
                if key in data:
                    yield Problem(f"/{key}", f"`{key}` has no meaning for an input of type `{kind}`")
        yield from _limits_in_order(data)
        default = data.get("default")
        if isinstance(default, str | int | float):
            low, high, allowed = (data[key] if _is_limit(key, data.get(key)) else None for key in _LIMITS)
            why = misfit_of(str(kind), default, low=low, high=high, allowed=allowed)
            if why is not None:
                yield Problem("/default", f"`default` {why}")


_LIMITS = ("min", "max", "enum")


def _is_limit(key: str, value: object) -> bool:
    if key == "enum":
        return isinstance(value, list)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limits_in_order(data: Mapping[str, Any]) -> Iterator[Problem]:
    low, high = data.get("min"), data.get("max")
    if _is_limit("min", low) and _is_limit("max", high) and low > high:  # type: ignore[operator]
        yield Problem("/min", f"`min` ({low}) is more than `max` ({high})")


_NAMED_WHERE_USED = "a job says under which name an output is registered: write it in the step, or in the job"


class OutputPort(Part):
    """What a component declares about one output."""

    noun = "an output of a component"

    type: OutputType | None = Field(
        default=None, description="`uri_folder` if neither component nor pipeline says"
    )
    description: str | None = None
    mode: OutputMode | None = None
    is_control: Any = not_yet("control outputs belong to conditional steps")
    early_available: Any = not_yet()
    name: Any = not_yet(_NAMED_WHERE_USED)
    version: Any = not_yet(_NAMED_WHERE_USED)


def nothing_is_a_folder(value: Any) -> Any:
    """`outputs: {o: }` declares a folder."""
    return {} if value is None else value


InputPorts = dict[PortName, InputPort]
OutputPorts = dict[
    PortName, Annotated[OutputPort, BeforeValidator(nothing_is_a_folder), AlsoWritten(("null",))]
]
