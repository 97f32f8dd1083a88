"""How an error looks on stderr.

error: 2 problems in pipeline.yml
  pipeline.yml:14  jobs.train.compute: no compute `cpu-clutser`
      expected: the name of a compute
      hint: did you mean `cpu-cluster`?
  pipeline.yml:20  settings: ...
hint: `penstock check pipeline.yml` lists all that is missing
"""

import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from penstock.cli.invocation import write_error
from penstock.cli.program import spoken
from penstock.errors import InvalidDocument, PenstockError, Problem

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}


def paint(text: str, colour: str, stream: TextIO | None = None) -> str:
    """The text in colour where `stream`, stderr by default, is a terminal that wants it (NO_COLOR, TERM=dumb: it does not)."""
    stream = stream or sys.stderr
    if (
        os.environ.get("NO_COLOR")
        or os.environ.get("TERM") == "dumb"
        or stream is None
        or not stream.isatty()
    ):
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def report(error: BaseException, *, debug: bool = False) -> int:
    """Print an error as a person wants to read it; its exit code."""
    if debug:
        write_error("".join(traceback.format_exception(error)))
    if isinstance(error, PenstockError):
        write_error(spoken(text_of(error)))
        return error.exit_code
    write_error(
        f"{paint('error:', 'red')} {type(error).__name__}: {error}\n"
        "  this is a fault of penstock, not of your files\n"
        f"{paint('hint:', 'cyan')} run the same command with --debug and report what it prints\n"
    )
    return 1


def text_of(error: PenstockError) -> str:
    """The error's lines: message, details, problems with their places, the next step."""
    lines = [f"{paint('error:', 'red')} {error.message}"]
    lines += [f"  {line}" for detail in error.details for line in detail.splitlines()]
    if isinstance(error, InvalidDocument):
        # Of a file that cannot be read at all, the one problem is the message: only its place is new.
        same = [problem for problem in error.problems if problem.message == error.message]
        lines += [f"  {place_of(problem.file, problem.line)}" for problem in same if problem.line]
        lines += problem_lines(problem for problem in error.problems if problem not in same)
        hint = error.hint or next((problem.hint for problem in same if problem.hint), None)
        return "\n".join([*lines, *_hint_lines(hint)]) + "\n"
    return "\n".join([*lines, *_hint_lines(error.hint)]) + "\n"


def _hint_lines(hint: str | None) -> list[str]:
    return [f"{paint('hint:', 'cyan')} {hint}"] if hint else []


def problem_lines(problems: Iterable[Problem]) -> list[str]:
    """The lines of problems, in the order of the file they are in; those of flags, which have no line, come last."""
    lines: list[str] = []
    for problem in sorted(
        problems, key=lambda problem: (not problem.line, problem.file or "", problem.line or 0)
    ):
        place = place_of(problem.file, problem.line)
        field = field_of(problem.pointer)
        if place == f"--{field}".replace("_", "-") or place.startswith(f"--set {field}="):
            field = ""  # the flag names it already
        lines.append("  " + f"{place}  {field}: {problem.message}".replace("  : ", "  ").strip())
        if problem.expected and not _is_said(problem):
            lines.append(f"      expected: {problem.expected}")
        if problem.hint:
            lines.append(f"      hint: {problem.hint}")
    return lines


def _is_said(problem: Problem) -> bool:
    """Whether the message, or the hint, says already what was expected."""
    expected = (problem.expected or "").removeprefix("one of ")
    return len(expected) > 3 and (expected in problem.message or expected in (problem.hint or ""))


def place_of(file: str | None, line: int | None) -> str:
    """`jobs/train.yml:14`, relative to the current folder where the file is beneath it; `--set a=b` has no line."""
    if not file:
        return ""
    if Path(file).is_absolute():
        relative = os.path.relpath(file)
        file = file if relative.startswith("..") else relative
    return f"{file}:{line}" if line else file


def field_of(pointer: str) -> str:
    """`/jobs/train/inputs/0` as `jobs.train.inputs[0]`."""
    field = ""
    for part in pointer.split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if part.isdigit():
            field += f"[{part}]"
        else:
            field += f".{part}" if field else part
    return field
