"""What `job create --dry-run` asks for: the plan, with nothing created and nothing uploaded; and nested jobs by REST."""

from pathlib import Path
from typing import Any

import pytest

from penstock.resources.snapshots import take_snapshot
from tests.server.conftest import Api

IMAGE = {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04"}
PLAN = "workspaces/default/jobs:plan"
FILE = {"type": "uri_file"}


@pytest.fixture
def code(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "copy.py").write_text("print('copied')\n")
    return folder


def copy(code: str) -> dict[str, Any]:
    """A component that copies a file."""
    return {
        "type": "command",
        "code": code,
        "command": "cat ${{inputs.source}} > ${{outputs.copy}} $[[--note ${{inputs.note}}]] -n ${{inputs.n}}",
        "environment": "azureml:env:1",
        "inputs": {
            "source": FILE,
            "n": {"type": "integer", "default": 1},
            "note": {"type": "string", "optional": True},
        },
        "outputs": {"copy": FILE},
    }


def document(code: str) -> dict[str, Any]:
    """The same component twice, once inside a pipeline that stands before what it waits for."""
    inner = {
        "type": "pipeline",
        "inputs": {"source": FILE},
        "outputs": {"copy": FILE},
        "jobs": {
            "first": {
                "component": copy(code),
                "inputs": {"source": "${{parent.inputs.source}}", "n": "7"},
                "outputs": {"copy": "${{parent.outputs.copy}}"},
            }
        },
    }
    return {
        "type": "pipeline",
        "name": "nightly",
        "outputs": {"final": {"type": "uri_file"}},
        "settings": {"default_compute": "azureml:local"},
        "jobs": {
            "twice": {
                "component": copy(code),
                "inputs": {"source": "${{parent.jobs.inside.outputs.copy}}"},
                "outputs": {"copy": "${{parent.outputs.final}}"},
            },
            "inside": {"component": inner, "inputs": {"source": {"path": "azureml:wine@latest", **FILE}}},
        },
    }


def prepared(api: Api, tmp_path: Path) -> None:
    """The environment and the data that the document refers to."""
    wine = tmp_path / "wine.csv"
    wine.write_text("red\n")
    api.create("environments", name="env", version="1", **IMAGE)
    api.create("data", name="wine", version="3", type="uri_file", path=api.upload(wine))


def test_a_plan_says_step_by_step_what_would_happen(api: Api, tmp_path: Path, code: Path) -> None:
    """Order, reason, environment, compute, code, inputs with explicit versions, outputs, the command so far."""
    prepared(api, tmp_path)
    snapshot, _ = take_snapshot(code)

    record = api.post(PLAN, document=document(snapshot.uri), default_experiment="tests")["record"]

    inside, twice = record["steps"]
    assert (record["name"], record["experiment_name"], record["type"]) == ("nightly", "tests", "pipeline")
    assert (inside["step"], inside["job"], inside["waits_for"]) == (
        "inside/first",
        "nightly_inside_first",
        [],
    )
    assert (twice["step"], twice["waits_for"]) == ("twice", ["inside/first"])
    assert list(inside["decision"]) == ["run"]
    assert inside["environment"]["name"] == "env:1"
    assert inside["environment"]["state"] == "to be built"
    assert inside["compute"] == "azureml:local"
    assert inside["code"] == twice["code"] == {"name": "src", "digest": snapshot.digest}
    assert inside["inputs"]["source"]["asset"] == "azureml:wine:3"
    assert inside["inputs"]["n"] == {"type": "integer", "value": "7"}
    assert inside["inputs"]["note"] is None
    assert twice["inputs"]["source"]["from_step"] == "inside/first"
    assert inside["command"] == "cat ${{inputs.source}} > ${{outputs.copy}}  -n 7"
    place = "azureml://datastores/workspaceblobstore/paths/azureml/nightly_twice/copy/copy"
    assert record["outputs"]["final"]["step"] == "twice"
    assert record["outputs"]["final"]["path"] == twice["outputs"]["copy"]["path"] == place


def test_a_plan_creates_nothing_and_needs_no_upload(api: Api, tmp_path: Path, code: Path) -> None:
    """The code is known by its digest alone; no row, no event, no blob comes of it."""
    prepared(api, tmp_path)
    snapshot, _ = take_snapshot(code)
    with api.platform.database.reading() as tx:
        before = tx.events.last_sequence("default")

    api.post(PLAN, document=document(snapshot.uri))

    assert api.get("workspaces/default/jobs") == []
    assert list(api.platform.artifacts.missing({snapshot.digest})) == [snapshot.digest]
    with api.platform.database.reading() as tx:
        assert tx.events.last_sequence("default") == before


def test_a_plan_is_refused_as_the_job_would_be(api: Api, tmp_path: Path, code: Path) -> None:
    """Everything that is missing or wrong, at every level, in the words of create."""
    snapshot, _ = take_snapshot(code)
    wrong = document(snapshot.uri)
    wrong["jobs"]["inside"]["component"]["jobs"]["first"]["compute"] = "azureml:nowhere"

    planned = api.refused("POST", f"{PLAN}", json={"document": wrong})
    created = api.refused("POST", "workspaces/default/jobs", json={"document": wrong})

    assert planned == created
    pointers = {problem["pointer"] for problem in planned[1]["problems"]}
    assert "/jobs/inside/component/jobs/first/compute" in pointers
    assert "/jobs/inside/component/jobs/first/component/environment" in pointers
    assert "/jobs/inside/inputs/source/path" in pointers


def test_a_standalone_command_has_a_plan_of_one_step(api: Api) -> None:
    """Under the name that it would have; without one, under a stand-in that no job can have."""
    record = api.post(PLAN, document={"command": "echo", "environment": IMAGE, "outputs": {"o": {}}})[
        "record"
    ]

    assert record["name"] is None
    assert [step["step"] for step in record["steps"]] == ["<name>"]
    assert record["steps"][0]["outputs"]["o"]["path"].endswith("/paths/azureml/<name>/o/")


def test_the_same_component_twice_is_one_snapshot(api: Api, tmp_path: Path, code: Path) -> None:
    """Edge case 6.3: two steps, and the code is kept once."""
    prepared(api, tmp_path)
    uri = api.upload(code)

    steps = api.post(PLAN, document=document(uri))["record"]["steps"]

    assert len({step["code"]["digest"] for step in steps}) == 1
    assert len({step["job"] for step in steps}) == 2


def test_an_inner_pipeline_is_listed_shown_and_not_canceled_alone(
    api: Api, tmp_path: Path, code: Path
) -> None:
    """It is a job with steps of its own; its end belongs to the whole job."""
    prepared(api, tmp_path)
    api.create("jobs", **document(api.upload(code)))

    steps = api.get("workspaces/default/jobs", parent_job_name="nightly")
    inner = api.get("workspaces/default/jobs", parent_job_name="nightly_inside")
    shown = api.get("workspaces/default/jobs/nightly_inside")
    status, refused = api.refused("POST", "workspaces/default/jobs/nightly_inside_first/cancel")
    api.post("workspaces/default/jobs/nightly/cancel")

    assert [(step["name"], step["type"]) for step in steps] == [
        ("nightly_twice", "command"),
        ("nightly_inside", "pipeline"),
    ]
    assert [step["name"] for step in inner] == ["nightly_inside_first"]
    assert (shown["type"], shown["parent_job_name"], set(shown["jobs"])) == ("pipeline", "nightly", {"first"})
    assert status == 409
    assert "penstock job cancel -n nightly`" in refused["hint"]


def test_a_job_may_be_made_of_a_registered_pipeline(api: Api) -> None:
    """`component` in place of `jobs`, by reference; the record names the version."""
    step = {"command": "echo ${{inputs.n}}", "environment": IMAGE, "inputs": {"n": "${{parent.inputs.n}}"}}
    api.create(
        "components", name="pipe", type="pipeline", inputs={"n": {"type": "integer"}}, jobs={"only": step}
    )
    made = {"type": "pipeline", "component": "azureml:pipe@latest", "inputs": {"n": 5}}

    record = api.post(PLAN, document=made)["record"]
    job = api.create("jobs", name="made", **made)
    api.post("workspaces/default/jobs/made/cancel")

    assert record["steps"][0]["command"] == "echo 5"
    assert job["component"] == "azureml:pipe:1"
    assert set(job["jobs"]) == {"only"}


def test_many_steps_of_one_component_ask_for_it_once(api: Api, code: Path) -> None:
    """Sixty references to one component, and to its environment, cost as many look-ups of them as six."""
    api.post("workspaces/default/environments", document={"name": "env", "version": "1", **IMAGE})
    component = {**copy("x"), "name": "copy", "outputs": {"copy": FILE}}
    del component["code"]
    api.post("workspaces/default/components", document=component)
    step = {
        "component": "azureml:copy@latest",
        "inputs": {"source": {**FILE, "path": "azureml://datastores/workspaceblobstore/paths/x"}},
    }

    def asked(steps: int) -> int:
        document = {
            "type": "pipeline",
            "settings": {"default_compute": "azureml:local"},
            "jobs": {f"s{number}": step for number in range(steps)},
        }
        with api.platform.database.count_statements() as counted:
            plan = api.post(PLAN, document=document)["record"]
        assert len(plan["steps"]) == steps
        return sum("FROM assets" in text for text in counted.statements)

    assert asked(60) == asked(6)
