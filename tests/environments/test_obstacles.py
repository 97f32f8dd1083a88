"""What keeps an environment from being built: all of it at once, each with its line and a way out."""

import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments
from penstock.environments.interpreters import Interpreter
from penstock.errors import EnvironmentCannotBeBuilt
from tests.environments.conftest import make_wheel


@pytest.fixture
def newer(present: tuple[Interpreter, ...]) -> Interpreter:
    """The only Python that these environments may have."""
    found = [one for one in present if one.minor == (3, 11)]
    if not found:
        pytest.skip("this machine has no Python 3.11")
    return found[0]


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
def room(
    tmp_path: Path, environ: dict[str, str], links: Path, newer: Interpreter
) -> Callable[..., Environments]:
    """The room over that index and Python, with other variables where they are given."""

    def made(**variables: str) -> Environments:
        only = {"PIP_FIND_LINKS": str(links), "PENSTOCK_PYTHONS": str(newer.path)}
        return Environments(tmp_path / "environments", environ={**environ, **only, **variables})

    return made


def asking(*dependencies: object, pip: tuple[str, ...] = ()) -> EnvironmentRequest:
    """A request with these conda dependencies and pip lines."""
    conda = {"dependencies": [*dependencies, {"pip": list(pip)}]}
    return EnvironmentRequest("train-env:1", None, conda, "/environment")


def test_every_obstacle_is_told_with_its_line_and_a_way_out(
    room: Callable[..., Environments], links: Path, newer: Interpreter
) -> None:
    """Not just the first that the installer meets."""
    make_wheel(links, "scikit-learn", "0.24.1", tag="cp37-none-any")
    make_wheel(links, "scikit-learn", "1.1.3")
    make_wheel(links, "azureml-core", "1.50")
    make_wheel(links, "pyarrow", "12.0")
    make_wheel(links, "azureml-sdk", "1.38.0", requires=("pyarrow<4",))
    request = asking(
        "python=3.7.5",
        "scikit-learn=0.24.1",
        "no-such-thing",
        pip=(
            "azureml-core==1.38",
            "nowhere==1",
            "git+https://127.0.0.1:9/team/tool",
            "azureml-sdk==1.38.0",
            "pyarrow==12.0",
        ),
    )

    found = {
        one.pointer.removeprefix("/environment/conda_file/dependencies/"): one
        for one in room().obstacles(request)
    }

    assert sorted(found) == ["0", "1", "2", "3/pip/0", "3/pip/1", "3/pip/2", "3/pip/3"]
    assert "Python 3.7.5 is not on this machine" in found["0"].message
    assert "`scikit-learn=0.24.1`" in found["1"].message
    assert f"no wheel for Python {newer.version}" in found["1"].message
    assert "scikit-learn==1.1.3`, the closest later" in str(found["1"].hint)
    assert "`no-such-thing`" in found["2"].message
    assert "take it out" in str(found["3/pip/0"].hint)
    assert "no index has a package called `nowhere`" in found["3/pip/1"].message
    assert "cannot be fetched" in found["3/pip/2"].message
    assert "`azureml-sdk==1.38.0`, `pyarrow==12.0` cannot be had together" in found["3/pip/3"].message
    assert all(one.hint for one in found.values())


def test_the_error_lists_all_of_them_and_ends_with_how_to_relax(
    room: Callable[..., Environments], links: Path
) -> None:
    """Whether the Python is absent or the index lacks something."""
    make_wheel(links, "alpha", "2.0")

    for first in ("python=3.7", "pip"):
        with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
            room().resolve(asking(first, pip=("alpha==1.0", "nowhere==1")))
        details = "\n".join(refusal.value.details)
        assert "/environment/conda_file/dependencies/1/pip/0  `alpha==1.0` cannot be installed" in details
        assert "/environment/conda_file/dependencies/1/pip/1  `nowhere==1` cannot be installed" in details
        assert "--relax" in str(refusal.value.hint)
        assert "PENSTOCK_RELAX=1" in str(refusal.value.hint)


def test_what_can_be_built_has_no_obstacles(room: Callable[..., Environments], links: Path) -> None:
    """Not even a warning's worth."""
    make_wheel(links, "alpha", "1.0")

    assert room().obstacles(asking(pip=("alpha==1.0",))) == ()


def test_without_the_index_what_is_known_is_listed_and_that_it_was_not_asked_is_said(
    room: Callable[..., Environments],
) -> None:
    """A Python that is absent stays absent offline."""
    offline = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    heard: list[str] = []

    [problem] = room(**offline).obstacles(asking("python=3.7", pip=("alpha==1",)), heard.append)
    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        room(**offline).resolve(asking("python=3.7", pip=("alpha==1",)))

    assert "Python 3.7 is not on this machine" in problem.message
    assert "the index cannot be reached" in heard[-1]
    assert any("the index cannot be reached" in line for line in refusal.value.details)


def test_relaxing_does_not_start_where_the_index_is_out_of_reach(room: Callable[..., Environments]) -> None:
    """Everything would be left out."""
    offline = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": "http://127.0.0.1:9/simple", "UV_HTTP_RETRIES": "0"}
    request = EnvironmentRequest("e", None, {"dependencies": ["numpy=1.21"]}, "", relax=True)

    with pytest.raises(EnvironmentCannotBeBuilt, match="cannot be downloaded"):
        room(**offline).resolve(request)


def test_credentials_of_an_address_are_in_no_obstacle(room: Callable[..., Environments]) -> None:
    """Neither in the message nor in the error."""
    request = asking(
        pip=(
            "git+https://me:secret@127.0.0.1:9/team/tool",
            "--extra-index-url https://me:secret@127.0.0.1:9/simple",
            "nowhere==1",
        )
    )

    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        room(UV_HTTP_RETRIES="0").resolve(request)

    assert "secret" not in repr(room(UV_HTTP_RETRIES="0").obstacles(request))
    assert "secret" not in str(refusal.value.as_record())


def test_an_address_that_cannot_be_fetched_is_told_once(
    room: Callable[..., Environments], links: Path
) -> None:
    """By its line, as every other obstacle, without the installer's own talk of the network."""
    make_wheel(links, "alpha", "1.0")

    with pytest.raises(EnvironmentCannotBeBuilt) as refusal:
        room().resolve(asking(pip=("alpha==1.0", "git+https://127.0.0.1:9/team/tool")))

    [told] = refusal.value.details
    assert told.startswith(
        "/environment/conda_file/dependencies/0/pip/1  `git+https://127.0.0.1:9/team/tool`: "
    )
    assert "--relax" in str(refusal.value.hint)


class _Closed(BaseHTTPRequestHandler):
    """An index that lets nobody in: the first part of a path is the status."""

    def do_GET(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def closed() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Closed) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://me:secret@127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("relax", [True, False])
@pytest.mark.parametrize("status", ["401", "500"])
def test_an_index_that_lets_nobody_in_makes_no_package_absent(
    room: Callable[..., Environments], closed: str, status: str, relax: bool
) -> None:
    """What it has is not known, so nothing of it is left out."""
    online = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": f"{closed}/{status}/simple", "UV_HTTP_RETRIES": "0"}
    conda = {"dependencies": ["pip", {"pip": ["nowhere==1"]}]}

    with pytest.raises(EnvironmentCannotBeBuilt, match="cannot be downloaded") as refusal:
        room(**online).resolve(EnvironmentRequest("e", None, conda, relax=relax))

    assert any(status in detail for detail in refusal.value.details)
    assert "secret" not in str(refusal.value.as_record())


def test_an_index_that_forbids_to_look_is_named(room: Callable[..., Environments], closed: str) -> None:
    """Some answer so for what they do not have."""
    online = {"PIP_NO_INDEX": "", "PIP_INDEX_URL": f"{closed}/403/simple"}

    [problem] = room(**online).obstacles(asking(pip=("nowhere==1",)))

    assert "no index has a package called `nowhere`, and http://" in problem.message
    assert problem.message.endswith("/403/simple answers 403 Forbidden")
    assert "secret" not in problem.message
