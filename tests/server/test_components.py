"""Components as assets: versions, what they are pinned to, and how the jobs that refer to them see them."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.server.conftest import Api

IMAGE = "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"


@pytest.fixture(autouse=True)
def nothing_is_started(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine hears of no job: what is asked here is decided when a job is created."""
    monkeypatch.setattr(api.platform.engine, "look_at", lambda workspace, name: None)


def train(**more: Any) -> dict[str, Any]:
    """A component of one port, whose environment is written into it."""
    return {
        "name": "train",
        "type": "command",
        "command": "echo ${{inputs.rate}}",
        "environment": {"image": IMAGE},
        "inputs": {"rate": {"type": "number"}},
        **more,
    }


def pipeline(component: str, **inputs: Any) -> dict[str, Any]:
    return {
        "type": "pipeline",
        "jobs": {"one": {"component": component, "inputs": inputs or {"rate": 0.5}}},
    }


def test_a_component_without_a_version_gets_the_next_one(api: Api) -> None:
    """As the service counts, whether or not the content is new."""
    first = api.create("components", **train())
    second = api.create("components", **train())
    third = api.create("components", **train(command="echo other ${{inputs.rate}}"))

    assert [each["version"] for each in (first, second, third)] == ["1", "2", "3"]
    assert first["type"] == "command"
    assert first["id"].endswith("/components/train/versions/1")


def test_a_version_of_a_component_never_changes_its_content(api: Api) -> None:
    """The same content may be described anew; other content needs another version."""
    api.create("components", **train(version="7", display_name="Train", tags={"a": "1"}))

    again = api.create(
        "components", **train(version="7", display_name="Train it", description="of trees", tags={"b": "2"})
    )
    status, error = api.refused(
        "POST",
        "workspaces/default/components",
        json={"document": train(version="7", command="echo no")},
    )

    assert (again["display_name"], again["description"]) == ("Train it", "of trees")
    assert again["tags"] == {"a": "1", "b": "2"}
    assert status == 409
    assert "`train:7` exists in workspace `default` with other content" in error["message"]
    shown = api.get("workspaces/default/components/train/versions/7")
    assert shown["command"] == "echo ${{inputs.rate}}"


def test_the_same_code_under_another_name_is_the_same_component(api: Api, tmp_path: Path) -> None:
    """A folder's name is no part of its content."""
    for name in ("src", "code"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text("print(1)")
        api.create("components", **train(version="1", code=api.upload(tmp_path / name)))

    (tmp_path / "code" / "train.py").write_text("print(2)")
    changed = train(version="1", code=api.upload(tmp_path / "code"))
    status, _ = api.refused("POST", "workspaces/default/components", json={"document": changed})

    assert status == 409


def test_a_component_is_pinned_to_the_environment_of_its_day(api: Api) -> None:
    """A label is resolved when the component is created; the inline environment of another stays inline."""
    api.create("environments", name="e", image=IMAGE)
    pinned = api.create("components", **train(environment="azureml:e@latest"))
    api.create("environments", name="e", image=IMAGE + ":2")

    shown = api.get("workspaces/default/components/train/labels/latest")

    assert pinned["environment"] == "azureml:e:1"
    assert shown["environment"] == "azureml:e:1"
    assert api.create("components", **train())["environment"]["image"] == IMAGE


def test_a_component_whose_environment_is_absent_is_refused(api: Api) -> None:
    """With its place, and nothing is kept."""
    document = train(environment="azureml:e@latest")
    status, error = api.refused("POST", "workspaces/default/components", json={"document": document})

    assert status == 422
    [problem] = error["problems"]
    assert problem["pointer"] == "/environment"
    assert api.get("workspaces/default/components") == []


def test_a_component_without_a_name_is_refused(api: Api) -> None:
    """The name may come from a flag."""
    document = {key: value for key, value in train().items() if key != "name"}

    _, error = api.refused("POST", "workspaces/default/components", json={"document": document})

    [problem] = error["problems"]
    assert (problem["pointer"], problem["code"]) == ("/name", "missing")


@pytest.mark.parametrize(
    "reference",
    [
        "azureml:train@latest",
        "azureml:train@default",
        "azureml:train",
        "azureml:train:2",
        "azureml:/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices"
        "/workspaces/default/components/train/versions/2",
    ],
)
def test_a_step_may_be_a_registered_component(api: Api, reference: str) -> None:
    """Whatever the reference says, the job says which version it came to."""
    api.create("components", **train(command="echo first ${{inputs.rate}}"))
    api.create("components", **train())

    job = api.create("jobs", **pipeline(reference))

    assert job["jobs"]["one"]["component"] == "azureml:train:2"
    shown = api.get(f"workspaces/default/jobs/{job['name']}")
    assert shown["jobs"]["one"]["component"] == "azureml:train:2"
    step = api.get(f"workspaces/default/jobs/{shown['jobs']['one']['name']}")
    assert step["component"] == "azureml:train:2"


def test_what_is_wrong_with_a_step_is_told_by_the_ports_of_its_registered_component(api: Api) -> None:
    """A missing input by another name, as with a component that stands in a file. Edge case 6.8: the shape of the answer."""
    api.create("components", **train())

    [error] = api.post("workspaces/default/jobs:validate", document=pipeline("azureml:train:1", rat="fast"))[
        "errors"
    ]

    assert error["path"] == "/jobs/one/inputs/rate"
    assert error["message"] == "required input `rate` of step `one` is not provided"
    assert error["hint"] == "`rat` is given: did you mean `rate`?"


def test_an_absent_component_is_told_with_what_there_is(api: Api) -> None:
    """At the place of the reference; `check` says how to create it."""
    api.create("components", **train())
    document = pipeline("azureml:trian:4")

    [error] = api.post("workspaces/default/jobs:validate", document=document)["errors"]
    [wrong_version] = api.post("workspaces/default/jobs:validate", document=pipeline("azureml:train:4"))[
        "errors"
    ]
    [missing] = api.post("workspaces/default/documents:check", document=document)["missing"]

    assert error["path"] == "/jobs/one/component"
    assert "component `trian:4` was not found in workspace `default`" in error["message"]
    assert error["hint"] == "did you mean `train`?"
    assert "versions 1" in wrong_version["message"]
    assert missing["what"] == "component"
    assert missing["pointer"] == "/jobs/one/component"
    assert missing["command"] == "penstock component create -f <the file that defines `trian`>"


def test_what_a_registered_component_lacks_is_told_at_its_reference(api: Api) -> None:
    """Its own lines are in no file of the person who runs the pipeline."""
    api.create("environments", name="e", image=IMAGE)
    api.create("components", **train(environment="azureml:e:1"))
    with api.platform.database.transaction() as tx:
        tx.assets.delete("default", "environment", "e", "1")

    [error] = api.post("workspaces/default/jobs:validate", document=pipeline("azureml:train"))["errors"]

    assert error["path"] == "/jobs/one/component"
    assert error["message"].startswith("in component `train:1`: environment `e:1` was not found")


def test_components_of_files_are_in_no_list(api: Api) -> None:
    """Edge case 1.8: what is written into a job has no name of its own."""
    job = {"type": "pipeline", "jobs": {"one": {"component": train(), "inputs": {"rate": 1}}}}

    api.create("jobs", **job)

    assert api.get("workspaces/default/components") == []


def test_garbage_collection_keeps_the_code_of_components(api: Api, tmp_path: Path) -> None:
    """However old it is, a component may be used tomorrow."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    uri = api.upload(tmp_path / "src")
    api.create("components", **train(code=uri))
    for file in api.platform.home.artifacts.rglob("*"):
        os.utime(file, (0, 0))

    api.post("gc", older_than_days=0, dry_run=False)

    assert api.post("blobs:missing", digests=[uri.split("/")[2]])["missing"] == []


@pytest.mark.parametrize(
    "reference",
    [
        "azureml://registries/azureml/environments/minimal-py311-inference/labels/latest",
        "azureml:AzureML-minimal-py311-inference@latest",
    ],
)
def test_a_component_is_pinned_to_a_version_of_a_curated_environment(
    api: Api, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    """Its registry is named in full: a job finds it whatever its workspace has under that name."""
    monkeypatch.setenv("PENSTOCK_PYTHON", "nearest")

    created = api.create("components", **train(environment=reference))
    validated = api.post("workspaces/default/jobs:validate", document=pipeline("azureml:train:1"))

    prefix = "azureml://registries/azureml/environments/minimal-py311-inference/versions/"
    assert created["environment"].startswith(prefix)
    assert validated["result"] == "Succeeded"


def test_an_archived_version_of_a_component_is_not_the_latest(api: Api) -> None:
    """Who names it gets it still; restored it is the latest again."""
    for _ in range(2):
        api.create("components", **train())
    api.http.post("/api/v1/workspaces/default/components/train/archive", json={"version": "2"})

    passed_over = api.create("jobs", **pipeline("azureml:train@latest"))
    named = api.create("jobs", **pipeline("azureml:train:2"))

    assert passed_over["jobs"]["one"]["component"] == "azureml:train:1"
    assert named["jobs"]["one"]["component"] == "azureml:train:2"


def test_a_component_may_be_called_otherwise_but_not_be_something_else(api: Api) -> None:
    """`display_name`, description and tags; the content has its version."""
    api.create("components", **train())
    place = "/api/v1/workspaces/default/components/train/versions/1"

    renamed = api.http.patch(place, json={"set": {"display_name": "Train it", "tags.a": "1"}}).json()
    status, error = api.refused("PATCH", place.removeprefix("/api/v1/"), json={"set": {"command": "ls"}})

    assert (renamed["display_name"], renamed["tags"]) == ("Train it", {"a": "1"})
    assert status == 400
    assert "display_name" in error["details"][0]


def test_a_step_says_otherwise_than_its_registered_component(api: Api) -> None:
    """The environment is the step's, resources are merged key by key."""
    api.create("components", **train(resources={"shm_size": "2g", "instance_type": "a"}))
    document = pipeline("azureml:train")
    document["jobs"]["one"] |= {
        "environment": {"image": IMAGE + ":mine"},
        "environment_variables": {"A": "b"},
        "resources": {"instance_type": "b"},
        "limits": {"timeout": 7},
    }

    job = api.create("jobs", **document)

    with api.platform.database.reading() as tx:
        plan = tx.jobs.get("default", job["jobs"]["one"]["name"]).spec["plan"]
    assert plan["environment"]["image"] == IMAGE + ":mine"
    assert (plan["environment_variables"], plan["timeout"]) == ({"A": "b"}, 7.0)
    assert job["jobs"]["one"]["resources"] == {"instance_type": "b"}


def nested(api: Api) -> dict[str, Any]:
    """A registered pipeline component of two steps: a registered component, by its label, and one written out."""
    api.create("components", **train())
    inside = {
        key: value for key, value in train(command="echo two ${{inputs.rate}}").items() if key != "name"
    }
    created: dict[str, Any] = api.create(
        "components",
        name="both",
        type="pipeline",
        inputs={"rate": {"type": "number"}},
        jobs={
            "first": {"component": "azureml:train@latest", "inputs": {"rate": "${{parent.inputs.rate}}"}},
            "second": {"component": inside, "inputs": {"rate": 0.2}},
        },
    )
    return created


def test_a_pipeline_component_names_the_versions_of_its_steps(api: Api) -> None:
    """A newer version of a step's component changes nothing of what is registered."""
    created = nested(api)
    api.create("components", **train(command="echo newer ${{inputs.rate}}"))

    shown = api.get("workspaces/default/components/both/versions/1")

    for record in (created, shown):
        assert record["type"] == "pipeline"
        assert record["jobs"]["first"]["component"] == "azureml:train:1"
        assert record["jobs"]["second"]["component"]["command"] == "echo two ${{inputs.rate}}"


def test_a_registered_pipeline_runs_as_a_step_and_as_a_job(api: Api) -> None:
    """Every level says what it is made of; the same one stands twice in a pipeline."""
    nested(api)
    step = {"type": "pipeline", "component": "azureml:both@latest", "inputs": {"rate": 1}}

    job = api.create("jobs", type="pipeline", jobs={"a": step, "b": step})
    alone = api.create("jobs", type="pipeline", component="azureml:both", inputs={"rate": 2})

    assert [job["jobs"][key]["component"] for key in ("a", "b")] == ["azureml:both:1"] * 2
    inner = api.get(f"workspaces/default/jobs/{job['jobs']['a']['name']}")
    assert inner["jobs"]["first"]["component"] == "azureml:train:1"
    assert set(alone["jobs"]) == {"first", "second"}


def test_what_is_wrong_in_a_pipeline_component_is_told_when_it_is_created(api: Api) -> None:
    """Its bindings, the ports of its steps, and components that do not exist."""
    jobs = {
        "first": {"component": "azureml:train", "inputs": {"rate": "${{parent.inputs.rat}}"}},
        "second": {"component": "azureml:missing:1"},
    }
    api.create("components", **train())
    document = {"name": "both", "type": "pipeline", "inputs": {"rate": {"type": "number"}}, "jobs": jobs}

    said = api.post("workspaces/default/components:validate", document=document)["errors"]

    assert {each["path"] for each in said} == {"/jobs/first/inputs/rate", "/jobs/second/component"}


def test_an_absent_component_deep_in_another_is_told_at_the_reference(api: Api) -> None:
    """The person who wrote the pipeline sees nothing of the levels below."""
    nested(api)
    with api.platform.database.transaction() as tx:
        tx.assets.delete("default", "component", "train", "1")
    step = {"type": "pipeline", "component": "azureml:both@latest", "inputs": {"rate": 1}}

    [error] = api.post(
        "workspaces/default/jobs:validate", document={"type": "pipeline", "jobs": {"a": step}}
    )["errors"]

    assert error["path"] == "/jobs/a/component"
    assert error["message"].startswith("in component `both:1`: component `train:1` was not found")


def test_a_component_that_was_shown_can_be_created_again(api: Api, tmp_path: Path) -> None:
    """Edge case 1.7: keys that only `show` prints are dropped, and defaults that it writes out are no other content."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    created = api.create("components", **train(code=api.upload(tmp_path / "src")))

    again = api.create("components", **created)

    assert again == created


def test_a_local_path_alone_cannot_be_known_for_one(api: Api) -> None:
    """Only the server knows the ports of a registered component; the hint says how to write it."""
    api.create("components", **train(inputs={"rate": {"type": "number"}, "data": {"type": "uri_file"}}))
    document = pipeline("azureml:train", rate=1, data="./rides.csv")

    [error] = api.post("workspaces/default/jobs:validate", document=document)["errors"]

    assert error["path"] == "/jobs/one/inputs/data"
    assert "write `data: {type: uri_file, path: ./rides.csv}`" in error["hint"]
