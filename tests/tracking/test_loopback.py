"""The loopback port: every request says who it is, which host it means and, with a cookie, whose page made it."""

import base64
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from penstock.identity.tokens import Caller, Tokens
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from tests.tracking.conftest import Port
from tests.tracking.test_paths import TRAVERSALS

pytestmark = pytest.mark.slow

HERE = "demo"
CALLERS = ("nobody", "forged", "expired", "elsewhere", "job", "owner")
# Route × caller: the status that each gets. 200 stands for "MLflow answered", whatever it said.
EXPECTED: dict[tuple[str, str], tuple[int, int, int, int, int, int]] = {
    ("GET", "/"): (401, 401, 401, 200, 200, 200),
    ("GET", "/nothing"): (401, 401, 401, 404, 404, 404),
    ("GET", "/link/guess"): (401, 401, 401, 401, 401, 401),
    ("GET", "/api/v1/health"): (401, 401, 401, 404, 404, 404),
    ("GET", "/mlflow/demo/"): (401, 401, 401, 403, 403, 200),
    ("GET", "/mlflow/demo/static-files/manifest.json"): (401, 401, 401, 403, 403, 200),
    ("GET", "/mlflow/demo/api/2.0/mlflow/experiments/search?max_results=1"): (401, 401, 401, 403, 200, 200),
    ("POST", "/mlflow/demo/api/2.0/mlflow/runs/search"): (401, 401, 401, 403, 200, 200),
    ("POST", "/mlflow/demo/api/2.0/mlflow/runs/log-batch"): (401, 401, 401, 403, 200, 200),
    ("PUT", "/mlflow/demo/api/2.0/mlflow-artifacts/artifacts/x/y.txt"): (401, 401, 401, 403, 200, 200),
    ("GET", "/mlflow/demo/get-artifact?run_uuid=1&path=x"): (401, 401, 401, 403, 200, 200),
    ("POST", "/mlflow/demo/api/2.0/mlflow/model-versions/create"): (401, 401, 401, 403, 200, 200),
    ("POST", "/mlflow/demo/graphql"): (401, 401, 401, 403, 200, 200),
    ("POST", "/mlflow/demo/api/2.0/mlflow/experiments/delete"): (401, 401, 401, 403, 403, 200),
    ("DELETE", "/mlflow/demo/api/2.0/mlflow/model-versions/delete"): (401, 401, 401, 403, 403, 200),
    ("DELETE", "/mlflow/demo/api/2.0/mlflow-artifacts/artifacts/x/none"): (401, 401, 401, 403, 403, 200),
    ("GET", "/mlflow/demo/ajax-api/3.0/mlflow/assistant/config"): (401, 401, 401, 403, 403, 200),
    ("GET", "/mlflow/demo/api/3.0/mlflow/workspaces"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/api/3.0/mlflow/workspaces"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/api/2.0/mlflow/webhooks"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/api/2.0/mlflow/users/create"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/ajax-api/3.0/mlflow/gateway/secrets/create"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/ajax-api/3.0/mlflow/assistant/message"): (401, 401, 401, 403, 403, 403),
    ("POST", "/mlflow/demo/gateway/mlflow/v1/chat/completions"): (401, 401, 401, 403, 403, 403),
    ("GET", "/mlflow/demo/whatever/comes/next"): (401, 401, 401, 403, 403, 403),
    ("OPTIONS", "/mlflow/demo/api/2.0/mlflow/runs/search"): (401, 401, 401, 403, 403, 403),
}


@pytest.fixture(scope="module")
def http(port: Port) -> Iterator[httpx.Client]:
    """A client that keeps no cookies."""
    with httpx.Client(base_url=port.url, timeout=180, trust_env=False) as client:
        yield client


@pytest.fixture
def owner(port: Port) -> dict[str, str]:
    """The headers of the owner."""
    return {"authorization": f"Bearer {port.token(Caller('owner'))}"}


@pytest.fixture
def session(port: Port) -> Iterator[httpx.Client]:
    """A browser with a session, as far as cookies go."""
    code = port.links.issue(Caller("owner"), "/", time.time())
    with httpx.Client(base_url=port.url, timeout=180, trust_env=False) as client:
        assert client.get(f"/link/{code}").status_code == 303
        yield client


def _token(port: Port, caller: str) -> str | None:
    return {
        "nobody": None,
        "forged": Tokens(bytes(32)).issue(Caller("owner"), time.time() + 60),
        "expired": port.token(Caller("owner"), lifetime=-1),
        "elsewhere": port.token(Caller("person", "prod")),
        "job": port.token(Caller("job", HERE, "brave_tree")),
        "owner": port.token(Caller("owner")),
    }[caller]


@pytest.mark.parametrize(("method", "path"), EXPECTED, ids=[f"{method} {path}" for method, path in EXPECTED])
@pytest.mark.parametrize("caller", CALLERS)
def test_reliability_09_each_route_answers_each_caller_as_the_table_says(
    http: httpx.Client, port: Port, method: str, path: str, caller: str
) -> None:
    """Bearer and basic are the same; deny is the default."""
    token = _token(port, caller)
    expected = EXPECTED[method, path][CALLERS.index(caller)]
    basic = base64.b64encode(f"any:{token}".encode()).decode()

    for said in [None] if token is None else [f"Bearer {token}", f"Basic {basic}", f"bearer   {token}"]:
        headers = {"authorization": said} if said else {}
        answer = http.request(method, path, headers=headers, json={} if method == "POST" else None)

        if expected == 200:
            assert answer.status_code not in (401, 403), answer.text
        else:
            assert answer.status_code == expected, answer.text
            assert answer.json()["error_code"] in (
                "UNAUTHENTICATED",
                "PERMISSION_DENIED",
                "RESOURCE_DOES_NOT_EXIST",
            )


@pytest.mark.parametrize(
    "said",
    ["", "Bearer", "Basic !!!", "Basic eA==", "Digest x", "Bearer a b", "Bearer \xff", "Basic /w=="],
)  # fmt: skip
def test_a_header_that_cannot_be_read_is_no_token(http: httpx.Client, said: str) -> None:
    """And a cookie beside it does not help."""
    answer = http.get("/", headers=[(b"authorization", said.encode("latin-1"))])

    assert answer.status_code == 401


def test_two_tokens_are_none(http: httpx.Client, owner: dict[str, str]) -> None:
    """Which of them would count?"""
    headers = [("authorization", owner["authorization"]), ("authorization", "Bearer x")]

    assert http.get("/", headers=headers).status_code == 401


def test_a_stranger_with_a_browser_gets_a_page(http: httpx.Client) -> None:
    """It says what to run, and asks for no password."""
    answer = http.get("/mlflow/demo/", headers={"accept": "text/html,*/*"})

    assert answer.status_code == 401
    assert "--web" in answer.text
    assert "www-authenticate" not in answer.headers


def test_a_link_becomes_a_session(port: Port) -> None:
    """Once; the cookie is for this server's pages only."""
    code = port.links.issue(Caller("owner"), "/mlflow/demo/#/models", time.time())
    with httpx.Client(base_url=port.url, trust_env=False) as browser:
        answer = browser.get(f"/link/{code}")

        assert (answer.status_code, answer.headers["location"]) == (303, "/mlflow/demo/#/models")
        cookie = answer.headers["set-cookie"]
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
        assert answer.headers["cache-control"] == "no-store"
        assert "demo" in browser.get("/").text
        browser.cookies.clear()
        assert browser.get(f"/link/{code}").status_code == 401


def test_a_link_of_one_workspace_opens_only_that_one(port: Port) -> None:
    """The session is as narrow as the link was."""
    code = port.links.issue(Caller("person", "prod"), "/", time.time())
    with httpx.Client(base_url=port.url, timeout=180, trust_env=False) as browser:
        browser.get(f"/link/{code}")

        assert browser.get("/mlflow/prod/").status_code == 200
        assert browser.get("/mlflow/demo/").status_code == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "127.0.0.2", "0.0.0.0", "localhost.", "localhost@evil",
     "127.0.0.1:80@evil", "", "[::1]", "127.1", "127.0.0.1/x", "127.0.0.1, evil.example", "2130706433"],
)  # fmt: skip
def test_reliability_13_another_host_name_is_refused(
    http: httpx.Client, owner: dict[str, str], host: str
) -> None:
    """A name that somebody points at this machine gets nothing, even with a token."""
    answer = http.get("/mlflow/demo/version", headers={**owner, "host": host})

    assert answer.status_code in (400, 403)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": "http://localhost"},
        {"origin": "https://evil.example", "sec-fetch-site": "same-origin"},
        {"referer": "https://evil.example/127.0.0.1"},
        {"referer": "http://127.0.0.1:1/"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_reliability_13_another_sites_page_changes_nothing(
    session: httpx.Client, method: str, headers: dict[str, str]
) -> None:
    """Our cookie alone is not enough; another port of this machine is another site."""
    answer = session.request(
        method, "/mlflow/demo/api/2.0/mlflow/experiments/create", headers=headers, json={}
    )

    assert answer.status_code == 403
    assert "page" in answer.json()["message"]


@pytest.mark.parametrize("kind", ["origin", "referer", "fetch metadata"])
def test_our_own_page_may_change_things(session: httpx.Client, port: Port, kind: str) -> None:
    """By whichever header the browser says so."""
    headers = {
        "origin": {"origin": port.url},
        "referer": {"referer": f"{port.url}/mlflow/demo/"},
        "fetch metadata": {"sec-fetch-site": "same-origin"},
    }[kind]

    answer = session.post("/mlflow/demo/ajax-api/2.0/mlflow/runs/search", headers=headers, json={})

    assert answer.status_code not in (401, 403)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}, 403),
        ({"sec-fetch-site": "same-site", "sec-fetch-mode": "cors", "sec-fetch-dest": "empty"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe"}, 403),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}, 200),
        ({}, 200),
    ],
)
def test_reliability_13_another_sites_page_reads_nothing(
    session: httpx.Client, headers: dict[str, str], status: int
) -> None:
    """It may link here, and nothing else."""
    assert session.get("/mlflow/demo/", headers=headers).status_code == status


@pytest.mark.parametrize("path", ["/", "/mlflow/demo/", "/nothing", "/mlflow/demo/version", "/link/x"])
def test_reliability_13_no_page_can_be_framed(http: httpx.Client, owner: dict[str, str], path: str) -> None:
    """Nor guessed at, nor read by another site."""
    for headers in owner, {}:
        answer = http.get(path, headers=headers)

        assert answer.headers.get_list("x-frame-options") == ["DENY"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers


def test_reliability_13_a_page_among_the_artifacts_is_not_a_page(
    http: httpx.Client, owner: dict[str, str], runs: Runs
) -> None:
    """HTML and SVG that a job has written come as files, without script and origin."""
    run = runs.start_run(HERE, runs.experiment_id(HERE, "e"), "<script>alert(1)</script>")
    headers = owner
    for name in "x.html", "x.svg":
        put = f"/mlflow/demo/ajax-api/2.0/mlflow/upload-artifact?run_uuid={run}&path={name}"
        assert http.post(put, headers=headers, content=b"<script>alert(1)</script>").status_code == 200

        answer = http.get(f"/mlflow/demo/get-artifact?run_uuid={run}&path={name}", headers=headers)

        assert answer.content == b"<script>alert(1)</script>"
        assert answer.headers["content-disposition"].startswith("attachment")
        assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


@pytest.mark.parametrize("text", TRAVERSALS)
def test_reliability_01_no_path_leads_out_of_a_workspace(
    port: Port, owner: dict[str, str], text: str
) -> None:
    """Sent as it is, without a client that would tidy it."""
    token = owner["authorization"]
    for path in (
        f"/mlflow/demo/api/2.0/mlflow-artifacts/artifacts/{text}",
        f"/mlflow/demo/{text}",
        f"/mlflow/{text}/api/2.0/mlflow/runs/search",
    ):
        status, _ = _raw(port, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {token}\r\n")

        assert status in (400, 403, 404, 414), path


@pytest.mark.parametrize(
    "path",
    ["mlflow-artifacts/artifacts?path=./workspaces/demo", "mlflow-artifacts/artifacts?path=workspaces",
     "mlflow-artifacts/artifacts?path=workspaces/demo", "mlflow-artifacts/artifacts", "mlflow-artifacts/artifacts?path=",
     "mlflow-artifacts/artifacts/workspaces/demo/1/x", "mlflow-artifacts/artifacts?path=1&path=workspaces/demo"],
)  # fmt: skip
def test_the_default_workspace_does_not_hold_the_others(http: httpx.Client, port: Port, path: str) -> None:
    """MLflow keeps its artifacts beside the folder of all other workspaces."""
    headers = {"authorization": f"Bearer {port.token(Caller('job', 'default', 'j'))}"}

    answer = http.get(f"/mlflow/default/api/2.0/{path}", headers=headers)

    assert answer.status_code in (400, 403)


def test_a_workspaces_artifacts_stay_its_own(http: httpx.Client, port: Port) -> None:
    """Named from another workspace they are not found, even by the owner of that one."""
    put = http.put(
        "/mlflow/one/api/2.0/mlflow-artifacts/artifacts/1/secret.txt",
        content=b"the words",
        headers={"authorization": f"Bearer {port.token(Caller('job', 'one', 'j'))}"},
    )
    assert put.status_code == 200
    other = {"authorization": f"Bearer {port.token(Caller('person', 'two-b'))}"}

    for path in "1/secret.txt", "workspaces/one/1/secret.txt":
        answer = http.get(f"/mlflow/two-b/api/2.0/mlflow-artifacts/artifacts/{path}", headers=other)

        assert answer.status_code >= 400
        assert b"the words" not in answer.content


def test_headers_of_the_client_choose_no_workspace(http: httpx.Client, port: Port, runs: Runs) -> None:
    """In no spelling: what MLflow hears about it comes from the token."""
    runs.experiment_id("prod", "of prod")
    headers = {
        "authorization": f"Bearer {port.token(Caller('job', HERE, 'j'))}",
        "x-mlflow-workspace": "prod",
        "x_mlflow_workspace": "prod",
        "connection": "x-mlflow-workspace",
    }

    answer = http.get(
        "/mlflow/demo/api/2.0/mlflow/experiments/get-by-name?experiment_name=of prod", headers=headers
    )

    assert answer.status_code == 404


def test_reliability_03_an_experiments_artifacts_stay_in_the_workspace(
    http: httpx.Client, owner: dict[str, str]
) -> None:
    """MLflow would read any folder of the server for whoever names it."""
    body = {"name": "thief", "artifact_location": "/etc"}

    answer = http.post("/mlflow/demo/api/2.0/mlflow/experiments/create", headers=owner, json=body)

    assert answer.status_code == 400
    assert "belong to the workspace's own store" in answer.json()["message"]


@pytest.mark.parametrize("source", ["/etc", "file:///etc/passwd", "s3://bucket/x", "http://127.0.0.1/x", "x"])
def test_reliability_03_a_model_comes_from_the_workspace(
    http: httpx.Client, owner: dict[str, str], runs: Runs, source: str
) -> None:
    """Also where a run is named for it."""
    run = runs.start_run(HERE, runs.experiment_id(HERE, "e"), "r")
    http.post("/mlflow/demo/api/2.0/mlflow/registered-models/create", headers=owner, json={"name": "thief"})
    for body in {"name": "thief", "source": source}, {"name": "thief", "source": source, "run_id": run}:
        answer = http.post("/mlflow/demo/api/2.0/mlflow/model-versions/create", headers=owner, json=body)

        assert answer.status_code == 400
        assert "Invalid model version source" in answer.json()["message"]


def test_a_request_is_not_read_from_the_body_of_a_get(
    http: httpx.Client, owner: dict[str, str], runs: Runs
) -> None:
    """MLflow would take parameters from there, past our check of the query."""
    run = runs.start_run(HERE, runs.experiment_id(HERE, "e"), "r")

    answer = http.request("GET", "/mlflow/demo/api/2.0/mlflow/runs/get", headers=owner, json={"run_id": run})

    assert answer.status_code == 400


def test_a_body_that_mlflow_would_hold_in_memory_is_limited(
    http: httpx.Client, owner: dict[str, str]
) -> None:
    """With and without its length said before."""
    body = b"[" + b" " * (65 * 1024 * 1024)
    url = "/mlflow/demo/api/2.0/mlflow/runs/log-batch"

    said = http.post(url, headers=owner, content=body)
    unsaid = http.post(url, headers=owner, content=iter([body[:40_000_000], body[40_000_000:]]))

    assert (said.status_code, unsaid.status_code) == (413, 413)
    assert "64 MiB" in said.json()["message"]


def test_a_compressed_body_is_refused(http: httpx.Client, owner: dict[str, str]) -> None:
    """A thousandfold expansion would happen in MLflow."""
    answer = http.post("/mlflow/demo/v1/traces", headers={**owner, "content-encoding": "gzip"}, content=b"x")

    assert answer.status_code == 400


def test_an_artifact_of_any_size_passes_without_being_held(
    http: httpx.Client, owner: dict[str, str], rest: MlflowRest
) -> None:
    """300 MB up and down, in pieces; a range of it too."""
    piece, count = bytes(range(256)) * 4096, 300
    url = "/mlflow/demo/api/2.0/mlflow-artifacts/artifacts/9/big.bin"

    put = http.put(url, headers=owner, content=(piece for _ in range(count)))
    assert put.status_code == 200
    with http.stream("GET", url, headers=owner) as answer:
        assert int(answer.headers["content-length"]) == len(piece) * count
        size = sum(len(part) for part in answer.iter_bytes())
    part = http.get(url, headers={**owner, "range": "bytes=255-256"})

    assert size == len(piece) * count
    assert (part.status_code, part.content) == (206, b"\xff\x00")
    (rest.artifacts_of(HERE) / "9" / "big.bin").unlink()


def test_an_upload_that_breaks_off_leaves_nothing(
    port: Port, owner: dict[str, str], rest: MlflowRest
) -> None:
    """No file with half of the bytes."""
    head = (
        "PUT /mlflow/demo/api/2.0/mlflow-artifacts/artifacts/9/half.bin HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {owner['authorization']}\r\nContent-Length: 1000000\r\n\r\n"
    )
    host, number = port.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(number))) as connection:
        connection.sendall(head.encode() + b"x" * 1000)
        time.sleep(0.3)  # long enough for the first bytes to be on their way

    folder = rest.artifacts_of(HERE) / "9"
    deadline = time.monotonic() + 10
    while folder.is_dir() and list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_many_requests_at_once_are_all_answered(port: Port, owner: dict[str, str], runs: Runs) -> None:
    """Forty threads log into one run, none is lost."""
    run = runs.start_run(HERE, runs.experiment_id(HERE, "e"), "many")
    statuses: list[int] = []

    def log(number: int) -> None:
        body = {"run_id": run, "key": f"m{number}", "value": number, "timestamp": 1}
        answer = httpx.post(
            f"{port.url}/mlflow/demo/api/2.0/mlflow/runs/log-metric", headers=owner, json=body, timeout=120
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=log, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 40
    assert len(runs.metrics(HERE, run)) == 40


def test_clients_and_pages_hear_of_one_workspace(http: httpx.Client, owner: dict[str, str]) -> None:
    """The rest of MLflow's description is its own."""
    answer = http.get("/mlflow/demo/api/3.0/mlflow/server-info", headers=owner).json()

    assert answer["workspaces_enabled"] is False
    assert answer["features_enabled"]["gateway"] is False
    assert answer["store_type"] == "SqlStore"


def test_a_workspace_without_its_slash_is_redirected(http: httpx.Client, owner: dict[str, str]) -> None:
    """MLflow's page loads its parts relative to its address."""
    answer = http.get("/mlflow/demo", headers=owner)

    assert (answer.status_code, answer.headers["location"]) == (307, "/mlflow/demo/")


def test_an_error_has_mlflows_shape(http: httpx.Client, owner: dict[str, str]) -> None:
    """So that its clients show the words."""
    answer = http.post("/mlflow/demo/api/2.0/mlflow/webhooks", headers=owner, json={})

    said = json.loads(answer.text)
    assert said["error_code"] == "PERMISSION_DENIED"
    assert "any address" in said["message"]


def _raw(port: Port, head: str) -> tuple[int, bytes]:
    """The status and the bytes of an answer to a request that is sent byte by byte as it is."""
    host, number = port.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(number)), timeout=180) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode())
        data = b""
        while part := connection.recv(65536):
            data += part
    return int(data.split(b" ", 2)[1]), data


def test_requests_after_a_crash_wait_until_mlflow_is_back(
    http: httpx.Client, owner: dict[str, str], runs: Runs, rest: MlflowRest
) -> None:
    """None fails, whichever way it takes; connections that died with the old process are not used."""
    experiment = runs.experiment_id(HERE, "e")
    url = "/mlflow/demo/api/2.0/mlflow/runs/search"
    assert http.post(url, headers=owner, json={"experiment_ids": [experiment]}).status_code == 200
    pid = rest.server.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 30
    while rest.server.ready() and time.monotonic() < deadline:
        time.sleep(0.01)

    answer = http.post(url, headers=owner, json={"experiment_ids": [experiment]})

    assert answer.status_code == 200
    assert runs.experiment_id(HERE, "e") == experiment
    assert rest.server.pid != pid
