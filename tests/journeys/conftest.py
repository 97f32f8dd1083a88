"""A person for every story."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

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
