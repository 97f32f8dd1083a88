"""What an expectation asks for, in words."""

from typing import Any, Final

from penstock.profiling.checks import shown
from penstock.resources.expectations import Among, Extent, Limit, Matches, Nulls, Order, Span

_ENDS: Final = {"min": "at least", "above": "more than", "max": "at most", "below": "less than"}
_STATISTICS: Final = {"mean": "mean", "median": "median", "std": "standard deviation"}
_SHOWN_VALUES: Final = 12


def amount(share: float) -> str:
    """`1%`, `0.25%`."""
    return f"{float(share) * 100:.6g}%"


def between(span: Span | Extent) -> str:
    """`from 1 to 9`, `at least 1`, `exactly 3`."""
    if span.min is not None and span.min == span.max:
        return f"exactly {shown(span.min)}"
    if span.max is None:
        return f"at least {shown(span.min)}"
    if span.min is None:
        return f"at most {shown(span.max)}"
    return f"from {shown(span.min)} to {shown(span.max)}"


def in_span(value: float, span: Span) -> bool:
    """Whether it is; NaN is in none."""
    above = span.min is None or value >= span.min
    return above and (span.max is None or value <= span.max) and value == value


def qualified(expected: str, mostly: float | None, where: str | None) -> str:
    """What is expected, with its share of rows and its condition."""
    share = f", in {amount(mostly)} of the rows" if mostly is not None and mostly < 1 else ""
    return expected + share + (f", where {where}" if where else "")


def in_words(rule: str, given: Any) -> str:  # Any: one of the rules' models
    """`at least 0`, `one of 1, 2, 3`, `no nulls`."""
    match given:
        case Nulls():
            limit = given.max
            if limit is not None:
                return "no nulls" if limit == 0 else f"at most {shown(limit)} null{'' if limit == 1 else 's'}"
            return f"at most {amount(given.max_fraction or 0)} nulls"
        case Limit():
            return f"{_ENDS[rule]} {shown(given.value)}"
        case Among():
            values = ", ".join(map(shown, given.values[:_SHOWN_VALUES]))
            more = f" … ({len(given.values)} values)" if len(given.values) > _SHOWN_VALUES else ""
            ignoring = ", in any case" if given.ignore_case else ""
            return f"{'one of' if rule == 'allowed' else 'none of'} {values}{more}{ignoring}"
        case Matches():
            return f"matches `{given.value}`"
        case Extent():
            return f"{between(given)} character{'' if (given.min if given.max is None else given.max) == 1 else 's'}"
        case Order():
            return f"{'strictly ' if given.strictly else ''}{rule}"
        case Span() if rule == "distinct":
            return f"{between(given)} different values"
        case Span():
            return f"{_STATISTICS[rule]} {between(given)}"
    return {"unique": "no value twice", "finite": "no infinite value"}[rule]
