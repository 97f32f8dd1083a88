"""A real HTTP server in this process, which counts what it is asked and misbehaves where told."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass
class Site:
    """Serves `files` by path. `cut_after` breaks the next answers off after so many bytes; `raw` are whole answers.

    With `hold` a path's answer stops in the middle until the event is set.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str], int]] = field(default_factory=list)
    cut_after: list[int] = field(default_factory=list)
    raw: dict[str, bytes] = field(default_factory=dict)
    hold: dict[str, threading.Event] = field(default_factory=dict)
    says_length: bool = True
    port: int = 0

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    @property
    def statuses(self) -> list[int]:
        return [status for _, _, status in self.asked]


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            if self.path in site.raw:
                site.asked.append((self.path, headers, 0))
                self.wfile.write(site.raw[self.path])
                return
            body, etag = site.files.get(self.path), site.etags.get(self.path)
            begin = 0
            if self.path in site.redirects:
                status = 302
            elif body is None:
                status = 404
            elif etag and headers.get("if-none-match") == etag:
                status = 304
            elif "range" in headers and headers.get("if-range") == etag:
                begin = int(headers["range"].removeprefix("bytes=").rstrip("-"))
                status = 206 if begin < len(body) else 416
            else:
                status = 200
            site.asked.append((self.path, headers, status))
            self.send_response(status)
            if etag:
                self.send_header("ETag", etag)
            if status == 302:
                self.send_header("Location", site.redirects[self.path])
            sent = (body or b"")[begin:] if status in (200, 206) else b""
            if status == 206:
                self.send_header("Content-Range", f"bytes {begin}-{len(body or b'') - 1}/{len(body or b'')}")
            if site.says_length:
                self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if sent and site.cut_after:
                sent = sent[: site.cut_after.pop(0)]
            held = site.hold.get(self.path)
            if held is not None:
                half = len(sent) // 2
                self.wfile.write(sent[:half])
                while not held.wait(0.01):
                    try:
                        self.wfile.write(sent[half : half + 1])  # a byte now and then
                        half += 1
                    except OSError:
                        return  # nobody listens any more
                sent = sent[half:]
            self.wfile.write(sent)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the library calls it
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()
