"""The MLflow server's process: one, supervised, gone with whoever started it."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from penstock.errors import PenstockError, ServerUnavailable
from penstock.tracking import server as server_module
from penstock.tracking.process import cut_log
from penstock.tracking.server import MlflowServer, answers, holder_of, private_folder, socket_in

LIMIT = 60.0


def _until(condition: Callable[[], bool], limit: float = LIMIT) -> bool:
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return (
        "Z" not in Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        if Path("/proc").exists()
        else True
    )


@pytest.fixture
def server(tmp_path: Path) -> Iterator[MlflowServer]:
    """A server of its own, for tests that hurt it."""
    mine = MlflowServer(tmp_path / "mlflow", tmp_path / "mlflow.log")
    yield mine
    mine.stop()


@pytest.mark.slow
def test_a_server_starts_once_for_many_who_need_it(server: MlflowServer) -> None:
    """Starting returns at once; eight threads wait for one process."""
    assert server.state == "stopped"
    server.start()
    assert server.state == "starting"
    threads = [threading.Thread(target=server.wait_ready) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT)

    assert server.ready()
    assert server.state == "ready"
    assert holder_of(server.folder) == server.pid


@pytest.mark.slow
def test_only_its_owner_reaches_the_server(server: MlflowServer) -> None:
    """Folder 0700, socket and database 0600."""
    server.wait_ready(LIMIT)

    assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
    assert {"mlflow.db", "mlflow.db-wal", "mlflow.sock"} <= {path.name for path in server.folder.iterdir()}
    for path in server.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE(server.log.stat().st_mode) == 0o600


@pytest.mark.slow
def test_a_crashed_server_is_started_again_when_needed(server: MlflowServer) -> None:
    """And keeps what it had."""
    server.wait_ready(LIMIT)
    first = server.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert _until(lambda: server.state == "stopped")

    server.wait_ready(LIMIT)

    assert server.pid != first
    assert answers(server.socket)


@pytest.mark.slow
def test_a_stopped_server_is_gone(server: MlflowServer) -> None:
    """With its lock; it can be started again."""
    server.wait_ready(LIMIT)
    pid = server.pid
    assert pid is not None

    server.stop()

    assert not _alive(pid)
    assert (server.state, server.pid, holder_of(server.folder)) == ("stopped", None, None)
    server.stop()


@pytest.mark.slow
def test_stopping_a_server_that_is_starting_ends_it(server: MlflowServer) -> None:
    """Nothing is left half-started."""
    server.start()
    assert _until(lambda: server.pid is not None)
    pid = server.pid
    assert pid is not None

    server.stop()

    assert not _alive(pid)
    assert server.state == "stopped"


_CONTROL_PLANE = """
import sys, time
from pathlib import Path
from penstock.tracking.server import MlflowServer
server = MlflowServer(Path(sys.argv[1]), Path(sys.argv[2]))
server.wait_ready()
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.slow
def test_reliability_18_a_killed_control_plane_leaves_no_mlflow_behind(tmp_path: Path) -> None:
    """kill -9 of the parent ends the child within seconds."""
    arguments = [sys.executable, "-c", _CONTROL_PLANE, str(tmp_path / "m"), str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert _alive(child)

        parent.kill()

    assert _until(lambda: not _alive(child))


@pytest.mark.slow
def test_reliability_18_a_new_control_plane_takes_over_from_a_killed_one(
    tmp_path: Path, server: MlflowServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once, while the old MLflow still runs: never two on one database."""
    monkeypatch.setattr(server_module, "_STOP_LIMIT", 1.0)
    arguments = [sys.executable, "-c", _CONTROL_PLANE, str(server.folder), str(tmp_path / "log")]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        old = int(parent.stdout.readline())
        os.kill(old, signal.SIGSTOP)  # it cannot notice, as if the machine were very busy
        parent.kill()

    server.wait_ready(LIMIT)

    assert not _alive(old)
    assert holder_of(server.folder) == server.pid != old


@pytest.mark.slow
def test_a_server_in_a_home_with_a_long_path_works(tmp_path: Path) -> None:
    """A unix socket's path may have a hundred characters; the socket then lies in a short private folder."""
    folder = tmp_path / ("long" * 30) / "mlflow"
    mine = MlflowServer(folder, tmp_path / "log")
    try:
        mine.wait_ready(LIMIT)

        assert not mine.socket.is_relative_to(folder)
        assert stat.S_IMODE(mine.socket.parent.stat().st_mode) == 0o700
    finally:
        mine.stop()


@pytest.mark.slow
def test_a_stale_socket_is_in_nobodys_way(server: MlflowServer) -> None:
    """A crash leaves it behind."""
    server.folder.mkdir()
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(server.socket))

    server.wait_ready(LIMIT)

    assert answers(server.socket)


@pytest.mark.slow
def test_a_server_that_cannot_start_says_why(server: MlflowServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few tries, with its last words; later it tries again."""
    monkeypatch.setattr(server_module, "_FIRST_DELAY", 0.01)
    monkeypatch.setattr(server_module, "_ATTEMPTS", 2)
    server.folder.mkdir()
    (server.folder / "mlflow.db").write_bytes(b"this is not a database" * 100)

    with pytest.raises(ServerUnavailable, match="its process ended with exit code") as raised:
        server.wait_ready(LIMIT)

    assert any("not a database" in line for line in raised.value.details)
    assert str(server.log) in (raised.value.hint or "")
    assert server.state == "failed"
    (server.folder / "mlflow.db").unlink()
    server.wait_ready(LIMIT)
    assert server.ready()


def test_a_socket_lies_in_its_folder_where_the_path_is_short(tmp_path: Path) -> None:
    """Two homes never share one."""
    long = [tmp_path / ("x" * 100) / name for name in ("a", "b")]

    assert socket_in(Path("/h/mlflow")) == Path("/h/mlflow/mlflow.sock")
    assert socket_in(long[0]) != socket_in(long[1])
    assert all(len(str(socket_in(folder))) < 104 for folder in long)


def test_a_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """In a shared temporary folder somebody else may have put it there."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")

    with pytest.raises(PenstockError, match="belongs to another user"):
        private_folder(tmp_path / "link")


def test_a_log_keeps_its_newest_part(tmp_path: Path) -> None:
    """Writers that append go on as if nothing had happened."""
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        for number in range(1000):
            writer.write(f"line {number}\n".encode())
        cut_log(log, longest=4000)
        writer.write(b"after\n")

    lines = log.read_text().splitlines()
    assert lines[0] == "... older lines were cut ..."
    assert lines[-2:] == ["line 999", "after"]
    assert lines[1].startswith("line ")
    assert log.stat().st_size < 1100


def test_a_short_log_stays_as_it_is(tmp_path: Path) -> None:
    """And an absent one is no error."""
    (tmp_path / "log").write_text("one\n")

    cut_log(tmp_path / "log", longest=4000)
    cut_log(tmp_path / "none", longest=4000)

    assert (tmp_path / "log").read_text() == "one\n"


def test_nobody_holds_a_folder_that_is_free(tmp_path: Path) -> None:
    """Neither without a lock file nor with one that a dead process left."""
    assert holder_of(tmp_path) is None
    (tmp_path / "server.lock").write_text(json.dumps({"pid": 1}))
    assert holder_of(tmp_path) is None


def test_a_socket_that_nobody_serves_does_not_answer(tmp_path: Path) -> None:
    """Absent, stale, or silent."""
    assert not answers(tmp_path / "none")
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(tmp_path / "s"))
        assert not answers(tmp_path / "s")
        silent.listen()
        assert not answers(tmp_path / "s", timeout=0.1)
