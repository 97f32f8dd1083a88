"""MLflow's server as one supervised process on a private unix socket, started on first need.

Nothing but this room reaches it: the socket lies in a folder of mode 0700. It costs about 6 s and 250 MB once it runs,
so nothing starts it that does not need it.
"""

import fcntl
import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal

from penstock.errors import PenstockError, ServerUnavailable
from penstock.tracking import process

State = Literal["stopped", "starting", "ready", "failed"]

# A unix socket's path must fit into sockaddr_un: 104 bytes on macOS, 108 on Linux, with the closing NUL.
_LONGEST_SOCKET_PATH = 100
# Seconds. A first start migrates a fresh database; a machine under load takes several times the usual 6 s.
_START_LIMIT = 180.0
_STOP_LIMIT = 8.0
_POLL = 0.1
# Starts that may fail in a row before whoever waits is told; seconds between them double from the first to the last.
_ATTEMPTS = 3
_FIRST_DELAY, _LONGEST_DELAY = 1.0, 30.0
_LOG_LINES_IN_ERRORS = 15


class MlflowServer:
    """The one MLflow server of a home. Every method may be called from any thread."""

    def __init__(self, folder: Path, log: Path) -> None:
        self.folder = folder
        self.log = log
        self.socket = socket_in(folder)
        self._changed = threading.Condition()
        self._process: subprocess.Popen[bytes] | None = None
        self._starter: threading.Thread | None = None
        self._answers = False
        self._failures = 0
        self._reason: str | None = None
        self._closing = threading.Event()

    @property
    def state(self) -> State:
        """What it is doing right now. A server that crashed is `stopped` until it is needed again."""
        with self._changed:
            if self._starter is not None:
                return "starting"
            if self._running():
                return "ready"
            return "failed" if self._reason else "stopped"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        with self._changed:
            return self._process.pid if self._process is not None and self._process.poll() is None else None

    def ready(self) -> bool:
        """Whether it answers; asks nobody."""
        with self._changed:
            return self._starter is None and self._running()

    def has_state(self) -> bool:
        """Whether it has ever run here, so that something may be remembered."""
        return (self.folder / "mlflow.db").exists()

    def start(self) -> None:
        """See to it that the server runs, in the background; returns at once."""
        with self._changed:
            if self._starter is not None or self._running():
                return
            self._closing.clear()
            self._answers = False
            self._reason = None
            self._starter = threading.Thread(target=self._bring_up, name="mlflow-start", daemon=True)
            self._starter.start()

    def wait_ready(self, timeout: float = _START_LIMIT) -> None:
        """Start the server if need be and return when it answers; ServerUnavailable after `timeout` seconds."""
        self.start()
        with self._changed:
            self._changed.wait_for(lambda: self._starter is None, timeout)
            if self._starter is None and self._running():
                return
            reason = self._reason or f"it did not answer within {timeout:.0f} s"
        raise ServerUnavailable(
            f"MLflow's server could not be started: {reason}",
            details=self._last_lines(),
            hint=f"its log is {self.log}; the next request tries again",
        )

    def stop(self) -> None:
        """End the server and whatever it started; returns when it is gone."""
        self._closing.set()
        with self._changed:
            starter, child = self._starter, self._process
        if child is not None:
            _end_group(child)
        if starter is not None and starter is not threading.current_thread():
            starter.join(_STOP_LIMIT + 1)
            with self._changed:
                child = self._process
            if child is not None:
                _end_group(child)
        with self._changed:
            self._process, self._answers, self._reason = None, False, None
            self._changed.notify_all()

    def _running(self) -> bool:
        return self._answers and self._process is not None and self._process.poll() is None

    def _bring_up(self) -> None:
        """Start, wait until it answers, try again with growing pauses; then tell those who wait."""
        reason: str | None = None
        try:
            for _ in range(_ATTEMPTS):
                reason = self._attempt()
                if reason is None or self._closing.is_set():
                    break
        except (OSError, PenstockError) as error:
            reason = str(error)
        finally:
            with self._changed:
                self._answers = reason is None
                self._reason = reason
                self._starter = None
                self._changed.notify_all()

    def _attempt(self) -> str | None:
        """One start; None when the server answers, else why not."""
        if self._failures and self._closing.wait(
            min(_FIRST_DELAY * 2 ** (self._failures - 1), _LONGEST_DELAY)
        ):
            return "it was stopped"
        self._failures += 1
        end_left_over(self.folder)
        child = self._spawn()
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if self._closing.is_set():
                _end_group(child)
                return "it was stopped"
            code = child.poll()
            if code is not None:
                return f"its process ended with exit code {code}"
            if answers(self.socket):
                self._failures = 0
                return None
            time.sleep(_POLL)
        _end_group(child)
        return f"it did not answer within {_START_LIMIT:.0f} s"

    def _spawn(self) -> subprocess.Popen[bytes]:
        private_folder(self.folder)
        private_folder(self.socket.parent)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        # -P: the working folder must not be importable. A group of its own: stop() reaches what it started.
        command = [sys.executable, "-P", "-m", process.__name__]
        arguments = [str(self.folder), str(self.socket), str(self.log), str(os.getpid())]
        descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            child = subprocess.Popen(
                [*command, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=descriptor,
                stderr=descriptor,
                start_new_session=True,
            )
        finally:
            os.close(descriptor)
        with self._changed:
            self._process = child
        return child

    def _last_lines(self) -> tuple[str, ...]:
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ()
        return tuple(text.splitlines()[-_LOG_LINES_IN_ERRORS:])


def socket_in(folder: Path) -> Path:
    """Where the server of this folder listens: inside it, or in a short private folder where its path is too long."""
    wanted = folder / "mlflow.sock"
    if len(os.fsencode(wanted)) <= _LONGEST_SOCKET_PATH:
        return wanted
    short = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"penstock-{os.getuid()}-{short}" / "mlflow.sock"


def private_folder(folder: Path) -> None:
    """Make the folder, open to its owner only; refuse one that somebody else has put there."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or folder.is_symlink():
        raise PenstockError(
            f"{folder} belongs to another user", hint="remove it, or set TMPDIR to a folder of your own"
        )
    if found.st_mode & 0o077:
        folder.chmod(0o700)


def end_left_over(folder: Path) -> None:
    """End a server that an earlier, killed control plane left behind. Its lock tells it from an unrelated process."""
    for how in signal.SIGTERM, signal.SIGKILL:
        if _until_gone(folder, how, _STOP_LIMIT):
            return


def _until_gone(folder: Path, how: signal.Signals, limit: float) -> bool:
    holder = holder_of(folder)
    if holder is None:
        return True
    _signal(lambda: os.kill(holder, how))
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        if holder_of(folder) is None:
            return True
        time.sleep(_POLL)
    return False


def holder_of(folder: Path) -> int | None:
    """The process id of the server that works on the folder, or None."""
    try:
        descriptor = os.open(folder / "server.lock", os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 1000, 0)
        return int(json.loads(text)["pid"]) if text else None
    finally:
        os.close(descriptor)
    return None


def answers(path: Path, timeout: float = 2.0) -> bool:
    """Whether MLflow says OK on the socket."""
    connection = http.client.HTTPConnection("localhost", timeout=timeout)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.settimeout(timeout)
    try:
        connection.sock.connect(str(path))
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _end_group(child: subprocess.Popen[bytes]) -> None:
    """SIGTERM, then SIGKILL, to the server and everything that it started."""
    if child.poll() is None:
        _signal(lambda: os.killpg(child.pid, signal.SIGTERM))
        with suppress(subprocess.TimeoutExpired):
            child.wait(_STOP_LIMIT)
    _signal(lambda: os.killpg(child.pid, signal.SIGKILL))
    child.wait()


def _signal(send: Callable[[], None]) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it ended in between; macOS says EPERM for zombies
        send()
