"""What is wrong with a job, gathered while it is planned: everything is told at once."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.resources.references import BadReference

T = TypeVar("T")


class Findings:
    """The problems of one job, each with its place in the document."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, problem: Problem) -> None:
        self.problems.append(problem)

    def raise_problems(self) -> None:
        """InvalidDocument with all of them, if there are any."""
        if self.problems:
            raise InvalidDocument(self.problems)

    def guarded(self, pointer: str, look: Callable[[], T], fallback: T) -> T:
        """What `look` finds; a failed look-up becomes a problem at `pointer`, so that all of them are told at once."""
        try:
            return look()
        except InvalidDocument as error:
            at = [replace(each, pointer=each.pointer or pointer) for each in error.problems]
            self.problems += at
            return fallback
        except (PenstockError, BadReference) as error:
            message = error.message
            details = "; ".join(getattr(error, "details", ()))
            hint = getattr(error, "hint", None)
            text = f"{message} ({details})" if details else message
            self.problems.append(Problem(pointer, text, hint=hint, code="not_found"))
            return fallback
