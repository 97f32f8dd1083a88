"""A job while it runs, as plain lines: the text that Azure ML streams.

    RunId: happy_frog
    Web View: http://…

    Streaming user_logs/std_log.txt
    ===============================

    epoch 1 …

    Execution Summary
    =================
    RunId: happy_frog
    Web View: http://…

A pipeline's lines are those of its steps' statuses; its steps' own output is left out unless `step_logs` asks for it. Of a
step with several processes the primary one's log is shown, and the others' where `process_logs` asks for them.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

# Any: a JSON record.
Record = Mapping[str, Any]

_COMMAND_LOG = "user_logs/std_log.txt"
_PIPELINE_LOG = "logs/azureml/executionlogs.txt"


class PlainProgress:
    """Writes lines as events come. `write` gets whole lines, with their ends."""

    def __init__(
        self,
        write: Callable[[str], None],
        record: Record,
        *,
        step_logs: bool = False,
        process_logs: bool = False,
    ) -> None:
        self._write = write
        self._record = record
        self._step_logs = step_logs
        self._process_logs = process_logs
        self._is_pipeline = record.get("type") == "pipeline"
        self._log_started = False
        self._line_open = False

    def start(self) -> None:
        self._write(f"RunId: {self._record.get('name')}\nWeb View: {web_view_of(self._record)}\n")
        if self._is_pipeline:
            self._head()

    def event(self, event: Record) -> None:
        kind, step = event.get("kind"), event.get("step")
        if event.get("job") is not None and event.get("job") == self._record.get("name"):
            step = None  # the one that is followed may itself be a step of a pipeline
        if kind == "log" and event.get("process"):
            if self._process_logs:
                self._lines_of(" ".join(filter(None, (step, str(event["process"])))), event)
        elif kind == "log":
            self._log(event, step)
        elif kind == "status" and self._is_pipeline:
            subject = f"step {step}" if step else "pipeline"
            mark = f" ({event['mark']})" if event.get("mark") else ""
            self._line(f"[{clock(event.get('at'))}] {subject}: {event.get('status')}{mark}")
        elif kind == "progress" and self._step_logs:
            for line in str(event.get("text", "")).splitlines():
                self._line(f"[{step}] {line}" if step else line)
        elif kind == "end":
            self._end(event)

    def stop(self) -> None:
        self._close_line()

    def _log(self, event: Record, step: str | None) -> None:
        text = str(event.get("text", ""))
        if step is None:
            self._head(str(event.get("log") or _COMMAND_LOG))
            self._write(text)
            self._line_open = not text.endswith("\n") and bool(text)
        elif self._step_logs:
            self._lines_of(step, event)

    def _lines_of(self, speaker: str, event: Record) -> None:
        for line in str(event.get("text", "")).splitlines():
            self._line(f"[{speaker}] {line}")

    def _head(self, log: str = _COMMAND_LOG) -> None:
        if self._log_started:
            return
        self._log_started = True
        name = _PIPELINE_LOG if self._is_pipeline else log
        self._close_line()
        self._write(f"\nStreaming {name}\n{'=' * (len(name) + 10)}\n\n")

    def _end(self, event: Record) -> None:
        self._close_line()
        self._write(
            f"\nExecution Summary\n=================\nRunId: {self._record.get('name')}\n"
            f"Web View: {web_view_of(self._record)}\n"
        )
        warnings = event.get("warnings") or ()
        if warnings:
            self._write("\nWarnings:\n" + "".join(f"{warning}\n" for warning in warnings))

    def _line(self, text: str) -> None:
        self._close_line()
        self._write(text + "\n")

    def _close_line(self) -> None:
        if self._line_open:
            self._write("\n")
            self._line_open = False


def web_view_of(record: Record) -> str:
    """The job's page."""
    services = record.get("services") or {}
    return str((services.get("Studio") or {}).get("endpoint") or "")


def clock(at: float | None) -> str:
    """The local time of day of an event."""
    return time.strftime("%H:%M:%S", time.localtime(at))


def duration(seconds: float) -> str:
    """Elapsed time as a person reads it: `0:07`, `12:40`, `1:02:33`."""
    whole = max(0, int(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02d}:{whole % 60:02d}" if hours else f"{minutes}:{whole % 60:02d}"
