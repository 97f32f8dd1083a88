"""A notebook: its folder, and a client of a home of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock import Client


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a script that writes its argument into a file."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "prep.py").write_text(
        "import sys\nprint('rate', sys.argv[1])\nopen(sys.argv[2] + '/rate.txt', 'w').write(sys.argv[1])\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sdk-home")


@pytest.fixture
def client(home: Path, folder: Path) -> Iterator[Client]:
    with Client(home=home, quiet=True) as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def no_server_is_left(home: Path) -> Iterator[None]:
    """The embedded server that the first verb starts goes with the module."""
    yield
    from penstock.client.starting import stop_server
    from penstock.settings import Home

    stop_server(Home(home))
