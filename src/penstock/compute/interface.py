"""What every compute promises: start one command, say how it ended, cancel it, find it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

Reason = Literal["exited", "timeout", "canceled", "lost"]

DEFAULT_LOG_LIMIT = 256 * 1024 * 1024
"""Bytes that a step's log keeps where nobody says otherwise."""


def port(number: int) -> str:
    """What stands in a process's variables for one of the launch's free ports, counted from 0."""
    return f"${{port:{number}}}"


@dataclass(frozen=True)
class Process:
    """One of several processes that run a launch's command.

    `env` is what it has beside `Launch.env`; `port(n)` in a value becomes a port that is free when the processes start.
    What `until_others_end` serves the others: it is ended when they have ended, and that is no failure.
    """

    name: str
    env: Mapping[str, str]
    log: Path
    until_others_end: bool = False


@dataclass(frozen=True)
class Launch:
    """One command, ready to run: nothing in it needs looking up any more.

    `folder` belongs to this one attempt: the compute keeps its own small files there and refuses to start twice in it.
    `argv` runs as it is, without a shell. `env` is the whole environment and may hold secrets: it is never written to
    disk and is left out of `repr`. `log` receives standard output and standard error, merged, appended, byte-exact.
    `timeout` is in seconds, `log_limit` in bytes. `fence` says which attempt this is: a later one has a higher number.
    `python` runs the small parent of the command; any CPython from 3.7 on.

    Where there are `processes`, the command runs once for each, at the same time; the first one's log is `log`. When one
    fails, the others are ended. `ports` is how many free ports they need; `log_limit` is shared equally among the logs.
    """

    id: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    log: Path
    python: Path
    timeout: float | None = None
    log_limit: int = DEFAULT_LOG_LIMIT
    fence: int = 0
    processes: tuple[Process, ...] = ()
    ports: int = 0


@dataclass(frozen=True)
class Handle:
    """What finds a started step again, also after a restart of the server or of the machine.

    `pid`, `start_time` and `boot_id` together name one process for good: a pid alone is used again.
    """

    id: str
    folder: Path
    pid: int
    start_time: str
    boot_id: str
    fence: int

    def as_record(self) -> dict[str, Any]:  # Any: the record is JSON
        """The handle as JSON-able data, for the database."""
        return {
            "id": self.id,
            "folder": str(self.folder),
            "pid": self.pid,
            "start_time": self.start_time,
            "boot_id": self.boot_id,
            "fence": self.fence,
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Handle":
        """The handle that `as_record` described."""
        return cls(
            id=str(record["id"]),
            folder=Path(record["folder"]),
            pid=int(record["pid"]),
            start_time=str(record["start_time"]),
            boot_id=str(record["boot_id"]),
            fence=int(record["fence"]),
        )


@dataclass(frozen=True)
class ProcessEnd:
    """How one of several processes ended. `stopped`: it was ended because of the others, so its exit code says nothing."""

    name: str
    exit_code: int
    signal: int | None
    stopped: bool

    @property
    def failed(self) -> bool:
        """It ended by itself, and not with 0; at most one of a step's processes does."""
        return self.exit_code != 0 and not self.stopped


@dataclass(frozen=True)
class Finished:
    """How a step ended. Times are epoch seconds, UTC.

    `exit_code` is the shell's: 0 to 125 from the command, 126 not executable, 127 not found, 128 + n for signal n
    (then `signal` is n). It is None when nobody saw the end (`lost`). `reason` says who ended it: the command itself
    (`exited`), its time limit, a `cancel`, or nobody knows: `lost`. `detail` is a sentence for a person, or None.
    Of several processes `exit_code` is that of the one that failed; `processes` has all of them, unless nobody saw them end.
    """

    exit_code: int | None
    signal: int | None
    reason: Reason
    started_at: float
    ended_at: float
    detail: str | None = None
    processes: tuple[ProcessEnd, ...] = ()

    @property
    def failed_process(self) -> ProcessEnd | None:
        """The one of several processes whose failure is the step's."""
        return next((each for each in self.processes if each.failed), None)

    @property
    def succeeded(self) -> bool:
        """The command ended by itself, with 0."""
        return self.reason == "exited" and self.exit_code == 0


class Compute(Protocol):
    """A place where commands run. All methods may be called from any thread."""

    def start(self, launch: Launch) -> Handle:
        """Start the command; it goes on if this process ends.

        When this returns, `adopt(launch.folder)` finds the same step. Raises Conflict where a step was started in
        that folder before (adopt it), StorageFull where nothing can be written, PenstockError where the small parent
        cannot run. A command that cannot be executed is no error of `start`: it ends with exit code 126 or 127.
        """

    def poll(self, handle: Handle) -> Finished | None:
        """How the step ended, or None while it runs. Cheap, so ask often; once ended, the answer never changes.

        A step whose small parent is gone without a word is `lost`, and what it left running has been ended.
        """

    def cancel(self, handle: Handle) -> None:
        """Ask for the end and return at once; within 5 s the command and all its descendants are gone.

        `poll` says when, with the reason `canceled`. A step that has ended keeps its result.
        """

    def adopt(self, folder: Path) -> Handle | None:
        """The step that was started in this folder, running or ended; None if there never was one."""
