"""Running steps on this machine: each under a small parent (`worker.py`) that does not need the server.

The small parent is a child of the server that started it, which reaps it; after a restart the system's init does.
What outlives both are two files in the step's folder: worker.json (who runs it) and result.json (how it ended).
"""

import hashlib
import json
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Literal

from penstock.compute import group, processes, worker
from penstock.compute.interface import Finished, Handle, Launch, ProcessEnd
from penstock.compute.processes import ProcessIdentity
from penstock.errors import Conflict, PenstockError, StorageFull

# Imported, not run as a script: only imported modules are kept compiled, which halves the start.
_BOOT = "import os, sys; sys.path.append(sys.argv[1]); import worker; os._exit(worker.main())"

# The command of a step of several processes: it runs the step's own command for each of them.
_GROUP = "import os, sys; sys.path.append(sys.argv[1]); import group; os._exit(group.main(sys.argv[2:]))"

# What an interpreter outside the usual places may need to find its libraries. Nothing else of the server's own
# environment reaches the small parent; the command gets exactly `Launch.env`.
_PASSED_ON = ("PATH", "HOME", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")

_ANSWER_WITHIN = 60.0  # seconds; a small parent answers in 0.02, but a machine may swap or a disk may be far


class LocalCompute:
    """Steps as processes of this machine. Safe to use from several threads; keeps nothing that a restart would lose.

    `grace` is how many seconds a command has between SIGTERM and SIGKILL.
    """

    def __init__(self, *, grace: float = 3.0, clock: Callable[[], float] = time.time) -> None:
        self._grace = grace
        self._clock = clock
        self._lock = threading.Lock()
        self._children: dict[int, str] = {}  # pid → start time
        self._exit_codes: dict[tuple[int, str], int] = {}
        self._settled: dict[tuple[Path, int], Finished] = {}

    def start(self, launch: Launch) -> Handle:
        """See `Compute.start`. Takes about as long as starting Python: it waits for the small parent's answer."""
        if _worker_file(launch.folder).exists() or _result_file(launch.folder).exists():
            raise _already_started(launch)
        description = _description(_as_group(launch, self._grace), self._grace)
        try:
            launch.folder.mkdir(parents=True, exist_ok=True)
            for log in (launch.log, *(process.log for process in launch.processes)):
                log.parent.mkdir(parents=True, exist_ok=True)
            child = subprocess.Popen(
                [
                    str(launch.python.absolute()),
                    "-I",
                    "-S",
                    "-c",
                    _BOOT,
                    str(Path(worker.__file__).parent),
                    launch.id,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
            )
        except OSError as problem:
            raise PenstockError(
                f"step `{launch.id}` cannot be started: {problem}",
                hint="The interpreter, the folder of the run and the limits on processes are what this needs.",
            ) from problem
        with self._lock:
            self._children[child.pid] = ""
        # Popen warns when it is forgotten while its process runs; from here on the pid is ours to reap.
        child.returncode = 0
        handle = _handle_from(_exchange(child, description), launch)
        with self._lock:
            if handle.pid in self._children:
                self._children[handle.pid] = handle.start_time
            elif (handle.pid, "") in self._exit_codes:  # ended, and collected by another thread
                self._exit_codes[handle.pid, handle.start_time] = self._exit_codes.pop((handle.pid, ""))
        return handle

    def poll(self, handle: Handle) -> Finished | None:
        """See `Compute.poll`. One attempt to open a file, and a look at the small parent."""
        self._reap()
        finished = self._finished(handle)
        if finished is None and not processes.is_running(_identity(handle)):
            # Looked at once more: it may have ended between the two looks.
            finished = self._finished(handle) or self._settle(handle, "lost")
        if finished is not None:
            self._reap(waiting_for=handle)
        return finished

    def cancel(self, handle: Handle) -> None:
        """See `Compute.cancel`. A signal to the small parent, which needs no disk; without one we do its work."""
        if self._finished(handle) is not None:
            return
        identity = _identity(handle)
        if processes.send_signal(identity, signal.SIGUSR1):
            processes.send_signal(identity, signal.SIGCONT)  # a stopped one would never hear the other
            return
        if self._finished(handle) is None:
            self._settle(handle, "canceled")

    def adopt(self, folder: Path) -> Handle | None:
        """See `Compute.adopt`."""
        record = _read_json(_worker_file(folder))
        try:
            return Handle.from_record({**(record or {}), "folder": folder})
        except (KeyError, TypeError, ValueError):
            if not _worker_file(folder).exists() and not _result_file(folder).exists():
                return None
        # Cut off by a power failure. It names no process of this boot, so that `poll` says `lost`.
        return Handle(id=folder.name, folder=folder, pid=0, start_time="", boot_id="", fence=-1)

    def _finished(self, handle: Handle) -> Finished | None:
        settled = self._settled.get((handle.folder, handle.fence))
        if settled is not None:
            return settled
        record = _read_json(_result_file(handle.folder))
        if record is None or record.get("fence") != handle.fence:
            return None
        try:
            return _of_processes(
                Finished(
                    exit_code=record["exit_code"],
                    signal=record["signal"],
                    reason=record["reason"],
                    started_at=float(record["started_at"]),
                    ended_at=float(record["ended_at"]),
                    detail=record["detail"],
                ),
                _ends_of_processes(handle.folder),
            )
        except (KeyError, TypeError, ValueError):
            return None  # not written by a small parent: as good as none

    def _settle(self, handle: Handle, reason: Literal["lost", "canceled"]) -> Finished:
        """Say how a step ended whose small parent left no result, after ending what it left running."""
        record = _read_json(_worker_file(handle.folder)) or {}
        now = self._clock()
        owner = record.get("fence", handle.fence)
        if owner != handle.fence:
            # Another attempt's folder: say so and touch nothing.
            detail = f"attempt {owner} has this folder; attempt {handle.fence} never ran"
            return Finished(None, None, "lost", now, now, detail)
        left = self._end_leftovers(handle, record)
        self._reap()
        exit_code = self._exit_codes.get((handle.pid, handle.start_time))
        if exit_code is not None and exit_code >= 0:
            detail = "the result could not be written to disk; only the exit code is known"
        elif handle.boot_id != processes.boot_id():
            exit_code, detail = None, "the machine was restarted while the step ran"
        else:
            exit_code, detail = None, "the small parent of the step was killed before the command ended"
        if left:
            detail += f"; these processes could not be ended: {', '.join(map(str, left))}"
        return self._publish(
            handle,
            Finished(
                exit_code=exit_code,
                signal=None,
                reason=reason if exit_code is None else "exited",
                started_at=min(float(record.get("started_at", now)), now),
                ended_at=now,
                detail=detail,
            ),
        )

    def _end_leftovers(self, handle: Handle, record: Mapping[str, Any]) -> tuple[int, ...]:
        if handle.boot_id != processes.boot_id():
            return ()  # no process survives a restart, and pipes and pids mean others now
        roots = []
        if record.get("command_start_time"):
            roots = [ProcessIdentity(record["command_pid"], record["command_start_time"], handle.boot_id)]
        marker = str(record.get("marker") or marker_of(handle.id, handle.folder))
        return processes.end_step_processes(marker, int(record.get("pipe", 0)), roots)

    def _publish(self, handle: Handle, finished: Finished) -> Finished:
        """Make the verdict the one that everybody reads from now on; another observer may have been first."""
        record = {"id": handle.id, "fence": handle.fence, **asdict(finished)}
        del record["processes"]  # they have a file of their own, written by whoever saw them end
        temporary = handle.folder / f"result.{os.getpid()}.{threading.get_ident()}.tmp"
        try:
            for reserve in handle.folder.glob("result.*.reserve"):
                reserve.unlink(missing_ok=True)
            worker.publish(str(temporary), json.dumps(record).encode(), str(_result_file(handle.folder)))
            published = self._finished(handle)
        except OSError:
            published = None  # a full disk, or the folder is deleted
        finally:
            worker.remove(str(temporary))
        if published is None:
            # Remembered for as long as we live; a restarted server comes to the same conclusion.
            self._settled[handle.folder, handle.fence] = finished
        return published or finished

    def _reap(self, waiting_for: Handle | None = None) -> None:
        """Collect the small parents that have ended, so that none stays a zombie.

        One that has just written its result needs another millisecond: `waiting_for` is worth twenty.
        """
        for _ in range(20):
            with self._lock:
                for pid, start_time in tuple(self._children.items()):
                    try:
                        ended, status = os.waitpid(pid, os.WNOHANG)
                    except ChildProcessError:
                        del self._children[pid]
                        continue
                    if ended:
                        del self._children[pid]
                        self._exit_codes[pid, start_time] = os.waitstatus_to_exitcode(status)
                if waiting_for is None:
                    return
                if self._children.get(waiting_for.pid) != waiting_for.start_time:
                    self._exit_codes.pop((waiting_for.pid, waiting_for.start_time), None)
                    return
            time.sleep(0.001)


def marker_of(step: str, folder: Path) -> str:
    """The value of PENSTOCK_STEP: the step's id, and its folder's digest, since other homes have equal ids."""
    digest = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    return f"{step}/{digest}"


def _worker_file(folder: Path) -> Path:
    return folder / "worker.json"


def _result_file(folder: Path) -> Path:
    return folder / "result.json"


def _identity(handle: Handle) -> ProcessIdentity:
    return ProcessIdentity(handle.pid, handle.start_time, handle.boot_id)


def _ends_of_processes(folder: Path) -> tuple[ProcessEnd, ...]:
    """How the processes of a step ended; none where it had but one, or where nobody saw their end."""
    try:
        records = json.loads((folder / group.RESULT).read_bytes())
        return tuple(ProcessEnd(**record) for record in records)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return ()


def _of_processes(finished: Finished, ends: tuple[ProcessEnd, ...]) -> Finished:
    """The end of a step of several processes: the signal, if any, is that of the one that failed."""
    finished = replace(finished, processes=ends)
    failed = finished.failed_process
    if failed is None or finished.reason != "exited" or failed.signal is None:
        return finished
    detail = finished.detail or f"ended by signal {failed.signal}"
    return replace(finished, signal=failed.signal, detail=detail)


def _read_json(path: Path) -> dict[str, Any] | None:  # Any: the record is JSON
    """The record, or None where the file is absent, or was cut off by a power failure."""
    try:
        record = json.loads(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    return record if isinstance(record, dict) else None


def _already_started(launch: Launch) -> Conflict:
    return Conflict(
        f"step `{launch.id}` was started in {launch.folder} before",
        hint="Adopt it to follow it; another attempt needs a folder of its own.",
    )


def _as_group(launch: Launch, grace: float) -> Launch:
    """The launch whose one command is the group (`group.py`), where several processes are asked for.

    What they are goes by the environment, as all that may be secret does: it touches neither disk nor argv.
    """
    if not launch.processes:
        return launch
    if launch.processes[0].log != launch.log:
        raise PenstockError(f"step `{launch.id}`: the log of its first process is not the step's log")
    share = max(launch.log_limit // len(launch.processes), 1)
    folder = str(launch.folder.absolute())
    settings = {"folder": folder, "grace": grace, "log_limit": share, "ports": launch.ports}
    described = {
        f"{group.PROCESS}{number}": json.dumps({**asdict(process), "log": str(process.log.absolute())})
        for number, process in enumerate(launch.processes)
    }
    boot = (str(launch.python.absolute()), "-I", "-S", "-c", _GROUP, str(Path(group.__file__).parent))
    return replace(
        launch,
        argv=(*boot, *launch.argv),
        env={**launch.env, group.SETTINGS: json.dumps(settings), **described},
        log_limit=share,
        processes=(),
    )


def _description(launch: Launch, grace: float) -> bytes:
    """The launch as `worker.Description` reads it: fields that cannot hold a NUL, separated by one."""
    if not launch.argv:
        raise PenstockError(f"step `{launch.id}` has no command")
    environment = {**launch.env, worker.MARKER: marker_of(launch.id, launch.folder)}
    wrong = [name for name in environment if not name or "=" in name]
    if wrong:
        raise PenstockError(f"step `{launch.id}`: `{wrong[0]}` cannot be the name of an environment variable")
    fields = [
        launch.id,
        str(launch.fence),
        environment[worker.MARKER],
        str(launch.folder.absolute()),
        str(launch.cwd.absolute()),
        str(launch.log.absolute()),
        "" if launch.timeout is None else repr(float(launch.timeout)),
        str(launch.log_limit),
        repr(float(grace)),
        str(len(launch.argv)),
        *launch.argv,
        *(f"{name}={value}" for name, value in environment.items()),
    ]
    return b"\0".join([worker.FORMAT, *(_as_bytes(field, launch) for field in fields), b"end"])


def _as_bytes(field: str, launch: Launch) -> bytes:
    """A field as the system takes it. A message names only what stands before `=`: the rest may be a secret."""
    try:
        encoded = os.fsencode(field)
    except UnicodeEncodeError:
        encoded = b"\0"
    if b"\0" in encoded:
        name = ascii(field.partition("=")[0])
        raise PenstockError(
            f"step `{launch.id}`: {name} holds a NUL or half a surrogate, which no command can get"
        )
    return encoded


def _exchange(child: "subprocess.Popen[bytes]", data: bytes) -> bytes:
    """Send the description, and read what the small parent says until it closes its output or has answered."""
    if child.stdin is None or child.stdout is None:
        raise AssertionError("both are pipes")
    with child.stdin as to, child.stdout as back:
        os.set_blocking(to.fileno(), False)
        output, left, deadline = b"", memoryview(data), time.monotonic() + _ANSWER_WITHIN
        poller = select.poll()
        poller.register(to.fileno(), select.POLLOUT)
        poller.register(back.fileno(), select.POLLIN)
        while time.monotonic() < deadline:
            for descriptor, _ in poller.poll(1000):
                if descriptor == back.fileno():
                    part = os.read(descriptor, 65536)
                    output += part
                    if not part or (worker.ANSWER.encode() in output and output.endswith(b"\n")):
                        return output
                    continue
                try:
                    left = left[os.write(descriptor, left) :]
                except BrokenPipeError:
                    left = left[:0]  # it ended early; its output says why
                if not left:
                    poller.unregister(descriptor)
                    to.close()
        os.kill(child.pid, signal.SIGKILL)
        return output + f"no answer within {_ANSWER_WITHIN:g} s".encode()


def _handle_from(output: bytes, launch: Launch) -> Handle:
    """The handle that the small parent's answer gives, or the error that it means."""
    text = output.decode("utf-8", "replace")
    answer = text.rpartition(worker.ANSWER + " ")[2] if worker.ANSWER in text else ""
    kind, _, rest = answer.strip().partition(" ")
    if kind == "started":
        pid, start_time, boot_id = rest.split("\t")
        return Handle(launch.id, launch.folder, int(pid), start_time, boot_id, launch.fence)
    if kind == "refused":
        raise _already_started(launch)
    if kind == "full":
        raise StorageFull(
            f"no space is left to start step `{launch.id}`",
            details=[rest],
            hint="`penstock du` shows what takes the space, `penstock gc` frees what nothing needs.",
        )
    raise PenstockError(
        f"step `{launch.id}` cannot be started: its small parent failed under {launch.python}",
        details=[line for line in (rest or text).splitlines() if line.strip()][-5:],
        hint="Any CPython from 3.7 on with its standard library can run it.",
    )
