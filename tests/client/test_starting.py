"""One embedded server, however many commands ask for it, and a clear word where none can be had."""

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from penstock.client import starting
from penstock.client.client import Client
from penstock.client.connection import Address, Connection
from penstock.errors import ServerUnavailable, StorageFull
from penstock.settings import Home

# A server as far as starting is concerned: it takes the lock, listens, answers health, status and shutdown.
_SERVER = """
import fcntl, json, os, signal, socketserver, sys, threading
from http.server import BaseHTTPRequestHandler
home, version, running = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(os.path.join(home, "starts"), "a") as starts:
    starts.write("%d\\n" % os.getpid())
lock = open(os.path.join(home, "server.lock"), "a+")
fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
lock.truncate(0)
lock.write(json.dumps({"pid": os.getpid(), "version": version}))
lock.flush()
class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *_): pass
    def do_GET(self): self.answer({"pid": os.getpid(), "version": version, "jobs": {"running": running, "queued": 0}})
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer({})
        threading.Thread(target=server.shutdown).start()
    def answer(self, value):
        content = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    def get_request(self): return super().get_request()[0], ("local", 0)
server = Server(os.path.join(home, "server.sock"), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever(0.02)
os.unlink(os.path.join(home, "server.sock"))
"""

Use = Callable[..., None]


@pytest.fixture
def home(clean_environment: Path) -> Iterator[Home]:
    home = Home.from_environment()
    yield home
    starting.stop_server(home)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch, home: Home) -> Use:
    """Let the server be the small one above, or any other script."""

    def use(version: str = starting.__version__, running: int = 0, script: str = _SERVER) -> None:
        command = [sys.executable, "-S", "-c", script, str(home.path), version, str(running)]
        monkeypatch.setattr(starting, "command_line", lambda *more: command)

    return use


def status(home: Home, say: Callable[[str], None] = lambda text: None) -> dict[str, Any]:
    with Client.connect(home=home, say=say) as client:
        return client.server.status()


def starts(home: Home) -> list[int]:
    return [int(line) for line in (home.path / "starts").read_text().split()]


def test_the_first_command_starts_the_server(home: Home, use: Use) -> None:
    """And the second finds it."""
    use()

    first = status(home)
    second = status(home)

    assert first["pid"] == second["pid"]
    assert starts(home) == [first["pid"]]
    assert home.path.stat().st_mode & 0o777 == 0o700


def test_many_clients_at_once_start_one_server(home: Home, use: Use) -> None:
    """Whoever comes second waits for the first one's server."""
    use()
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(status(home)["pid"])) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert len(starts(home)) == 1


def test_a_stale_socket_of_a_killed_server_is_removed(home: Home, use: Use) -> None:
    """kill -9 leaves the socket and the lock file behind; the next command starts anew."""
    use()
    pid = status(home)["pid"]
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert home.socket.exists()

    again = status(home)["pid"]

    assert again != pid
    assert starts(home) == [pid, again]


def test_a_server_that_dies_while_starting_shows_its_last_words(home: Home, use: Use) -> None:
    """Not those of an earlier start."""
    home.path.mkdir(parents=True)
    home.server_log.write_text("old words\n")
    use(script="import sys; print('cannot open the database', file=sys.stderr); sys.exit(7)")

    with pytest.raises(ServerUnavailable, match="exit code 7") as caught:
        status(home)

    assert "cannot open the database" in "\n".join(caught.value.details)
    assert "old words" not in "\n".join(caught.value.details)
    assert "server.log" in str(caught.value.hint)


def test_a_full_disk_is_said_as_such(home: Home, use: Use) -> None:
    """ENOSPC in the server's last words becomes a StorageFull."""
    use(
        script="import sys; print('OSError: [Errno 28] No space left on device', file=sys.stderr); sys.exit(1)"
    )

    with pytest.raises(StorageFull):
        status(home)


def test_a_home_that_cannot_be_written_is_named(clean_environment: Path) -> None:
    """A file where the folder should be."""
    clean_environment.parent.mkdir(exist_ok=True)
    clean_environment.write_text("a file")

    with pytest.raises(ServerUnavailable, match="which is not a folder") as caught:
        status(Home(clean_environment))

    assert "PENSTOCK_HOME" in str(caught.value.hint)
    clean_environment.unlink()


def test_stopping_ends_the_server_and_says_whether_there_was_one(home: Home, use: Use) -> None:
    """Twice is no error."""
    use()
    status(home)

    assert starting.stop_server(home) is True
    assert starting.stop_server(home) is False
    assert starting.health(home) is None


def test_a_server_that_hangs_is_ended_by_signal(
    home: Home, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that holds the home, does not listen and ignores SIGTERM."""
    script = _SERVER.split("class Handler")[0] + (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(os.path.join(home, 'hangs'), 'w').close()\n"
        "signal.pause()\n"
    )
    use(script=script)
    monkeypatch.setattr(starting, "START_DEADLINE", 0.3)
    monkeypatch.setattr(starting, "STOP_DEADLINE", 0.4)

    with pytest.raises(ServerUnavailable, match="does not answer") as caught:
        starting.ensure_server(home)
    _wait_for(home.path / "hangs")

    assert "penstock server stop" in str(caught.value.hint)
    assert starting.is_running(home)
    reaper = threading.Thread(target=os.waitpid, args=(starting.running_pid(home), 0))
    reaper.start()
    assert starting.stop_server(home) is True
    reaper.join()


def test_an_idle_server_of_another_version_is_replaced(home: Home, use: Use) -> None:
    """After an upgrade the next command runs the new server, and says so."""
    use(version="0.0.1")
    old = status(home)["pid"]
    use()
    said: list[str] = []
    reaper = threading.Thread(target=os.waitpid, args=(old, 0))
    reaper.start()

    new = status(home, said.append)
    reaper.join()

    assert new["pid"] != old
    assert "version 0.0.1" in said[0]


def test_a_busy_server_of_another_version_is_left_alone_and_named(home: Home, use: Use) -> None:
    """Jobs that run are worth more than a fresh server."""
    use(version="0.0.1", running=2)
    old = status(home)["pid"]
    use()
    said: list[str] = []

    pid = status(home, said.append)["pid"]

    assert pid == old
    assert "penstock server stop" in said[0]


def test_a_modules_name_in_the_current_folder_is_no_part_of_the_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A project with its own `jobs.py` or `mlflow/` must not change what the server is made of."""
    monkeypatch.setenv("PYTHONPATH", f"src{os.pathsep}{os.pathsep}/opt/lib")
    home = Home(Path("/home/somebody/.penstock"))

    environ = starting.environment_of(home)

    assert starting.command_line("--port", "1")[1:] == ["-P", "-m", "penstock.server", "--port", "1"]
    assert environ["PYTHONPATH"].split(os.pathsep) == [str(Path("src").absolute()), "/opt/lib"]
    assert environ["PENSTOCK_HOME"] == str(home.path)


def test_a_large_log_is_put_aside(home: Home, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not grow for ever."""
    home.path.mkdir(parents=True)
    home.server_log.write_text("x" * 100)
    monkeypatch.setattr(starting, "_LARGEST_LOG", 50)
    use()

    starting.ensure_server(home)

    assert (home.path / "server.log.1").read_text() == "x" * 100
    assert home.server_log.read_text() == ""


def test_a_short_socket_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lies in /tmp: whoever made it first could listen in."""
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path))
    home = Home(tmp_path / ("long" * 30))
    home.socket.parent.mkdir(mode=0o755)

    with pytest.raises(ServerUnavailable, match="not a private folder"):
        starting.ensure_server(home)


def test_the_lock_files_words_are_not_believed_without_the_lock(home: Home) -> None:
    """A process number that lives on in another program is no server."""
    home.path.mkdir(parents=True)
    home.server_lock.write_text(json.dumps({"pid": os.getpid(), "version": "0.0.1"}))

    assert starting.running_pid(home) == os.getpid()
    assert not starting.is_running(home)
    with pytest.raises(ServerUnavailable):
        Connection(Address(socket=home.socket)).get("/api/v1/health")


def _wait_for(path: Path) -> None:
    import time

    deadline = time.monotonic() + 10
    while not path.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
