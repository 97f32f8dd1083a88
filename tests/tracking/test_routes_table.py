"""The table of routes against the routes of the installed MLflow."""

import json
import re
import subprocess
import sys

import pytest

from penstock.tracking.routes_table import REFUSED, current_path, find_route, may, routes, why_refused

_PRINT_ROUTES = """
import json, os
os.environ["MLFLOW_ENABLE_WORKSPACES"] = "true"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
from mlflow.server import app
from mlflow.server import artifact_router, assistant, gateway_api, job_api, otel_api, server_info_api
from mlflow.server.assistant.api import assistant_router
from mlflow.server.mcp_server_api import get_mcp_server_api_route_prefixes, mcp_server_router
found = [[method, rule.rule] for rule in app.url_map.iter_rules() for method in rule.methods]
for router in (artifact_router.artifact_router, gateway_api.gateway_router, job_api.job_api_router,
               otel_api.otel_router, server_info_api.server_info_router, assistant_router):
    found += [[method, route.path] for route in router.routes for method in route.methods]
for prefix in get_mcp_server_api_route_prefixes():
    found += [[method, prefix + route.path] for route in mcp_server_router.routes for method in route.methods]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def of_mlflow() -> list[tuple[str, str]]:
    """Every (method, path) that the installed MLflow serves, with placeholders filled in."""
    done = subprocess.run(
        [sys.executable, "-c", _PRINT_ROUTES], stdout=subprocess.PIPE, check=True, text=True
    )
    found = {(method, path) for method, path in json.loads(done.stdout) if method not in ("HEAD", "OPTIONS")}
    return sorted((method, re.sub(r"<[^>]*>|\{[^}]*\}", "x", path)) for method, path in found)


@pytest.mark.slow
def test_every_route_of_mlflow_was_decided_on(of_mlflow: list[tuple[str, str]]) -> None:
    """An upgrade that brings a new route fails here until somebody says what it means."""
    undecided = [
        f"{method} {path}"
        for method, path in of_mlflow
        if find_route(method, path) is None and why_refused(path).startswith("it is not a route")
    ]

    assert undecided == []


@pytest.mark.slow
def test_every_row_of_the_table_is_a_route_of_mlflow(of_mlflow: list[tuple[str, str]]) -> None:
    """A misspelt row would allow nothing and look as if it did."""
    known = {(method, path) for method, path in of_mlflow}
    only_ajax = {path for _, path in known if path.startswith("/ajax-api/")}
    absent = [
        route
        for route in routes()
        if (route.method, route.pattern.replace("{*}", "x").replace("{}", "x")) not in known
        and route.pattern.replace("/api/", "/ajax-api/").replace("{*}", "x").replace("{}", "x")
        not in only_ajax
    ]

    assert absent == []


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/", "page"),
        ("HEAD", "/static-files/x/y.js", "page"),
        ("POST", "/api/2.0/mlflow/runs/search", "read"),
        ("POST", "/ajax-api/3.0/mlflow/traces/search", "read"),
        ("GET", "/api/3.0/mlflow/traces/tr-1", "read"),
        ("PUT", "/api/2.0/mlflow-artifacts/artifacts/1/a/b c", "log"),
        ("POST", "/api/2.0/mlflow/runs/log-batch", "log"),
        ("POST", "/api/2.0/mlflow/model-versions/create", "register"),
        ("POST", "/api/2.0/mlflow/experiments/delete", "manage"),
        ("DELETE", "/api/2.0/mlflow-artifacts/artifacts/1/a", "manage"),
    ],
)
def test_a_route_means_an_action(method: str, path: str, action: str) -> None:
    """The table in examples."""
    route = find_route(method, path)

    assert route is not None
    assert route.action == action


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/3.0/mlflow/workspaces"), ("GET", "/api/3.0/mlflow/workspaces"),
        ("POST", "/api/2.0/mlflow/webhooks"), ("POST", "/ajax-api/3.0/mlflow/gateway/secrets/create"),
        ("POST", "/gateway/proxy/x/y"), ("POST", "/ajax-api/3.0/mlflow/assistant/message"),
        ("POST", "/api/2.0/mlflow/users/create"), ("GET", "/api/2.0/mlflow/artifacts/list/"),
        ("PUT", "/api/2.0/mlflow/runs/get"), ("GET", "/static-files"), ("GET", "/api/2.0/mlflow/runs/get/x"),
        ("GET", "/API/2.0/mlflow/runs/get"), ("TRACE", "/"), ("GET", "/etc/passwd"), ("GET", ""),
        ("POST", "/api/2.0/mlflow/runs/log-batch\n"), ("GET", "/metrics"),
    ],
)  # fmt: skip
def test_what_is_not_in_the_table_is_no_route(method: str, path: str) -> None:
    """Deny by default."""
    assert find_route(method, path) is None


def test_a_refusal_says_why() -> None:
    """Each reason belongs to the beginning of a path."""
    assert "penstock workspace" in why_refused("/api/3.0/mlflow/workspaces/x")
    assert "any address" in why_refused("/ajax-api/2.0/mlflow/webhooks")
    assert why_refused("/api/3.0/mlflow/workspacesx").startswith("it is not a route")
    assert all(REFUSED.values())


def test_the_registry_of_old_clients_is_found_at_its_present_place() -> None:
    """It was a preview before MLflow 2.0."""
    assert (
        current_path("/api/2.0/preview/mlflow/registered-models/create")
        == "/api/2.0/mlflow/registered-models/create"
    )
    assert current_path("/api/2.0/mlflow/runs/get") == "/api/2.0/mlflow/runs/get"


def test_a_job_logs_and_registers_and_no_more() -> None:
    """The owner may everything that is in the table."""
    assert [may("job", action) for action in ("page", "read", "log", "register", "manage")] == [
        False, True, True, True, False,
    ]  # fmt: skip
    assert all(may("owner", action) for action in ("page", "read", "log", "register", "manage"))
