"""What creating verbs answer: the record, and what the user should know about the document."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from penstock.errors import Problem
from penstock.resources.documents import Parsed


@dataclass(frozen=True)
class Created:
    """A record with the warnings about the document that made it."""

    record: dict[str, Any]
    warnings: tuple[Problem, ...] = ()

    def as_record(self) -> dict[str, Any]:
        return {"record": self.record, "warnings": [asdict(warning) for warning in self.warnings]}


def warnings_of(parsed: Parsed, more: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """The document's own warnings, and those found later."""
    return (*parsed.warnings, *more)
