"""The nearest set of packages that one Python can have: what is written where it can be, else the closest release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from packaging.requirements import Requirement
from packaging.version import Version

from penstock.environments import neighbours
from penstock.environments.azure_only import stands_here_instead
from penstock.environments.conda_file import Wanted
from penstock.environments.explanations import in_short
from penstock.environments.pinned_lines import Line
from penstock.environments.releases import Refused, Releases

_MOST_ROUNDS = 5


class Form(IntEnum):
    """How a line is asked for, the nearest to what is written first."""

    WRITTEN = 0
    LATER = 1
    EARLIER = 2
    OUT = 3


@dataclass
class Draft:
    """A choice for every line, and the versions that come of it. `why` is by pointer, for what is not as written."""

    lines: tuple[Line, ...]
    forms: dict[str, Form]
    why: dict[str, str] = field(default_factory=dict)
    loosened: dict[str, str] = field(default_factory=dict)
    """The version of each line that is not taken as written, by pointer."""
    versions: Mapping[str, str] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """The weight of all pins that are as written."""
        return sum(line.weight for line in self.lines if self.forms[line.one.pointer] is Form.WRITTEN)

    def requirements(self) -> tuple[Wanted, ...]:
        """The lines as they can be installed."""
        return tuple(
            line.one if form is Form.WRITTEN else Wanted(line.saying(f"=={self.loosened[at]}"), at)
            for line in self.lines
            if (form := self.forms[at := line.one.pointer]) is not Form.OUT
        )


def unfit(lines: Sequence[Line], releases: Releases) -> dict[str, Refused]:
    """The lines, by pointer, that this Python cannot have even by themselves, and why. Addresses are not fetched."""
    found: dict[str, Refused] = {}

    def look(part: Sequence[Line]) -> None:
        answer = releases.alone([line.one.requirement for line in part]) if part else {}
        if not isinstance(answer, Refused):
            return
        if len(part) == 1:
            found[part[0].one.pointer] = answer
            return
        half = len(part) // 2
        look(part[:half])
        look(part[half:])

    look([line for line in lines if not line.is_address])
    return found


def nearest_set(
    lines: Sequence[Line],
    bad: Mapping[str, str],
    gone: Mapping[str, str],
    releases: Releases,
    *,
    as_asked: bool,
) -> Draft:
    """The set with the most that matters as it is written. `bad` cannot be had alone, `gone` not be fetched: why, by pointer.

    Lines are given up in the order of what they matter: where some contradict each other, the least important moves,
    first to the closest later release, then to the closest earlier one, then it is left out. `as_asked` says that this
    is the Python of the file: where that can have all lines as they are, nothing is changed.
    """
    ordered = tuple(sorted(lines, key=lambda line: line.importance, reverse=True))
    draft = Draft(ordered, {line.one.pointer: Form.WRITTEN for line in ordered})
    limits = neighbours.limits_of_python(releases.interpreter.minor)
    for line in ordered:
        at = line.one.pointer
        if at in gone:
            draft.forms[at], draft.why[at] = Form.OUT, gone[at]
        elif at in bad:
            _give_way(draft, line, bad[at], releases)
        elif stands_here_instead(line.name) and line.is_pin:
            # By itself this is answered in a second; among others it is looked for a minute long.
            answer = releases.together([line.one.requirement], limits)
            if isinstance(answer, Refused):
                _give_way(draft, line, in_short(answer.text, line.name), releases)
    while isinstance(refusal := _solve(draft, len(ordered), releases), Refused):
        culprit, refusal = _culprit(draft, refusal, releases)
        releases.say(
            f"`{culprit.name}` cannot be had together with the rest as it is; trying the next nearest"
        )
        _give_way(draft, culprit, in_short(refusal.text, culprit.name), releases)
    if not as_asked or any(draft.forms.values()):
        _drop_hindrances(draft, releases)
    return draft


def _culprit(draft: Draft, refusal: Refused, releases: Releases) -> tuple[Line, Refused]:
    """The least important line without which the more important ones can be had, found by halving."""
    works, fails = 0, len(draft.lines)
    while fails - works > 1:
        middle = (works + fails) // 2
        answer = _solve(draft, middle, releases)
        if isinstance(answer, Refused):
            fails, refusal = middle, answer
        else:
            works = middle
    return draft.lines[fails - 1], refusal


def _give_way(draft: Draft, line: Line, why: str, releases: Releases) -> None:
    """Move a line to its next form: later, earlier, out. Azure's own packages and addresses go at once."""
    at = line.one.pointer
    draft.why.setdefault(at, why)
    instead = stands_here_instead(line.name)
    if instead is not None:
        draft.why[at] = f"{draft.why[at]}; not needed here: {instead}"
    elif line.base is not None:
        if draft.forms[at] < Form.LATER and not isinstance(
            releases.alone([line.saying(_from(line))], lowest=True), Refused
        ):
            draft.forms[at] = Form.LATER
            return
        if draft.forms[at] < Form.EARLIER:
            answer = releases.alone([line.saying(_before(line))])
            if not isinstance(answer, Refused):
                draft.forms[at], draft.loosened[at] = Form.EARLIER, answer[line.name]
                return
    draft.forms[at] = Form.OUT


def _from(line: Line) -> str:
    """From the pinned version on. That it was a pre-release is no wish for others."""
    return f">={line.base.base_version}" if line.base is not None else ""


def _before(line: Line) -> str:
    """The releases before the pinned one."""
    return f"<{line.base.base_version}" if line.base is not None else ""


def _solve(draft: Draft, count: int, releases: Releases) -> Refused | None:
    """Find versions for the first `count` lines, into `draft`; or why there are none."""
    limits = neighbours.limits_of_python(releases.interpreter.minor)
    taken = [line for line in draft.lines[:count] if draft.forms[line.one.pointer] is not Form.OUT]
    loose = [line for line in taken if draft.forms[line.one.pointer] is Form.LATER]
    if loose:
        refusal = _closest(draft, taken, loose, limits, releases)
        if refusal is not None:
            return refusal
    answer = releases.together([_text(draft, line) for line in taken], limits) if taken else {}
    if isinstance(answer, Refused):
        return answer
    draft.versions = answer
    for line in taken:
        if draft.forms[line.one.pointer] is Form.EARLIER:
            draft.loosened[line.one.pointer] = answer[line.name]
    return None


def _closest(
    draft: Draft, taken: Sequence[Line], loose: Sequence[Line], limits: Sequence[str], releases: Releases
) -> Refused | None:
    """The lowest versions, from the pinned ones on, that the later lines can have beside what is kept."""
    held = {line.one.pointer for line in loose}
    exact = [line for line in taken if line.one.pointer not in held and _is_exact(draft, line)]
    texts = [_text(draft, line) for line in exact] + [line.saying(_from(line)) for line in loose]
    # A line that leaves its version open would be taken at its very lowest: it only bounds the others here.
    bounds = [
        _bound(Requirement(_text(draft, line)))
        for line in taken
        if line.requirement and line.requirement.specifier and line not in exact and line not in loose
    ]
    known: list[str] = []
    for _ in range(_MOST_ROUNDS):
        answer = releases.together(texts, [*limits, *bounds, *known], lowest=True)
        if isinstance(answer, Refused):
            if not known:
                return answer
            break  # what is known to break cannot be avoided; metadata allows it
        for line in loose:
            draft.loosened[line.one.pointer] = answer[line.name]
        pinned = {line.name: line for line in exact}
        broken = neighbours.neighbours_that_break(answer, pinned)
        more = [f"{rule.neighbour}{rule.limit}" for rule in broken]
        if all(limit in known for limit in more):
            break
        known += more
    return _pre_release(draft, loose, releases)


def _bound(requirement: Requirement) -> str:
    """The requirement as a constraint, which may not have extras."""
    marker = f" ; {requirement.marker}" if requirement.marker else ""
    return f"{requirement.name}{requirement.specifier}{marker}"


def _pre_release(draft: Draft, loose: Sequence[Line], releases: Releases) -> Refused | None:
    if "--prerelease" in releases.ask.arguments:
        return None
    for line in loose:
        version = draft.loosened[line.one.pointer]
        if Version(version).is_prerelease:
            return Refused(f"{line.name} {version} is a pre-release")
    return None


def _drop_hindrances(draft: Draft, releases: Releases) -> None:
    """Leave Azure's own packages out where they keep others, or themselves, from releases that could be had.

    A file that names them without versions would otherwise get one of years ago, with the neighbours of that day.
    """
    azure = [
        line
        for line in draft.lines
        if stands_here_instead(line.name)
        and not line.is_pin
        and draft.forms[line.one.pointer] is Form.WRITTEN
    ]
    if not azure:
        return
    before = draft.versions
    without = Draft(draft.lines, dict(draft.forms), dict(draft.why), dict(draft.loosened))
    for line in azure:
        without.forms[line.one.pointer] = Form.OUT
    if _solve(without, len(draft.lines), releases) is not None:
        return
    hindered = [
        name
        for line in draft.lines
        if (name := line.name) in without.versions and before.get(name) != without.versions[name]
    ]
    stale = [line.name for line in azure if _is_stale(line, before, releases)]
    if not hindered and not stale:
        return
    for line in azure:
        what = (
            f"it keeps {', '.join(hindered)} from the release that this Python can have"
            if hindered
            else f"it is only to be had as {line.name} {before.get(line.name)} beside the rest"
            if line.name in stale
            else f"it belongs to {', '.join(stale)}"
        )
        without.why[line.one.pointer] = f"{what}; not needed here: {stands_here_instead(line.name)}"
    draft.forms, draft.why, draft.versions = without.forms, without.why, without.versions
    draft.loosened = without.loosened


def _is_stale(line: Line, versions: Mapping[str, str], releases: Releases) -> bool:
    if line.name not in versions:
        return False
    alone = releases.alone([line.one.requirement])
    return not isinstance(alone, Refused) and Version(alone[line.name]) > Version(versions[line.name])


def _text(draft: Draft, line: Line) -> str:
    """The line as uv is asked for it: of earlier releases the newest that goes with the rest is wanted."""
    match draft.forms[line.one.pointer]:
        case Form.WRITTEN:
            return line.one.requirement
        case Form.EARLIER:
            return line.saying(_before(line))
        case _:
            return line.saying(f"=={draft.loosened[line.one.pointer]}")


def _is_exact(draft: Draft, line: Line) -> bool:
    if draft.forms[line.one.pointer] is not Form.WRITTEN:
        return draft.forms[line.one.pointer] is not Form.EARLIER
    if line.requirement is None or line.is_address:
        return True
    return any(c.operator in ("==", "===") and "*" not in c.version for c in line.requirement.specifier)
