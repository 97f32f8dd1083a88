"""Who asks for real conda packages gets them wherever an environment is asked for: by variable or by workspace."""

from pathlib import Path
from typing import Any

import pytest

from penstock.environments.conda_packages import rattler
from tests.server.conftest import Api

pytestmark = pytest.mark.skipif(not rattler.is_here(), reason="py-rattler is not installed")

VARIABLE = "PENSTOCK_CONDA_PACKAGES"
# Nothing on PyPI is called so, and PyPI cannot say such versions.
ONLY_CONDA = {"channels": ["our-channel"], "dependencies": ["python=3.7.5", "our-library>=1|=0.9", "r-base"]}


def planned(api: Api, environment: object) -> dict[str, Any]:
    """The environment of a job's plan as `job create --dry-run` tells it."""
    document = {"type": "command", "command": "true", "environment": environment}
    (step,) = api.post("workspaces/default/jobs:plan", document=document)["record"]["steps"]
    return dict(step["environment"])


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without podman and docker."""
    monkeypatch.setenv("PENSTOCK_CONTAINERS", "never")


def test_a_file_that_only_conda_understands_is_accepted_where_conda_is_asked_for(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Registered and inline; without being asked it is refused as ever, with the way to ask."""
    document = {"name": "e", "conda_file": ONLY_CONDA}
    _, refused = api.refused("POST", "workspaces/default/environments", json={"document": document})
    monkeypatch.setenv(VARIABLE, "conda")

    api.create("environments", **document)
    ways = [planned(api, each)["conda_packages"] for each in ("azureml:e@latest", {"conda_file": ONLY_CONDA})]

    assert ways == ["conda", "conda"]
    assert any(f"{VARIABLE}=conda" in (problem.get("hint") or "") for problem in refused["problems"])


def test_the_variable_counts_before_the_workspace_and_a_job_keeps_what_counted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at the job later has other variables."""
    conda = {"dependencies": ["python", {"pip": ["six"]}]}
    api.http.patch(
        "/api/v1/workspaces/default", json={"set": {"settings.environments.conda_packages": "conda"}}
    )
    by_workspace = planned(api, {"conda_file": conda})
    job = api.create("jobs", type="command", command="true", environment={"conda_file": conda})

    monkeypatch.setenv(VARIABLE, "pypi")
    by_variable = planned(api, {"conda_file": conda})

    assert by_workspace["conda_packages"] == "conda"
    assert "conda_packages" not in by_variable
    with api.platform.database.reading() as tx:
        plan = tx.jobs.get("default", job["name"]).spec["plan"]
    assert plan["environment"]["conda_packages"] == "conda"


def test_what_has_nothing_of_conda_in_it_stays_with_pypi(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables of curated names, and a Dockerfile that only uses pip; one that uses conda has channels."""
    monkeypatch.setenv(VARIABLE, "conda")
    folder = tmp_path / "docker"
    folder.mkdir()
    (folder / "conda.yml").write_text("channels: [conda-forge]\ndependencies: [python, r-base]\n")
    (folder / "Dockerfile").write_text("FROM python:3.10\nRUN pip install six==1.16.0\n")
    by_pip = planned(api, {"build": {"path": api.upload(folder)}})
    (folder / "Dockerfile").write_text(
        "FROM continuumio/miniconda3\nCOPY conda.yml .\nRUN conda env update -n base -f conda.yml\n"
    )
    by_conda = planned(api, {"build": {"path": api.upload(folder)}})

    curated = planned(api, "azureml://registries/azureml/environments/sklearn-1.5/labels/latest")

    assert [each.get("conda_packages") for each in (by_pip, by_conda, curated)] == [None, "conda", None]


def test_real_conda_packages_are_not_relaxed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their channels keep what they had; and nobody asks an index when the environment is registered."""
    monkeypatch.setenv(VARIABLE, "conda")
    monkeypatch.setenv("PENSTOCK_RELAX", "1")

    made = api.create("environments", name="e", conda_file=ONLY_CONDA)

    assert "mark" not in made
    assert planned(api, "azureml:e@latest").get("relax") is None
