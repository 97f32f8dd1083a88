"""What a reference to a curated environment becomes, asked as planning asks it."""

import re
from pathlib import Path

import pytest

from penstock.errors import NotFound, PenstockError
from penstock.jobs.plans import PlannedEnvironment
from penstock.resources import references as refs
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.settings import workspace_settings
from tests.server.conftest import Api


def planned(api: Api, text: str) -> PlannedEnvironment:
    """The environment of a step that names it by `text`."""
    reference = refs.parse_reference(text, "environment")
    assert isinstance(reference, refs.AssetReference)
    with api.platform.database.reading() as tx:
        return WorkspaceLookup(api.platform, tx, "default", workspace_settings()).environment(reference)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("azureml://registries/azureml/environments/minimal-py311-inference/labels/latest", None),
        ("azureml://registries/azureml/environments/minimal-py311-inference/versions/12", "12"),
        ("azureml://registries/azureml/environments/minimal-py311-inference", None),
        ("azureml:AzureML-minimal-py311-inference@latest", None),
        ("azureml:AzureML-minimal-py311-inference:12", "12"),
        ("azureml:AzureML-minimal-py311-inference", None),
    ],
)
def test_every_form_of_a_curated_reference_is_resolved(
    api: Api, monkeypatch: pytest.MonkeyPatch, text: str, label: str | None
) -> None:
    """By label, by version, by the prefix alone; a version that is no row of its own says whose pins are taken."""
    monkeypatch.setenv("PENSTOCK_PYTHON", "nearest")

    environment = planned(api, text)

    name, _, version = environment.label.partition(":")
    assert name == "minimal-py311-inference"
    assert version == (label or version)
    assert "python=3.11" in (environment.conda or {})["dependencies"]
    assert ("version 12 of" in environment.notes[0]) == (label == "12")


def test_an_environment_of_the_workspace_comes_before_the_curated_one_of_that_name(api: Api) -> None:
    """Whoever has registered `AzureML-…` means it."""
    api.create("environments", name="AzureML-sklearn-0.24-ubuntu18.04-py37-cpu", image="ubuntu:22.04")

    environment = planned(api, "azureml:AzureML-sklearn-0.24-ubuntu18.04-py37-cpu@latest")

    assert (environment.image, environment.notes) == ("ubuntu:22.04", ())


def test_a_curated_environment_whose_python_is_absent_is_refused_when_the_job_is_created(api: Api) -> None:
    """The existing words about Pythons, with the name of the environment: no Python older than 3.7 can be had."""
    with pytest.raises(NotFound, match=r"`Tutorial:1`: Python 3\.6 is not on this machine") as refusal:
        planned(api, "azureml:AzureML-Tutorial@latest")

    assert "PENSTOCK_PYTHON=nearest" in (refusal.value.hint or "")


def test_an_unknown_curated_name_is_told_with_the_place_in_the_file(api: Api) -> None:
    """As any other reference that leads nowhere; nothing is created."""
    document = {"command": "true", "environment": "azureml:AzureML-sklearn-1.4@latest", "type": "command"}

    status, record = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    assert status == 422
    (problem,) = record["problems"]
    assert problem["pointer"] == "/environment"
    assert "near: `sklearn-1.5`" in problem["message"]
    assert "PENSTOCK_ENVIRONMENT_MAP" in problem["hint"]


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("azureml:AzureML-Sidecar-Windows@latest", "it runs on Windows only", "PENSTOCK_ENVIRONMENT_MAP"),
        (
            "azureml:sklearn-1.5@latest",
            "`sklearn-1.5` was not found in workspace `default`",
            "did you mean `azureml://registries/azureml/environments/sklearn-1.5/labels/latest`?",
        ),
    ],
)
def test_a_curated_name_that_cannot_be_had_as_it_is_written_is_told_at_its_place(
    api: Api, text: str, said: str, hint: str
) -> None:
    """What is known and cannot be built, and what stands in the registry and not in the workspace; in a step too."""
    job = {"command": "true", "environment": text, "type": "command"}
    pipeline = {"type": "pipeline", "jobs": {"one": job}}

    for document, pointer in ((job, "/environment"), (pipeline, "/jobs/one/environment")):
        _, record = api.refused("POST", "workspaces/default/jobs", json={"document": document})

        (problem,) = record["problems"]
        assert problem["pointer"] == pointer
        assert said in problem["message"]
        assert hint in problem["hint"]


OURS = "image: ubuntu:22.04\nconda_file:\n  dependencies: [{pip: [six==1.16.0]}]\n"


def test_a_map_names_the_environment_of_an_unknown_name(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file beside the map, with its conda file in it."""
    (tmp_path / "ours.yml").write_text(OURS)
    (tmp_path / "map.yml").write_text("sklearn-1.4: ours.yml\n")
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_MAP", str(tmp_path / "map.yml"))

    environment = planned(api, "azureml:AzureML-sklearn-1.4@latest")

    assert environment.conda == {"dependencies": [{"pip": ["six==1.16.0"]}]}
    assert environment.label == f"AzureML-sklearn-1.4 ({tmp_path / 'ours.yml'})"


def test_a_workspaces_own_map_leads_to_its_environments_and_counts_before_the_table(
    api: Api, tmp_path: Path
) -> None:
    """A known name may be overridden; the setting is the workspace's."""
    api.create("environments", name="ours", version="7", image="ubuntu:22.04")
    (tmp_path / "map.yml").write_text("AzureML-sklearn-1.5: azureml:ours@latest\n")
    change = {"set": {"settings.environment_map": str(tmp_path / "map.yml")}}
    assert api.http.patch("/api/v1/workspaces/default", json=change).status_code == 200

    environment = planned(api, "azureml://registries/azureml/environments/sklearn-1.5/labels/latest")

    assert environment.label == "ours:7"


def test_a_map_counts_before_an_environment_of_the_workspace(api: Api, tmp_path: Path) -> None:
    """It is the user's own word on that name."""
    api.create("environments", name="ours", version="7", image="ubuntu:22.04")
    api.create("environments", name="AzureML-sklearn-1.5", image="debian:12")
    (tmp_path / "map.yml").write_text("AzureML-sklearn-1.5: azureml:ours@latest\n")
    change = {"set": {"settings.environment_map": str(tmp_path / "map.yml")}}
    assert api.http.patch("/api/v1/workspaces/default", json=change).status_code == 200

    assert planned(api, "azureml:AzureML-sklearn-1.5@latest").label == "ours:7"


@pytest.mark.parametrize("target", ["absent.yml", "bad.yml"])
def test_a_map_that_names_no_environment_is_told_at_the_name_that_it_stands_for(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    """The job's line, and the file of the map."""
    (tmp_path / "bad.yml").write_text("name: x\n")
    (tmp_path / "map.yml").write_text(f"sklearn-1.4: {target}\n")
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_MAP", str(tmp_path / "map.yml"))
    document = {"command": "true", "environment": "azureml:AzureML-sklearn-1.4@latest", "type": "command"}

    _, record = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    (problem,) = record["problems"]
    assert problem["pointer"] == "/environment"
    assert f"{tmp_path / target}, which a map of environments names" in problem["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a\n", "must hold a mapping"),
        ("sklearn-1.4: [1]\n", "`sklearn-1.4` must stand for a path or a reference"),
        ("sklearn-1.4: absent.yml\n", "absent.yml"),
        ("sklearn-1.4: bad.yml\n", "bad.yml, which a map of environments names, is no environment"),
        ("sklearn-1.4: azureml:absent@latest\n", "environment `absent` was not found"),
    ],
)
def test_a_map_that_leads_nowhere_is_told(
    api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    """With the file and the name."""
    (tmp_path / "bad.yml").write_text("image: ubuntu:22.04\nbuild: {path: .}\n")
    (tmp_path / "map.yml").write_text(text)
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_MAP", str(tmp_path / "map.yml"))

    with pytest.raises(PenstockError, match=re.escape(said)):
        planned(api, "azureml:AzureML-sklearn-1.4@latest")


def test_a_map_that_is_not_there_is_told(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name of the setting to correct."""
    monkeypatch.setenv("PENSTOCK_ENVIRONMENT_MAP", "/nowhere/map.yml")

    with pytest.raises(PenstockError, match=r"/nowhere/map\.yml cannot be read: No such file"):
        planned(api, "azureml:AzureML-sklearn-1.4@latest")
