"""The loopback port: where MLflow's clients, browsers and whatever cannot speak to a unix socket come in.

Every user of the machine reaches this port, and so does every web page that a browser on it shows. So every request
says who it is (a token, or the cookie that a one-time link was exchanged for), names this host, and, where a cookie
speaks for it, was made by one of our own pages.
"""

import base64
import binascii
import html
import json
import time
from collections.abc import Awaitable, Callable, Iterable
from http.cookies import CookieError, SimpleCookie
from typing import Protocol
from urllib.parse import quote, urlsplit

from penstock.errors import NotAuthenticated, NotFound, PenstockError, PermissionDenied
from penstock.identity.links import Links
from penstock.identity.tokens import Caller, Tokens
from penstock.tracking.proxy import Message, Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Proxy(Protocol):
    """What answers `/mlflow/…`; closed with the port."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        ...

    async def aclose(self) -> None:
        """Give back what it holds."""
        ...


Headers = list[tuple[bytes, bytes]]

# Seconds: a working day. The link that begins a session costs one command.
SESSION = 12 * 3600.0
LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost"})
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LINK_PREFIX = "/link/"
_ALWAYS: Headers = [
    (b"x-frame-options", b"DENY"),
    (b"x-content-type-options", b"nosniff"),
    # Our own pages see where a request came from, nobody else does.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
]
_NO_FRAMES = b"frame-ancestors 'none'; object-src 'none'; base-uri 'self'"
_OWN_PAGE = b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


def loopback_app(
    tokens: Tokens,
    links: Links,
    proxy: Proxy,
    api_app: App | None = None,
    now: Callable[[], float] = time.time,
    workspaces: Callable[[Caller], Iterable[str]] = lambda caller: (),
    hosts: Iterable[str] = LOOPBACK_NAMES,
) -> App:
    """The ASGI application of the loopback port.

    `proxy` gets `/mlflow/…`, `api_app` `/api/v1/…`; both find the verified caller in `scope["penstock.caller"]` and
    decide themselves what it may do. `workspaces` names those that the caller may open, for the first page. `hosts` are
    the names that this server has for its callers; the address that a request came to is always one.
    """
    return _Loopback(tokens, links, proxy, api_app, now, workspaces, frozenset(hosts))


class _Loopback:
    def __init__(
        self,
        tokens: Tokens,
        links: Links,
        proxy: Proxy,
        api_app: App | None,
        now: Callable[[], float],
        workspaces: Callable[[Caller], Iterable[str]],
        hosts: frozenset[str],
    ) -> None:
        self._tokens = tokens
        self._links = links
        self._proxy = proxy
        self._api = api_app
        self._now = now
        self._workspaces = workspaces
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return
        guarded = _with_headers(send)
        try:
            await self._answer(scope, receive, guarded)
        except NotAuthenticated as error:
            await _refuse_stranger(scope, guarded, error)
        except PenstockError as error:
            await _send_error(guarded, error)

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._proxy.aclose()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_host(scope, self._hosts)
        path: str = scope["path"]
        if path.startswith(_LINK_PREFIX) and scope["method"] == "GET":
            await self._follow_link(scope, path.removeprefix(_LINK_PREFIX), send)
            return
        caller = self._caller(scope)
        scope["penstock.caller"] = caller
        if path.startswith("/mlflow/"):
            await self._proxy(scope, receive, send)
        elif path.startswith("/api/v1/") and self._api is not None:
            await self._api(scope, receive, send)
        elif path == "/" and scope["method"] in ("GET", "HEAD"):
            await _send_page(send, 200, _index(self._workspaces(caller)))
        else:
            raise NotFound(f"there is nothing at {path}")

    def _caller(self, scope: Scope) -> Caller:
        """Who is calling: what the Authorization header says, or the cookie where there is no such header."""
        said = _values(scope, b"authorization")
        if said:
            if len(said) > 1:
                raise NotAuthenticated("the request has several Authorization headers")
            return self._tokens.verify(token_of(said[0]), self._now())
        cookie = _cookie(scope)
        if cookie is None:
            raise NotAuthenticated(
                "this port answers only with a token",
                hint="`penstock env` prints one for notebooks and scripts",
            )
        caller = self._tokens.verify(cookie, self._now())
        check_made_by_us(scope)
        return caller

    async def _follow_link(self, scope: Scope, code: str, send: Send) -> None:
        link = self._links.redeem(code, self._now())
        token = self._tokens.issue(link.caller, self._now() + SESSION)
        cookie = f"{cookie_name(scope)}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={SESSION:.0f}"
        if scope["scheme"] == "https":
            cookie += "; Secure"
        headers = [
            (b"location", link.target.encode()),
            (b"set-cookie", cookie.encode()),
            (b"cache-control", b"no-store"),
            (b"content-length", b"0"),
        ]
        await send({"type": "http.response.start", "status": 303, "headers": headers})
        await send({"type": "http.response.body", "body": b""})


def check_host(scope: Scope, hosts: frozenset[str]) -> None:
    """Refuse a request that names another host: a name of somebody else's that was pointed at this machine."""
    named = _values(scope, b"host")
    host = _host_of(f"//{named[0]}") if len(named) == 1 else None
    came_to = (scope.get("server") or ("",))[0]  # an address cannot be pointed elsewhere
    if host is None or (host not in hosts and host != came_to):
        raise PermissionDenied(
            "this server does not answer to that name", details=[f"it answers as {', '.join(sorted(hosts))}"]
        )


def check_made_by_us(scope: Scope) -> None:
    """Refuse a request that carries our cookie but was made by somebody else's page.

    Another port of this machine is another page, though cookies make no difference between ports.
    """
    site, mode, destination = (
        _value(scope, f"sec-fetch-{name}".encode()) for name in ("site", "mode", "dest")
    )
    safe = scope["method"] in _SAFE_METHODS
    opened = safe and mode == "navigate" and destination == "document"
    if site not in (None, "same-origin", "none") and not opened:
        raise PermissionDenied("this request was made by a page of another site")
    if safe:
        return
    ours = f"{scope['scheme']}://{_value(scope, b'host')}"
    origin, referer = _value(scope, b"origin"), _value(scope, b"referer")
    made_by = origin if origin is not None else _origin_of(referer)
    if made_by is None and site == "same-origin":
        return
    if made_by != ours:
        raise PermissionDenied("a change must be made by one of this server's own pages, or with a token")


def token_of(authorization: str) -> str:
    """The token of an Authorization header: a bearer's, or the password of a basic one."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (ValueError, binascii.Error) as error:
            raise NotAuthenticated("the Authorization header cannot be read") from error
    raise NotAuthenticated("the Authorization header is neither `Bearer` nor `Basic`")


def cookie_name(scope: Scope) -> str:
    """The session cookie's name; it holds the port, because cookies do not: two homes run side by side."""
    server = scope.get("server") or ("", 0)
    return f"penstock_session_{server[1]}"


def _cookie(scope: Scope) -> str | None:
    """Our cookie's value; the others in the header belong to other programs on this machine."""
    wanted = cookie_name(scope)
    for header in _values(scope, b"cookie"):
        for part in header.split(";"):
            if part.strip().partition("=")[0] != wanted:
                continue
            try:
                return SimpleCookie(part.strip())[wanted].value
            except (CookieError, KeyError) as error:
                raise NotAuthenticated("the session cookie cannot be read") from error
    return None


def _values(scope: Scope, wanted: bytes) -> list[str]:
    return [value.decode("latin-1") for name, value in scope["headers"] if name == wanted]


def _value(scope: Scope, wanted: bytes) -> str | None:
    return next(iter(_values(scope, wanted)), None)


def _host_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        return None if parts.username is not None or parts.path else parts.hostname
    except ValueError:
        return None


def _origin_of(referer: str | None) -> str | None:
    if referer is None:
        return None
    parts = urlsplit(referer)
    return f"{parts.scheme}://{parts.netloc}"


def _with_headers(send: Send) -> Send:
    """Every answer of this port says that it may not be framed, guessed at, or read by other sites."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers: Headers = list(message.get("headers", ()))
            ours = {name for name, _ in _ALWAYS}
            headers = [(name, value) for name, value in headers if name.lower() not in ours] + _ALWAYS
            if all(name.lower() != b"content-security-policy" for name, _ in headers):
                headers.append((b"content-security-policy", _NO_FRAMES))
            message = {**message, "headers": headers}
        await send(message)

    return guarded


async def _refuse_stranger(scope: Scope, send: Send, error: NotAuthenticated) -> None:
    """401: a page that tells a person what to do, JSON for a program."""
    if "text/html" in (_value(scope, b"accept") or ""):
        # Without WWW-Authenticate: the browser would ask for a password that nobody has.
        said = f"<p>{html.escape(error.message)}.</p>"
        await _send_page(
            send, 401, f"{said}<p>Run <code>penstock job show -n &lt;job&gt; --web</code> or another command with "
            "<code>--web</code>: it opens a link that is good for one browser.</p>",
        )  # fmt: skip
        return
    await _send_error(send, error, [(b"www-authenticate", b'Bearer realm="penstock"')])


async def _send_error(send: Send, error: PenstockError, headers: Headers | None = None) -> None:
    # `error_code` is what MLflow's clients look for; the rest is our own error record.
    kinds = {401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "RESOURCE_DOES_NOT_EXIST"}
    record = {**error.as_record(), "error_code": kinds.get(error.status, "BAD_REQUEST")}
    await _send(send, error.status, json.dumps(record).encode(), b"application/json", headers or [])


async def _send_page(send: Send, status: int, body: str) -> None:
    page = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Penstock</title>"
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40em;margin:4em auto;padding:0 1em}</style>"
        f"<h1>Penstock</h1>{body}</html>"
    )
    headers = [(b"content-security-policy", _OWN_PAGE), (b"cache-control", b"no-store")]
    await _send(send, status, page.encode(), b"text/html; charset=utf-8", headers)


async def _send(send: Send, status: int, body: bytes, kind: bytes, headers: Headers) -> None:
    every = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})


def _index(workspaces: Iterable[str]) -> str:
    links = [
        f'<li><a href="/mlflow/{html.escape(quote(name, safe=""))}/">{html.escape(name)}</a></li>'
        for name in workspaces
    ]
    if not links:
        return "<p>Signed in. No workspace to show.</p>"
    return f"<p>Experiments and models of:</p><ul>{''.join(links)}</ul>"
