"""Having a document judged by the server without creating anything."""

from typing import Any

from penstock.client.connection import Connection
from penstock.client.uploads import HasDocument, prepare, problem_of
from penstock.errors import Problem
from penstock.resources.reading import Document

# Any in this module: a JSON value.


def validate(connection: Connection, path: str, document: Document | HasDocument) -> dict[str, Any]:
    """`result` (Succeeded or Failed), `errors` and `warnings`, each with its place in the files. Nothing is uploaded."""
    prepared = prepare(document)
    answer: dict[str, Any] = connection.post(path, {"document": prepared.data})
    settled = prepared.document.with_paths(map(problem_of, answer.get("errors") or ()))
    if settled is not None:
        return validate(connection, path, settled)
    values = {error.get("path"): error.get("value") for error in answer.get("errors") or ()}
    problems = prepared.document.together(problem_of(error) for error in answer.get("errors") or ())
    others = prepared.document.locate_warnings(
        problem_of(warning) for warning in answer.get("warnings") or ()
    )
    return {
        "result": "Failed" if problems else "Succeeded",
        "errors": [{**_finding(problem), "value": values.get(problem.pointer)} for problem in problems],
        "warnings": [_finding(warning) for warning in (*prepared.warnings, *others)],
    }


def _finding(problem: Problem) -> dict[str, Any]:
    """A problem in the shape that `az ml job validate` prints, with what we know beside it."""
    place = f"{problem.file}#line {problem.line}" if problem.line else problem.file
    return {
        "message": problem.message,
        "path": ".".join(
            part.replace("~1", "/").replace("~0", "~") for part in problem.pointer.split("/")[1:]
        ),
        "location": place,
        "expected": problem.expected,
        "hint": problem.hint,
    }
