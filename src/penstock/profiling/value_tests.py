"""Which values of a column do not meet a rule about single values."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from penstock.profiling.column_views import NUMBERS, TIMES, View, as_times, moment
from penstock.resources.expectations import Among, Extent, Limit, Matches, Order

if TYPE_CHECKING:
    import polars as pl

# When a value is beyond each end of a range. Any: polars' operators.
_BEYOND: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "min": lambda values, limit: values < limit,
    "above": lambda values, limit: values <= limit,
    "max": lambda values, limit: values > limit,
    "below": lambda values, limit: values >= limit,
}
_LARGEST_WHOLE: Final = 2**62


def failing_values(
    rule: str, given: Any, view: View, there: "pl.Expr"
) -> "tuple[pl.Expr | str, pl.Expr | None, str]":
    """Which values do not meet a rule, or why none can; and the extreme that is worth telling, with its name.

    `there` are the rows that are looked at. What polars answers for a null does not matter.
    """
    import polars as pl

    values = view.values
    match given:
        case Limit():
            return _beyond(rule, given, view, there)
        case Among():
            return _among(rule, given, view), None, ""
        case Matches():
            if view.kind != "text":
                return f"the column is {view.called}, and only texts can match", None, ""
            return ~values.str.contains(given.value), None, ""
        case Extent():
            if view.kind != "text":
                return f"the column is {view.called}, and only texts have a length", None, ""
            length = values.str.len_chars().cast(pl.Int64)
            fails = pl.lit(False)
            if given.min is not None:
                fails = fails | (length < given.min)
            if given.max is not None:
                fails = fails | (length > given.max)
            return fails, None, ""
        case Order():
            chosen = pl.when(there).then(values)
            before = chosen.forward_fill().shift(1)
            if rule == "increasing":
                return (chosen <= before if given.strictly else chosen < before), None, ""
            return (chosen >= before if given.strictly else chosen > before), None, ""
    if rule == "unique":
        return pl.when(there).then(view.identity).is_duplicated(), None, ""
    if view.kind == "float":  # finite
        return values.is_infinite(), None, ""
    if view.kind == "integer":
        return pl.lit(False), None, ""
    return f"the column is {view.called}, and only numbers are finite", None, ""


def _beyond(
    rule: str, given: Limit, view: View, there: "pl.Expr"
) -> "tuple[pl.Expr | str, pl.Expr | None, str]":
    import polars as pl

    beyond = _BEYOND[rule]
    low = rule in ("min", "above")
    limit: Any = given.value
    values: pl.Expr | None = view.values
    if isinstance(limit, str):
        is_day = len(limit.strip()) == len("2024-01-31")
        limit, values = moment(limit), as_times(view)
        if is_day and limit is not None and rule in ("max", "above"):
            # A day as the upper end is there to its end: `max: 2024-01-31` lets 23:59 of that day pass.
            limit, beyond = limit + timedelta(days=1), _BEYOND["below" if rule == "max" else "min"]
        if values is None:
            return f"the column is {view.called}, and the limit is a time", None, ""
    elif view.kind not in NUMBERS:
        return f"the column is {view.called}, and the limit is a number", None, ""
    elif isinstance(limit, int) and abs(limit) > _LARGEST_WHOLE:
        limit = float(limit)
    assert values is not None  # checked above
    chosen = pl.when(there).then(values)
    fails = beyond(values, pl.lit(limit)) | values.is_null()  # a text that is no time is within no limit
    return fails, (chosen.min() if low else chosen.max()), "smallest" if low else "largest"


def _among(rule: str, given: Among, view: View) -> "pl.Expr | str":
    import polars as pl

    values = view.values
    texts = [each for each in given.values if isinstance(each, str)]
    truths = [each for each in given.values if isinstance(each, bool)]
    numbers = [each for each in given.values if isinstance(each, int | float) and not isinstance(each, bool)]
    among: list[Any]
    if view.kind == "text":
        among = [each.lower() for each in texts] if given.ignore_case else texts
        values = values.str.to_lowercase() if given.ignore_case else values
    elif view.kind in NUMBERS:
        among = numbers
        if view.kind == "float" or not all(
            isinstance(each, int) and abs(each) <= _LARGEST_WHOLE for each in among
        ):
            values, among = values.cast(pl.Float64), [float(each) for each in among]
    elif view.kind == "boolean":
        among = truths
    elif view.kind in TIMES:
        among = [found for found in map(moment, texts) if found is not None]
    else:
        among = []
    if not among:
        kinds = "texts" if texts else "numbers" if numbers else "true and false"
        hint = ": put them in quotes" if view.kind == "text" else ""
        return f"the column is {view.called}, and the values are {kinds}{hint}"
    found = values == pl.lit(among[0])
    if len(among) > 1:
        found = values.is_in(among)
    return ~found if rule == "allowed" else found
