"""Environments made of a build context, registered and inline, through the API."""

from pathlib import Path

import pytest

from tests.server.conftest import Api

DOCKERFILE = "FROM python:3.10\nENV MODE=fast\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n"


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without podman and docker."""
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "never")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder with a Dockerfile that only installs a package."""
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "requirements.txt").write_text("six==1.16.0\n")
    return folder


def test_the_digest_of_the_folder_makes_a_version(api: Api, context: Path, tmp_path: Path) -> None:
    """Edge case 2.6: what it is called, and how it is described, does not; what is in it does."""
    first = api.create("environments", name="e", build={"path": api.upload(context)})
    moved = context.rename(tmp_path / "other")

    again = api.create(
        "environments", name="e", build={"path": api.upload(moved)}, description="the same", tags={"a": "b"}
    )
    (moved / "requirements.txt").write_text("six==1.15.0\n")
    other = api.create("environments", name="e", build={"path": api.upload(moved)})

    assert (first["version"], again["version"], other["version"]) == ("1", "1", "2")
    assert again["description"] == "the same"
    assert first["build"]["dockerfile_path"] == "Dockerfile"


def test_a_line_that_cannot_be_followed_is_refused_with_its_place(api: Api, context: Path) -> None:
    """When the environment is registered, and when a job brings it along."""
    (context / "Dockerfile").write_text(f"{DOCKERFILE}RUN apt-get install -y libgomp1\n")
    build = {"path": api.upload(context)}

    _, registered = api.refused(
        "POST", "workspaces/default/environments", json={"document": {"name": "e", "build": build}}
    )
    job = {"type": "command", "command": "true", "environment": {"build": build}}
    _, inline = api.refused("POST", "workspaces/default/jobs", json={"document": job})

    for record, pointer in ((registered, "/build"), (inline, "/environment/build")):
        (problem,) = record["problems"]
        assert (problem["file"], problem["line"]) == ("docker/Dockerfile", 5)
        assert problem["pointer"] == pointer
        assert "installs programs of an operating system" in problem["message"]


def test_a_folder_without_its_dockerfile_is_refused(api: Api, context: Path) -> None:
    """With what it holds."""
    build = {"path": api.upload(context), "dockerfile_path": "gpu.Dockerfile"}

    _, record = api.refused(
        "POST", "workspaces/default/environments", json={"document": {"name": "e", "build": build}}
    )

    (problem,) = record["problems"]
    assert "`docker` has no `gpu.Dockerfile`" in problem["message"]
    assert "`requirements.txt`" in problem["hint"]


def test_a_step_gets_the_packages_and_the_variables(api: Api, context: Path) -> None:
    """What planning makes of a registered and of an inline one; the job's own variables count before the image's."""
    api.create("environments", name="e", build={"path": api.upload(context)})
    named = api.create("jobs", type="command", command="true", environment="azureml:e@latest")
    inline = api.create(
        "jobs",
        type="command",
        command="true",
        environment={"build": {"path": api.upload(context)}},
        environment_variables={"MODE": "slow"},
    )

    with api.platform.database.reading() as tx:
        plans = [tx.jobs.get("default", job["name"]).spec["plan"] for job in (named, inline)]

    for plan in plans:
        assert plan["environment"]["conda"]["dependencies"] == [{"pip": ["six==1.16.0"]}]
        assert plan["environment"]["image"] == "python:3.10"
    assert [plan["environment_variables"]["MODE"] for plan in plans] == ["fast", "slow"]


def test_an_unknown_word_for_containers_is_told(
    api: Api, context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With those that there are."""
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "sometimes")
    document = {"name": "e", "build": {"path": api.upload(context)}}

    _, record = api.refused("POST", "workspaces/default/environments", json={"document": document})

    assert "PENSTOCK_CONTAINERS is `sometimes`" in record["message"]
    assert "auto, always, never" in record["hint"]
