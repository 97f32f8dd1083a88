"""One MLflow server for all tests of this room: it takes seconds to start."""

from collections.abc import Iterator

import pytest

from penstock.tracking.rest import MlflowRest
from penstock.tracking.runs import Runs
from penstock.tracking.server import MlflowServer


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


@pytest.fixture
def workspace(request: pytest.FixtureRequest) -> str:
    """A workspace that no other test uses."""
    return request.node.name.replace("[", "-").replace("]", "")
