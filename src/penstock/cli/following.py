"""Following a job to its end: who shows it, what Ctrl-C means, and which end is a failure."""

import os
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from penstock.cli.invocation import Invocation, write_error, write_result
from penstock.cli.problems import field_of, paint, place_of
from penstock.client.progress import PlainProgress
from penstock.errors import JobFailed

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any: a JSON record.
Record = Mapping[str, Any]

# How many of a failed job's last log lines are shown; the server may send more.
_DETAIL_LINES = 40
# A detail about one line of an environment begins with that line's JSON pointer in the job's document.
_OF_ENVIRONMENT = re.compile(r"((?:(?:/component)?/jobs/[^/\s]+)*)(/environment(?:/\S+)?)  (?=\S)")


class Progress(Protocol):
    """Shows a job while it runs. `start`, then every event in order, then `stop`, also after an error."""

    def start(self) -> None: ...

    def event(self, event: Record) -> None: ...

    def stop(self) -> None: ...


def follow(
    invocation: Invocation,
    name: str,
    *,
    to_stdout: bool,
    record: Record,
    document: "Document | None" = None,
) -> None:
    """Show the job until it ends; JobFailed where it fails, with lines of the `document` that it was made from.

    `to_stdout`: the shown text is the command's result (`job stream`). Otherwise it is talk, and a terminal gets a live view.
    """
    progress = _progress_of(invocation, to_stdout, record)
    end: Record = {}
    progress.start()
    try:
        for event in invocation.client.jobs.stream(name):
            progress.event(event)
            if event.get("kind") == "end":
                end = event
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"stopped following: job `{name}` goes on\n"
            f"  follow it again: penstock job stream -n {name}\n"
            f"  stop it:         penstock job cancel -n {name}"
        ) from None
    finally:
        progress.stop()
    error = end.get("error")
    if end.get("status") == "Failed":
        raise failure(name, error, document)
    if end.get("status") == "Canceled" and error and error.get("code") == "Timeout":
        # Azure ML calls this no failure, but nobody asked for it: it has to be said.
        hint = f"\n{paint('hint:', 'cyan')} {error['hint']}" if error.get("hint") else ""
        invocation.warn(f"{error.get('message')}{hint}")


def failure(name: str, error: Record | None, document: "Document | None" = None) -> JobFailed:
    """The error of a failed job: its message, its details (the last log lines), the next step."""
    error = error or {}
    details: list[str] = []
    for detail in error.get("details") or ():
        text = detail if isinstance(detail, str) else str(detail.get("message", detail))
        details += [_with_place(line, document) for line in text.splitlines()]
    message = str(error.get("message") or "it says no more")
    return JobFailed(
        message if name in message else f"job `{name}` failed: {message}",
        details=details[-_DETAIL_LINES:],
        hint=error.get("hint") or f"all logs: penstock job download -n {name}",
    )


def _with_place(line: str, document: "Document | None") -> str:
    """A detail that begins with a pointer, with the file and line, or at least the field, in its place."""
    found = _OF_ENVIRONMENT.match(line)
    if found is None:
        return line
    step, below = found[1] or "", found[2]
    # A step's environment may have come with its component's file.
    pointers = (f"{step}{below}", f"{step}/component{below}")
    pointer = next((each for each in pointers if document and each in document.positions), pointers[0])
    position = document.position_of(pointer) if document else None
    place = place_of(position.file, position.line) if position else ""
    return f"{place}  {field_of(pointer)}: {line[found.end() :]}".strip()


def _progress_of(invocation: Invocation, to_stdout: bool, record: Record) -> Progress:
    if to_stdout:
        verbose = invocation.arguments.verbose
        return PlainProgress(write_result, record, step_logs=verbose, process_logs=verbose)
    if invocation.arguments.only_show_errors:
        return PlainProgress(lambda text: None, record)
    if _is_terminal() and not invocation.arguments.debug:
        from penstock.cli.live import LiveProgress

        return LiveProgress(record)
    return PlainProgress(write_error, record, step_logs=True, process_logs=invocation.arguments.verbose)


def _is_terminal() -> bool:
    """Whether stderr can be redrawn."""
    return sys.stderr is not None and sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"
