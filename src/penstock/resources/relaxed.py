"""The words for a relaxed environment: what was taken in place of what was asked. Written once, for every face.

A difference is a row of four texts, `what`, `asked`, `taken` (None: left out) and `why`, as records and databases keep it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol

from penstock.errors import Problem

MARK: Final = "relaxed"
"""How a thing is marked in a list, a table or a record (`mark`)."""

TAG: Final = "penstock.environment.relaxed"
"""The tag of a run, and of a model's version, that says what was taken otherwise."""

HOW_TO_RELAX: Final = (
    "to take the nearest packages and Python that can be had here, and be told which: `--relax`, PENSTOCK_RELAX=1, or "
    "`penstock workspace update --set settings.environments.relax=true`"
)

_MOST_IN_SHORT: Final = 3
_LONGEST_ASKED: Final = 32
"""Characters of what was asked, where all has to stay short: an address is longer."""
_EXACTLY: Final = ("===", "==", "=")

# Any: a JSON value.
Row = Mapping[str, Any]


class Difference(Protocol):
    """One difference, as whoever relaxes tells it."""

    @property
    def what(self) -> str: ...

    @property
    def asked(self) -> str: ...

    @property
    def taken(self) -> str | None: ...

    @property
    def why(self) -> str: ...


def as_rows(differences: Iterable[Difference]) -> list[dict[str, Any]]:
    """Differences as they are kept."""
    return [
        {"what": each.what, "asked": each.asked, "taken": each.taken, "why": each.why} for each in differences
    ]


def marked(rows: Iterable[Row]) -> dict[str, Any]:
    """What a record says of them: `mark`, for tables, and `relaxed`. Nothing where nothing was taken otherwise."""
    found = [dict(row) for row in rows]
    return {"mark": MARK, "relaxed": found} if found else {}


def asked_of(row: Row) -> str:
    """What was asked, as a person says it: `0.24.1` for `==0.24.1`."""
    asked = str(row["asked"])
    return next((asked[len(sign) :].strip() for sign in _EXACTLY if asked.startswith(sign)), asked)


def taken_of(row: Row) -> str:
    """What stands for it."""
    return "left out" if row["taken"] is None else str(row["taken"])


def line_of(row: Row) -> str:
    """`scikit-learn 0.24.1 → 1.0.2`."""
    return f"{row['what']} {asked_of(row)} → {taken_of(row)}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_ASKED else f"{text[:12]}…{text[13 - _LONGEST_ASKED :]}"


def short_of(rows: Sequence[Row]) -> str:
    """All of them in one line, which stays short: `python 3.7.5 → 3.9.18, scikit-learn 0.24.1 → 1.0.2 and 4 more`."""
    shown = ", ".join(
        f"{row['what']} {_cut(asked_of(row))} → {taken_of(row)}" for row in rows[:_MOST_IN_SHORT]
    )
    left = len(rows) - _MOST_IN_SHORT
    return f"{shown} and {left} more" if left > 0 else shown


def how_to_relax(problems: Iterable[Problem], *, relax: bool) -> str | None:
    """The way around what cannot be had; None where relaxing was allowed already, or would not help."""
    helps = any(problem.code == "not_found" for problem in problems)
    return HOW_TO_RELAX if helps and not relax else None


def notice(label: str, rows: Sequence[Row]) -> str:
    """``environment `taxi:3` is relaxed: scikit-learn 0.24.1 → 1.0.2``."""
    return f"environment `{label}` is {MARK}: {short_of(rows)}"
