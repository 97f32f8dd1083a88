"""The server as a process: its lock, its doors, its end."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from penstock.client.connection import Address, Connection
from penstock.client.data import Data
from penstock.client.starting import health
from penstock.resources.reading import document_from_data
from penstock.settings import Home, private_folder

DEADLINE = 60.0


@contextlib.contextmanager
def running(home: Home, *arguments: str, **variables: str) -> Iterator[subprocess.Popen[bytes]]:
    """A server process that answers; ended with SIGTERM, if it has not ended before."""
    process = start(home, *arguments, **variables)
    try:
        wait_for(home, process)
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(30)


def start(home: Home, *arguments: str, **variables: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PENSTOCK_HOME": str(home.path), **variables}
    command = [sys.executable, "-m", "penstock.server", *arguments]
    with said_by(home).open("ab") as log:
        return subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=log)


def said_by(home: Home) -> Path:
    """What the servers of a home wrote to standard error."""
    home.path.parent.mkdir(parents=True, exist_ok=True)
    return home.path.with_suffix(".stderr")


def ask(home: Home, path: str, method: str = "GET") -> httpx.Response:
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock"
    ) as client:
        return client.request(method, f"/api/v1/{path}")


def wait_for(home: Home, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE
    while health(home) is None:
        assert process.poll() is None, said_by(home).read_text()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "a home with spaces, ü")


def test_only_the_owner_may_use_the_socket(home: Home) -> None:
    """Mode 0600 on the socket, 0700 on the home, 0600 on the signing secret."""
    with running(home):
        modes = [stat.S_IMODE(path.stat().st_mode) for path in (home.socket, home.path, home.secret)]

    assert modes == [0o600, 0o700, 0o600]


def test_a_second_server_on_one_home_refuses(home: Home) -> None:
    """It says which one runs, and the first goes on."""
    with running(home) as first:
        second = start(home)

        assert second.wait(30) == 1
        assert f'"pid": {first.pid}' in said_by(home).read_text()
        assert ask(home, "health").json()["pid"] == first.pid


def test_a_killed_servers_socket_is_no_obstacle(home: Home) -> None:
    """The lock ends with the process; what lies at the socket's place is replaced."""
    with running(home) as first:
        first.kill()
        first.wait(10)
    assert home.socket.exists()

    with running(home) as second:
        assert ask(home, "health").json()["pid"] == second.pid


def test_the_loopback_port_is_the_same_after_a_restart(home: Home) -> None:
    """A step that logs to MLflow finds it again; a port that is taken meanwhile is replaced by another."""
    ports = []
    for _ in range(2):
        with running(home):
            ports.append(ask(home, "status").json()["loopback_url"])

    assert ports[0] == ports[1]


def test_sigterm_ends_the_server_in_order(home: Home) -> None:
    """Exit code 0, no socket left, and shutdown by the API does the same."""
    with running(home) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert not home.socket.exists()
    with running(home) as process:
        assert ask(home, "shutdown", "POST").status_code == 202
        assert process.wait(30) == 0


def test_a_server_that_builds_leaves_at_once_and_the_next_one_builds_again(home: Home) -> None:
    """The package index does not answer; the server that waits for it does not linger beside its successor."""
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(16)
    index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
    conda = {"dependencies": ["pip", {"pip": ["six==1.17.0"]}]}
    document = {"name": "j", "command": "true", "environment": {"image": "x", "conda_file": conda}}
    with running(home, PIP_INDEX_URL=index, UV_INDEX_URL=index, UV_DEFAULT_INDEX=index) as process:
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock"
        ) as owner:
            answer = owner.post("/api/v1/workspaces/default/jobs", json={"document": document})
            assert answer.status_code == 201, answer.text
        silent.settimeout(DEADLINE)
        connection, _ = silent.accept()  # the build has asked for its first package

        process.terminate()

        assert process.wait(20) == 0
    connection.close()
    silent.close()
    with running(home):
        assert ask(home, "workspaces/default/jobs/j").json()["status"] != "NotStarted", "the job is not lost"


def test_a_long_home_has_a_short_socket(tmp_path: Path) -> None:
    """A unix socket's path has room for a hundred bytes; a home may be deeper."""
    home = Home(tmp_path / ("long-" * 20) / ("path-" * 20))
    with running(home):
        assert len(str(home.socket)) < 104
        assert stat.S_IMODE(home.socket.parent.stat().st_mode) == 0o700


def test_a_stopped_server_leaves_nothing_outside_its_home(tmp_path: Path) -> None:
    """A home that is deep, with a blank in it: what had to have a short and plain path is gone too."""
    home = Home(tmp_path / ("long-" * 20) / "a blank")
    short = private_folder(home.path)
    with running(home):
        assert (short / "home").is_symlink()
        assert home.socket.parent == short

    assert not short.exists()


def test_tcp_takes_nobody_without_a_token(home: Home) -> None:
    """`server start --host --port` is the same API, and every request needs a token."""
    with running(home, "--host", "127.0.0.1"):
        url = ask(home, "status").json()["loopback_url"]
        path = f"{url}/api/v1/workspaces/default/jobs"
        with httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock"
        ) as owner:
            token = owner.post("/api/v1/workspaces/default/tokens", json={}).json()["token"]

        assert httpx.get(path).status_code == 401
        assert httpx.get(path, headers={"Authorization": "Bearer nonsense"}).status_code == 401
        assert httpx.get(path, headers={"Authorization": f"Bearer {token}"}).json() == []
        typo = httpx.get(f"{url}/mlflow/typo/", headers={"Authorization": f"Bearer {token}"})
        assert typo.status_code in (403, 404), "a workspace is not made by asking for it"
        other = path.replace("default", "other")
        assert httpx.get(other, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_an_unused_server_leaves_where_the_setting_says_so(home: Home) -> None:
    """PENSTOCK_IDLE_MINUTES: no request and no open job for that long."""
    process = start(home, PENSTOCK_IDLE_MINUTES="0.001")

    assert process.wait(DEADLINE) == 0


def test_the_lock_says_who_holds_it(home: Home) -> None:
    """A client reads it to find out which version runs."""
    with running(home) as process:
        facts = json.loads(home.server_lock.read_text())

    assert facts["pid"] == process.pid
    assert facts["version"]


@pytest.mark.slow
def test_a_step_reaches_a_home_with_blanks_by_a_plain_path(home: Home) -> None:
    """Commands name inputs and outputs without quotes, as they may in the cloud."""
    document = {
        "name": "j",
        "command": "echo x > ${{outputs.o}} && cat ${{outputs.o}}",
        "environment": {"image": "python:3.11"},
        "outputs": {"o": {"type": "uri_file"}},
    }
    assert " " in str(home.path)
    with (
        running(home),
        httpx.Client(
            transport=httpx.HTTPTransport(uds=str(home.socket)), base_url="http://penstock"
        ) as owner,
    ):
        owner.post("/api/v1/workspaces/default/jobs", json={"document": document})
        deadline = time.monotonic() + DEADLINE
        while (job := owner.get("/api/v1/workspaces/default/jobs/j").json())["status"] not in (
            "Completed",
            "Failed",
        ):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    assert job["status"] == "Completed", job["error"]


@pytest.mark.slow
def test_facts_of_data_that_a_killed_server_was_counting_are_counted_by_the_next(
    home: Home, tmp_path: Path
) -> None:
    """The process that counted ends with the server, and the version says that its facts are pending until they are there."""
    rows = 8_000_000
    (tmp_path / "t.csv").write_bytes(b"a,b\n" + b"1,second\n" * rows)

    with running(home) as process:
        connection = Connection(Address(socket=home.socket))
        data = Data(connection, "/api/v1/workspaces/default", "data", lambda text: None)
        document = {"name": "d", "type": "uri_file", "path": str(tmp_path / "t.csv")}
        made = data.create(document_from_data("data", document, base=tmp_path))
        process.kill()
        process.wait(30)
    assert made.record["facts"] == "pending"
    assert [warning.code for warning in made.warnings] == ["note"]

    with running(home):
        deadline = time.monotonic() + DEADLINE
        while "facts" in (found := data.show("d", version="1")) and time.monotonic() < deadline:
            time.sleep(0.1)
        connection.close()
    assert found["row_count"] == rows
    assert [each["name"] for each in found["schema"]] == ["a", "b"]
