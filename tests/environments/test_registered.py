"""A version that was registered relaxed stays what it was: whatever the machine, the index and the disk have later."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from penstock.environments.environments import (
    EnvironmentRequest,
    Environments,
    LockedEnvironment,
    Registered,
    Relaxation,
)
from penstock.environments.interpreters import Interpreter
from tests.environments.conftest import make_wheel

Pythons = tuple[Interpreter, Interpreter]
Room = Callable[..., Environments]
CONDA = {"dependencies": ["python=3.5", {"pip": ["alpha==1.0", "gone==3"]}]}


@pytest.fixture
def two(present: tuple[Interpreter, ...]) -> Pythons:
    """An older and a newer Python of this machine."""
    by_minor = {one.minor: one for one in present}
    if (3, 11) not in by_minor or (3, 9) not in by_minor:
        pytest.skip("this machine lacks Python 3.9 or 3.11")
    return by_minor[3, 9], by_minor[3, 11]


@pytest.fixture
def links(tmp_path: Path, wheelhouse: Path) -> Path:
    """An index of this test alone, with what every environment has."""
    folder = tmp_path / "links"
    folder.mkdir()
    for wheel in wheelhouse.iterdir():
        if wheel.name.split("-")[0] in ("pip", "setuptools", "wheel"):
            shutil.copy(wheel, folder)
    return folder


@pytest.fixture
def room(tmp_path: Path, environ: dict[str, str], links: Path, memory: Path) -> Room:
    """The room with a disk that knows nothing yet, over that index, with only the given Pythons."""
    count = iter(range(100))

    def made(*pythons: Interpreter) -> Environments:
        folder = tmp_path / f"environments-{next(count)}"
        folder.mkdir()
        (folder / memory.name).write_bytes(memory.read_bytes())
        only = os.pathsep.join(str(one.path) for one in pythons)
        mine = {**environ, "PIP_FIND_LINKS": str(links), "PENSTOCK_PYTHONS": only}
        return Environments(folder, environ=mine)

    return made


def registered(found: LockedEnvironment, *options: str) -> EnvironmentRequest:
    """The request of a version that was registered with this."""
    pins = [line for line in found.lock.splitlines() if not line.startswith("-")]
    conda = {"dependencies": [f"python={found.python_version}", {"pip": [*options, *pins]}]}
    return replace(asked(), registered=Registered(conda, found.relaxations))


def asked(conda: dict[str, object] = CONDA) -> EnvironmentRequest:
    """What its author wrote."""
    return EnvironmentRequest("old:1", None, conda, relax=True)


def taken(found: LockedEnvironment) -> dict[str, str | None]:
    """What stands for what."""
    return {row.what: row.taken for row in found.relaxations}


def test_another_python_and_newer_releases_change_nothing(room: Room, links: Path, two: Pythons) -> None:
    """They would be nearer: the same file relaxed today is another set. The rows are the registered ones."""
    make_wheel(links, "alpha", "1.5", tag="cp311-none-any")
    first = room(two[1]).resolve(asked())
    make_wheel(links, "alpha", "1.2", tag="cp311-none-any")
    make_wheel(links, "alpha", "1.0", tag="cp39-none-any")

    later = room(*two)
    again = later.resolve(registered(first))

    assert taken(room(*two).resolve(asked())) == {"python": two[0].version, "gone": None}
    assert (again.digest, again.relaxations) == (first.digest, first.relaxations)
    assert later.foreseen(registered(first)) == (first.digest, False)


@pytest.mark.parametrize("lost", ["python", "release"])
def test_what_cannot_be_had_any_more_is_searched_anew_and_told(
    room: Room, links: Path, two: Pythons, lost: str
) -> None:
    """The Python was removed, or the index has lost a release: the rows are those of today."""
    make_wheel(links, "alpha", "1.5")
    request = registered(room(two[1]).resolve(asked()))
    if lost == "release":
        (links / "alpha-1.5-py3-none-any.whl").unlink()
        make_wheel(links, "alpha", "1.6")

    again = room(two[0] if lost == "python" else two[1]).resolve(request)

    assert taken(again) == {
        "python": two[0 if lost == "python" else 1].version,
        "alpha": "1.5" if lost == "python" else "1.6",
        "gone": None,
    }


def test_the_credentials_of_its_index_are_taken_from_what_its_author_wrote(
    room: Room, links: Path, two: Pythons
) -> None:
    """What is registered has none of them, and nothing else would be let in."""
    make_wheel(links, "alpha", "1.5")
    option = "--extra-index-url https://me:secret@packages.example.com/simple"
    conda = {"dependencies": ["python=3.5", {"pip": [option, "alpha==1.0"]}]}
    first = room(two[1]).resolve(asked(conda))

    again = room(two[1]).resolve(replace(registered(first, option.replace("me:secret", "***")), conda=conda))

    assert again.digest == first.digest
    assert "secret" not in repr(again)
    assert "me:secret@" in again.to_install.installable  # type: ignore[union-attr]


def test_a_registered_version_is_built_and_what_its_author_named_is_imported(
    room: Room, links: Path, two: Pythons
) -> None:
    """Not what was added by pins alone."""
    make_wheel(links, "alpha", "1.5", requires=("beta",), files={"alpha.py": "1 / 0\n"})
    make_wheel(links, "beta", "1.0", files={"beta.py": "1 / 0\n"})
    request = registered(room(two[1]).resolve(asked()))

    ready = room(two[1]).ensure(request, lambda _: None)

    assert [row.what for row in ready.relaxations] == ["python", "alpha", "gone"]
    assert [warning.split(" fails")[0] for warning in ready.warnings] == ["`import alpha` (alpha)"]


def test_the_row_of_a_python_names_the_one_that_is_used(room: Room, two: Pythons) -> None:
    """Another patch release of what was registered is the same Python."""
    pins = {"dependencies": [f"python={two[1].minor[0]}.{two[1].minor[1]}.0", "pip"]}
    rows = (Relaxation("python", "3.5", "3.11.0", "this machine has no other Python", ""),)

    found = room(two[1]).resolve(replace(asked(), registered=Registered(pins, rows)))

    assert taken(found) == {"python": two[1].version}
