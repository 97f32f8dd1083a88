"""The real application in this process: all rooms, the REST API as the owner sees it, and the engine on its thread."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from penstock.resources.snapshots import take_snapshot
from penstock.server.api import build_api
from penstock.server.doors import owner_door
from penstock.server.platform import Platform
from penstock.server.sockets import open_unix_socket
from penstock.server.wiring import build_platform
from penstock.settings import Home, workspace_settings


@dataclass
class Api:
    """A client of the API. Answers come as parsed JSON; `refused` expects an error and gives its record."""

    http: httpx.Client
    platform: Platform

    def get(self, path: str, **query: Any) -> Any:
        return self._answer(self.http.get(f"/api/v1/{path}", params=query))

    def post(self, path: str, **body: Any) -> Any:
        return self._answer(self.http.post(f"/api/v1/{path}", json=body))

    def create(self, kind: str, workspace: str = "default", **document: Any) -> Any:
        path = "workspaces" if kind == "workspaces" else f"workspaces/{workspace}/{kind}"
        return self.post(path, document=document)["record"]

    def refused(self, method: str, path: str, **more: Any) -> tuple[int, dict[str, Any]]:
        answer = self.http.request(method, f"/api/v1/{path}", **more)
        assert answer.status_code >= 400, answer.text
        record: dict[str, Any] = answer.json()
        return answer.status_code, record

    def upload(self, path: Path) -> str:
        """Send a file or folder; the answer is its snapshot's URI."""
        snapshot, files = take_snapshot(path)
        blobs = {digest: file.read_bytes() for digest, file in files.items()}
        blobs[hashlib.sha256(snapshot.manifest()).hexdigest()] = snapshot.manifest()
        for digest in self.post("blobs:missing", digests=list(blobs))["missing"]:
            assert self.http.put(f"/api/v1/blobs/{digest}", content=blobs[digest]).status_code == 201
        return snapshot.uri

    def _answer(self, answer: Any) -> Any:
        assert answer.status_code < 400, answer.text
        return answer.json()


def _with_settings(request: httpx.Request) -> None:
    """As the real client does it: settings of the environment travel with each request."""
    if settings := workspace_settings():
        request.headers["Penstock-Settings"] = json.dumps(settings)


@pytest.fixture
def api(clean_environment: Path) -> Iterator[Api]:
    """A fresh server with the workspace `default`. Its engine runs; nothing has been asked of MLflow."""
    home = Home(clean_environment)
    home.path.mkdir(parents=True)
    platform, rest = build_platform(home, "http://127.0.0.1:1")
    stop = threading.Event()
    engine = threading.Thread(target=platform.engine.run_forever, args=(stop,), daemon=True)
    engine.start()
    door = uvicorn.Server(uvicorn.Config(owner_door(build_api(platform)), log_config=None, lifespan="off"))
    unix = open_unix_socket(home.socket)
    serving = threading.Thread(target=door.run, args=([unix],), daemon=True)
    serving.start()
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(home.socket)),
        base_url="http://penstock",
        timeout=60,
        event_hooks={"request": [_with_settings]},
    ) as http:
        yield Api(http, platform)
    door.should_exit = True
    serving.join(10)
    unix.close()
    stop.set()
    platform.engine.stop_waiting()
    platform.background.stop()
    engine.join(10)
    platform.mlflow.stop()
    rest.close()
    platform.database.close()
