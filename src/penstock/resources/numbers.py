"""Numbers of settings, which in a pipeline may also be bound to one of its inputs: seconds, counts."""

from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from penstock.resources.wording import describe, trouble


def _whole(value: Any, least: int, wanted: str) -> Any:
    if isinstance(value, str) and "${{" in value:
        return value  # planning fills it in, and asks again
    number = whole_number(value)
    if number is None or number < least:
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return number


def whole_number(value: object) -> int | None:
    """The number that a value or a text is; true, 1.5 and words are none."""
    try:
        return None if isinstance(value, bool | float) else int(value)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        return None


SecondsOrBinding = Annotated[
    int | str,
    BeforeValidator(lambda value: _whole(value, 1, "a whole number of seconds, at least 1")),
    WithJsonSchema({"type": ["integer", "string"]}),
]
CountOrBinding = Annotated[
    int | str,
    BeforeValidator(lambda value: _whole(value, 1, "a whole number, at least 1")),
    WithJsonSchema({"type": ["integer", "string"], "minimum": 1}),
]
CountOrNoneOrBinding = Annotated[
    int | str,
    BeforeValidator(lambda value: _whole(value, 0, "a whole number, at least 0")),
    WithJsonSchema({"type": ["integer", "string"], "minimum": 0}),
]
