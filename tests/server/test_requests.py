"""Requests as they come from a network: strangers, too large, cut off, many at once, gone while they are answered."""

import asyncio
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from penstock.errors import ServerUnavailable
from penstock.identity.tokens import Caller
from penstock.server.api import build_api
from tests.server.conftest import Api

DEADLINE = 30.0
OWNER = Caller("owner")
MEMBER, STRANGER = Caller("person", "default"), Caller("person", "other")
JOB = Caller("job", "default", "j")

# Every route, and who may use it in workspace `default`. m: a person of the workspace, s: a person of another one,
# j: a job of the workspace. The owner may use every route; who is nobody may use none.
ALLOWED = {
    "GET /health": "msj",
    "GET /status": "msj",
    "GET /usage": "",
    "POST /gc": "",
    "POST /shutdown": "",
    "POST /links": "",
    "POST /workspaces/{workspace}/tokens": "",
    "POST /blobs:missing": "ms",
    "PUT /blobs/{digest}": "ms",
    "GET /workspaces": "msj",
    "POST /workspaces": "",
    "GET /workspaces/{workspace}": "mj",
    "PATCH /workspaces/{workspace}": "",
    "DELETE /workspaces/{workspace}": "",
    "GET /workspaces/{workspace}/computes": "mj",
    "POST /workspaces/{workspace}/computes": "m",
    "GET /workspaces/{workspace}/computes/{name}": "mj",
    "PATCH /workspaces/{workspace}/computes/{name}": "m",
    "DELETE /workspaces/{workspace}/computes/{name}": "m",
    "GET /workspaces/{workspace}/datastores": "mj",
    "POST /workspaces/{workspace}/datastores": "m",
    "GET /workspaces/{workspace}/datastores:default": "mj",
    "GET /workspaces/{workspace}/datastores/{name}": "mj",
    "PATCH /workspaces/{workspace}/datastores/{name}": "m",
    "DELETE /workspaces/{workspace}/datastores/{name}": "m",
    "GET /workspaces/{workspace}/jobs": "mj",
    "POST /workspaces/{workspace}/jobs": "m",
    "POST /workspaces/{workspace}/jobs:validate": "mj",
    "POST /workspaces/{workspace}/jobs:plan": "mj",
    "POST /workspaces/{workspace}/documents:check": "mj",
    "GET /workspaces/{workspace}/jobs/{name}": "mj",
    "GET /workspaces/{workspace}/jobs/{name}/difference/{other}": "mj",
    "POST /workspaces/{workspace}/jobs/{name}/cancel": "m",
    "PATCH /workspaces/{workspace}/jobs/{name}": "m",
    "POST /workspaces/{workspace}/jobs/{name}/archive": "m",
    "POST /workspaces/{workspace}/jobs/{name}/restore": "m",
    "GET /workspaces/{workspace}/jobs/{name}/files": "mj",
    "GET /workspaces/{workspace}/jobs/{name}/services": "mj",
    "GET /workspaces/{workspace}/jobs/{name}/files/{path}": "mj",
    "GET /workspaces/{workspace}/jobs/{name}/stream": "mj",
    "GET /workspaces/{workspace}/models": "mj",
    "POST /workspaces/{workspace}/models": "m",
    "GET /workspaces/{workspace}/models/{name}/versions/{version}": "mj",
    "GET /workspaces/{workspace}/models/{name}/labels/{label}": "mj",
    "PATCH /workspaces/{workspace}/models/{name}/versions/{version}": "m",
    "GET /workspaces/{workspace}/models/{name}/versions/{version}/files": "mj",
    "GET /workspaces/{workspace}/models/{name}/versions/{version}/files/{path}": "mj",
    "POST /workspaces/{workspace}/models/{name}/archive": "m",
    "POST /workspaces/{workspace}/models/{name}/restore": "m",
    "PATCH /workspaces/{workspace}/{kind}/{name}/versions/{version}": "m",
    "POST /workspaces/{workspace}/{kind}/{name}/archive": "m",
    "POST /workspaces/{workspace}/{kind}/{name}/restore": "m",
    "POST /workspaces/{workspace}/components:validate": "mj",
    "GET /workspaces/{workspace}/components/{name}/versions/{version}/files": "mj",
    "GET /workspaces/{workspace}/components/{name}/versions/{version}/files/{path}": "mj",
    "GET /workspaces/{workspace}/profile": "mj",
    "GET /workspaces/{workspace}/data/{name}/versions/{version}/profile": "mj",
    "GET /workspaces/{workspace}/data/{name}/labels/{label}/profile": "mj",
    "POST /workspaces/{workspace}/data:validate": "mj",
    "POST /workspaces/{workspace}/data/{name}/validate": "m",
    "GET /workspaces/{workspace}/{kind}": "mj",
    "POST /workspaces/{workspace}/{kind}": "m",
    "GET /workspaces/{workspace}/{kind}/{name}/versions/{version}": "mj",
    "GET /workspaces/{workspace}/{kind}/{name}/labels/{label}": "mj",
}
# Every workspace reads what is in a registry; who belongs to one workspace changes nothing in it.
ALLOWED |= {
    "GET /registries": "msj",
    "POST /registries": "",
    "GET /registries/{registry}": "msj",
    "PATCH /registries/{registry}": "",
    "DELETE /registries/{registry}": "",
} | {
    route.replace("/workspaces/{workspace}", "/registries/{registry}"): "msj"
    if route.startswith("GET") or route.endswith(":validate")
    else ""
    for route in ALLOWED
    if any(part in route for part in ("/{workspace}/models", "/{kind}", "/components", "/data/"))
}
# Who reads the workspace and writes to the registry: nobody who belongs to one workspace.
ALLOWED["POST /workspaces/{workspace}/{kind}/{name}/versions/{version}/share"] = ""
BODIES: dict[str, Any] = {
    "POST /workspaces/{workspace}/{kind}/{name}/versions/{version}/share": {"registry": "shared"},
    "POST /links": {"workspace": "default", "target": "/"},
    "POST /blobs:missing": {"digests": []},
    "PATCH /workspaces/{workspace}/computes/{name}": {"set": {}},
    "PATCH /workspaces/{workspace}": {},
    "PATCH /registries/{registry}": {},
    "PATCH /workspaces/{workspace}/datastores/{name}": {"set": {}},
    "POST /gc": {"dry_run": True},
    "POST /workspaces/{workspace}/tokens": {},
    "POST /workspaces/{workspace}/data:validate": {"path": "azureml:nothing@latest", "expectations": {}},
    "POST /workspaces/{workspace}/data/{name}/validate": {"expectations": {}},
    "POST /registries/{registry}/data/{name}/validate": {"expectations": {}},
}


def routes_of(api: FastAPI) -> set[str]:
    """As the API describes itself: nothing of it is hidden."""
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in api.openapi()["paths"].items()
        for method in methods
    }


def answer_of(api: FastAPI, route: str, caller: Caller | None) -> int:
    """The status that a caller gets who asks for things that do not exist, so that nothing happens."""
    method, path = route.split(" ")
    values = {
        "workspace": "default",
        "kind": "environments",
        "path": "x",
        "digest": hashlib.sha256(b"").hexdigest(),
    }
    for part in ("workspace", "kind", "path", "digest", "registry", "name", "version", "label"):
        path = path.replace(f"{{{part}}}", values.get(part, "nothing"))

    async def as_caller(scope: Any, receive: Any, send: Any) -> None:
        if caller is not None:
            scope["penstock.caller"] = caller
        await api(scope, receive, send)

    empty: Any = {} if method == "PATCH" or path.endswith(("/archive", "/restore")) else {"document": {}}
    body = None if method in ("GET", "DELETE", "PUT") else BODIES.get(route, empty)

    async def ask() -> int:
        transport = httpx.ASGITransport(as_caller, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://penstock") as http:
            return (await http.request(method, f"/api/v1{path}", json=body)).status_code

    return asyncio.run(ask())


def test_reliability_09_every_route_is_in_the_table(api: Api) -> None:
    """A new route without a line is a route that nobody has thought about."""
    assert routes_of(build_api(api.platform)) == set(ALLOWED)


@pytest.mark.parametrize("route", sorted(ALLOWED))
def test_reliability_09_who_may_use_a_route(api: Api, route: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Default deny: who is not in the table's line is refused, before anything is looked up."""

    def down() -> None:  # an answer too, and sooner
        raise ServerUnavailable("MLflow is not started for this")

    monkeypatch.setattr(api.platform.mlflow, "wait_ready", down)
    application = build_api(api.platform)
    callers = {"m": MEMBER, "s": STRANGER, "j": JOB}

    statuses = {letter: answer_of(application, route, caller) for letter, caller in callers.items()}

    assert "".join(letter for letter, status in statuses.items() if status != 403) == ALLOWED[route]
    assert answer_of(application, route, None) in ((401,) if route != "GET /health" else (200,))
    if route != "POST /shutdown":
        assert answer_of(application, route, OWNER) not in (401, 403)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/api/v1/workspaces", 405),
        ("POST", "/api/v1/health", 405),
        ("GET", "/api/v1/workspaces/default/pictures", 422),
    ],
)
def test_a_route_that_does_not_exist_is_told_in_our_record(
    api: Api, method: str, path: str, status: int
) -> None:
    """With what was asked for, so that a mistyped address is seen."""
    answer = api.http.request(method, path)

    assert answer.status_code == status
    record = answer.json()
    assert {"code", "message", "details", "hint"} <= set(record)
    assert path in record["message"] or status == 422


def test_a_body_that_is_no_json_is_told_in_our_record(api: Api) -> None:
    """A client's defect, in words."""
    headers = {"content-type": "application/json"}
    answer = api.http.post("/api/v1/workspaces", content=b"{nonsense", headers=headers)

    assert answer.status_code == 422
    assert answer.json()["code"] == "InvalidDocument" or answer.json()["problems"]


@pytest.mark.parametrize("says_its_length", [True, False])
def test_reliability_14_a_huge_document_is_refused(api: Api, says_its_length: bool) -> None:
    """A hundred megabytes of JSON never come to be in memory, whether they are announced or not."""
    taken = 0

    def body() -> Iterator[bytes]:
        nonlocal taken
        yield b'{"document": {"name": "'
        for _ in range(100):
            taken += 1
            yield b"x" * 1024 * 1024
        yield b'"}}'

    headers = {"content-type": "application/json"} | (
        {"content-length": str(23 + 100 * 1024**2 + 3)} if says_its_length else {}
    )
    try:
        with another_client(api) as http:
            answer = http.post("/api/v1/workspaces", content=body(), headers=headers)
    except (httpx.WriteError, httpx.RemoteProtocolError):  # the server had said enough and hung up
        assert taken < 100
    else:
        assert answer.status_code == 413
        assert answer.json()["code"] == "TooLarge"
    assert api.get("health")["status"] == "ok"


def test_an_upload_that_is_cut_off_leaves_nothing(api: Api) -> None:
    """The client went away in the middle: no part of it is kept, and no thread waits for the rest: there is one left."""
    content = b"y" * 3_000_000
    digest = hashlib.sha256(content).hexdigest()
    for _ in range(80):  # more than there are threads
        with socket.socket(socket.AF_UNIX) as line:
            line.connect(str(api.platform.home.socket))
            head = f"PUT /api/v1/blobs/{digest} HTTP/1.1\r\nHost: penstock\r\nContent-Length: {len(content)}\r\n\r\n"
            line.sendall(head.encode() + content[:1_000_000])

    until(lambda: not [path for path in api.platform.home.artifacts.rglob("*") if path.is_file()])
    assert api.post("blobs:missing", digests=[digest])["missing"] == [digest]
    assert api.http.put(f"/api/v1/blobs/{digest}", content=content).status_code == 201


def test_many_slow_uploads_at_once_all_arrive(api: Api) -> None:
    """More than the server has threads: none waits for a thread that waits for it."""
    together = threading.Barrier(40)
    statuses: list[int] = []

    def upload(number: int) -> None:
        content = str(number).encode() * 100_000

        def slowly() -> Iterator[bytes]:
            yield content[:1000]
            together.wait(DEADLINE)
            yield content[1000:]

        digest = hashlib.sha256(content).hexdigest()
        with another_client(api) as http:
            statuses.append(http.put(f"/api/v1/blobs/{digest}", content=slowly()).status_code)

    threads = [threading.Thread(target=upload, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE)

    assert statuses == [201] * 40


def test_a_follower_that_goes_away_is_forgotten(api: Api) -> None:
    """Nobody reads on for a client that is gone."""
    api.create("jobs", name="j", command="sleep 60", environment={"image": "python:3.11"})
    for _ in range(5):
        with (
            another_client(api) as http,
            http.stream("GET", "/api/v1/workspaces/default/jobs/j/stream") as stream,
        ):
            line = json.loads(next(stream.iter_lines()))
            assert line["job"] == "j"

    def quiet() -> bool:
        with api.platform.database.count_statements() as counted:
            time.sleep(0.6)  # several looks of a follower
        return not counted.statements

    until(lambda: api.get("workspaces/default/jobs/j")["status"] == "Running")
    until(quiet)
    api.post("workspaces/default/jobs/j/cancel")


def another_client(api: Api) -> httpx.Client:
    transport = httpx.HTTPTransport(uds=str(api.platform.home.socket))
    return httpx.Client(transport=transport, base_url="http://penstock", timeout=DEADLINE)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("kind", ["environments", "data", "components", "jobs", "computes"])
def test_half_a_character_is_refused(api: Api, kind: str) -> None:
    """JSON can spell it and no text holds it: the caller's mistake, of which nothing is kept."""
    document = {"name": "x", "description": "caf\ud800", "command": "ls", "environment": {"image": "i"}}
    body = json.dumps({"document": {**document, "path": "https://example.org/x", "type": "uri_file"}})

    answer = api.http.post(
        f"/api/v1/workspaces/default/{kind}", content=body, headers={"content-type": "application/json"}
    )

    assert 400 <= answer.status_code < 500, answer.text
    assert api.get(f"workspaces/default/{kind}") == [] or kind == "computes"
