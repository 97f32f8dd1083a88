"""What jobs and components name in a registry, and what is shared into one."""

import os
from pathlib import Path
from typing import Any

import pytest

from penstock.testing.records import a_job
from tests.server.conftest import Api
from tests.server.test_registries import CONDA, put, shared

__all__ = ["shared"]

IN_SHARED = "azureml://registries/shared"
ENVIRONMENT = f"{IN_SHARED}/environments/e/labels/latest"
COMPONENT = {
    "name": "train",
    "command": "echo ${{inputs.rate}}",
    "environment": ENVIRONMENT,
    "inputs": {"rate": {"type": "number"}},
}


@pytest.fixture
def filled(api: Api, shared: str, tmp_path: Path) -> str:
    """The registry with an environment `e` and data `d`, each once."""
    (tmp_path / "taxi").mkdir()
    (tmp_path / "taxi" / "a.csv").write_text("1,2\n")
    put(api, shared, "environments", name="e", conda_file=CONDA, image="i")
    put(api, shared, "data", name="d", path=api.upload(tmp_path / "taxi"))
    return shared


def document(**more: Any) -> dict[str, Any]:
    return {"command": "ls ${{inputs.d}}", "environment": ENVIRONMENT, **more}


def problems(api: Api, job: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = api.post("workspaces/default/jobs:validate", document=job).get("errors", [])
    return found


def test_a_job_names_what_a_registry_holds(api: Api, filled: str) -> None:
    """Edge case 15.2: the label `latest` of a registry is valid; the job keeps the version that it named then."""
    inputs = {"d": {"type": "uri_folder", "path": f"{IN_SHARED}/data/d/labels/latest"}}

    made = api.post("workspaces/default/jobs", document=document(inputs=inputs))["record"]
    shown = api.get(f"workspaces/default/jobs/{made['name']}")

    assert shown["environment"] == f"{IN_SHARED}/environments/e/versions/1"
    assert shown["inputs"]["d"]["path"] == f"{IN_SHARED}/data/d/versions/1"
    with api.platform.database.reading() as tx:
        plan = tx.jobs.get("default", made["name"]).spec["plan"]
    assert plan["environment"]["conda"] == CONDA
    assert plan["inputs"]["d"]["source"]["datastore"]["registry"] == "shared"


@pytest.mark.parametrize(
    ("reference", "said", "hint"),
    [
        (
            "azureml://registries/sharde/environments/e/versions/1",
            "registry `sharde` was not found",
            "`shared`",
        ),
        (f"{IN_SHARED}/environments/ee/versions/1", "in registry `shared`", "did you mean `e`"),
        (f"{IN_SHARED}/environments/e/versions/7", "versions 1", f"{IN_SHARED}/environments/e/versions/1"),
        (f"{IN_SHARED}/environments/e/labels/prod", "no label `prod`", "latest"),
    ],
)
def test_what_is_not_in_a_registry_is_told_with_what_is(
    api: Api, filled: str, reference: str, said: str, hint: str
) -> None:
    """Unknown registries, names, versions and labels."""
    [problem] = problems(api, document(environment=reference, command="ls"))

    assert said in problem["message"]
    assert hint in problem["hint"]


@pytest.mark.parametrize("kind", ["models", "data", "components"])
def test_the_built_in_registry_has_environments_only(api: Api, kind: str) -> None:
    """What else is asked of it is told where to put it."""
    reference = f"azureml://registries/azureml/{kind}/x/versions/1"
    if kind == "components":
        job: dict[str, Any] = {"type": "pipeline", "jobs": {"one": {"component": reference}}}
    else:
        kind_of_input = "custom_model" if kind == "models" else "uri_folder"
        job = {
            "command": "ls",
            "environment": {"image": "i"},
            "inputs": {"x": {"type": kind_of_input, "path": reference}},
        }

    said = problems(api, job)

    assert "it holds the curated environments only" in said[0]["message"]
    assert "--registry-name" in said[0]["hint"]


@pytest.mark.parametrize("path", ["versions/1", "labels/latest"])
@pytest.mark.parametrize("kind", ["models", "data", "components"])
def test_asking_the_built_in_registry_for_something_else_says_what_it_holds(
    api: Api, kind: str, path: str
) -> None:
    """As `model show --registry-name azureml` of many a script does; MLflow is not started for that."""
    status, error = api.refused("GET", f"registries/azureml/{kind}/x/{path}")

    assert status == 404
    assert "it holds the curated environments only" in error["message"]
    assert "--registry-name" in error["hint"]
    assert api.get(f"registries/azureml/{kind}", name="x") == []
    assert not api.platform.mlflow.has_state()


def test_the_built_in_registry_lists_and_shows_its_environments(api: Api) -> None:
    """As every other registry; a near name is told."""
    rows = api.get("registries/azureml/environments")
    name = rows[0]["name"]

    shown = api.get(f"registries/azureml/environments/{name}/labels/latest")
    status, error = api.refused("GET", "registries/azureml/environments/sklern-1.5/labels/latest")

    assert shown["version"] == rows[0]["latest_version"]
    assert shown["id"].startswith(f"azureml://registries/azureml/environments/{name}/versions/")
    assert api.get("registries/azureml/environments", name=name) == [shown]
    assert api.get("registries/azureml/data") == []
    assert status == 404
    assert "sklearn-1.5" in str(error)


_ARM = (
    "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/other"
)


@pytest.mark.parametrize(
    ("kind", "job"),
    [
        ("environment", document(environment=f"{_ARM}/environments/e/versions/1", command="ls")),
        ("data", document(inputs={"d": {"path": f"{_ARM}/data/d/versions/1"}})),
        ("model", document(inputs={"d": {"type": "custom_model", "path": f"{_ARM}/models/d/versions/1"}})),
        ("compute", document(compute=f"{_ARM}/computes/c", command="ls")),
        (
            "component",
            {"type": "pipeline", "jobs": {"one": {"component": f"{_ARM}/components/c/versions/1"}}},
        ),
    ],
)
def test_another_workspaces_things_are_refused(api: Api, filled: str, kind: str, job: dict[str, Any]) -> None:
    """Edge case 15.4: an id of another workspace is never read as a local one, whatever the kind."""
    said = problems(api, job)

    assert len(said) == 1
    assert f"{kind} `" in said[0]["message"]
    assert "is in workspace `other`" in said[0]["message"]


def test_a_component_of_a_registry_is_a_step(api: Api, filled: str) -> None:
    """Its environment stands in the registry; the job says which version of it runs."""
    made = put(api, filled, "components", **COMPONENT)
    pipeline = {
        "type": "pipeline",
        "jobs": {
            "one": {"component": f"{IN_SHARED}/components/train/labels/latest", "inputs": {"rate": 0.5}}
        },
    }

    job = api.post("workspaces/default/jobs", document=pipeline)["record"]

    assert made["environment"] == f"{IN_SHARED}/environments/e/versions/1"
    assert made["id"] == f"{IN_SHARED}/components/train/versions/1"
    shown = api.get(f"workspaces/default/jobs/{job['name']}")
    assert shown["jobs"]["one"]["component"] == f"{IN_SHARED}/components/train/versions/1"


def test_a_component_of_a_registry_refers_to_registries_only(api: Api, filled: str) -> None:
    """A workspace's environment is refused, with the command that shares it."""
    api.create("environments", name="mine", image="i")

    _, error = api.refused(
        "POST",
        "registries/shared/components",
        json={"document": {**COMPONENT, "environment": "azureml:mine:1"}},
    )

    [problem] = error["problems"]
    assert problem["pointer"] == "/environment"
    assert "what is in registry `shared` refers to registries only" in problem["message"]
    assert "penstock environment share --name mine --version 1" in problem["hint"]
    assert api.get("registries/shared/components") == []


@pytest.mark.parametrize(
    "path", ["azureml://datastores/workspaceblobstore/paths/x/", "azureml://jobs/j/outputs/o"]
)
def test_a_registry_keeps_bytes_of_its_own(api: Api, shared: str, path: str) -> None:
    """What lies in a workspace is shared, not referred to."""
    _, error = api.refused("POST", "registries/shared/data", json={"document": {"name": "d", "path": path}})

    assert "penstock data share" in error["problems"][0]["hint"]


# Sharing


def share(api: Api, kind: str, which: str, **body: str) -> dict[str, Any]:
    path = f"workspaces/default/{kind}/{which}/versions/1/share"
    record: dict[str, Any] = api.post(path, registry="shared", **body)["record"]
    return record


def test_sharing_keeps_the_content_under_another_name(api: Api, shared: str, tmp_path: Path) -> None:
    """Edge case 15.1: into a registry, name and version may change, the content does not; again it is the same."""
    (tmp_path / "taxi").mkdir()
    (tmp_path / "taxi" / "a.csv").write_text("1,2\n")
    mine = api.create("data", name="d", path=api.upload(tmp_path / "taxi"), tags={"a": "b"})
    api.create("environments", name="e", conda_file=CONDA, image="i")

    first = share(api, "data", "d", name="taxi", version="2024")
    environment = share(api, "environments", "e")
    again = share(api, "data", "d", name="taxi", version="2024")

    assert (first["name"], first["version"], first["tags"]) == ("taxi", "2024", {"a": "b"})
    assert first == again
    assert first["path"].removeprefix(f"{IN_SHARED}/") == mine["path"].removeprefix("azureml://")
    assert environment["id"] == f"{IN_SHARED}/environments/e/versions/1"
    assert environment["conda_file"] == CONDA
    copies = list((api.platform.home.path / "registries").rglob("a.csv"))
    assert [copy.read_text() for copy in copies] == ["1,2\n"]


def test_other_content_under_a_taken_version_is_refused(api: Api, shared: str) -> None:
    """What the registry has stays."""
    api.create("environments", name="e", image="a")
    api.create("environments", name="other", image="b")
    share(api, "environments", "e")

    status, error = api.refused(
        "POST",
        "workspaces/default/environments/other/versions/1/share",
        json={"registry": "shared", "name": "e", "version": "1"},
    )

    assert (status, error["message"]) == (
        409,
        "environment `e:1` exists in registry `shared` with other content",
    )
    assert api.get("registries/shared/environments/e/versions/1")["image"] == "a"


def test_data_that_a_job_wrote_is_copied_whole(api: Api, shared: str) -> None:
    """Also what an ignore file would leave out of an upload; what is shared no longer follows the original."""
    folder = api.platform.home.datastore("default", "workspaceblobstore") / "azureml" / "j" / "o"
    folder.mkdir(parents=True)
    for name, text in ((".gitignore", "b.csv\n"), ("a.csv", "1\n"), ("b.csv", "2\n")):
        (folder / name).write_text(text)
    api.create("data", name="d", path="azureml://datastores/workspaceblobstore/paths/azureml/j/o/")

    share(api, "data", "d")
    (folder / "a.csv").write_text("changed\n")

    copies = {file.name: file.read_text() for file in (api.platform.home.registry("shared")).rglob("*.csv")}
    assert copies == {"a.csv": "1\n", "b.csv": "2\n"}


def test_a_component_is_shared_once_what_it_needs_is(api: Api, filled: str) -> None:
    """A component whose environment is the workspace's own is refused, one whose is a registry's goes."""
    api.create("components", **COMPONENT)
    api.create("environments", name="mine", image="i")
    api.create("components", **{**COMPONENT, "name": "bound", "environment": "azureml:mine:1"})

    made = share(api, "components", "train", name="teach", version="9")
    _, error = api.refused(
        "POST", "workspaces/default/components/bound/versions/1/share", json={"registry": "shared"}
    )

    assert (made["name"], made["version"]) == ("teach", "9")
    assert "penstock environment share --name mine" in error["problems"][0]["hint"]
    assert share(api, "components", "train", name="teach", version="9") == made


def test_what_cannot_be_shared_leaves_nothing(api: Api, shared: str) -> None:
    """An unknown registry, an unknown version, the built-in registry, bytes that are gone."""
    api.create("data", name="d", path="azureml://datastores/workspaceblobstore/paths/nothing/")
    path = "workspaces/default/data/d/versions/1/share"

    statuses = [
        api.refused("POST", path, json={"registry": "sharde"})[0],
        api.refused("POST", path.replace("/1/", "/2/"), json={"registry": "shared"})[0],
        api.refused("POST", path, json={"registry": "azureml"})[0],
        api.refused("POST", path, json={"registry": "shared"})[0],
    ]

    assert statuses == [404, 404, 403, 404]
    assert api.get("registries/shared/data") == []


@pytest.mark.parametrize("kind", ["data", "models", "environments", "components"])
@pytest.mark.parametrize(
    ("target", "said"),
    [
        ({"name": "a/b"}, "`a/b` cannot be a name of an asset"),
        ({"version": "1 2"}, "1 2"),
        ({"version": "../x"}, "../x"),
    ],
)
def test_nothing_is_shared_under_a_name_that_no_reference_could_say(
    api: Api, shared: str, kind: str, target: dict[str, str], said: str
) -> None:
    """The rules are those of a file; the error names the flag."""
    flag = "--share-with-name" if "name" in target else "--share-with-version"

    status, error = api.refused(
        "POST", f"workspaces/default/{kind}/d/versions/1/share", json={"registry": "shared", **target}
    )

    assert status == 400
    assert said in error["message"]
    assert flag in error["hint"]


def test_a_registry_that_an_open_job_reads_from_stays(api: Api, filled: str) -> None:
    """The error names the job, by its root; jobs that have ended are in nobody's way."""
    inputs = {"d": {"type": "uri_folder", "path": f"{IN_SHARED}/data/d/versions/1"}}
    made = api.post("workspaces/default/jobs", document=document(inputs=inputs))["record"]
    with api.platform.database.transaction() as tx:
        reads = tx.jobs.get("default", made["name"]).spec
        for name, status in (("ended", "Completed"), ("waits", "Queued")):
            tx.jobs.insert(a_job(name, workspace="default", type="pipeline", status=status))
            step = a_job(f"{name}_one", workspace="default", status=status, parent=name, spec=reads)
            tx.jobs.insert(step)

    status_code, error = api.refused("DELETE", "registries/shared")

    assert status_code == 409
    assert "waits" in error["message"]
    assert "ended" not in error["message"]
    assert api.get("registries/shared/data", name="d")


def test_garbage_collection_keeps_what_a_registry_holds(api: Api, filled: str) -> None:
    """`du` says what it takes up; a laid-out upload that nothing names any more goes."""
    stray = api.platform.home.datastore("registry:shared", "workspaceblobstore") / "LocalUpload" / ("0" * 64)
    stray.mkdir()
    os.utime(stray, (1, 1))

    entries = api.get("usage")["entries"]
    removed = api.post("gc", older_than_days=-1)["removed"]

    assert [entry["what"] for entry in entries if "registry" in entry["what"]] == ["registry shared"]
    assert ("laid-out upload", "0" * 12) in {(each["what"], each["name"]) for each in removed}
    assert [file.name for file in api.platform.home.registry("shared").rglob("*.csv")] == ["a.csv"]
