"""One job in a notebook: its state, its steps, its log."""

import html
import sys
import time
from collections.abc import Mapping, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from penstock.client.jobs import TERMINAL
from penstock.client.progress import PlainProgress, web_view_of
from penstock.errors import JobFailed, PenstockError, Problem

if TYPE_CHECKING:
    from penstock.client.jobs import Jobs

# Any in this module: a JSON record.
Record = Mapping[str, Any]

_POLL_SECONDS = 0.5


class Job:
    """A job as it is now. Showing it asks the server, until the job has ended; `record` is the JSON of `job show`."""

    def __init__(self, jobs: "Jobs", record: Record, warnings: Sequence[Problem] = ()) -> None:
        self._jobs = jobs
        self.record = record
        self.warnings = tuple(warnings)

    @property
    def name(self) -> str:
        """The name that other verbs take."""
        return str(self.record["name"])

    @property
    def status(self) -> str:
        """`Running`, `Completed`, …, as the server says now."""
        return str(self.refresh().record["status"])

    @property
    def has_ended(self) -> bool:
        """Whether nothing about it changes any more, as far as was known last."""
        return self.record["status"] in TERMINAL

    @property
    def steps(self) -> Mapping[str, Record]:
        """The records of a pipeline's steps by key; empty for a command."""
        found: Mapping[str, Record] = self.record.get("jobs") or {}
        return found

    @property
    def relaxed(self) -> Sequence[Record]:
        """What its environments have otherwise than was asked, as far as was known last; empty where they are as asked."""
        found: Sequence[Record] = self.record.get("relaxed") or ()
        return found

    def refresh(self) -> "Job":
        """Ask the server how the job is now."""
        if not self.has_ended:
            self.record = self._jobs.show(self.name)
        return self

    def stream(self, to: TextIO | None = None) -> "Job":
        """Print what happens, until the job has ended. Raises JobFailed where it fails.

        Interrupting (Ctrl-C, the stop button) ends the printing, not the job.
        """
        out = to or sys.stdout
        progress = PlainProgress(lambda text: print(text, end="", file=out, flush=True), self.record)
        progress.start()
        end: Record = {}
        try:
            for event in self._jobs.stream(self.name):
                progress.event(event)
                end = event
        finally:
            progress.stop()
        self.refresh()
        _raise_if_failed(self.name, end.get("status"), end.get("error"))
        return self

    def wait(self, timeout: float | None = None) -> "Job":
        """Wait without printing; `timeout` in seconds. Raises JobFailed where it fails, PenstockError where time is up."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self.refresh().has_ended:
            if deadline is not None and time.monotonic() > deadline:
                raise PenstockError(
                    f"job `{self.name}` has not ended after {timeout:g} seconds: it is {self.record['status']}",
                    hint="it goes on; wait again, or job.cancel()",
                )
            time.sleep(_POLL_SECONDS)
        _raise_if_failed(self.name, self.record["status"], self.record.get("error"))
        return self

    def cancel(self) -> "Job":
        """Ask for the job's end."""
        self._jobs.cancel(self.name)
        return self.refresh()

    def download(
        self, folder: str | PathLike[str] = ".", *, output_name: str | None = None, all_outputs: bool = False
    ) -> Sequence[Path]:
        """Write the ended job's files under `folder`, as `job download` does."""
        return self._jobs.download(
            self.name, Path(fspath(folder)), output_name=output_name, all_outputs=all_outputs
        )

    def __repr__(self) -> str:
        lines = [f"Job {self.name}: {self._status_or_last_known()}"]
        width = max((len(key) for key in self.steps), default=0)
        lines += [f"  {key:<{width}}  {_status_of(step)}" for key, step in self.steps.items()]
        message = (self.record.get("error") or {}).get("message")
        return "\n".join([*lines, *([f"  {message}"] if message else [])])

    def _repr_html_(self) -> str:
        """How a notebook shows it."""
        status = html.escape(self._status_or_last_known())
        address = html.escape(web_view_of(self.record), quote=True)
        name = html.escape(self.name)
        title = f'<a href="{address}">{name}</a>' if address.startswith("http") else name
        rows = "".join(
            f"<tr><td>{html.escape(key)}</td><td>{html.escape(_status_of(step))}</td></tr>"
            for key, step in self.steps.items()
        )
        message = (self.record.get("error") or {}).get("message")
        error = f"<p>{html.escape(str(message))}</p>" if message else ""
        return f"<p>Job {title}: <b>{status}</b></p>{error}" + (f"<table>{rows}</table>" if rows else "")

    def _status_or_last_known(self) -> str:
        """A server that cannot be asked is no reason for a cell to fail."""
        try:
            return self.status
        except PenstockError as error:
            return f"{self.record['status']} when last asked ({error.message})"


def _status_of(step: Record) -> str:
    return " ".join(str(each) for each in (step.get("status"), step.get("mark")) if each)


def _raise_if_failed(name: str, status: object, error: Record | None) -> None:
    if status == "Failed":
        told = error or {}
        message = str(told.get("message") or "it says no more")
        raise JobFailed(
            message if name in message else f"job `{name}` failed: {message}",
            details=[str(detail) for detail in told.get("details") or ()],
            hint=told.get("hint"),
        )
