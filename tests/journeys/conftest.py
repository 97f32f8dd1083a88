"""A person for every story."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journeys.mistakes import Project
from tests.journeys.person import EXAMPLES, Person


@pytest.fixture(scope="module")
def person(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Person]:
    """Somebody with an empty home and, where the module names an `EXAMPLE`, a copy of that project."""
    folder = tmp_path_factory.mktemp("work")
    example = getattr(request.module, "EXAMPLE", None)
    if example is not None:
        folder = folder / example
        shutil.copytree(
            EXAMPLES / example, folder, ignore=shutil.ignore_patterns("__pycache__", "downloaded")
        )
    someone = Person(folder=folder, home=tmp_path_factory.mktemp("home") / "penstock")
    yield someone
    someone.leave()


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project whose path has a blank and a letter beyond ASCII, with a home and a server of its own."""
    folder = tmp_path_factory.mktemp("work") / "Größe und Maß"
    folder.mkdir()
    someone = Person(folder=folder, home=tmp_path_factory.mktemp("home") / "penstock")
    someone.penstock(
        "compute", "list"
    )  # starts the server: what that makes is not what a mistake leaves behind
    yield Project(someone)
    someone.leave()
