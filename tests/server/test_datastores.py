"""Datastores through the API: what there is, what is refused, where data of each lies."""

from pathlib import Path

import pytest

from tests.server.conftest import Api

BLOB = {"name": "lake", "type": "azure_blob", "account_name": "acct", "container_name": "cont"}


def test_the_built_in_datastores_always_exist_and_stay(api: Api) -> None:
    """They are folders of the workspace; the first is the default."""
    listed = api.get("workspaces/default/datastores")

    assert [each["name"] for each in listed] == [
        "workspaceblobstore", "workspaceartifactstore", "workspacefilestore", "workspaceworkingdirectory",
    ]  # fmt: skip
    assert api.get("workspaces/default/datastores:default") == listed[0]
    assert listed[0]["is_default"]
    for method in ("DELETE", "PATCH"):
        body = {"json": {"set": {"description": "x"}}} if method == "PATCH" else {}
        status, error = api.refused(method, "workspaces/default/datastores/workspaceblobstore", **body)
        assert (status, "built in" in error["message"]) == (409, True)
    status, _ = api.refused(
        "POST", "workspaces/default/datastores", json={"document": {**BLOB, "name": "workspaceblobstore"}}
    )
    assert status == 409


def test_a_datastore_of_the_cloud_is_a_folder_here_and_says_so(api: Api) -> None:
    """Edge case 15.5: credentials are accepted, named in a warning, and nowhere to be found afterwards."""
    document = {**BLOB, "credentials": {"account_key": "hunter2hunter2"}}

    answer = api.post("workspaces/default/datastores", document=document)

    said = [warning["message"] for warning in answer["warnings"]]
    assert any("`credentials` is not kept" in each for each in said)
    assert any(
        "nothing is read from or written to https://acct.blob.core.windows.net/cont/" in each for each in said
    )
    shown = api.get("workspaces/default/datastores/lake")
    assert (shown["account_name"], shown["type"]) == ("acct", "azure_blob")
    assert shown["folder"].endswith("/workspaces/default/datastores/lake")
    kept = b"".join(path.read_bytes() for path in api.platform.home.path.glob("penstock.db*"))
    assert b"hunter2" not in kept
    assert "hunter2" not in str(answer) + str(shown)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"name": "x", "type": "azure_blob", "account_name": "a"}, "`container_name` is missing"),
        ({"name": "x"}, "`type` is missing"),
        ({"name": "x", "type": "ftp"}, "`type` must be one of"),
        ({"name": "my-store", "type": "azure_blob"}, "cannot be a name of a datastore"),
        ({**BLOB, "contaner_name": "x"}, "did you mean `container_name`"),
        ({"name": "x", "type": "local", "path": "data"}, "`data` is not an absolute path"),
        ({"name": "x", "type": "local", "path": "/nowhere/at/all"}, "does not exist"),
        ({"name": "x", "type": "local", "path": "/", "account_name": "a"}, "`account_name` is not a field"),
        ({**BLOB, "account_name": "a/../b"}, "account_name"),
        ({"name": "x", "type": "one_lake", "one_lake_workspace_name": "w", "artifact": {"name": ""}}, "name"),
    ],
)
def test_what_is_no_datastore_is_refused(api: Api, document: dict[str, object], said: str) -> None:
    """Each with the field."""
    status, error = api.refused("POST", "workspaces/default/datastores", json={"document": document})

    assert status == 422
    assert said in str(error["problems"])


def test_penstocks_own_folder_is_no_datastore(api: Api) -> None:
    """A step could change the database there."""
    document = {"name": "x", "type": "local", "path": str(api.platform.home.path)}

    _, error = api.refused("POST", "workspaces/default/datastores", json={"document": document})

    assert "is in Penstock's own folder" in error["problems"][0]["message"]


def test_data_is_put_into_the_datastore_that_its_file_names(api: Api, tmp_path: Path) -> None:
    """A local one: the asset's address leads to the folder, where the file lies."""
    (tmp_path / "lake").mkdir()
    (tmp_path / "wine.csv").write_text("a\n1\n")
    api.create("datastores", name="lake", type="local", path=str(tmp_path / "lake"))
    uri = api.upload(tmp_path / "wine.csv")

    made = api.create("data", name="wine", type="uri_file", path=uri, datastore="azureml:lake")

    address = "azureml://datastores/lake/paths/"
    assert made["path"].startswith(address)
    assert (tmp_path / "lake" / made["path"].removeprefix(address)).read_text() == "a\n1\n"


@pytest.mark.parametrize(
    ("kind", "document", "pointer"),
    [
        ("data", {"name": "d", "path": "azureml://datastores/laek/paths/x/"}, "/path"),
        ("jobs", {"inputs": {"d": {"path": "azureml://datastores/laek/paths/x/"}}}, "/inputs/d/path"),
        ("jobs", {"outputs": {"d": {"path": "azureml://datastores/laek/paths/x/"}}}, "/outputs/d/path"),
    ],
)
def test_an_unknown_datastore_is_refused_with_the_nearest_name(
    api: Api, kind: str, document: dict[str, object], pointer: str
) -> None:
    """When the thing is created, at its field."""
    api.create("datastores", **BLOB)
    if kind == "jobs":
        document = {"command": "true", "environment": {"image": "python:3.11"}, **document}

    status, error = api.refused("POST", f"workspaces/default/{kind}", json={"document": document})

    (problem,) = error["problems"]
    assert (status, problem["pointer"]) == (422, pointer)
    assert "datastore `laek` was not found" in problem["message"]
    assert "did you mean `lake`?" in problem["hint"]


def test_a_default_datastore_is_looked_up_and_honoured(api: Api, tmp_path: Path) -> None:
    """Outputs without a path of their own go there; a name that is none is told at its field."""
    api.create("datastores", name="lake", type="local", path=str(tmp_path))
    step = {"command": "true", "environment": {"image": "python:3.11"}, "outputs": {"o": None}}
    document = {"type": "pipeline", "jobs": {"s": step}, "settings": {"default_datastore": "azureml:lake"}}

    api.create("jobs", **{**document, "name": "good"})
    status, error = api.refused(
        "POST",
        "workspaces/default/jobs",
        json={"document": {**document, "settings": {"default_datastore": "lakes"}}},
    )

    with api.platform.database.reading() as tx:
        (child,) = tx.jobs.children("default", "good")
    output = child.spec["plan"]["outputs"]["o"]
    assert (output["datastore"], output["root"]) == ("lake", str(tmp_path))
    assert output["inside"] == "azureml/good_s/o/"
    assert (status, error["problems"][0]["pointer"]) == (422, "/settings/default_datastore")
    api.post("workspaces/default/jobs/good/cancel")


def test_another_workspaces_datastore_is_refused(api: Api) -> None:
    """Edge case 15.4: never read as this workspace's own, though the name is the same."""
    path = "azureml://subscriptions/s/resourcegroups/g/workspaces/other/datastores/workspaceblobstore/paths/x"

    _, error = api.refused(
        "POST", "workspaces/default/data", json={"document": {"name": "d", "type": "uri_file", "path": path}}
    )

    assert "is in workspace `other`" in error["problems"][0]["message"]


def test_a_link_in_a_local_datastore_does_not_lead_out_of_it(api: Api, tmp_path: Path) -> None:
    """The path is resolved where it is opened, then checked."""
    from penstock.errors import PenstockError
    from penstock.jobs.plans import InDatastore

    (tmp_path / "lake").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "lake" / "out").symlink_to(tmp_path)
    (tmp_path / "lake" / "in").symlink_to(tmp_path / "lake" / "real")
    (tmp_path / "lake" / "real").write_text("x")
    api.create("datastores", name="lake", type="local", path=str(tmp_path / "lake"))
    locator = api.platform.runner.locator("default")

    assert locator.path_of(InDatastore("lake", "in")).read_text() == "x"
    with pytest.raises(PenstockError, match="leaves datastore `lake`"):
        locator.path_of(InDatastore("lake", "out/secret.txt"))


def test_a_deleted_datastore_is_gone_and_its_data_stays(api: Api, tmp_path: Path) -> None:
    """The folder is a person's own."""
    (tmp_path / "x.csv").write_text("x")
    api.create("datastores", name="lake", type="local", path=str(tmp_path))

    changed = api.http.patch(
        "/api/v1/workspaces/default/datastores/lake", json={"set": {"description": "ours"}}
    ).json()
    assert api.http.delete("/api/v1/workspaces/default/datastores/lake").status_code == 204

    assert (changed["description"], changed["path"]) == ("ours", str(tmp_path))
    status, _ = api.refused("GET", "workspaces/default/datastores/lake")
    assert (status, (tmp_path / "x.csv").read_text()) == (404, "x")
