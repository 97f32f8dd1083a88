"""A condition of an expectations file as a polars expression: null where a value that it needs is missing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from penstock.profiling.column_views import NUMBERS, TIMES, View, as_times, moment
from penstock.resources.nearest import did_you_mean
from penstock.resources.row_conditions import (
    Arithmetic,
    Both,
    Column,
    Comparison,
    Either,
    Literal,
    Membership,
    Missing,
    Negation,
    RowCondition,
    RowValue,
    parse_condition,
)

if TYPE_CHECKING:
    import polars as pl

# Any: operators of polars' expressions.
_COMPARE: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}
_ARITHMETIC: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left / right,
}


class Misfit(Exception):
    """The condition cannot be asked of this table; the message says why."""


@dataclass(frozen=True)
class _Value:
    """One side of a comparison. `kind` is `number`, `text`, `time`, `boolean` or `other`."""

    kind: str
    values: "pl.Expr"
    called: str
    written: str | None = None
    """What a text in the condition itself says: it may stand for a time."""
    view: View | None = None


def condition_of(text: str, views: Mapping[str, View]) -> "pl.Expr":
    """True, false or null for each row. Raises Misfit where a column is not there, or of another kind than it is compared with."""
    return _condition(parse_condition(text), views)


def _condition(found: RowCondition, views: Mapping[str, View]) -> "pl.Expr":
    match found:
        case Both(left, right):
            return _condition(left, views) & _condition(right, views)
        case Either(left, right):
            return _condition(left, views) | _condition(right, views)
        case Negation(inner):
            return ~_condition(inner, views)
        case Missing(value):
            return _value(value, views).values.is_null()
        case Comparison(sign, left, right):
            one, other = _alike(_value(left, views), _value(right, views))
            return _COMPARE[sign](one, other)  # type: ignore[no-any-return]
        case Membership(value, among):
            return _among(_value(value, views), among)
        case Column():
            side = _value(found, views)
            if side.kind != "boolean":
                raise Misfit(f"{side.called} is not true or false, and is compared with nothing")
            return side.values


def _among(value: _Value, among: tuple[int | float | str | bool, ...]) -> "pl.Expr":
    import polars as pl

    sides = [_alike(value, _literal(each)) for each in among]
    return pl.any_horizontal([one == other for one, other in sides])


def _value(found: RowValue, views: Mapping[str, View]) -> _Value:

    match found:
        case Column(name):
            view = views.get(name)
            if view is None:
                hint = did_you_mean(name, views)
                raise Misfit(f"there is no column `{name}`" + (f": {hint}" if hint else ""))
            kind = "number" if view.kind in NUMBERS else "time" if view.kind in TIMES else view.kind
            return _Value(kind, view.values, f"`{name}`", view=view)
        case Literal(value):
            return _literal(value)
        case Arithmetic(sign):
            # What has no result (0/0) counts as missing. Once, and not at each step: polars reads what it fills twice, and so the steps
            # within one another would be worked out 2, 4, 8 times, and so on.
            return _Value("number", _number(found, views).fill_nan(None), f"the result of `{sign}`")


def _number(found: RowValue, views: Mapping[str, View]) -> "pl.Expr":
    """One side of a calculation, as floats: narrow whole numbers would run over."""
    import polars as pl

    if isinstance(found, Arithmetic):
        sign = found.sign
        return _ARITHMETIC[sign](  # type: ignore[no-any-return]
            _operand(sign, found.left, views), _operand(sign, found.right, views)
        )
    return _value(found, views).values.cast(pl.Float64)


def _operand(sign: str, found: RowValue, views: Mapping[str, View]) -> "pl.Expr":
    if not isinstance(found, Arithmetic):
        side = _value(found, views)
        if side.kind != "number":
            raise Misfit(f"`{sign}` is for numbers, and {side.called} is {_WORDS[side.kind]}")
    return _number(found, views)


def _literal(value: int | float | str | bool) -> _Value:
    import polars as pl

    if isinstance(value, bool):
        return _Value("boolean", pl.lit(value), str(value).lower())
    if isinstance(value, str):
        return _Value("text", pl.lit(value), f"'{value}'", written=value)
    return _Value("number", pl.lit(value), str(value))


def _alike(left: _Value, right: _Value) -> "tuple[pl.Expr, pl.Expr]":
    """Both sides as values of one kind; a text beside a time is read as one."""
    if left.kind == "other" or right.kind == "other":
        side = left if left.kind == "other" else right
        raise Misfit(f"{side.called} cannot be compared")
    if left.kind == right.kind:
        return left.values, right.values
    if {left.kind, right.kind} == {"time", "text"}:
        return _time(left), _time(right)
    raise Misfit(f"{left.called} is {_WORDS[left.kind]}, and {right.called} is {_WORDS[right.kind]}")


def _time(side: _Value) -> "pl.Expr":
    import polars as pl

    if side.written is not None:
        found = moment(side.written)
        if found is None:
            raise Misfit(f"{side.called} is no time")
        return pl.lit(found)
    assert side.view is not None  # a text is a column, or was written in the condition
    times = as_times(side.view)
    assert times is not None
    return times


_WORDS: Final = {
    "number": "a number",
    "text": "a text",
    "time": "a time",
    "boolean": "true or false",
    "other": "of another kind",
}
