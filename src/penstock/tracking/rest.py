"""Calls to MLflow's REST API over the private socket, for the server's own threads."""

import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import AlreadyExists, Conflict, NotFound, PenstockError, ServerUnavailable
from penstock.tracking.server import MlflowServer

if TYPE_CHECKING:
    import httpx

WORKSPACE_HEADER = "X-MLFLOW-WORKSPACE"
DEFAULT_WORKSPACE = "default"
# Calls that MLflow works on at the same time, from here and from the proxy each. More would only wait inside MLflow,
# whose one process and one database gain nothing from them.
AT_ONCE = 8

_ALLOWED = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_MAPPED = re.compile(r".*-x[0-9a-f]{12}")
_RESERVED = {"workspaces", "api", "ajax-api", "static-files"}
# Seconds for one answer; MLflow's slowest honest answer (a search over a full database) takes a few.
_ANSWER_LIMIT = 60.0


def mlflow_workspace(workspace: str) -> str:
    """MLflow's name for a workspace: the same where its rule allows it, else a legal one that no other name gets.

    MLflow takes 2 to 63 of a-z, 0-9 and inner hyphens.
    """
    if (
        _ALLOWED.fullmatch(workspace)
        and 2 <= len(workspace) <= 63
        and workspace not in _RESERVED
        and not _MAPPED.fullmatch(workspace)
    ):
        return workspace
    digest = hashlib.sha256(workspace.encode()).hexdigest()[:12]
    readable = re.sub(r"[^a-z0-9]+", "-", workspace.lower()).strip("-")[:40].strip("-")
    return f"{readable or 'workspace'}-x{digest}"


class MlflowRest:
    """A client of the MLflow server that starts it when needed. Safe to use from several threads."""

    def __init__(self, server: MlflowServer) -> None:
        self.server = server
        self._lock = threading.Lock()
        self._http: httpx.Client | None = None
        self._known = {DEFAULT_WORKSPACE}
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def get(self, workspace: str, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The answer to a GET. Paths are relative to `/api/2.0/mlflow/`, or whole when they begin with a slash."""
        return self.call(workspace, "GET", path, params=params)

    def post(self, workspace: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a POST with a JSON body."""
        return self.call(workspace, "POST", path, body=body)

    def call(
        self,
        workspace: str,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """One call in one workspace, which comes to be if it is new. Errors of MLflow become ours."""
        self.ensure_workspace(workspace)
        return self._send(mlflow_workspace(workspace), method, path, params, body)

    def ensure_workspace(self, workspace: str) -> None:
        """See to it that MLflow has the workspace; asks only once per name."""
        if workspace in self._known:
            return
        body = {"name": mlflow_workspace(workspace), "description": f"Penstock workspace {workspace}"}
        with suppress(AlreadyExists):
            self._send(DEFAULT_WORKSPACE, "POST", "/api/3.0/mlflow/workspaces", None, body)
        self._known.add(workspace)

    def artifacts_of(self, workspace: str) -> Path:
        """The folder on this machine that holds the workspace's artifacts, as MLflow lays them out."""
        root = self.server.folder / "artifacts"
        name = mlflow_workspace(workspace)
        return root if name == DEFAULT_WORKSPACE else root / "workspaces" / name

    def delete_workspace(self, workspace: str) -> None:
        """Delete the workspace and everything in it, artifacts too. `default` cannot be: MLflow needs it."""
        if workspace == DEFAULT_WORKSPACE:
            raise Conflict("the workspace `default` is MLflow's own and cannot be deleted")
        self._known.discard(workspace)
        path = f"/api/3.0/mlflow/workspaces/{mlflow_workspace(workspace)}"
        with suppress(NotFound):
            self._send(DEFAULT_WORKSPACE, "DELETE", path, {"mode": "CASCADE"}, None)
        shutil.rmtree(self.artifacts_of(workspace), ignore_errors=True)

    def close(self) -> None:
        """Give the connections back; a later call opens new ones."""
        with self._lock:
            client, self._http = self._http, None
        if client is not None:
            client.close()

    def _client(self) -> "httpx.Client":
        import httpx

        with self._lock:
            if self._http is None:
                transport = httpx.HTTPTransport(uds=str(self.server.socket))
                self._http = httpx.Client(
                    transport=transport, base_url="http://localhost", timeout=_ANSWER_LIMIT, trust_env=False
                )
            return self._http

    def _send(
        self,
        name: str,
        method: str,
        path: str,
        params: Mapping[str, Any] | None,
        body: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        import httpx

        url = path if path.startswith("/") else f"/api/2.0/mlflow/{path}"
        headers = {WORKSPACE_HEADER: name}
        self.server.wait_ready()
        with self._turns, _as_ours(method, url):
            try:
                answer = self._client().request(method, url, params=params, json=body, headers=headers)
            except httpx.ConnectError:
                # It died since; nothing was sent, so that sending again cannot do anything twice.
                self.server.wait_ready()
                answer = self._client().request(method, url, params=params, json=body, headers=headers)
        if answer.status_code >= 400:
            raise error_of(answer.status_code, answer.text, f"{method} {url}")
        result: dict[str, Any] = answer.json() if answer.content else {}
        return result


def error_of(status: int, text: str, asked: str) -> PenstockError:
    """MLflow's error as one of ours."""
    try:
        said = json.loads(text)
        code, message = str(said["error_code"]), str(said["message"])
    except (ValueError, KeyError, TypeError):
        code, message = str(status), text[:500]
    kind: type[PenstockError] = PenstockError
    if code == "RESOURCE_ALREADY_EXISTS":
        kind = AlreadyExists
    elif code in ("RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND") or status == 404:
        kind = NotFound
    elif status >= 500:
        kind = ServerUnavailable
    return kind(f"MLflow says: {message}", details=(f"{asked} answered {status} {code}",))


@contextmanager
def _as_ours(method: str, url: str) -> Iterator[None]:
    import httpx

    try:
        yield
    except httpx.TransportError as error:
        raise ServerUnavailable(
            f"MLflow's server did not answer {method} {url}: {type(error).__name__} {error}".rstrip(),
            hint="it is started again with the next request; its log says why it went",
        ) from error
