"""One MLflow server, behind one loopback port, for all tests of this room: it takes seconds to start."""

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from penstock.identity.links import Links
from penstock.identity.tokens import Caller, Tokens
from penstock.server.loopback import loopback_app
from penstock.tracking.proxy import MlflowProxy
from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from penstock.tracking.server import MlflowServer


@dataclass(frozen=True)
class Port:
    """The loopback port as its users see it."""

    url: str
    tokens: Tokens
    links: Links

    def token(self, caller: Caller, lifetime: float = 3600.0) -> str:
        """A token that is good for an hour."""
        return self.tokens.issue(caller, time.time() + lifetime)

    def tracking_uri(self, workspace: str) -> str:
        """What MLFLOW_TRACKING_URI says in this workspace."""
        return f"{self.url}/mlflow/{workspace}"

    def client_environment(self, caller: Caller, workspace: str) -> dict[str, str]:
        """The environment of an MLflow client, with nothing about MLflow but what Penstock gives a job."""
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "_MLFLOW"))
        }
        return {
            **kept,
            "MLFLOW_TRACKING_URI": self.tracking_uri(workspace),
            "MLFLOW_TRACKING_TOKEN": self.token(caller),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "DO_NOT_TRACK": "true",
            "GIT_PYTHON_REFRESH": "quiet",
        }


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """A running MLflow server with an empty database."""
    folder = tmp_path_factory.mktemp("tracking")
    server = MlflowServer(folder / "mlflow", folder / "mlflow.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def rest(mlflow_server: MlflowServer) -> Iterator[MlflowRest]:
    """Calls to that server."""
    client = MlflowRest(mlflow_server)
    yield client
    client.close()


@pytest.fixture
def runs(rest: MlflowRest) -> Runs:
    """Runs on that server."""
    return Runs(rest)


@pytest.fixture(scope="session")
def port(rest: MlflowRest) -> Iterator[Port]:
    """A loopback port before that server, served by uvicorn as in real life."""
    tokens, links = Tokens(os.urandom(32)), Links()
    app = loopback_app(tokens, links, MlflowProxy(rest), workspaces=lambda caller: ["default", "demo"])
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", proxy_headers=False)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    number = server.servers[0].sockets[0].getsockname()[1]
    yield Port(f"http://127.0.0.1:{number}", tokens, links)
    server.should_exit = True
    thread.join(10)


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> str:
    """A workspace that no other test uses."""
    return request.node.name.replace("[", "-").replace("]", "")
