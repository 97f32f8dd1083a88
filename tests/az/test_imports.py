"""What `az` must never import: a script calls it hundreds of times."""

import pytest

from tests.cli.test_imports import HEAVY, LAZY, imported_by
from tests.client.fake_server import FakeServer

AZ = "penstock.az.main"

# What starting a process, writing a script, or looking for another az costs.
NOT_TO_ANSWER = (
    "subprocess",
    "hashlib",
    "http.client",
    "socket",
    "shlex",
    "tempfile",
    "uuid",
    "importlib.metadata",
)


@pytest.mark.parametrize(
    "line",
    [
        "account show", "account list", "account set -n 11111111-2222-3333-4444-555555555555", "extension list",
        "extension add -n ml -y", "configure --list-defaults", "version", "--version", "provider register -n x",
        "cloud show", "config get",
    ],
)  # fmt: skip
def test_an_answer_imports_nothing_heavy(line: str, clean_environment: object) -> None:
    """Neither a library, nor the way to the server, nor what another group needs."""
    loaded = set(imported_by(line, AZ))

    assert not {name.split(".")[0] for name in loaded} & set(HEAVY + LAZY)
    assert not loaded & set(NOT_TO_ANSWER)
    group = line.split()[0].lstrip("-")
    groups = {
        name
        for name in loaded
        if name.removeprefix("penstock.az.") in {"account", "acr", "cloud", "extension", "group", "resource"}
    }
    assert groups <= {f"penstock.az.{group}"}


def test_az_ml_imports_what_penstock_imports_and_one_module_more(fake: FakeServer) -> None:
    """No table of refusals, no group of `az`."""
    fake.on("GET", "/api/v1/workspaces/default/jobs", [])

    more = set(imported_by("ml job list", AZ)) - set(imported_by("job list"))

    assert {name for name in more if name.startswith("penstock")} == {"penstock.az", "penstock.az.main"}
    assert not {name.split(".")[0] for name in more} & set(HEAVY + LAZY)
