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


def failed(problems: Iterable[Problem], document: dict[str, Any]) -> dict[str, Any]:
    """What validating answers where something is wrong."""
    return {
        "result": "Failed",
        "errors": [problem_record(problem, document) for problem in problems],
        "warnings": [],
    }


def succeeded(warnings: Iterable[Problem], document: dict[str, Any]) -> dict[str, Any]:
    """What validating answers where nothing is wrong."""
    return {"result": "Succeeded", "warnings": [problem_record(each, document) for each in warnings]}


def problem_record(problem: Problem, document: dict[str, Any]) -> dict[str, Any]:
    """The product's shape (`message`, `path`, `value`) with our own fields beside it."""
    return {
        **asdict(problem),
        "path": problem.pointer,
        "value": _value_at(document, problem.pointer),
    }


def _value_at(document: Any, pointer: str) -> Any:
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(document, dict):
            document = document.get(key)
        elif isinstance(document, list) and key.isdigit() and int(key) < len(document):
            document = document[int(key)]
        else:
            return None
    return document if isinstance(document, str | int | float | bool) else None


def warnings_of(parsed: Parsed, more: Iterable[Problem] = ()) -> tuple[Problem, ...]:
    """The document's own warnings, and those found later."""
    return (*parsed.warnings, *more)
