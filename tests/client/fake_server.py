"""A small HTTP server on a unix socket whose answers a test writes down beforehand."""

import json
import socket
import socketserver
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Request:
    """What the server was asked."""

    method: str
    path: str
    query: dict[str, list[str]]
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class HangUp(Exception):
    """Raised by an answer: close the connection without one."""


Answer = Callable[[Request], tuple[int, Any]]


@dataclass
class FakeServer:
    """Answers by (method, path): a status and a JSON value, bytes, or an iterable of bytes that is sent in chunks."""

    path: Path
    answers: dict[tuple[str, str], Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.on("GET", "/api/v1/health", {"status": "ok", "version": "0.1.0", "pid": 1})
        self.start()

    def on(self, method: str, path: str, value: Any = None, status: int = 200) -> None:
        """Answer always the same."""
        self.answers[method, path] = lambda request: (status, value)

    def asked(self, method: str, path: str) -> list[Request]:
        return [request for request in self.requests if (request.method, request.path) == (method, path)]

    def start(self) -> None:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except (ConnectionError, HangUp):
                    self.close_connection = True

            def _answer(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command, parts.path, parse_qs(parts.query), self.rfile.read(size), dict(self.headers)
                )
                fake.requests.append(request)
                answer = fake.answers.get((self.command, parts.path))
                if answer is None:
                    missing = {"code": "ResourceNotFound", "message": f"nothing at {parts.path}"}
                    status, value = 404, missing
                else:
                    status, value = answer(request)
                self._send(status, value)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 (http.server's names)

            def _send(self, status: int, value: Any) -> None:
                self.send_response(status)
                if isinstance(value, Iterable) and not isinstance(value, bytes | str | dict | list | tuple):
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    for chunk in value:
                        self.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
                        self.wfile.flush()
                    self.wfile.write(b"0\r\n\r\n")
                    return
                content = (
                    value
                    if isinstance(value, bytes)
                    else b""
                    if value is None
                    else json.dumps(value).encode()
                )
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 20

            def get_request(self) -> tuple[socket.socket, Any]:
                connection, _ = super().get_request()
                return connection, ("local", 0)

        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._server = Server(str(self.path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.path.unlink(missing_ok=True)


def lines(*events: dict[str, Any]) -> Iterable[bytes]:
    """Events as the stream sends them."""
    return (json.dumps(event).encode() + b"\n" for event in events)
