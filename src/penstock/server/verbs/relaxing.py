"""An environment that is created relaxed: what is taken in place of what it asks for, found out before it is registered."""

import re
from dataclasses import dataclass, replace
from typing import Any

from penstock.environments.environments import EnvironmentRequest, LockedEnvironment
from penstock.errors import EnvironmentCannotBeBuilt, InvalidDocument
from penstock.jobs.software import registered_as
from penstock.resources.relaxed import as_rows
from penstock.server.platform import Platform

# A line of a lock that is a package with its version, or its address, without what belongs to other machines' files.
_PACKAGE = re.compile(r"^(?P<package>[A-Za-z0-9][\w.\-\[\],]*\s*(?:==|@)\s*\S+)(?P<marker>\s*;[^\\#]*)?")
_OPTION = re.compile(r"^--?[a-z][\w-]*")


@dataclass(frozen=True)
class Relaxed:
    """What a version keeps beside what its author wrote. Empty where everything could be had as it is written."""

    rows: tuple[dict[str, Any], ...] = ()
    pinned_conda_file: dict[str, Any] | None = None

    def as_spec(self) -> dict[str, Any]:
        """The fields of the record, none where nothing was taken otherwise."""
        if not self.rows:
            return {}
        return {"relaxed": list(self.rows), "pinned_conda_file": self.pinned_conda_file}

    @classmethod
    def of_spec(cls, spec: dict[str, Any]) -> "Relaxed":
        """What a version says of itself."""
        return cls(tuple(spec.get("relaxed") or ()), spec.get("pinned_conda_file"))


def relaxed(platform: Platform, request: EnvironmentRequest, *, at: str | None = None) -> Relaxed:
    """Resolve the request, whose `relax` is set; asks the index. Raises InvalidDocument with every obstacle that is left.

    They are told at the pointer `at` where their own are none of the document's. What keeps the index from being asked at
    all, such as no network, is raised as it is.
    """
    try:
        locked = platform.environments.resolve(request)
    except EnvironmentCannotBeBuilt as error:
        problems = platform.environments.obstacles(request)
        if problems:
            placed = [each if at is None else replace(each, pointer=at) for each in problems]
            raise InvalidDocument(placed, hint=error.hint) from error
        raise
    rows = tuple(as_rows(locked.relaxations))
    if not rows:
        return Relaxed()
    pinned = _pinned(request.label, locked)
    # Whoever uses the version gets this; its lock is kept from now on.
    platform.environments.resolve(replace(request, registered=registered_as(pinned, rows)))
    return Relaxed(rows, pinned)


def _pinned(label: str, locked: LockedEnvironment) -> dict[str, Any]:
    """A conda file that asks for exactly what was taken, dependencies of dependencies too."""
    lines = [line.strip() for line in locked.lock.splitlines()]
    options = [line for line in lines if _OPTION.match(line) and not line.startswith("--hash")]
    packages = [
        f"{found['package']}{(found['marker'] or '').rstrip()}"
        for line in lines
        if (found := _PACKAGE.match(line))
    ]
    pip = next((line.replace("==", "=") for line in packages if line.startswith("pip==")), "pip")
    others = [line for line in packages if not line.startswith("pip==")]
    return {
        "name": label,
        "channels": ["conda-forge"],
        "dependencies": [f"python={locked.python_version}", pip, {"pip": [*options, *others]}],
    }
