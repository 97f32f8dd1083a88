"""A server whose answers are written down, at the place where the home's server would listen."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.client.client import Client
from penstock.settings import Home
from tests.client.fake_server import FakeServer


@pytest.fixture
def home(clean_environment: Path) -> Home:
    return Home.from_environment()


@pytest.fixture
def fake(home: Home) -> Iterator[FakeServer]:
    server = FakeServer(home.socket)
    yield server
    server.stop()


@pytest.fixture
def client(fake: FakeServer, home: Home) -> Iterator[Client]:
    client = Client.connect(workspace="demo", home=home)
    yield client
    client.connection.close()
