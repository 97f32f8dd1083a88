"""The REST API: nouns, errors, uploads."""

import hashlib
from pathlib import Path

import pytest

from penstock.testing.records import a_job
from tests.server.conftest import Api

CONDA = {"channels": ["conda-forge"], "dependencies": ["pip", {"pip": ["six==1.17.0"]}]}


def test_a_fresh_home_has_the_workspace_default(api: Api) -> None:
    """The first command works without any set-up."""
    (workspace,) = api.get("workspaces")

    assert workspace["name"] == "default"
    assert workspace["mlflow_tracking_uri"] == "http://127.0.0.1:1/mlflow/default"


def test_equal_content_is_the_same_environment_version(api: Api) -> None:
    """Edge case 2.6. Sending the file again makes no new version; a changed one makes the next."""
    first = api.create("environments", name="e", image="x", conda_file=CONDA)
    again = api.create("environments", name="e", image="x", conda_file=CONDA, tags={"a": "b"})
    other = api.create("environments", name="e", image="y", conda_file=CONDA)

    assert (first["version"], again["version"], other["version"]) == ("1", "1", "2")
    assert again["tags"] == {"a": "b"}
    assert api.get("workspaces/default/environments/e/labels/latest")["version"] == "2"


def test_a_version_never_changes_its_content(api: Api) -> None:
    """The error says what to do instead, and nothing is written."""
    api.create("environments", name="e", version="7", image="x", conda_file=CONDA)

    status, error = api.refused(
        "POST",
        "workspaces/default/environments",
        json={"document": {"name": "e", "version": "7", "image": "other"}},
    )

    assert status == 409
    assert "exists in workspace `default` with other content" in error["message"]
    assert "leave the version out" in error["hint"]
    assert api.get("workspaces/default/environments/e/versions/7")["image"] == "x"


def test_data_is_uploaded_once_and_has_an_address(api: Api, tmp_path: Path) -> None:
    """The asset's path is a place in the default datastore; the file lies there."""
    (tmp_path / "my data.csv").write_text("a\n1\n")
    uri = api.upload(tmp_path / "my data.csv")

    data = api.create("data", name="d", type="uri_file", path=uri)

    assert data["path"].startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    folder = Path(api.get("workspaces/default")["datastores_folder"])
    (file,) = folder.glob("workspaceblobstore/LocalUpload/*/my data.csv")
    assert file.read_text() == "a\n1\n"


def test_a_file_is_no_uri_folder(api: Api, tmp_path: Path) -> None:
    """The type must fit what was uploaded; the hint says which type does."""
    (tmp_path / "x.csv").write_text("a")
    uri = api.upload(tmp_path / "x.csv")

    status, error = api.refused(
        "POST", "workspaces/default/data", json={"document": {"name": "d", "type": "uri_folder", "path": uri}}
    )

    assert status == 422
    assert error["problems"][0]["pointer"] == "/path"
    assert "uri_file" in error["problems"][0]["hint"]


def test_a_document_with_absent_uploads_names_them(api: Api, tmp_path: Path) -> None:
    """First the manifest, then the files; then the document is taken."""
    digest = hashlib.sha256(b"x").hexdigest()
    document = {
        "command": "ls",
        "code": f"snapshot://{digest}/src/",
        "environment": {"conda_file": CONDA, "image": "x"},
    }

    status, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    assert status == 428
    assert error["missing"] == [digest]
    assert api.get("workspaces/default/jobs") == []


def test_a_compute_that_exists_takes_new_settings(api: Api) -> None:
    """Edge case 3.2: As in Azure ML: create again changes limits; the rest stays."""
    api.create("computes", name="cpu", type="amlcompute", max_instances=3, size="Standard_DS3_v2")
    api.create("computes", name="cpu", type="amlcompute", max_instances=5)

    compute = api.get("workspaces/default/computes/cpu")
    assert (compute["max_instances"], compute["size"]) == (5, "Standard_DS3_v2")
    assert compute["provisioning_state"] == "Succeeded"


def test_a_compute_is_updated_by_paths(api: Api) -> None:
    """Texts become what the field is; what is not named stays, and what may not change is refused by name."""
    api.create("computes", name="cpu", type="amlcompute", size="big", tags={"a": "1", "b": "2"})
    body = {
        "set": {"max_instances": "3", "tags.c": "3"},
        "remove": ["tags.a"],
        "add": [{"path": "tags", "value": {"d": "4"}}],
    }

    changed = api.http.patch("/api/v1/workspaces/default/computes/cpu", json=body).json()
    status, record = api.refused("PATCH", "workspaces/default/computes/cpu", json={"set": {"size": "small"}})

    assert (changed["max_instances"], changed["size"]) == (3, "big")
    assert changed["tags"] == {"b": "2", "c": "3", "d": "4"}
    assert (status, record["message"]) == (400, "`size` of compute `cpu` cannot be changed")
    assert "max_instances" in record["details"][0]


def test_min_instances_above_max_instances_is_refused(api: Api) -> None:
    """Edge case 3.5: by create and by update alike."""
    document = {"name": "cpu", "type": "amlcompute", "min_instances": 4, "max_instances": 2}
    status, error = api.refused("POST", "workspaces/default/computes", json={"document": document})

    assert status == 422
    assert "min_instances" in error["problems"][0]["message"]

    api.create("computes", name="cpu", type="amlcompute", max_instances=2)
    changes = {"set": {"min_instances": 4}}
    status, error = api.refused("PATCH", "workspaces/default/computes/cpu", json=changes)

    assert status == 422
    assert "min_instances" in error["problems"][0]["message"]
    assert api.get("workspaces/default/computes/cpu")["min_instances"] == 0


def test_everything_wrong_with_a_job_is_told_at_once(api: Api) -> None:
    """A mistyped field, an unknown compute and an unknown environment, each with its pointer."""
    document = {
        "type": "pipeline",
        "setings": {},
        "settings": {"default_compute": "azureml:cpu-cluster"},
        "jobs": {"a": {"command": "ls", "environment": "azureml:nothing:1"}},
    }
    status, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    problems = {problem["pointer"]: problem for problem in error["problems"]}
    assert status == 422
    assert set(problems) == {"/setings", "/settings/default_compute", "/jobs/a/environment"}
    assert "settings" in (problems["/setings"]["hint"] or "")
    assert "penstock compute create -n cpu-cluster" in problems["/settings/default_compute"]["hint"]


def test_check_says_how_to_create_what_is_missing(api: Api) -> None:
    """The unknown compute is the first error that everyone meets."""
    document = {
        "type": "pipeline",
        "settings": {"default_compute": "azureml:cpu-cluster"},
        "jobs": {"a": {"command": "ls", "environment": {"image": "x", "conda_file": CONDA}}},
    }
    answer = api.post("workspaces/default/documents:check", kind="job", document=document)

    (missing,) = answer["missing"]
    assert missing["what"] == "compute"
    assert missing["command"].startswith("penstock compute create -n cpu-cluster")
    api.post(f"workspaces/default/{missing['create']['path']}", **missing["create"]["body"])
    assert api.post("workspaces/default/documents:check", kind="job", document=document)["missing"] == []


def test_a_taken_job_name_is_refused(api: Api) -> None:
    """Two jobs of one name: the second is told, the first is untouched."""
    document = {"name": "twin", "command": "sleep 30", "environment": {"image": "python:3.11"}}
    api.create("jobs", **document)

    status, error = api.refused("POST", "workspaces/default/jobs", json={"document": document})

    assert status == 409
    assert "`twin` exists" in error["message"]
    api.post("workspaces/default/jobs/twin/cancel")


def test_workspaces_do_not_see_each_other(api: Api) -> None:
    """The same name in two workspaces is two things."""
    api.create("workspaces", name="other")
    api.create("environments", name="e", image="x")

    status, _ = api.refused("GET", "workspaces/other/environments/e/versions/1")
    assert status == 404
    assert api.get("workspaces/other/environments") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "workspaces/nowhere"),
        ("GET", "workspaces/nowhere/jobs"),
        ("GET", "workspaces/nowhere/environments"),
        ("GET", "workspaces/default/jobs/nothing"),
        ("GET", "workspaces/default/jobs/nothing/stream"),
        ("POST", "workspaces/default/jobs/nothing/cancel"),
        ("GET", "workspaces/default/computes/nothing"),
        ("DELETE", "workspaces/default/computes/nothing"),
        ("GET", "workspaces/default/data/nothing/versions/1"),
        ("GET", "workspaces/default/data/nothing/labels/latest"),
    ],
)
def test_what_does_not_exist_is_404_with_our_record(api: Api, method: str, path: str) -> None:
    """The command turns it into exit code 3."""
    status, error = api.refused(method, path)

    assert status == 404
    assert error["code"] == "ResourceNotFound"


def test_listing_jobs_asks_a_bounded_number_of_questions(api: Api) -> None:
    """Fifty jobs cost as many statements as five."""
    counts = []
    for batch in range(2):
        with api.platform.database.transaction() as tx:
            for number in range(5 + 45 * batch):
                name = f"j-{batch}-{number}"
                tx.jobs.insert(
                    a_job(name, workspace="default", status="Completed", spec={"plan": {"needs": []}})
                )
        with api.platform.database.count_statements() as counted:
            listed = api.get("workspaces/default/jobs", all_results=True)
        counts.append(counted.count)

    assert len(listed) == 55
    assert counts[0] == counts[1]


def test_the_api_describes_itself(api: Api) -> None:
    """An OpenAPI document with every route."""
    described = api.http.get("/api/v1/openapi.json").json()

    assert described["openapi"].startswith("3.")
    assert "/api/v1/workspaces/{workspace}/jobs" in described["paths"]


def test_an_unknown_key_of_a_request_is_refused(api: Api) -> None:
    """Nothing is silently ignored, in bodies neither."""
    status, error = api.refused("POST", "gc", json={"dryrun": True})

    assert status == 422
    assert error["problems"][0]["pointer"] == "/body/dryrun"


def test_a_wrong_digest_is_refused_and_nothing_is_kept(api: Api) -> None:
    """An upload must be what it says."""
    digest = hashlib.sha256(b"right").hexdigest()

    answer = api.http.put(f"/api/v1/blobs/{digest}", content=b"wrong")

    assert answer.status_code >= 400
    assert api.post("blobs:missing", digests=[digest])["missing"] == [digest]
