"""Requests, errors, and what happens when the server goes away under them."""

import io
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from penstock.client.client import Client
from penstock.client.connection import Address, Connection, escaped
from penstock.errors import (
    AlreadyExists,
    InvalidDocument,
    NotFound,
    PenstockError,
    Problem,
    ServerUnavailable,
    StorageFull,
    UsageError,
)
from penstock.settings import Home
from tests.client.fake_server import FakeServer, HangUp, Request


def test_an_answer_is_its_json_value(fake: FakeServer, client: Client) -> None:
    """A GET gives what the server sent."""
    fake.on("GET", "/api/v1/status", {"pid": 7})

    assert client.server.status() == {"pid": 7}


@pytest.mark.parametrize(
    "error", [NotFound("gone", hint="look"), AlreadyExists("twice", details=["a"]), StorageFull("full")]
)
def test_the_servers_errors_come_back_as_themselves(
    fake: FakeServer, client: Client, error: PenstockError
) -> None:
    """Type, message, details and hint survive the socket."""
    fake.on("GET", "/api/v1/status", error.as_record(), error.status)

    with pytest.raises(type(error)) as caught:
        client.server.status()

    assert caught.value.as_record() == error.as_record()


def test_all_problems_of_a_document_come_back(fake: FakeServer, client: Client) -> None:
    """A refused document keeps its pointers."""
    error = InvalidDocument([Problem("/a", "wrong"), Problem("/b/0", "wrong too", expected="a number")])
    fake.on("GET", "/api/v1/status", error.as_record(), 422)

    with pytest.raises(InvalidDocument) as caught:
        client.server.status()

    assert caught.value.problems == error.problems


def test_an_error_that_is_not_ours_is_told_with_its_status(fake: FakeServer, client: Client) -> None:
    """A proxy's page, for example."""
    fake.on("GET", "/api/v1/status", b"<html>bad gateway</html>", 502)

    with pytest.raises(PenstockError, match="502") as caught:
        client.server.status()

    assert "bad gateway" in caught.value.details[0]


def test_what_answers_and_is_no_penstock_server_is_said(fake: FakeServer, client: Client) -> None:
    """Success with something that is not JSON."""
    fake.on("GET", "/api/v1/status", b"hello")

    with pytest.raises(ServerUnavailable, match="not a penstock server"):
        client.server.status()


def test_a_get_is_repeated_where_the_server_went_away_under_it(fake: FakeServer, client: Client) -> None:
    """A restart between request and answer is not the user's business."""

    def first_hangs_up(request: Request) -> tuple[int, Any]:
        if len(fake.asked("GET", "/api/v1/status")) == 1:
            raise HangUp
        return 200, {"pid": 8}

    fake.answers["GET", "/api/v1/status"] = first_hangs_up

    assert client.server.status() == {"pid": 8}


def test_a_post_is_never_repeated(fake: FakeServer, client: Client) -> None:
    """It may have been done: the user is told to look."""

    def hang_up(request: Request) -> tuple[int, Any]:
        raise HangUp

    fake.answers["POST", "/api/v1/gc"] = hang_up

    with pytest.raises(ServerUnavailable, match="may or may not") as caught:
        client.server.collect_garbage(dry_run=True, older_than_days=1)

    assert len(fake.asked("POST", "/api/v1/gc")) == 1
    assert "look before you repeat" in str(caught.value.hint)


def test_a_connection_that_was_closed_while_idle_is_replaced(fake: FakeServer, client: Client) -> None:
    """Keep-alive must not turn a restarted server into an error."""
    fake.on("GET", "/api/v1/status", {"pid": 1})
    client.server.status()
    fake.stop()
    fake.start()

    assert client.server.status() == {"pid": 1}


def test_several_requests_share_a_connection(fake: FakeServer, client: Client) -> None:
    """A thousand small files are not a thousand connections."""
    fake.on("PUT", "/api/v1/blobs/d", None, 201)

    for _ in range(3):
        client.connection.upload("/api/v1/blobs/d", b"x", 1)

    assert client.connection._idle is not None
    assert [request.body for request in fake.asked("PUT", "/api/v1/blobs/d")] == [b"x"] * 3


def test_a_refused_upload_tells_why_though_the_server_hangs_up(home: Home) -> None:
    """A full disk answers before it has read the body: the answer counts, not the broken pipe."""
    import socket

    home.socket.parent.mkdir(parents=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(home.socket))
    listener.listen()
    body = b'{"code":"StorageFull","message":"no space left"}'

    def refuse() -> None:
        peer, _ = listener.accept()
        peer.recv(1024)
        peer.sendall(b"HTTP/1.1 507 x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        peer.shutdown(socket.SHUT_RD)
        peer.close()

    thread = threading.Thread(target=refuse)
    thread.start()
    size = 20_000_000
    with pytest.raises((StorageFull, ServerUnavailable)) as caught:
        Connection(Address(socket=home.socket)).upload("/api/v1/blobs/d", io.BytesIO(bytes(size)), size)
    thread.join()
    listener.close()

    assert isinstance(caught.value, StorageFull)


def test_no_server_and_no_way_to_start_one_names_the_place(home: Home) -> None:
    """The error says where it looked."""
    with pytest.raises(ServerUnavailable, match="no server answers") as caught:
        Connection(Address(socket=home.socket)).get("/api/v1/status")

    assert str(home.socket) in caught.value.message


def test_a_server_that_does_not_answer_is_given_up(fake: FakeServer, home: Home) -> None:
    """Patience is a number."""
    waiting = threading.Event()

    def wait(request: Request) -> tuple[int, Any]:
        waiting.wait(10)
        raise HangUp

    fake.answers["GET", "/api/v1/status"] = wait
    with pytest.raises(ServerUnavailable, match="did not answer within"):
        Connection(Address(socket=home.socket), patience=0.05).get("/api/v1/status")
    waiting.set()


@pytest.mark.parametrize("url", ["penstock.example", "ftp://penstock.example", "http://"])
def test_a_server_address_that_is_none_is_a_usage_error(url: str) -> None:
    """Said before anything is sent."""
    with pytest.raises(UsageError, match="PENSTOCK_SERVER"):
        Connection(Address(url=url)).get("/api/v1/status")


def test_a_team_server_gets_the_token_and_is_never_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """PENSTOCK_SERVER and PENSTOCK_TOKEN make the client speak TCP."""
    seen: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.update(self.headers)
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"[]")

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    monkeypatch.setenv("PENSTOCK_SERVER", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("PENSTOCK_TOKEN", "secret")
    monkeypatch.setenv("PENSTOCK_URL_MAP", "/a/file/of/this/machine.yml")
    client = Client.connect(settings={"environments": {"relax": True}})

    assert client.workspaces.list() == []
    assert seen["Authorization"] == "Bearer secret"
    assert json.loads(seen["Penstock-Settings"]) == {"environments": {"relax": True}}
    client.connection.close()
    server.shutdown()
    server.server_close()
    thread.join()
    with pytest.raises(ServerUnavailable, match="no server answers at http"):
        Client.connect().workspaces.list()


@pytest.mark.parametrize("name", ["../x", "a/b", "a?b", "a#b", "..", "a%2fb", "ü\n"])
def test_a_name_never_becomes_another_path(fake: FakeServer, client: Client, name: str) -> None:
    """One segment stays one segment, whatever is in it."""
    with pytest.raises(NotFound):
        client.jobs.show(name)

    assert fake.requests[-1].path.count("/") == "/api/v1/workspaces/demo/jobs/name".count("/")
    assert "/" not in escaped(name)


def test_debug_shows_requests(fake: FakeServer, home: Home) -> None:
    """`trace` gets a line per request."""
    fake.on("GET", "/api/v1/status", {})
    said: list[str] = []

    client = Client.connect(home=home, trace=said.append)
    client.server.status()
    client.connection.close()

    assert len(said) == 1
    assert said[0].startswith("GET /api/v1/status -> 200 in ")


def test_nothing_is_sent_or_started_before_a_verb(home: Home) -> None:
    """Making a client is free."""
    client = Client.connect(home=home)

    assert (client.jobs, client.models, client.computes) is not None
    assert not Path(home.path).exists()


def test_a_flag_counts_before_the_variable_and_only_for_its_request(
    client: Client, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who wins is worked out before anything is sent, and the next request is as it was."""
    monkeypatch.setenv("PENSTOCK_RELAX", "0")
    monkeypatch.setenv("PENSTOCK_CONDA_PACKAGES", "conda")
    fake.on("GET", "/api/v1/status", {})

    with client.connection.relaxing(True):
        client.connection.get("/api/v1/status")
    client.connection.get("/api/v1/status")

    said = [json.loads(each.headers["Penstock-Settings"]) for each in fake.asked("GET", "/api/v1/status")]
    assert [each["environments"]["relax"] for each in said] == [True, False]
    assert [each["environments"]["conda_packages"] for each in said] == ["conda", "conda"]


def test_nothing_is_asked_under_a_variable_that_means_nothing(
    client: Client, fake: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names it."""
    monkeypatch.setenv("PENSTOCK_RELAX", "maybe")

    with pytest.raises(PenstockError, match="PENSTOCK_RELAX is `maybe`"):
        client.connection.get("/api/v1/status")

    assert fake.asked("GET", "/api/v1/status") == []
