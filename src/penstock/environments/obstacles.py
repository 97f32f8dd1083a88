"""Everything that keeps an environment from being built as it is written: each with its line and a way out."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from penstock.environments.azure_only import stands_here_instead
from penstock.environments.credentials import without_credentials
from penstock.environments.explanations import in_short
from penstock.environments.nearest import unfit
from penstock.environments.pinned_lines import Line
from penstock.environments.releases import BUILT_BY_COMPILERS, Refused, Releases
from penstock.errors import Problem

_NO_HOST = re.compile(
    r"Could not resolve host|Name or service not known|dns error|Connection (?:refused|timed out)|Network is unreachable"
    r"|Failed to connect|No route to host"
)


def unreachable(lines: Sequence[Line], releases: Releases) -> dict[str, str]:
    """The lines, by pointer, that name an address from which nothing can be fetched, and why.

    A host that cannot be reached is asked once: each try takes git ten seconds.
    """
    found: dict[str, str] = {}
    silent: dict[str, str] = {}
    for line in lines:
        if not line.is_address:
            continue
        host = _host(line.one.requirement)
        if host not in silent:
            releases.say(f"asking for {without_credentials(line.asked)}")
            refused = releases.address(line.one.requirement)
            if refused is None:
                continue
            why = f"its address cannot be fetched: {in_short(refused.text)}"
            if not _NO_HOST.search(refused.text):
                found[line.one.pointer] = why
                continue
            silent[host] = why
        found[line.one.pointer] = silent[host]
    return found


def _host(requirement: str) -> str:
    address = re.search(r"[a-z+]+://\S+", requirement)
    return (urlsplit(address[0]).hostname or "") if address else ""


def reasons(lines: Sequence[Line], releases: Releases) -> dict[str, str]:
    """The lines, by pointer, that this Python cannot have by themselves, and why in a few words."""
    by_pointer = {line.one.pointer: line for line in lines}
    return {
        at: reason(by_pointer[at], refused, releases)
        for at, refused in sorted(unfit(lines, releases).items())
    }


def reason(line: Line, refused: Refused, releases: Releases) -> str:
    """Why one line cannot be had for this Python: in words of our own where uv's are known."""
    text, python = re.sub(r"\s+", " ", refused.text), releases.interpreter.version
    if re.search(r"was not found in the|not found in the package registry", text):
        closed = re.search(r"An index \((\S+)\) returned a (403 \w+) error", text)
        closing = f", and {without_credentials(closed[1])} answers {closed[2]}" if closed else ""
        return f"no index has a package called `{line.name}`{closing}"
    if "yanked" in text:
        return "its author has withdrawn it"
    if re.search(r"does not satisfy Python|requires a different Python|depends on Python", text):
        return f"it does not run on Python {python}"
    if line.name in releases.cannot_be_built:
        why = in_short(releases.cannot_be_built[line.name])
        return f"it has no wheel for Python {python}, and building it failed: {why}"
    if re.search(r"no (?:usable )?wheels", text):
        tail = ", and only a compiler could build it" if line.name in BUILT_BY_COMPILERS else ""
        return f"it has no wheel for Python {python} on this kind of machine{tail}"
    if re.search(r"there (?:is|are) no versions? of|are available|is available", text):
        return "there is no such release"
    return in_short(refused.text)


def obstacles(lines: Sequence[Line], limits: Sequence[str], releases: Releases) -> list[Problem]:
    """Every line that cannot be had as it is written, and where the rest contradicts itself. Raises UvFailed offline.

    `limits` are constraints that hold beside what the lines say.
    """
    releases.say(f"asking the index what Python {releases.interpreter.version} can have")
    alone = reasons(lines, releases)
    gone = unreachable(lines, releases)
    found = [_problem(line, alone[line.one.pointer], releases) for line in lines if line.one.pointer in alone]
    found += [
        Problem(
            line.one.pointer,
            f"`{line.shown}`: {gone[line.one.pointer]}",
            hint="check the address and the server's access to it, or take the line out if the code does not need it",
            code="not_found",
        )
        for line in lines
        if line.one.pointer in gone
    ]
    rest = [line for line in lines if line.one.pointer not in alone and line.one.pointer not in gone]
    return [*found, *_contradiction(rest, limits, releases)]


def _contradiction(rest: Sequence[Line], limits: Sequence[str], releases: Releases) -> list[Problem]:
    """What each could be had alone, and not together."""
    if not rest:
        return []
    answer = releases.together([line.one.requirement for line in rest], limits)
    if not isinstance(answer, Refused):
        return []
    text = answer.text.lower()
    named = [line for line in rest if re.search(rf"(?<![\w-]){re.escape(line.name)}(?![\w-])", text)] or [
        *rest
    ]
    names = ", ".join(f"`{line.shown}`" for line in named)
    azure = [line for line in named if stands_here_instead(line.name)]
    hint = (
        f"take `{azure[0].name}` out: {stands_here_instead(azure[0].name)}"
        if azure
        else "loosen or change one of them"
        if len(named) > 1
        else "ask for another release of it"
    )
    together = "together" if len(named) > 1 else "with what it needs"
    return [
        Problem(
            named[0].one.pointer,
            f"{names} cannot be had {together} on Python {releases.interpreter.version}: {in_short(answer.text)}",
            hint=hint,
            code="invalid",
        )
    ]


def _problem(line: Line, why: str, releases: Releases) -> Problem:
    return Problem(
        line.one.pointer,
        f"`{line.shown}` cannot be installed: {why}",
        hint=_way_out(line, _near(line, releases)),
        code="not_found",
    )


def _way_out(line: Line, near: Mapping[str, str]) -> str:
    instead = stands_here_instead(line.name)
    if instead is not None:
        return f"take it out: {instead}"
    if not near:
        return (
            "check its name; a package of your own needs `--extra-index-url`; or take the line out if the code "
            "does not need it"
        )
    releases = " or ".join(
        f"`{line.name}=={version}`, the closest {which}" for which, version in near.items()
    )
    return f"ask for {releases} that this Python can have"


def _near(line: Line, releases: Releases) -> dict[str, str]:
    """The closest releases that this Python can have: `later` and `earlier`."""
    if line.base is None:
        return {}
    base, found = line.base.base_version, {}
    for which, specifier, lowest in (("later", f">={base}", True), ("earlier", f"<{base}", False)):
        answer = releases.alone([line.saying(specifier)], lowest=lowest)
        if not isinstance(answer, Refused) and line.name in answer:
            found[which] = answer[line.name]
    return found
