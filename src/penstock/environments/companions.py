"""What leaves together with a package of Azure's own although scripts count on it, and so is asked for by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from penstock.environments import neighbours
from penstock.environments.azure_only import brought_along
from penstock.environments.conda_file import Wanted
from penstock.environments.nearest import Draft, Form
from penstock.environments.releases import Refused, Releases

_FROM_THE_FIRST = ">=1"
"""A package of years ago brought a release of years ago: the first one that this Python can have is the nearest to it."""


@dataclass(frozen=True)
class Companion:
    """A package that stays though nobody names it. `brought_by` is the one that is left out, on the line `wanted.pointer`."""

    name: str
    wanted: Wanted
    brought_by: str


def companions(draft: Draft, releases: Releases) -> tuple[Companion, ...]:
    """The packages that went with what the draft leaves out, as far as they can be had beside the rest.

    Where the file pins the package that brought one, the oldest release that this Python can have is taken, the nearest to
    the one of that day; else the newest.
    """
    found: list[Companion] = []
    for line in draft.lines:
        if draft.forms[line.one.pointer] is not Form.OUT:
            continue
        for name in brought_along(line.name):
            if name in draft.versions or any(name == one.name for one in found):
                continue
            wanted = _wanted(
                name, line.one.pointer, draft, [one.wanted for one in found], releases, old=line.is_pin
            )
            if wanted is not None:
                found.append(Companion(name, wanted, line.name))
    return tuple(found)


def _wanted(
    name: str, pointer: str, draft: Draft, others: Sequence[Wanted], releases: Releases, *, old: bool
) -> Wanted | None:
    text = name
    if old:
        answer = releases.alone([f"{name}{_FROM_THE_FIRST}"], lowest=True)
        if isinstance(answer, Refused):
            return None
        text = f"{name}=={answer[name]}"
    limits = neighbours.limits_of_python(releases.interpreter.minor)
    lines = [one.requirement for one in (*draft.requirements(), *others)]
    fits = not isinstance(releases.together([*lines, text], limits), Refused)
    return Wanted(text, pointer) if fits else None
