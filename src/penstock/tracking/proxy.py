"""The way to MLflow for everybody: `/mlflow/<workspace>/…` on the loopback port.

Takes the workspace from the path, holds the caller to it, lets through what the table allows, and says to MLflow only
what we know ourselves: of the request's headers a short list passes, and the workspace header is ours. Bodies stream
both ways, so that an artifact of any size passes without being held in memory.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from penstock.errors import PenstockError, PermissionDenied, ServerUnavailable
from penstock.identity.tokens import Caller
from penstock.tracking import bodies, pages
from penstock.tracking.paths import check_query, encode_path, read_path
from penstock.tracking.rest import AT_ONCE, DEFAULT_WORKSPACE, WORKSPACE_HEADER, MlflowRest, mlflow_workspace
from penstock.tracking.routes_table import Action, current_path, find_route, may, why_refused

if TYPE_CHECKING:
    import httpx

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Authorize = Callable[[Caller, str, Action], None]

PREFIX = "/mlflow/"
# Seconds that a request waits for MLflow to start. MLflow's clients give up after 120 s.
_START_LIMIT = 100.0
# Seconds without a byte from MLflow. It answers an upload only when all of it is on the disk.
_ANSWER_LIMIT = 600.0
# Bytes. MLflow holds these bodies in memory; artifacts do not pass this way.
_LONGEST_BODY = 64 * 1024 * 1024
_CHUNK = 256 * 1024

_REQUEST_HEADERS = frozenset(
    {
        b"accept", b"accept-encoding", b"accept-language", b"content-type", b"if-match", b"if-modified-since",
        b"if-none-match", b"if-range", b"range", b"user-agent", b"x-mlflow-experiment-id", b"x-mlflow-client-version",
    }
)  # fmt: skip
# Not passed back: what belongs to one connection, what MLflow thinks of other origins, and what we say ourselves.
_DROPPED_ANSWER_HEADERS = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "trailer", "transfer-encoding",
        "upgrade", "set-cookie", "server", "date", "x-frame-options", "content-security-policy", "x-content-type-options",
        "access-control-allow-origin", "access-control-allow-credentials", "access-control-allow-headers",
        "access-control-allow-methods", "access-control-expose-headers", "access-control-max-age",
    }
)  # fmt: skip
_ERROR_CODES: Mapping[int, str] = {
    400: "INVALID_PARAMETER_VALUE",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    413: "INVALID_PARAMETER_VALUE",
    503: "TEMPORARILY_UNAVAILABLE",
}


# MLflow's pages load nothing from elsewhere and send nothing there, whatever a run's notes try to show. They do compile
# code (charts) and run workers. The three hosts are where Plotly, Altair and Bokeh tell a figure's page to take its
# script from; `mlflow.log_figure` writes such pages, and they are shown in a sandbox.
_PAGE_POLICY = (
    b"default-src 'self' blob: data: 'unsafe-inline' 'unsafe-eval'; "
    b"script-src 'self' blob: 'unsafe-inline' 'unsafe-eval' https://cdn.plot.ly https://cdn.jsdelivr.net "
    b"https://cdn.bokeh.org; frame-ancestors 'none'; object-src 'none'; base-uri 'self'; form-action 'self'"
)


class Refused(PenstockError):
    """A request that goes no further; `status` is its answer's."""

    def __init__(self, status: int, message: str, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.answer = status


def authorize_in_workspace(caller: Caller, workspace: str, action: Action) -> None:
    """The rule: a caller stays in its workspace and does there what its kind may do."""
    if not caller.may_enter(workspace):
        raise PermissionDenied(f"this token is for the workspace {caller.workspace}, not {workspace}")
    if not may(caller.kind, action):
        raise PermissionDenied(
            f"a {caller.kind} may not do this",
            hint="do it with the `penstock` command, or in MLflow's pages (`--web`)",
        )


class MlflowProxy:
    """An ASGI application. Whoever mounts it puts the verified caller into `scope["penstock.caller"]`."""

    def __init__(self, rest: MlflowRest, authorize: Authorize = authorize_in_workspace) -> None:
        self._rest = rest
        self._authorize = authorize
        self._http: httpx.AsyncClient | None = None
        # First come, first served: SQLite lets whoever asks at the right moment write first, and others wait for long.
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request whose path begins with `/mlflow/`."""
        try:
            await self._answer(scope, receive, send)
        except PenstockError as error:
            status = error.answer if isinstance(error, Refused) else error.status
            await send_error(
                send, status, error.message if error.hint is None else f"{error.message}; {error.hint}"
            )

    async def aclose(self) -> None:
        """Close the connections to MLflow."""
        client, self._http = self._http, None
        if client is not None:
            await client.aclose()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        method: str = scope["method"]
        path = read_path(scope.get("raw_path") or scope["path"].encode())
        workspace, slash, rest = path.removeprefix(PREFIX).partition("/")
        target = current_path(slash + rest)
        caller: Caller = scope["penstock.caller"]
        if not target and method in ("GET", "HEAD"):
            # MLflow's page loads its parts relative to its own address.
            await asyncio.to_thread(self._authorize, caller, workspace, "page")
            await send_redirect(send, f"{encode_path(PREFIX + workspace)}/")
            return
        said = pages.nothing_there(method, target)
        if said is not None:
            await asyncio.to_thread(self._authorize, caller, workspace, "page")
            await _send(send, 200, said, [(b"content-type", b"application/json")])
            return
        route = find_route(method, target)
        if route is None:
            await asyncio.to_thread(self._authorize, caller, workspace, "read")
            raise Refused(403, f"{method} {target} cannot be called through Penstock: {why_refused(target)}")
        await asyncio.to_thread(self._authorize, caller, workspace, route.action)
        check_query(scope["query_string"])
        _refuse_foreign_artifacts(target, scope["query_string"], workspace)
        if _header(scope, b"content-encoding") not in (b"", b"identity"):
            raise Refused(400, "compressed request bodies are not accepted")
        await asyncio.to_thread(self._ready, workspace)
        await self._forward(scope, receive, send, mlflow_workspace(workspace), target)

    async def _forward(self, scope: Scope, receive: Receive, send: Send, name: str, target: str) -> None:
        import httpx

        content, headers = await _request_body(scope, receive, target, name)
        url = httpx.URL("http://localhost" + encode_path(target), query=scope["query_string"] or None)
        request = self._client().build_request(
            scope["method"],
            url,
            content=content,
            headers=[*headers, (WORKSPACE_HEADER.encode(), name.encode())],
        )
        try:
            if is_artifact(target):
                answer = await self._client().send(request, stream=True)
            else:
                async with self._turns:  # until MLflow begins to answer; a slow reader keeps nobody waiting
                    answer = await self._client().send(request, stream=True)
        except httpx.TransportError as error:
            raise ServerUnavailable(f"MLflow's server did not answer: {type(error).__name__}") from error
        try:
            await _pass_on(answer, target, send)
        finally:
            await answer.aclose()

    def _ready(self, workspace: str) -> None:
        self._rest.server.wait_ready(_START_LIMIT)
        self._rest.ensure_workspace(workspace)

    def _client(self) -> "httpx.AsyncClient":
        import httpx

        if self._http is None:
            timeout = httpx.Timeout(_ANSWER_LIMIT, connect=10.0, pool=60.0)
            limits = httpx.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=5.0)
            transport = httpx.AsyncHTTPTransport(uds=str(self._rest.server.socket), limits=limits)
            self._http = httpx.AsyncClient(transport=transport, timeout=timeout, trust_env=False)
            self._http.headers.clear()  # no User-Agent or Accept of our own
        return self._http


async def _request_body(
    scope: Scope, receive: Receive, target: str, workspace: str
) -> tuple[bytes | AsyncIterator[bytes] | None, list[tuple[bytes, bytes]]]:
    """What MLflow gets to read, and the headers that may come with it."""
    headers = [(name, value) for name, value in scope["headers"] if name in _REQUEST_HEADERS]
    headers.append((b"host", b"localhost"))
    if scope["method"] in ("GET", "HEAD"):
        return None, headers  # MLflow would read parameters from it, past our check of the query
    length = _header(scope, b"content-length")
    if is_artifact(target):
        if length:
            headers.append((b"content-length", length))
        return _stream(receive), headers
    if length.isdigit() and int(length) > _LONGEST_BODY:
        raise _too_long()
    body = await _whole(receive)
    if bodies.needs_reading(target):
        body = bodies.checked(body, workspace)
    return body, headers


async def _stream(receive: Receive) -> AsyncIterator[bytes]:
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "the upload was broken off")
        if message.get("body"):
            yield message["body"]
        if not message.get("more_body", False):
            return


async def _whole(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in _stream(receive):
        size += len(part)
        if size > _LONGEST_BODY:
            raise _too_long()
        parts.append(part)
    return b"".join(parts)


def _too_long() -> Refused:
    return Refused(
        413,
        f"the request is longer than {_LONGEST_BODY // 1024 // 1024} MiB",
        "log large things as artifacts",
    )


async def _pass_on(answer: "httpx.Response", target: str, send: Send) -> None:
    """MLflow's answer, as it comes."""
    headers = [
        (name.lower(), value) for name, value in answer.headers.raw if name.decode("latin-1").lower() not in
        _DROPPED_ANSWER_HEADERS
    ]  # fmt: skip
    if serves_files(target):
        # Files come from users' code. Should a browser ever show one as a page, it gets no script and no origin.
        headers.append((b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"))
    elif target == "/":
        headers.append((b"content-security-policy", _PAGE_POLICY))
    rewrite = _rewriting(target)
    if rewrite is not None and answer.status_code == 200:
        body = rewrite(await answer.aread())
        # Its length, spelling and version are not those of MLflow's own any more.
        changed = (b"content-length", b"content-encoding", b"etag", b"last-modified", b"accept-ranges")
        headers = [(name, value) for name, value in headers if name not in changed]
        await _send(send, 200, body, [*headers, (b"cache-control", b"no-cache")])
        return
    await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
    async for part in answer.aiter_raw(_CHUNK):
        await send({"type": "http.response.body", "body": part, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


def _rewriting(target: str) -> Callable[[bytes], bytes] | None:
    if target == "/":
        return pages.first_page
    return pages.server_info if target.endswith("/mlflow/server-info") else None


def is_artifact(target: str) -> bool:
    """Whether the body of a request to this path is an artifact, of any size."""
    return "/mlflow-artifacts/artifacts/" in target


def serves_files(target: str) -> bool:
    """Whether the answer is a file that a user's code has written."""
    return "mlflow-artifacts/" in target or "get-artifact" in target or "get-trace-artifact" in target or (
        target.endswith("/artifacts/files")
    )  # fmt: skip


def _refuse_foreign_artifacts(target: str, query: bytes, workspace: str) -> None:
    """`default` has its artifacts at the root, beside the folder with all other workspaces."""
    if mlflow_workspace(workspace) != DEFAULT_WORKSPACE or "/mlflow-artifacts/" not in target:
        return
    from urllib.parse import parse_qs

    listed = parse_qs(query.decode("ascii"), keep_blank_values=True).get("path", [""])
    below = target.partition("/mlflow-artifacts/")[2].partition("/")[2]
    for path in [below] if below else listed:
        first, _, rest = path.partition("/")
        # An experiment of `default` that was made with the workspace's name in a header has its artifacts among the others.
        if first == "workspaces" and rest.partition("/")[0] == DEFAULT_WORKSPACE:
            continue
        if first in ("", "workspaces"):
            raise Refused(403, "the folder that holds all artifacts belongs to no workspace")


def _header(scope: Scope, wanted: bytes) -> bytes:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value.strip().lower() for name, value in headers if name == wanted), b"")


async def send_error(send: Send, status: int, message: str) -> None:
    """An error in MLflow's own shape, which its clients show as it is."""
    code = _ERROR_CODES.get(status, "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST")
    body = json.dumps({"error_code": code, "message": message}).encode()
    headers = [(b"content-type", b"application/json")]
    await _send(send, status, body, [*headers, (b"retry-after", b"2")] if status == 503 else headers)


async def send_redirect(send: Send, target: str) -> None:
    """Send the browser to another path of this server."""
    await _send(send, 307, b"", [(b"location", target.encode())])


async def _send(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    every = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": every})
    await send({"type": "http.response.body", "body": body})
