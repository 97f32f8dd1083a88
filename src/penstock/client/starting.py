"""Starting the embedded server on demand: one server, however many commands ask for it at once.

The order of locks: a client holds `start.lock` while it starts a server and until that answers; a server holds `server.lock`
as long as it lives. Who finds `server.lock` held waits for the server; who does not, removes what an earlier one left behind.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock import __version__
from penstock.client.connection import Address, Connection
from penstock.errors import PenstockError, ServerUnavailable, StorageFull
from penstock.settings import Home

if TYPE_CHECKING:
    import subprocess

# Seconds. A cold start reads a hundred megabytes of Python from a disk that may be slow; a stop waits for requests to end.
START_DEADLINE = 90.0
STOP_DEADLINE = 20.0
_PATIENCE = 10.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25
_LOG_LINES_SHOWN = 15
# Bytes of a line, as a guess of how far before its end the log has to be read.
_LOG_LINE_LENGTH = 400
# A log this big is put aside (as server.log.1) before the next start.
_LARGEST_LOG = 20 * 1024 * 1024

Say = Callable[[str], None]


def ensure_server(home: Home, *more: str) -> None:
    """Return when a server answers on the home's socket; ServerUnavailable says why none does.

    `more` are arguments for a server that has to be started.
    """
    make_home(home)
    with _alone(home):
        if health(home) is not None:
            return  # another client has started it while we waited
        if is_running(home):
            _await_health(home, None, 0)
            return
        _remove_stale_socket(home)
        _put_large_log_aside(home)
        log_start = home.server_log.stat().st_size if home.server_log.exists() else 0
        process = _spawn(home, *more)
        try:
            _await_health(home, process, log_start)
        finally:
            if process.returncode is None:  # it goes on without us; Popen would warn when it is dropped
                process.returncode = 0


def replace_if_outdated(home: Home, say: Say) -> None:
    """After an upgrade an older server may still run: stop it when it is idle, say so when it is not."""
    if _outdated(home) is None:
        return
    with _alone(home):
        running = _outdated(home)
        if running is None:
            return  # another client has seen to it while we waited
        busy = _busy(home)
        if busy:
            say(
                f"warning: the server that runs is version {running}, this is penstock {__version__}; it is replaced when no"
                f" job runs ({busy} now), or at once by `penstock server stop`"
            )
            return
        say(f"replacing the server: version {running} runs, this is penstock {__version__}")
        stop_server(home)


def _outdated(home: Home) -> str | None:
    """The version of a server that runs and is not of ours."""
    version = _lock_text(home).get("version")
    if version in (None, __version__) or not is_running(home):
        return None
    return str(version)


def _busy(home: Home) -> str:
    """How many jobs the server has, in words; empty where it has none."""
    connection = _short(home)
    try:
        jobs = connection.get("/api/v1/status").get("jobs", {})
    except PenstockError:
        return "an unknown number"
    finally:
        connection.close()
    count = sum(int(jobs.get(state) or 0) for state in ("running", "queued"))
    return str(count) if count else ""


def health(home: Home) -> dict[str, Any] | None:  # Any: a JSON record
    """What the server says of itself, None where none answers."""
    connection = _short(home)
    try:
        found: dict[str, Any] = connection.get("/api/v1/health")
    except PenstockError:
        return None
    finally:
        connection.close()
    return found


def is_running(home: Home) -> bool:
    """Whether a server process holds the home. It may be starting, or hang: see `health`."""
    pid = running_pid(home)
    if pid is None:
        return False
    try:
        with open(home.server_lock, "rb") as lock:
            # Only tried where the process that wrote the file lives, so that a starting server's own attempt is not disturbed.
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False


def running_pid(home: Home) -> int | None:
    """The process that wrote the lock file, if it lives. Another process may have its number by now: see `is_running`."""
    pid = _lock_text(home).get("pid")
    if not isinstance(pid, int):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return pid
    return pid


def stop_server(home: Home) -> bool:
    """Stop the server of the home: asked first, then by signal. False where none was running. Running jobs go on."""
    if not is_running(home):
        return False
    pid = running_pid(home)
    connection = _short(home)
    try:
        connection.post("/api/v1/shutdown", {})
    except PenstockError:
        # It does not listen (starting, or hanging): the signals below reach it.
        _signal(pid, 15)
    finally:
        connection.close()
    if _gone_within(home, STOP_DEADLINE):
        return True
    _signal(pid, 15)
    if _gone_within(home, STOP_DEADLINE / 4):
        return True
    _signal(pid, 9)
    if _gone_within(home, STOP_DEADLINE / 4):
        return True
    raise ServerUnavailable(
        f"the server (process {pid}) does not end", hint=f"kill -9 {pid}; see {home.server_log}"
    )


def _short(home: Home) -> Connection:
    """A connection for questions that a healthy server answers at once."""
    return Connection(Address(socket=home.socket), patience=_PATIENCE)


def command_line(*more: str) -> list[str]:
    """How a server is started. -P: a `jobs.py` or `mlflow/` in the current folder must not stand in for ours."""
    return [sys.executable, "-P", "-m", "penstock.server", *more]


def environment_of(home: Home) -> dict[str, str]:
    """The environment of a server: ours, with absolute paths, since the server runs in the home and not here."""
    environ = {**os.environ, "PENSTOCK_HOME": str(home.path)}
    entries = [entry for entry in environ.pop("PYTHONPATH", "").split(os.pathsep) if entry]
    if entries:
        environ["PYTHONPATH"] = os.pathsep.join(str(Path(entry).absolute()) for entry in entries)
    return environ


def _spawn(home: Home, *more: str) -> "subprocess.Popen[bytes]":
    import subprocess

    try:
        with open(home.server_log, "ab") as log:
            return subprocess.Popen(
                command_line(*more),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=home.path,
                env=environment_of(home),
                start_new_session=True,  # Ctrl-C in this terminal is not meant for the server
            )
    except OSError as error:
        raise _cannot(home, "start the server", error) from error


def _await_health(home: Home, process: "subprocess.Popen[bytes] | None", log_start: int) -> None:
    """Wait for the server that was started as `process`, or by somebody else. What it logs begins at `log_start`."""
    deadline = time.monotonic() + START_DEADLINE
    pause = _FIRST_PAUSE
    while health(home) is None:
        if process is not None and process.poll() is not None:
            raise _died(home, process.returncode, log_start)
        if time.monotonic() > deadline:
            pid = process.pid if process else running_pid(home)
            raise ServerUnavailable(
                f"the server (process {pid}) does not answer after {START_DEADLINE:.0f} s",
                details=("last lines of its log:", *log_tail(home, since=log_start)),
                hint="`penstock server stop` ends it; the next command starts a new one",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def _died(home: Home, code: int, log_start: int) -> PenstockError:
    lines = log_tail(home, since=log_start)
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    if any("No space left on device" in line for line in lines):
        return StorageFull(
            f"the server could not start: no space left in {home.path}",
            details=lines,
            hint="free some space, then repeat the command",
        )
    return ServerUnavailable(
        f"the server ended while it was starting ({how})",
        details=(f"last lines of {home.server_log}:", *lines),
        hint=f"`penstock server start --foreground` shows it live; the whole log: {home.server_log}",
    )


def log_tail(home: Home, lines: int = _LOG_LINES_SHOWN, *, since: int = 0) -> list[str]:
    """The last lines of the server's log, as far as they were written behind the byte `since`; fewer where lines are long."""
    try:
        with open(home.server_log, "rb") as log:
            end = log.seek(0, os.SEEK_END)
            log.seek(max(since, end - _LOG_LINE_LENGTH * lines, 0))
            text = log.read().decode("utf-8", "replace")
    except OSError as error:
        return [f"(cannot read {home.server_log}: {error.strerror})"]
    return text.splitlines()[-lines:]


def _remove_stale_socket(home: Home) -> None:
    try:
        home.socket.unlink(missing_ok=True)
    except OSError as error:
        raise _cannot(home, f"remove the stale socket {home.socket.name}", error) from error


def make_home(home: Home) -> None:
    """The folder of all state, and the one of its socket, for this user alone."""
    if home.path.exists() and not home.path.is_dir():
        raise ServerUnavailable(
            f"PENSTOCK_HOME is {home.path}, which is not a folder",
            hint="set PENSTOCK_HOME to a folder that you can write to",
        )
    try:
        home.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        if home.socket.parent != home.path:
            home.socket.parent.mkdir(exist_ok=True, mode=0o700)
            _refuse_foreign(home.socket.parent)
    except OSError as error:
        raise _cannot(home, "work", error) from error


def _refuse_foreign(folder: Path) -> None:
    """The short folder for the socket lies in a place where anybody can write: it has to be ours alone."""
    found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink() or found.st_mode & 0o077:
        raise ServerUnavailable(
            f"{folder} is not a private folder of this user",
            hint="remove it, or set PENSTOCK_HOME to a shorter path",
        )


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the start lock. Whoever holds it is starting a server, so waiting for it is waiting for that."""
    try:
        lock = open(home.start_lock, "ab")  # noqa: SIM115 (closed below; only opening it may fail in this way)
    except OSError as error:
        raise _cannot(home, "start the server", error) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _put_large_log_aside(home: Home) -> None:
    try:
        if home.server_log.stat().st_size > _LARGEST_LOG:
            home.server_log.replace(home.server_log.with_name("server.log.1"))
    except FileNotFoundError:
        return


def _lock_text(home: Home) -> dict[str, Any]:  # Any: a JSON record
    try:
        found = json.loads(home.server_lock.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        # Absent, or being written at this moment: both mean that nothing is known of a server.
        return {}
    return found if isinstance(found, dict) else {}


def _gone_within(home: Home, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while is_running(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signal(pid: int | None, number: int) -> None:
    if pid is None:
        return
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has ended by itself


def _cannot(home: Home, what: str, error: OSError) -> PenstockError:
    if error.errno == 28:  # ENOSPC
        return StorageFull(f"no space left in {home.path}", hint="free some space, then repeat the command")
    return ServerUnavailable(
        f"cannot {what} in {home.path}: {error.strerror or error}",
        hint="set PENSTOCK_HOME to a folder that you can write to",
    )
