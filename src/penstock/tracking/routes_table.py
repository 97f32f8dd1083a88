"""Which of MLflow's routes may be called through us, for what action, and by whom. What is not here is refused.

One row per route: methods, path below `/api/` and `/ajax-api/` (or whole), action. `{}` stands for one segment, `{*}`
for the rest. A test walks the routes of the installed MLflow and fails for one that is neither here nor in `REFUSED`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from penstock.identity.tokens import Kind

Action = Literal["page", "read", "log", "register", "manage"]

# What each kind of caller may do in its own workspace. A job logs and registers; it does not tidy up after people.
MAY: Mapping[Kind, frozenset[Action]] = {
    "owner": frozenset({"page", "read", "log", "register", "manage"}),
    "person": frozenset({"page", "read", "log", "register", "manage"}),
    "job": frozenset({"read", "log", "register"}),
}

_PAGES = """
GET /
GET /static-files/{*}
"""

_READ = """
GET /health
GET /version
GET /get-artifact
GET /model-versions/get-artifact
POST /graphql
GET 3.0/mlflow/server-info
GET,POST 2.0/mlflow/experiments/search
GET 2.0/mlflow/experiments/get
GET 2.0/mlflow/experiments/get-by-name
POST 2.0/mlflow/experiments/search-datasets
GET 2.0/mlflow/runs/get
POST 2.0/mlflow/runs/search
GET 2.0/mlflow/metrics/get-history
GET 2.0/mlflow/metrics/get-history-bulk
GET 2.0/mlflow/metrics/get-history-bulk-interval
GET 2.0/mlflow/artifacts/list
POST 2.0/mlflow/artifacts/presigned-download-url
GET 2.0/mlflow-artifacts/artifacts
GET 2.0/mlflow-artifacts/artifacts/{*}
GET 2.0/mlflow-artifacts/presigned/{*}
GET 2.0/mlflow/logged-models/{}
POST 2.0/mlflow/logged-models/search
GET 2.0/mlflow/logged-models/{}/artifacts/directories
GET 2.0/mlflow/logged-models/{}/artifacts/files
GET 2.0/mlflow/registered-models/get
GET 2.0/mlflow/registered-models/search
GET,POST 2.0/mlflow/registered-models/get-latest-versions
GET 2.0/mlflow/registered-models/alias
GET 2.0/mlflow/model-versions/get
GET 2.0/mlflow/model-versions/search
GET 2.0/mlflow/model-versions/get-download-uri
GET 2.0/mlflow/traces
GET 2.0/mlflow/traces/{}/info
GET 2.0/mlflow/unified-traces
GET 2.0/mlflow/get-trace-artifact
GET 3.0/mlflow/get-trace-artifact
GET 2.0/mlflow/get-online-trace-details
GET 3.0/mlflow/traces/get
GET 3.0/mlflow/traces/batchGet
POST 3.0/mlflow/traces/batchGetInfos
POST 3.0/mlflow/traces/search
POST 3.0/mlflow/traces/metrics
POST 3.0/mlflow/traces/calculate-filter-correlation
GET 3.0/mlflow/traces/{}
GET 3.0/mlflow/traces/{}/assessments/{}
GET,POST 3.0/mlflow/datasets/search
GET 3.0/mlflow/datasets/{}
GET 3.0/mlflow/datasets/{}/experiment-ids
GET 3.0/mlflow/datasets/{}/records
GET 3.0/mlflow/scorers/list
GET 3.0/mlflow/scorers/get
GET 3.0/mlflow/scorers/versions
GET 3.0/mlflow/scorers/online-configs
GET 3.0/mlflow/issues/{}
POST 3.0/mlflow/issues/search
GET 3.0/mlflow/label-schemas/get
GET 3.0/mlflow/label-schemas/get-by-name
GET 3.0/mlflow/label-schemas/list
GET 3.0/mlflow/review-queues/get
GET 3.0/mlflow/review-queues/get-by-name
GET 3.0/mlflow/review-queues/list
GET 3.0/mlflow/review-queues/items/list
GET,POST 3.0/mlflow/ui-telemetry
"""

_LOG = """
POST 2.0/mlflow/experiments/create
POST 2.0/mlflow/experiments/set-experiment-tag
POST 2.0/mlflow/experiments/delete-experiment-tag
POST 2.0/mlflow/runs/create
POST 2.0/mlflow/runs/update
POST 2.0/mlflow/runs/log-metric
POST 2.0/mlflow/runs/log-parameter
POST 2.0/mlflow/runs/log-batch
POST 2.0/mlflow/runs/log-model
POST 2.0/mlflow/runs/log-inputs
POST 2.0/mlflow/runs/outputs
POST 2.0/mlflow/runs/set-tag
POST 2.0/mlflow/runs/delete-tag
POST 2.0/mlflow/upload-artifact
PUT 2.0/mlflow-artifacts/artifacts/{*}
POST 2.0/mlflow-artifacts/mpu/create/{*}
POST 2.0/mlflow-artifacts/mpu/complete/{*}
POST 2.0/mlflow-artifacts/mpu/abort/{*}
POST 2.0/mlflow/artifacts/presigned-upload-url
POST 2.0/mlflow/logged-models
PATCH 2.0/mlflow/logged-models/{}
POST 2.0/mlflow/logged-models/{}/params
PATCH 2.0/mlflow/logged-models/{}/tags
DELETE 2.0/mlflow/logged-models/{}/tags/{}
POST /v1/traces
POST 2.0/mlflow/traces
PATCH 2.0/mlflow/traces/{}
PATCH,DELETE 2.0/mlflow/traces/{}/tags
POST 2.0/mlflow/traces/link-prompts
POST 2.0/mlflow/traces/link-to-run
POST 3.0/mlflow/traces
PATCH,DELETE 3.0/mlflow/traces/{}/tags
POST 3.0/mlflow/traces/{}/assessments
PATCH,DELETE 3.0/mlflow/traces/{}/assessments/{}
POST 3.0/mlflow/datasets/create
POST 3.0/mlflow/datasets/{}/records
POST 3.0/mlflow/datasets/{}/add-experiments
POST 3.0/mlflow/datasets/{}/remove-experiments
PATCH 3.0/mlflow/datasets/{}/tags
DELETE 3.0/mlflow/datasets/{}/tags/{}
POST 3.0/mlflow/issues
PATCH 3.0/mlflow/issues/{}
"""

_REGISTER = """
POST 2.0/mlflow/registered-models/create
PATCH 2.0/mlflow/registered-models/update
POST 2.0/mlflow/registered-models/set-tag
DELETE 2.0/mlflow/registered-models/delete-tag
POST,DELETE 2.0/mlflow/registered-models/alias
POST 2.0/mlflow/model-versions/create
PATCH 2.0/mlflow/model-versions/update
POST 2.0/mlflow/model-versions/set-tag
DELETE 2.0/mlflow/model-versions/delete-tag
POST 2.0/mlflow/model-versions/transition-stage
"""

_MANAGE = """
POST 2.0/mlflow/experiments/update
POST 2.0/mlflow/experiments/delete
POST 2.0/mlflow/experiments/restore
POST 2.0/mlflow/runs/delete
POST 2.0/mlflow/runs/restore
DELETE 2.0/mlflow-artifacts/artifacts/{*}
DELETE 2.0/mlflow/logged-models/{}
POST 2.0/mlflow/registered-models/rename
DELETE 2.0/mlflow/registered-models/delete
DELETE 2.0/mlflow/model-versions/delete
POST 2.0/mlflow/traces/delete-traces
POST 3.0/mlflow/traces/delete-traces
DELETE 3.0/mlflow/datasets/{}
DELETE 3.0/mlflow/datasets/{}/records
"""

# Beginnings of paths that nobody may call, and why; for the test and for the message.
REFUSED: Mapping[str, str] = {
    "3.0/mlflow/workspaces": "workspaces are made and deleted with `penstock workspace`",
    "2.0/mlflow/webhooks": "a webhook would make the server call any address",
    "3.0/mlflow/gateway": "MLflow's AI gateway is not part of Penstock",
    "2.0/mlflow/gateway-proxy": "MLflow's AI gateway is not part of Penstock",
    "/gateway": "MLflow's AI gateway is not part of Penstock",
    "3.0/mlflow/assistant": "MLflow's assistant runs commands on the server",
    "3.0/mlflow/mcp-servers": "MLflow's register of MCP servers is not part of Penstock",
    "3.0/mlflow/prompt-optimization": "MLflow's own jobs are switched off",
    "3.0/mlflow/genai": "MLflow's own jobs are switched off",
    "3.0/mlflow/jobs": "MLflow's own jobs are switched off",
    "3.0/jobs": "MLflow's own jobs are switched off",
    "3.0/mlflow/issues/invoke": "MLflow's own jobs are switched off",
    "3.0/mlflow/scorer/invoke": "MLflow's own jobs are switched off",
    "3.0/mlflow/scorers/register": "a registered scorer is code that MLflow's own jobs would run",
    "3.0/mlflow/scorers/delete": "a registered scorer is code that MLflow's own jobs would run",
    "3.0/mlflow/scorers/online-config": "a registered scorer is code that MLflow's own jobs would run",
    "3.0/mlflow/label-schemas": "review queues are not part of Penstock yet",
    "3.0/mlflow/review-queues": "review queues are not part of Penstock yet",
    "3.0/mlflow/demo": "MLflow's demo data is not part of Penstock",
    "2.0/mlflow/runs/create-promptlab-run": "MLflow's AI gateway is not part of Penstock",
    "2.0/mlflow/users": "users are managed by Penstock",
    "3.0/mlflow/users": "users are managed by Penstock",
    "3.0/mlflow/roles": "users are managed by Penstock",
    "/graphql": "queries are sent with POST",
    "/build": "not a page of MLflow's",
    "2.0mlflow": "a misspelt path of MLflow's",
}


@dataclass(frozen=True)
class Route:
    """A route of MLflow's that may be called, and what calling it means."""

    method: str
    pattern: str
    action: Action


@cache
def routes() -> tuple[Route, ...]:
    """Every route of the table, each API route under both of its prefixes."""
    tables: tuple[tuple[Action, str], ...] = (
        ("page", _PAGES),
        ("read", _READ),
        ("log", _LOG),
        ("register", _REGISTER),
        ("manage", _MANAGE),
    )
    return tuple(
        route for action, table in tables for line in table.split("\n") if line for route in _of(line, action)
    )


def find_route(method: str, path: str) -> Route | None:
    """The route that a request means; `path` is decoded and holds neither `.` nor `..` nor empty segments."""
    asked = "GET" if method == "HEAD" else method
    for expression, route in _by_method().get(asked, ()):
        if expression.fullmatch(path):
            return route
    return None


def current_path(path: str) -> str:
    """The path as the installed MLflow knows it: the registry of clients before 2.0 was a preview."""
    return re.sub(r"^/(ajax-)?api/2\.0/preview/mlflow/", r"/\1api/2.0/mlflow/", path)


def why_refused(path: str) -> str:
    """What to tell a caller whose path is not in the table."""
    below = re.sub(r"^/(ajax-)?api/", "", path)
    for beginning, reason in REFUSED.items():
        if below == beginning or below.startswith(beginning + "/"):
            return reason
    return "it is not a route that MLflow's clients or pages call"


def may(kind: Kind, action: Action) -> bool:
    """Whether such a caller may do this in its own workspace."""
    return action in MAY[kind]


def _of(line: str, action: Action) -> Iterator[Route]:
    methods, path = line.split(" ")
    whole = [path] if path.startswith("/") else [f"/api/{path}", f"/ajax-api/{path}"]
    return (Route(method, pattern, action) for method in methods.split(",") for pattern in whole)


@cache
def _by_method() -> Mapping[str, tuple[tuple[re.Pattern[str], Route], ...]]:
    table: dict[str, tuple[tuple[re.Pattern[str], Route], ...]] = {}
    # A literal segment is more telling than a placeholder: /traces/search before /traces/{}.
    for route in sorted(routes(), key=lambda route: route.pattern.count("{}")):
        expression = re.escape(route.pattern).replace(r"\{\*\}", ".+").replace(r"\{\}", "[^/]+")
        table[route.method] = (*table.get(route.method, ()), (re.compile(expression, re.DOTALL), route))
    return table
