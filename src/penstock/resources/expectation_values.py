"""The values that expectations hold: shares, ages, limits, patterns, conditions. Each validator says what was expected."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from fractions import Fraction
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, WithJsonSchema

from penstock.resources.row_conditions import BadCondition, parse_condition
from penstock.resources.wording import describe, trouble

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_AGE = re.compile(r"(?:\d+(?:\.\d+)?\s*[smhdw]\s*)+")
_PERCENT = re.compile(r"\s*(\d+(?:\.\d*)?)\s*%\s*")
# The regular expressions of Rust, which check the texts, have neither.
_NOT_IN_RUST = re.compile(r"(?<!\\)\((\?<?[=!])|(?<!\\)(\\[1-9])|(?<!\\)(\(\?P=)")


def age_in_seconds(text: str) -> float:
    """`7d`, `36h`, `1d 12h`, `30m`, `45s`, `2w` as seconds. Raises ValueError for anything else."""
    if not _AGE.fullmatch(text.strip()):
        raise ValueError(text)
    return sum(float(n) * _UNITS[unit] for n, unit in re.findall(r"(\d+(?:\.\d+)?)\s*([smhdw])", text))


def moment_of(text: str) -> datetime:
    """A date or time as files write it, in UTC without saying so: without a zone it is UTC. Raises ValueError for anything else."""
    found = datetime.fromisoformat(text.strip())
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def age(value: Any) -> Any:
    """A time span."""
    try:
        age_in_seconds(value if isinstance(value, str) else "")
    except ValueError:
        expected = "a time such as `7d`, `36h` or `30m`"
        raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected) from None
    return value


def share(value: Any) -> Any:
    """A number from 0 to 1, also written `99%`."""
    percent = _PERCENT.fullmatch(value) if isinstance(value, str) else None
    found = float(Fraction(percent[1]) / 100) if percent else _from_text(value)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 <= found <= 1:
        expected = "a share such as `0.99` or `99%`"
        raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected)
    return found


def _from_text(value: Any) -> Any:
    """The number that a text is (`--set rows.min=1000` brings texts); anything else as it is."""
    if not isinstance(value, str):
        return value
    for kind in (int, float):
        try:
            return kind(value)
        except ValueError:
            continue
    return value


def number(value: Any) -> Any:
    """A number that is one: not NaN, not true."""
    found = _from_text(value)
    if isinstance(found, bool) or not isinstance(found, int | float) or math.isnan(found):
        raise trouble(f"{{field}} must be a number, got {describe(value)}", expected="a number")
    return found


def limit(value: Any) -> Any:
    """A number, or a moment."""
    value = _from_text(value)
    if isinstance(value, str):
        try:
            moment_of(value)
        except ValueError:
            expected = "a number, or a time such as `2024-01-31` or `2024-01-31 12:00:00`"
            raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected) from None
        return value
    return number(value)


def pattern(value: Any) -> Any:
    """A regular expression that both Python and the engine have."""
    if not isinstance(value, str) or not value:
        expected = "a regular expression"
        raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected)
    try:
        re.compile(value)
    except re.error as error:
        message = f"{{field}} is no regular expression: {error}"
        raise trouble(message, hint="in single quotes YAML leaves `\\` as it is") from None
    if found := _NOT_IN_RUST.search(value):
        sign = next(each for each in found.groups() if each)
        raise trouble(
            f"{{field}} has `{sign}`, which looks around or back, and such regular expressions are not supported",
            code="unsupported",
        )
    return value


def condition(value: Any) -> Any:
    """A condition on one row."""
    if not isinstance(value, str):
        expected = "a condition such as `pickup < dropoff`"
        raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected)
    try:
        parse_condition(value)
    except BadCondition as error:
        hint = "columns with spaces or signs stand in backticks, texts in quotes"
        raise trouble(f"{{field}} is not understood: {error}", hint=hint) from None
    return value


def values_listed(value: Any) -> Any:
    """Numbers, texts, true and false."""
    if not isinstance(value, list) or not value:
        raise trouble(
            f"{{field}} must be a list of values, got {describe(value)}", expected="a list of values"
        )
    for each in value:
        if not isinstance(each, bool | int | float | str):
            hint = "whether nulls are allowed is said by `nulls`" if each is None else None
            raise trouble(
                f"{{field}} cannot hold {describe(each)}", expected="numbers, texts, true, false", hint=hint
            )
    return value


def whole(value: Any) -> Any:
    """A count."""
    found = _from_text(value)
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        expected = "a whole number, at least 0"
        raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected)
    return found


Age = Annotated[str, BeforeValidator(age), WithJsonSchema({"type": "string"})]
Share = Annotated[float, BeforeValidator(share), WithJsonSchema({"type": ["number", "string"]})]
Number = Annotated[int | float, BeforeValidator(number), WithJsonSchema({"type": "number"})]
LimitValue = Annotated[
    int | float | str, BeforeValidator(limit), WithJsonSchema({"type": ["number", "string"]})
]
Pattern = Annotated[str, BeforeValidator(pattern), WithJsonSchema({"type": "string"})]
ConditionText = Annotated[str, BeforeValidator(condition), WithJsonSchema({"type": "string"})]
Values = Annotated[
    list[bool | int | float | str],
    BeforeValidator(values_listed),
    WithJsonSchema({"type": "array", "items": {"type": ["number", "string", "boolean"]}, "minItems": 1}),
]
Count = Annotated[int, BeforeValidator(whole), WithJsonSchema({"type": "integer", "minimum": 0})]


def nulls_in_full(value: Any) -> Any:
    """The long form of `nulls`."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, str) and _PERCENT.fullmatch(value):
        return {"max_fraction": share(value)}
    found = _from_text(value)
    if isinstance(found, int) and not isinstance(found, bool) and found >= 0:
        return {"max": found}
    expected = "a number of rows, a share such as `1%`, or a mapping"
    hint = (
        "for a share of the rows write `1%`, or `{max_fraction: 0.01}`" if isinstance(value, float) else None
    )
    raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected, hint=hint)


def flag(value: Any) -> Any:
    """True or false, also as the text that `--set` brings."""
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise trouble(f"{{field}} must be true or false, got {describe(value)}", expected="true or false")
    return value


def also_written(*types: str) -> WithJsonSchema:
    """The JSON Schema of a rule's two forms, for editors: the long form is told loosely."""
    return WithJsonSchema({"type": [*types, "object"]})


def shares_and_ranges(value: Any) -> Any:
    """Quantiles by their share."""
    if isinstance(value, Mapping) and value:
        for key in value:
            share(str(key))
        return value
    expected = "a mapping of shares to ranges, such as `{0.95: {max: 60}}`"
    raise trouble(f"{{field}} must be {expected}, got {describe(value)}", expected=expected)
