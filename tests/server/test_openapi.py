"""Whatever the API's own description allows to be sent, it answers without a defect of ours."""

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings

from penstock.server.api import build_api
from penstock.server.doors import owner_door
from tests.server.conftest import Api


@pytest.fixture
def described(api: Api) -> Iterator[Any]:
    """The API's own description, of a server on a loopback port that takes everybody for the owner."""
    door = uvicorn.Server(
        uvicorn.Config(owner_door(build_api(api.platform)), log_config=None, lifespan="off")
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = threading.Thread(target=door.run, args=([listening],), daemon=True)
        serving.start()
        schema = schemathesis.openapi.from_dict(api.http.get("/api/v1/openapi.json").json())
        schema.config.update(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}")
        # The server's own end, and the routes of MLflow's registry, which would start MLflow for nothing.
        yield schema.exclude(path_regex="/shutdown|/models|/gc")
        door.should_exit = True
        serving.join(10)


def test_no_request_that_the_description_allows_is_a_defect(described: Any) -> None:
    """Never a 5xx: what is wrong with a request is the client's to mend, and the answer says so in our record's shape."""
    asked = 0
    for found in described.get_all_operations():
        operation = found.ok()

        @settings(max_examples=10, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            nonlocal asked
            asked += 1
            answer = case.call(timeout=20)
            assert answer.status_code < 500, (case.formatted_path, answer.text)
            if answer.status_code >= 400:
                assert set(answer.json()) >= {"code", "message", "details", "hint"}

        ask()
    assert asked > 100
