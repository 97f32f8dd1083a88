"""A command in a container as the engine's command, without an engine."""

import pytest

from penstock.compute.container import Container, Mount, argv_of, client_environment, of_a_container
from penstock.compute.engine import Engine, Engines

ENGINE = Engine("podman", "/usr/bin/podman", "4.3.1")


def container(**variables: str) -> Container:
    """One that runs `true`."""
    return Container("c", "i", "true", "/work", (Mount("/real", "/work", writable=True),), variables)


def test_values_reach_the_client_by_its_environment_alone() -> None:
    """Arguments of a process can be read by everybody on the machine."""
    asked = container(SECRET="hunter2", MODE="fast")

    argv, environment = argv_of(ENGINE, asked), client_environment(asked, {"PATH": "/bin", "TOKEN": "no"})

    assert "hunter2" not in " ".join(argv)
    assert [argv[at + 1] for at, word in enumerate(argv) if word == "--env"] == [
        "SECRET",
        "MODE",
        "PENSTOCK_STEP",
    ]
    assert environment == {"PATH": "/bin", "SECRET": "hunter2", "MODE": "fast"}


def test_a_variable_that_the_client_needs_itself_is_told_by_its_value() -> None:
    """The client must find its own programs, whatever PATH the command gets."""
    asked = container(PATH="/opt/x/bin")

    assert "PATH=/opt/x/bin" in argv_of(ENGINE, asked)
    assert client_environment(asked, {"PATH": "/bin"})["PATH"] == "/bin"


def test_what_the_machine_says_of_itself_stays_outside() -> None:
    """Paths of this machine would be wrong in the image, unless the job's file sets them."""
    variables = {"PATH": "/venv/bin", "HOME": "/root", "LC_ALL": "C", "AZUREML_RUN_ID": "j"}

    assert of_a_container(variables, frozenset()) == {"AZUREML_RUN_ID": "j"}
    assert of_a_container(variables, frozenset({"PATH"})) == {"PATH": "/venv/bin", "AZUREML_RUN_ID": "j"}


@pytest.mark.parametrize(
    ("mount", "text"),
    [
        (Mount("/a", "/b"), "type=bind,source=/a,target=/b,readonly"),
        (Mount("/a", "/b", writable=True), "type=bind,source=/a,target=/b"),
        (Mount("/a,1", '/b"2'), 'type=bind,"source=/a,1","target=/b""2",readonly'),
    ],
)
def test_mounts_are_comma_separated_values(mount: Mount, text: str) -> None:
    """Paths may hold anything."""
    assert str(mount) == text


def test_docker_runs_as_the_user_of_the_server() -> None:
    """Its containers run as root otherwise, and so would outputs belong to it."""
    assert "--user" in argv_of(Engine("docker", "/usr/bin/docker", "28"), container())


def test_a_machine_without_an_engine_has_none() -> None:
    """Nothing is on its PATH."""
    assert Engines({"PATH": "/nowhere"}).found() is None
