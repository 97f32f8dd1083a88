"""Saying that a record is absent: what was asked for, what there is, and the nearest name."""

from collections.abc import Iterable
from difflib import get_close_matches

from penstock.errors import NotFound

_SHOWN = 8


def absent(what: str, name: str, where: str, present: Iterable[str], *, called: str = "there") -> NotFound:
    """`what` `name` is not in `where`; `present` are the names (or versions) that are, the most likely first."""
    names = list(present)
    some = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    near = get_close_matches(name, names, n=1)
    return NotFound(
        f"{what} `{name}` was not found{where}",
        details=(f"{called}: {some}" if names else f"{called}: none",),
        hint=f"did you mean `{near[0]}`?" if near else None,
    )
