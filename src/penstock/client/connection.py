"""One conversation with the server: JSON over HTTP/1.1, on a unix socket or to a URL.

Errors come back as the server's own (`error_from_record`). A connection is kept between requests and belongs to one thread.
A request that changes nothing when it is repeated (GET, PUT, DELETE) is repeated once where the server went away under it;
a POST never is.
"""

import http.client
import json
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote, urlencode, urlsplit

from penstock.errors import PenstockError, ServerUnavailable, UsageError, error_from_record
from penstock.settings import WORKSPACE_SETTINGS, merged_settings, workspace_settings

# Any in this module: a JSON value.

# Seconds that an answer may take. On the unix socket a dead server closes the connection, so there is no hurry to give up.
_ANSWER_TIMEOUT = 600.0
_CONNECT_TIMEOUT = 15.0
_CHUNK = 64 * 1024
_REPEATABLE = frozenset(("GET", "PUT", "DELETE"))
# What a server looks like that has gone away while it was talked to.
_GONE = (ConnectionError, http.client.HTTPException)


@dataclass(frozen=True)
class Address:
    """Where the server is: `socket` for the embedded one, `url` (with a token) for a team's."""

    socket: Path | None = None
    url: str = ""
    token: str = ""

    def __str__(self) -> str:
        return self.url or str(self.socket)


@dataclass(frozen=True)
class Answer:
    """A status and the JSON value that came with it (None for an empty body)."""

    status: int
    value: Any

    def checked(self) -> Any:
        """The value of a success; the error that the server answered with, raised, otherwise."""
        if self.status < 400:
            return self.value
        if isinstance(self.value, Mapping) and "code" in self.value:
            raise error_from_record(self.value)
        raise PenstockError(
            f"the server answered with status {self.status}", details=(str(self.value)[:500],)
        )


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("penstock", timeout=_CONNECT_TIMEOUT)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class Body:
    """The body of an answer while it arrives. A server that goes away in the middle of it is a ServerUnavailable."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self._response = response

    def read(self, size: int | None = None) -> bytes:
        """At most `size` bytes, all that are left without it; empty at the end."""
        return self._guarded(lambda: self._response.read(size))

    def lines(self) -> Iterator[bytes]:
        """The lines as they arrive, without their ends; empty ones (they keep a connection alive) are left out."""
        rest = b""
        while chunk := self._guarded(lambda: self._response.read1(_CHUNK)):
            *lines, rest = (rest + chunk).split(b"\n")
            yield from (line for line in lines if line.strip())
        if rest.strip():
            yield rest

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            return read()
        except (*_GONE, TimeoutError) as error:
            raise ServerUnavailable(
                "the server went away in the middle of its answer",
                details=(_words(error),),
                hint=_WHERE_TO_LOOK,
            ) from error


class Connection:
    """Requests to one server. `revive` is called where nobody answers; it starts the server, or raises the reason why not.

    `settings` are those of a workspace that whoever asks overrides (by flags, say), before their variables do.
    """

    def __init__(
        self,
        address: Address,
        *,
        revive: Callable[[], None] | None = None,
        trace: Callable[[str], None] | None = None,
        patience: float = _ANSWER_TIMEOUT,
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        self.address = address
        self.settings = dict(settings or {})
        self._patience = patience
        self._revive = revive
        self._trace = trace
        self._idle: http.client.HTTPConnection | None = None

    def get(self, path: str, query: Mapping[str, object] | None = None) -> Any:
        return self.request("GET", path, query=query)

    def post(self, path: str, body: object) -> Any:
        return self.request("POST", path, body=body)

    def request(
        self, method: str, path: str, *, query: Mapping[str, object] | None = None, body: object = None
    ) -> Any:
        """The JSON value of a successful answer; the server's error, raised, otherwise."""
        return self.exchange(method, path, query=query, body=body).checked()

    def exchange(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        body: object = None,
    ) -> Answer:
        """Like `request`, for callers that have something to do about an answer that is not success."""
        content, headers = (None, {}) if body is None else _json_content(body)
        with self._asked(method, path, query, content, headers) as response:
            return Answer(response.status, _json_of(Body(response).read(), response))

    def upload(self, path: str, content: IO[bytes] | bytes, size: int) -> None:
        """PUT raw bytes. The content is read from its start each time it is sent."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._asked("PUT", path, None, content, headers) as response:
            Answer(response.status, _json_of(Body(response).read(), response)).checked()

    @contextmanager
    def download(
        self, path: str, query: Mapping[str, object] | None = None, *, body: object = None
    ) -> Iterator[Body]:
        """A GET, or with a `body` a POST, whose answer the caller reads, as far as it likes."""
        method, content, headers = ("GET", None, {}) if body is None else ("POST", *_json_content(body))
        with self._asked(method, path, query, content, headers) as response:
            if response.status >= 400:
                Answer(response.status, _json_of(Body(response).read(), response)).checked()
            yield Body(response)

    @contextmanager
    def relaxing(self, relax: bool | None) -> Iterator[None]:
        """Requests in between say whether environments may be relaxed; None: as without it."""
        before = self.settings
        if relax is not None:
            self.settings = merged_settings(before, {"environments": {"relax": relax}})
        try:
            yield
        finally:
            self.settings = before

    @property
    def relaxes(self) -> bool:
        """Whether a flag or a variable lets environments be relaxed; the workspace's settings may do so too."""
        settings = merged_settings(workspace_settings(), self.settings)
        return bool(settings.get("environments", {}).get("relax"))

    def _said(self) -> dict[str, str]:
        """The header with the settings that are overridden. Raises PenstockError for a variable that means nothing."""
        settings = merged_settings(workspace_settings(), self.settings)
        if self.address.socket is None:  # paths of this machine mean nothing to another one
            settings = {name: value for name, value in settings.items() if name not in WORKSPACE_SETTINGS}
        return {"Penstock-Settings": json.dumps(settings)} if settings else {}

    def close(self) -> None:
        """Give the kept connection back."""
        if self._idle is not None:
            self._idle.close()
            self._idle = None

    @contextmanager
    def _asked(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None,
        content: IO[bytes] | bytes | None,
        headers: Mapping[str, str],
    ) -> Iterator[http.client.HTTPResponse]:
        target = path + _query_text(query)
        started = time.monotonic()
        link, response = self._ask(method, target, content, {**headers, **self._said()})
        if self._trace:
            self._trace(
                f"{method} {target} -> {response.status} in {(time.monotonic() - started) * 1000:.1f} ms"
            )
        try:
            yield response
        finally:
            # Only a connection whose answer was read to its end can carry another request.
            if response.isclosed() and not response.will_close and self._idle is None:
                self._idle = link
            else:
                response.close()
                link.close()

    def _ask(
        self, method: str, target: str, content: IO[bytes] | bytes | None, headers: Mapping[str, str]
    ) -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        """Send, on a kept connection or a new one; start the server where nobody listens."""
        repeatable = method in _REPEATABLE
        if self._idle is not None and repeatable:
            link, self._idle = self._idle, None
            try:
                return link, self._send(link, method, target, content, headers)
            except _GONE:
                link.close()  # the server closed it while it was idle: ask again on a new one
        for attempts_left in (1, 0) if repeatable else (0,):
            link = self._connected()
            try:
                return link, self._send(link, method, target, content, headers)
            except _GONE as error:
                link.close()
                if not attempts_left:
                    raise _went_away(error, repeatable) from error
            except TimeoutError as error:
                link.close()
                raise ServerUnavailable(
                    f"the server did not answer within {self._patience:.0f} s", hint=_WHERE_TO_LOOK
                ) from error
        raise AssertionError("every attempt returns or raises")

    def _send(
        self,
        link: http.client.HTTPConnection,
        method: str,
        target: str,
        content: IO[bytes] | bytes | None,
        headers: Mapping[str, str],
    ) -> http.client.HTTPResponse:
        if content is not None and not isinstance(content, bytes):
            content.seek(0)
        sent = dict(headers)
        if self.address.token:
            sent["Authorization"] = f"Bearer {self.address.token}"
        try:
            link.request(method, target, body=content, headers=sent)
        except (BrokenPipeError, ConnectionResetError):
            # A server that refuses a body (no space left) answers and hangs up before it has read all of it.
            if content is None:
                raise
        return link.getresponse()

    def _connected(self) -> http.client.HTTPConnection:
        """A new connection. Where nobody listens on the socket the server is started, once."""
        link = self._link()
        try:
            try:
                link.connect()
            except (ConnectionRefusedError, FileNotFoundError, NotADirectoryError):
                if self._revive is None:
                    raise
                self._revive()
                link = self._link()
                link.connect()
        except OSError as error:
            raise self._unreachable(error) from error
        # Connecting may take seconds, an answer minutes: two limits, where http.client knows one.
        link.sock.settimeout(self._patience)
        if self.address.socket is None:
            link.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return link

    def _link(self) -> http.client.HTTPConnection:
        if self.address.socket is not None:
            return _UnixConnection(self.address.socket)
        parts = urlsplit(self.address.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                f"PENSTOCK_SERVER is `{self.address.url}`",
                hint="it has to look like https://penstock.example.org",
            )
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        return kind(parts.hostname, parts.port, timeout=_CONNECT_TIMEOUT)

    def _unreachable(self, error: OSError) -> ServerUnavailable:
        where = "PENSTOCK_SERVER" if self.address.url else "the embedded server's socket"
        hint = (
            "is the server running, and the address right? unset PENSTOCK_SERVER to use the embedded server"
            if self.address.url
            else _WHERE_TO_LOOK
        )
        return ServerUnavailable(
            f"no server answers at {self.address}", details=(f"{where}: {_words(error)}",), hint=hint
        )


_WHERE_TO_LOOK = "`penstock server status` and `penstock server logs` say more"


def _went_away(error: BaseException, repeatable: bool) -> ServerUnavailable:
    if repeatable:
        return ServerUnavailable(
            "the server went away twice before it answered", details=(_words(error),), hint=_WHERE_TO_LOOK
        )
    return ServerUnavailable(
        "the server went away before it answered, and may or may not have done what it was asked for",
        details=(_words(error),),
        hint=f"look before you repeat the command; {_WHERE_TO_LOOK}",
    )


def escaped(*parts: str) -> str:
    """Path segments, percent-encoded and joined: a name can never become two segments."""
    return "/".join(quote(part, safe="") for part in parts)


def _query_text(query: Mapping[str, object] | None) -> str:
    """Without what was not given: None, False, empty."""
    pairs = {
        name: "true" if value is True else value
        for name, value in (query or {}).items()
        if value is not None and value is not False and value not in ("", ())
    }
    return "?" + urlencode(pairs, doseq=True) if pairs else ""


def _json_content(body: object) -> tuple[bytes, dict[str, str]]:
    """The bytes of a request's body, and the header that says what they are."""
    return json.dumps(body).encode(), {"Content-Type": "application/json"}


def _json_of(raw: bytes, response: http.client.HTTPResponse) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError as error:
        if response.status >= 400:
            return raw.decode("utf-8", "replace")
        raise ServerUnavailable(
            "what answers is not a penstock server", details=(raw[:200].decode("utf-8", "replace"),)
        ) from error


def _words(error: BaseException) -> str:
    text = getattr(error, "strerror", None) or str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
