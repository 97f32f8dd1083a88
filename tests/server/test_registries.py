"""Registries over REST: made, filled, listed, removed."""

from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Api

CONDA = {"dependencies": ["python=3.11"]}


@pytest.fixture
def shared(api: Api) -> str:
    """A registry."""
    name: str = api.post("registries", document={"name": "shared"})["record"]["name"]
    return name


def put(api: Api, registry: str, kind: str, **document: Any) -> dict[str, Any]:
    record: dict[str, Any] = api.post(f"registries/{registry}/{kind}", document=document)["record"]
    return record


def test_a_registry_is_made_shown_changed_and_listed_beside_the_built_in_one(api: Api) -> None:
    """What means something in the cloud only is kept and shown, and a warning names it."""
    document = {
        "name": "shared",
        "location": "westeurope",
        "replication_locations": [{"location": "eastus"}],
        "tags": {"team": "taxi"},
        "public_network_access": "disabled",
    }

    made = api.post("registries", document=document)
    changed = api.http.patch(
        "/api/v1/registries/shared",
        json={
            "set": {"description": "ours"},
            "add": [{"path": "tags", "value": {"a": "1"}}],
            "remove": ["tags.team"],
        },
    ).json()

    warned = {warning["pointer"] for warning in made["warnings"]}
    assert warned == {"/replication_locations", "/public_network_access"}
    assert made["record"]["replication_locations"] == [{"location": "eastus"}]
    assert (changed["tags"], changed["description"]) == ({"a": "1"}, "ours")
    assert [row["name"] for row in api.get("registries")] == ["azureml", "shared"]
    assert api.get("registries/shared") == changed


def test_the_same_registry_again_is_the_same(api: Api, shared: str) -> None:
    """In another resource group it is another one, and the name is taken."""
    again = api.post("registries", document={"name": shared})["record"]

    status, error = api.refused(
        "POST", "registries", json={"document": {"name": shared, "resource_group": "other"}}
    )

    assert again == api.get(f"registries/{shared}")
    assert (status, error["message"]) == (409, "registry `shared` exists in resource group `local`")


def test_a_registry_made_again_takes_the_new_description_and_tags(api: Api, shared: str) -> None:
    """Nothing that the file says is dropped in silence; tags that it does not name stay."""
    api.post("registries", document={"name": shared, "tags": {"a": "1", "b": "1"}})

    again = api.post("registries", document={"name": shared, "description": "ours", "tags": {"b": "2"}})

    assert (again["record"]["description"], again["record"]["tags"]) == ("ours", {"a": "1", "b": "2"})
    assert api.get(f"registries/{shared}") == again["record"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"set": {"location": "x"}}, "`location` of registry `shared` cannot be changed"),
        ({"add": [{"path": "tgs", "value": {"a": "1"}}]}, "did you mean `tags`?"),
        ({"remove": ["tags.team"]}, "there is no `tags.team` to remove"),
        ({"set": {"tags": "text"}}, "/tags"),
    ],
)
def test_what_may_not_change_of_a_registry_is_refused_by_name(
    api: Api, shared: str, changes: dict[str, Any], said: str
) -> None:
    """And it is as it was."""
    before = api.get(f"registries/{shared}")

    _, error = api.refused("PATCH", f"registries/{shared}", json=changes)

    assert said in str(error)
    assert api.get(f"registries/{shared}") == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "registries", {"document": {"name": "azureml"}}),
        ("PATCH", "registries/azureml", {"set": {"description": "mine"}}),
        ("DELETE", "registries/azureml", None),
        ("POST", "registries/azureml/environments", {"document": {"name": "e", "image": "i"}}),
        ("POST", "registries/azureml/models", {"document": {"name": "m", "path": "x"}}),
        ("POST", "registries/azureml/data", {"document": {"name": "d", "path": "x"}}),
    ],
)
def test_nobody_writes_to_the_built_in_registry(
    api: Api, method: str, path: str, body: dict[str, Any] | None
) -> None:
    """Its owner neither; the answer says what to do instead."""
    status, error = api.refused(method, path, json=body)

    assert status == 403
    assert "registry `azureml` is built in and read-only" in error["message"]
    assert "penstock registry create" in error["hint"]


@pytest.mark.parametrize("name", ["a", "-x", "registry:x", "x" * 34, "a.b", "ü1"])
def test_a_name_that_azure_would_refuse_is_refused(api: Api, name: str) -> None:
    """With the rule."""
    _, error = api.refused("POST", "registries", json={"document": {"name": name}})

    assert error["problems"][0]["pointer"] == "/name"


def test_an_unknown_registry_is_told_with_the_near_one(api: Api, shared: str) -> None:
    """Of those that there are."""
    status, error = api.refused("GET", "registries/sharde/environments")

    assert status == 404
    assert error["message"] == "registry `sharde` was not found"
    assert error["hint"] == "did you mean `shared`?"
    assert shared in str(error["details"])


def test_a_registry_has_assets_of_its_own(api: Api, shared: str, tmp_path: Path) -> None:
    """The same names and versions live in a workspace beside them, and a registry's ids say where they are."""
    (tmp_path / "taxi").mkdir()
    (tmp_path / "taxi" / "a.csv").write_text("1,2\n")
    path = api.upload(tmp_path / "taxi")

    mine = api.create("environments", name="e", image="a")
    theirs = put(api, shared, "environments", name="e", image="b", conda_file=CONDA)
    data = put(api, shared, "data", name="d", path=path)

    assert theirs["id"] == "azureml://registries/shared/environments/e/versions/1"
    assert "resourceGroup" not in theirs
    assert (mine["image"], theirs["image"]) == ("a", "b")
    assert api.get("workspaces/default/data") == []
    assert api.get("registries/shared/environments/e/labels/latest") == theirs
    assert [row["name"] for row in api.get("registries/shared/data")] == ["d"]
    assert data["path"].startswith("azureml://registries/shared/datastores/")
    laid_out = list((api.platform.home.path / "registries" / "shared").rglob("a.csv"))
    assert [file.read_text() for file in laid_out] == ["1,2\n"]
    assert not list((api.platform.home.path / "workspaces").rglob("a.csv"))


def test_a_deleted_registry_takes_everything_of_it_along(api: Api, shared: str, tmp_path: Path) -> None:
    """One of the same name that is made later is empty."""
    (tmp_path / "a.csv").write_text("1\n")
    put(api, shared, "environments", name="e", image="b")
    put(api, shared, "data", name="d", path=api.upload(tmp_path / "a.csv"), type="uri_file")

    assert api.http.delete(f"/api/v1/registries/{shared}").status_code == 204

    assert api.refused("GET", f"registries/{shared}")[0] == 404
    assert not (api.platform.home.path / "registries" / shared).exists()
    api.post("registries", document={"name": shared})
    assert api.get(f"registries/{shared}/environments") == api.get(f"registries/{shared}/data") == []


def test_a_workspaces_address_leads_to_no_registry(api: Api, shared: str) -> None:
    """The scope's text is ours alone: who may use what is asked of one address per thing."""
    assert api.refused("GET", "workspaces/registry:shared/environments")[0] == 404
    _, error = api.refused("POST", "workspaces", json={"document": {"name": "registry:shared"}})
    assert error["problems"][0]["pointer"] == "/name"


def test_what_is_created_and_changed_is_an_event_of_the_registry(api: Api, shared: str) -> None:
    """Its own log, counted from 1."""
    put(api, shared, "environments", name="e", image="b")

    with api.platform.database.reading() as tx:
        events = tx.events.after("registry:shared", 0, 10)

    assert [(event.sequence, event.type) for event in events] == [
        (1, "registry.changed"),
        (2, "asset.created"),
    ]


def test_assets_of_a_registry_are_archived_and_described_as_those_of_a_workspace(
    api: Api, shared: str
) -> None:
    """The workspace's asset of that name stays as it is."""
    for number in range(2):
        put(api, shared, "environments", name="env", image=f"python:{number}")
    api.create("environments", name="env", image="python:3.11")
    here = f"registries/{shared}/environments"

    archived = api.http.post(f"/api/v1/{here}/env/archive", json={"version": "2"})
    changed = api.http.patch(f"/api/v1/{here}/env/versions/2", json={"set": {"tags.a": "b"}}).json()

    assert archived.status_code == 204
    assert (changed["tags"], changed["archived"]) == ({"a": "b"}, True)
    assert api.get(f"{here}/env/labels/latest")["version"] == "1"
    assert api.http.post(f"/api/v1/{here}/env/archive", json={}).status_code == 204
    assert api.get(here) == []
    assert [row["name"] for row in api.get("workspaces/default/environments")] == ["env"]
    assert api.http.post(f"/api/v1/{here}/env/restore", json={}).status_code == 204
    assert [row["version"] for row in api.get(here, name="env")] == ["2", "1"]


def test_the_next_step_for_an_archived_asset_of_a_registry_names_the_registry(api: Api, shared: str) -> None:
    """A command without it would look in the workspace."""
    put(api, shared, "environments", name="e", image="i")
    api.http.post(f"/api/v1/registries/{shared}/environments/e/archive", json={})

    _, absent = api.refused("GET", f"registries/{shared}/environments/e/labels/latest")
    _, alone = api.refused("POST", f"registries/{shared}/environments/e/restore", json={"version": "1"})
    again = api.post(f"registries/{shared}/environments", document={"name": "e", "image": "j"})

    for said in (absent["hint"], alone["hint"], again["warnings"][-1]["hint"]):
        assert "penstock environment restore -n e --registry-name shared" in said
