"""What archiving, restoring and listing mean for every asset, wherever its versions are kept."""

from enum import Enum

from penstock.errors import Conflict, PenstockError, Problem
from penstock.resources.scope import flag_of


class Shown(Enum):
    """Which part of a list is asked for."""

    ACTIVE = "active"
    ALL = "all"
    ARCHIVED = "archived"

    @classmethod
    def of(cls, *, include_archived: bool, archived_only: bool) -> "Shown":
        """From the two flags, which exclude each other."""
        if include_archived and archived_only:
            raise PenstockError("--include-archived and --archived-only exclude each other")
        return cls.ARCHIVED if archived_only else cls.ALL if include_archived else cls.ACTIVE

    def has(self, archived: bool) -> bool:
        """Whether the list has what is archived, or what is not."""
        return self is Shown.ALL or archived is (self is Shown.ARCHIVED)


def one_or_all(version: str | None, label: str | None) -> None:
    """A version and a label exclude each other; neither means the name with all its versions."""
    if version is not None and label is not None:
        raise PenstockError(
            "--version and --label exclude each other", hint="give one of them, or neither for all versions"
        )


def not_alone(scope: str, kind: str, name: str, version: str) -> Conflict:
    """A version of a name that is archived as a whole comes back with the name only."""
    return Conflict(
        f"{kind} `{name}` is archived as a whole, so version {version} cannot be restored alone",
        hint=f"restore it with all its versions: penstock {kind} restore -n {name}{flag_of(scope)}",
    )


def hidden(scope: str, kind: str, name: str, version: str, whole: bool) -> Problem:
    """What somebody should know who creates or describes a version that no list shows."""
    what = f"{kind} `{name}` is archived" if whole else f"{kind} `{name}:{version}` is archived"
    command = f"penstock {kind} restore -n {name}" + ("" if whole else f" -v {version}") + flag_of(scope)
    return Problem("/name", f"{what}: version {version} is not listed and is not `@latest`", hint=command)
