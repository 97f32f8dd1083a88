"""Expectations: what the rows and columns of a data asset are like, for `penstock data validate` to check.

Nearly every rule has a short form (`max: 500`) and a long one that says more (`max: {value: 500, severity: warning}`). A rule's
severity, share of rows that must meet it and condition are its own, else its column's, else (severity) the file's.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field

from penstock.errors import Problem
from penstock.resources.expectation_values import (
    Age,
    ConditionText,
    Count,
    LimitValue,
    Number,
    Pattern,
    Share,
    Values,
    age,
    also_written,
    flag,
    limit,
    moment_of,
    nulls_in_full,
    pattern,
    shares_and_ranges,
    values_listed,
    whole,
)
from penstock.resources.field_types import Choice, FilledText, Flag
from penstock.resources.model_base import Part
from penstock.resources.wording import describe, trouble

Severity = Literal["error", "warning"]
ColumnType = Literal["number", "integer", "text", "boolean", "date", "datetime"]
_SEVERITY = Annotated[Severity, Choice()]
_COLUMN_TYPE = Annotated[
    ColumnType,
    Choice(
        also=(
            ("string", "text"), ("str", "text"), ("int", "integer"), ("float", "number"), ("double", "number"),
            ("decimal", "number"), ("numeric", "number"), ("bool", "boolean"), ("timestamp", "datetime"), ("category", "text"),
        )
    ),
]  # fmt: skip


_MOSTLY = "share of the rows that must meet it, as `0.99` or `99%`; all if absent"
_WHERE = "a condition: other rows are not looked at"


class Graded(Part):
    """What every rule may say about itself."""

    noun = "a rule"

    severity: _SEVERITY | None = Field(
        default=None, description="`error` if absent, unless the column or file says otherwise"
    )


class PerRow(Graded):
    """What a rule that looks at single rows may say."""

    mostly: Share | None = Field(default=None, description=_MOSTLY)
    where: ConditionText | None = Field(default=None, description=_WHERE)


class Span(Graded):
    """From `min` to `max`, one of which may be absent."""

    noun = "a range"

    min: Number | None = None
    max: Number | None = None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from _some_limit(data)


class Extent(PerRow):
    """The range that each row's value must be in."""

    noun = "a range"

    min: Number | None = None
    max: Number | None = None

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from _some_limit(data)


class Limit(PerRow):
    """One end of a range."""

    noun = "a limit"

    value: LimitValue


class Nulls(Graded):
    """How many values may be missing; NaN counts as missing."""

    noun = "`nulls`"

    max: Count | None = Field(default=None, description="rows")
    max_fraction: Share | None = Field(default=None, description="share of the rows, as `0.01` or `1%`")
    where: ConditionText | None = Field(default=None, description=_WHERE)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if ("max" in data) == ("max_fraction" in data):
            yield Problem(
                "", "`nulls` needs one of `max` and `max_fraction`", expected="`max` or `max_fraction`"
            )


class Switch(PerRow):
    """A rule that is there or not."""

    value: Flag = True


class Order(PerRow):
    """Each value is at least (strictly: more than) the one before it; decreasing the other way."""

    value: Flag = True
    strictly: Flag = False


class Among(PerRow):
    """The values that may be, or may not be."""

    values: Values
    ignore_case: Flag = False


class Matches(PerRow):
    """A regular expression that is found in each text; `^` and `$` tie it to its ends."""

    value: Pattern


def _short(key: str, *, kinds: type | tuple[type, ...], wanted: str) -> BeforeValidator:
    """Lets `rule: value` stand for `rule: {key: value}`; the value is judged where it is written."""

    def in_full(value: Any) -> Any:
        if isinstance(value, Mapping):
            return value
        if isinstance(value, kinds):
            return {key: value}
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)

    return BeforeValidator(in_full)


def _checked(check: Any, then: Any) -> BeforeValidator:
    """A short form that is judged by `check` under the name of its field, so that a message does not speak of `value`."""

    def in_full(value: Any) -> Any:
        return value if isinstance(value, Mapping) else then(check(value))

    return BeforeValidator(in_full)


def _exactly(value: Any) -> Any:
    return {"min": value, "max": value}


LimitRule = Annotated[
    Limit, _checked(limit, lambda value: {"value": value}), also_written("number", "string")
]
SpanRule = Annotated[Span, _short("", kinds=(), wanted="a mapping with `min` or `max`"), also_written()]
CountSpan = Annotated[Span, _checked(whole, _exactly), also_written("integer")]
ExtentRule = Annotated[Extent, _checked(whole, _exactly), also_written("integer")]
NullsRule = Annotated[Nulls, BeforeValidator(nulls_in_full), also_written("integer", "string")]
SwitchRule = Annotated[Switch, _checked(flag, lambda value: {"value": value}), also_written("boolean")]
OrderRule = Annotated[Order, _checked(flag, lambda value: {"value": value}), also_written("boolean")]
AmongRule = Annotated[Among, _checked(values_listed, lambda value: {"values": value}), also_written("array")]
MatchesRule = Annotated[Matches, _checked(pattern, lambda value: {"value": value}), also_written("string")]


class ColumnExpectations(Part):
    """What one column is like. It must be there, unless `optional` says otherwise."""

    noun = "the expectations of a column"

    type: _COLUMN_TYPE | None = Field(
        default=None, description="`number` takes whole numbers too; `integer` takes 3.0 and not 3.5"
    )
    description: str | None = None
    optional: Flag = Field(
        default=False, description="the column may be absent; its rules count where it is there"
    )
    nulls: NullsRule | None = Field(
        default=None, description="rows without a value at most: `0`, `5`, `1%`; NaN counts too"
    )
    unique: SwitchRule | None = Field(default=None, description="no value is there twice")
    min: LimitRule | None = Field(
        default=None, description="a number or a time; the smallest value may be equal to it"
    )
    max: LimitRule | None = None
    above: LimitRule | None = Field(default=None, description="as `min`, but no value may be equal to it")
    below: LimitRule | None = None
    finite: SwitchRule | None = Field(default=None, description="no value is infinite")
    allowed: AmongRule | None = Field(
        default=None, description="no other values; long form: `values`, `ignore_case`"
    )
    forbidden: AmongRule | None = Field(default=None, description="none of these values")
    matches: MatchesRule | None = Field(
        default=None, description="a regular expression that is found in each text"
    )
    length: ExtentRule | None = Field(
        default=None, description="characters of each text: a number, or `min` and `max`"
    )
    increasing: OrderRule | None = Field(
        default=None, description="no value is less than the one before; long form: `strictly`"
    )
    decreasing: OrderRule | None = None
    distinct: CountSpan | None = Field(
        default=None, description="how many different values: a number, or `min` and `max`"
    )
    mean: SpanRule | None = Field(default=None, description="`min` and `max` of the mean of all values")
    median: SpanRule | None = None
    std: SpanRule | None = Field(default=None, description="of the standard deviation")
    quantiles: Annotated[dict[str, SpanRule], BeforeValidator(shares_and_ranges)] | None = Field(
        default=None, description="such as `{0.95: {max: 60}}`"
    )
    severity: _SEVERITY | None = Field(default=None, description="of all rules here that say nothing else")
    mostly: Share | None = Field(default=None, description=_MOSTLY)
    where: ConditionText | None = Field(default=None, description=_WHERE)

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        yield from _ends_crossed(data)
        for low, strict in (("min", "above"), ("max", "below")):
            both = [data[key] for key in (low, strict) if key in data]
            if len(both) == 2 and not any(isinstance(each, Mapping) for each in both):
                yield Problem(
                    f"/{strict}", f"`{strict}` and `{low}` say the same end twice", hint="keep one of them"
                )
        if "increasing" in data and "decreasing" in data:
            yield Problem("/decreasing", "a column cannot be both increasing and decreasing")
        kind = str(data.get("type", "")).lower()
        if kind in ("text", "string", "str"):
            for key in ("min", "max", "above", "below", "mean", "median", "std", "quantiles", "finite"):
                if key in data:
                    hint = "for the length of a text: `length: {min: …, max: …}`"
                    yield Problem(
                        f"/{key}", f"`{key}` is for numbers and times, and the column is text", hint=hint
                    )
        elif kind in get_args(ColumnType):
            for key in ("matches", "length"):
                if key in data:
                    yield Problem(f"/{key}", f"`{key}` is for texts, and the column is of type {kind}")


ColumnRule = Annotated[ColumnExpectations, BeforeValidator(lambda value: {} if value is None else value)]


class CompoundKey(PerRow):
    """Columns whose values together are there once."""

    noun = "a key"

    columns: Annotated[list[FilledText], Field(min_length=1)]


class RowRule(PerRow):
    """A condition that each row must meet; a row in which a value of it is missing is not looked at."""

    noun = "a rule"

    name: str | None = Field(default=None, description="its name in the report; the condition if absent")
    that: ConditionText = Field(description="such as `pickup < dropoff`")
    description: str | None = None


class Freshness(Graded):
    """The newest row, or the version itself, is not older than this."""

    noun = "`freshness`"

    column: FilledText | None = Field(
        default=None, description="its newest time counts; the version's time of creation if absent"
    )
    max_age: Age = Field(description="such as `7d`, `36h`, `30m`")


KeyRule = Annotated[
    CompoundKey,
    _short("columns", kinds=list, wanted="a list of columns, or a mapping with `columns`"),
    also_written("array"),
]
RuleOrText = Annotated[
    RowRule, _short("that", kinds=str, wanted="a condition, or a mapping with `that`"), also_written("string")
]
FreshnessRule = Annotated[Freshness, _checked(age, lambda value: {"max_age": value}), also_written("string")]


class Expectations(Part):
    """Expectations of a data asset."""

    noun = "expectations"
    output_only = frozenset({"$schema"})

    data: str | None = Field(
        default=None,
        description="the asset that they are about, such as `azureml:taxi@latest`: `data validate -f` needs no name then",
    )
    description: str | None = None
    severity: _SEVERITY = Field(
        default="error", description="of all rules that say nothing else; a `warning` does not fail"
    )
    rows: CountSpan | None = Field(
        default=None, description="how many: a number, or `min` and `max`; at least 1 if absent"
    )
    freshness: FreshnessRule | None = Field(
        default=None, description="`7d`, or a mapping with `column` and `max_age`"
    )
    extra_columns: Annotated[Literal["allow", "warn", "refuse"], Choice()] = Field(
        default="allow", description="columns that are not listed here"
    )
    column_order: Annotated[Literal["any", "listed"], Choice()] = Field(
        default="any", description="`listed`: those that are listed stand in this order"
    )
    columns: dict[str, ColumnRule] = Field(
        default_factory=dict,
        description="by name; a name with nothing behind it says that the column is there",
    )
    unique: list[KeyRule] = Field(
        default_factory=list, description="keys of several columns, such as `[[vendor, pickup]]`"
    )
    rules: list[RuleOrText] = Field(
        default_factory=list, description="conditions between columns, such as `pickup < dropoff`"
    )

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if (
            not any(data.get(key) for key in ("rows", "freshness", "columns", "unique", "rules"))
            and data.get("rows") is None
        ):
            yield Problem(
                "",
                "there is nothing to check",
                expected="one of `rows`, `freshness`, `columns`, `unique`, `rules`",
            )
        names: dict[str, int] = {}
        for index, rule in enumerate(data.get("rules") or () if isinstance(data.get("rules"), list) else ()):
            name = (
                rule
                if isinstance(rule, str)
                else (rule.get("name") or rule.get("that"))
                if isinstance(rule, Mapping)
                else None
            )
            if isinstance(name, str) and name in names:
                yield Problem(
                    f"/rules/{index}", f"there is a rule `{name}` already", hint="give it a `name` of its own"
                )
            elif isinstance(name, str):
                names[name] = index


def _some_limit(data: Mapping[str, Any]) -> Iterator[Problem]:
    if "min" not in data and "max" not in data:
        yield Problem("", "a range needs `min`, `max` or both", expected="`min` or `max`")
    yield from _ends_crossed(data)


def _ends_crossed(data: Mapping[str, Any]) -> Iterator[Problem]:
    """A `min` above the `max`: no value could be between them."""
    low, high = (_plain(data.get(key)) for key in ("min", "max"))
    if low is None or high is None or type(low) is not type(high):
        return
    if low > high:  # type: ignore[operator] # both are floats, or both moments
        yield Problem(
            "/max",
            f"`max` is less than `min` ({describe(_value(data['max']))}, {describe(_value(data['min']))})",
        )


def _value(value: Any) -> Any:
    return value.get("value") if isinstance(value, Mapping) else value


def _plain(value: Any) -> float | datetime | None:
    value = _value(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    try:
        return moment_of(value) if isinstance(value, str) else None
    except ValueError:
        return None
