"""Giving room back: what is removed is garbage, and what a job, an asset or a running step needs is not."""

import os
import time
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import ServerUnavailable
from tests.server.conftest import Api

DEADLINE = 60.0
IMAGE = {"image": "python:3.11"}


def ended(api: Api, name: str, workspace: str = "default") -> dict[str, Any]:
    deadline = time.monotonic() + DEADLINE
    while (job := api.get(f"workspaces/{workspace}/jobs/{name}"))["status"] not in (
        "Completed",
        "Failed",
        "Canceled",
    ):
        assert time.monotonic() < deadline, job["status"]
        time.sleep(0.02)
    found: dict[str, Any] = job
    return found


def grow_old(api: Api) -> None:
    """Everything that was uploaded looks as if it had been there for days."""
    long_ago = time.time() - 10 * 24 * 3600
    for path in (
        *api.platform.home.artifacts.rglob("*"),
        *api.platform.home.path.glob("workspaces/*/datastores/*/*/*"),
    ):
        if not path.is_symlink():
            os.utime(path, (long_ago, long_ago))


def test_what_a_job_and_an_asset_name_survives_a_collection(api: Api, tmp_path: Path) -> None:
    """After it the same job runs again, from the same uploads; what nobody names is gone."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "run.sh").write_text("cat $1\n")
    for name in ("used", "asset", "forgotten"):
        (tmp_path / f"{name}.csv").write_text(name)
    code, used, asset = (api.upload(tmp_path / name) for name in ("src", "used.csv", "asset.csv"))
    api.upload(tmp_path / "forgotten.csv")
    api.create("data", name="kept", type="uri_file", path=asset)
    document = {
        "code": code,
        "command": "bash run.sh ${{inputs.a}}; bash run.sh ${{inputs.b}}",
        "environment": IMAGE,
        "inputs": {
            "a": {"type": "uri_file", "path": used},
            "b": {"type": "uri_file", "path": "azureml:kept:1"},
        },
    }
    api.create("jobs", name="one", **document)
    assert ended(api, "one")["status"] == "Completed"
    api.create("jobs", name="running", command="sleep 60", environment=IMAGE, code=code)
    deadline = time.monotonic() + DEADLINE
    while api.get("workspaces/default/jobs/running")["status"] != "Running":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    grow_old(api)

    promised = api.post("gc", older_than_days=0, dry_run=True)
    removed = api.post("gc", older_than_days=0)

    assert [each["what"] for each in promised["removed"]] == [each["what"] for each in removed["removed"]]
    assert "upload" in {each["what"] for each in removed["removed"]}
    api.create("jobs", name="two", **document)
    assert ended(api, "two")["status"] == "Completed"
    (log,) = api.platform.home.path.glob(
        "workspaces/default/datastores/*/ExperimentRun/dcid.two/user_logs/std_log.txt"
    )
    assert log.read_text() == "usedasset"
    assert api.get("workspaces/default/jobs/running")["status"] in (
        "Preparing",
        "Queued",
        "Starting",
        "Running",
    )
    api.post("workspaces/default/jobs/running/cancel")
    assert api.post("gc", older_than_days=0)["removed"] is not None
    sizes = {entry["what"]: entry["bytes"] for entry in api.get("usage")["entries"]}
    assert sizes["workspace default"] > 0
    assert api.get("usage")["total"] >= sum(sizes.values())


def test_a_deleted_workspace_takes_all_with_it(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, files, and what MLflow has of it; the name can be used again for something empty."""
    told: list[str] = []
    monkeypatch.setattr(api.platform.runs, "delete_workspace", told.append)
    api.create("workspaces", name="other")
    api.create("jobs", workspace="other", name="j", command="echo x > outputs/x", environment=IMAGE)
    assert ended(api, "j", "other")["status"] == "Completed"
    folder = api.platform.home.workspace("other")
    assert folder.exists()

    assert api.http.delete("/api/v1/workspaces/other").status_code == 204

    assert not folder.exists()
    assert told == ["other"]
    api.create("workspaces", name="other")
    assert api.get("workspaces/other/jobs") == []


def test_a_workspace_stays_whole_where_mlflow_cannot_be_told(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next workspace of that name would show the old one's runs."""

    def down(_: str) -> None:
        raise ServerUnavailable("MLflow is down")

    monkeypatch.setattr(api.platform.runs, "delete_workspace", down)
    api.create("workspaces", name="other")

    answer = api.http.delete("/api/v1/workspaces/other")

    assert answer.status_code == 503
    assert "MLflow is down" in answer.json()["message"]
    assert api.get("workspaces/other")["name"] == "other"


def test_a_workspace_with_open_jobs_is_not_deleted(api: Api) -> None:
    """The jobs are named."""
    api.create("workspaces", name="other")
    api.create("jobs", workspace="other", name="j", command="sleep 60", environment=IMAGE)

    status, error = api.refused("DELETE", "workspaces/other")

    assert status == 409
    assert "`other` has open jobs: j" in error["message"]
    api.post("workspaces/other/jobs/j/cancel")
    ended(api, "j", "other")


def test_reliability_15_a_planted_secret_stays_in_the_jobs_document(api: Api, tmp_path: Path) -> None:
    """Not in the events, not in the server's log, not in the worker's files; tokens are nowhere at all."""
    seen = tmp_path / "seen"
    secrets = [f"canary-{kind}-{os.urandom(8).hex()}" for kind in ("variable", "literal", "url")]
    variable, literal, url = secrets
    api.create(
        "jobs",
        name="j",
        command=f"env > {seen}; exit 3 # ${{{{inputs.text}}}} ${{{{inputs.web}}}}",
        environment=IMAGE,
        environment_variables={"API_KEY": variable},
        inputs={
            "text": literal,
            "web": {"type": "uri_file", "path": f"https://example.com/x?sig={url}", "mode": "direct"},
        },
    )
    assert ended(api, "j")["status"] == "Failed"
    assert variable in seen.read_text()
    (token,) = {
        line.partition("=")[2]
        for line in seen.read_text().splitlines()
        if line.startswith("MLFLOW_TRACKING_TOKEN=")
    }

    with api.platform.database.reading() as tx:
        events = str(tx.events.after("default", 0, 1000))
    assert [secret for secret in (*secrets, token) if secret in events] == []
    home = api.platform.home
    for file in home.path.rglob("*"):
        if file.is_file() and "environments" not in file.parts:
            content = file.read_bytes()
            assert token.encode() not in content, file
            if not file.name.startswith(home.database.name):
                assert [secret for secret in secrets if secret.encode() in content] == [], file


def test_the_lists_filters_do_what_they_say(api: Api) -> None:
    """By status, by tag, by parent, and how many."""
    document: dict[str, Any] = {"command": "true", "environment": IMAGE}
    api.create("jobs", name="a", **document, tags={"team": "x"})
    api.create("jobs", name="b", **{**document, "command": "false"})
    api.create("jobs", name="p", type="pipeline", jobs={"s": document, "t": document})
    for name in ("a", "b", "p"):
        ended(api, name)

    def names(**query: Any) -> list[str]:
        return [job["name"] for job in api.get("workspaces/default/jobs", **query)]

    assert names() == ["p", "b", "a"]
    assert names(status="Failed") == ["b"]
    assert names(tag="team=x") == names(tag="team") == ["a"]
    assert names(parent_job_name="p") == ["p_s", "p_t"]
    assert names(max_results=1) == ["p"]
    assert names(archived_only=True) == []


def test_a_jobs_record_has_the_keys_that_scripts_read(api: Api) -> None:
    """The list of the reference, for a command and for a pipeline."""
    keys = {
        "name", "display_name", "experiment_name", "status", "type", "services", "compute", "inputs", "outputs",
        "tags", "properties", "creation_context", "id", "resourceGroup",
    }  # fmt: skip
    document: dict[str, Any] = {"command": "true", "environment": IMAGE}
    command = api.create("jobs", name="a", **document)
    pipeline = api.create("jobs", name="p", type="pipeline", jobs={"s": document})

    assert keys | {"environment", "command"} <= set(command)
    assert keys | {"jobs"} <= set(pipeline)
    assert {"created_at", "created_by", "created_by_type"} <= set(command["creation_context"])
    assert command["services"]["Studio"]["endpoint"].startswith("http")
    for name in ("a", "p"):
        ended(api, name)


def test_validate_says_what_create_says(api: Api) -> None:
    """The same problems for the same document, and nothing is made of it."""
    documents: list[dict[str, Any]] = [
        {"command": "x ${{inputs.nothing}}", "environment": IMAGE},
        {"command": "x", "environment": "azureml:nothing:1", "compute": "azureml:nowhere"},
        {
            "type": "pipeline",
            "jobs": {"a": {"command": "x", "environment": IMAGE, "compute": "azureml:nowhere"}},
        },
        {"command": "x", "environment": IMAGE, "inputs": {"i": {"type": "uri_file", "path": "azureml:no:1"}}},
        {"command": "x", "environment": IMAGE, "setings": {}},
        {"command": "x", "environment": IMAGE, "name": "taken"},
        {
            "command": "x",
            "environment": IMAGE,
            "inputs": {"i": {"path": "azureml://jobs/no/outputs/o/paths/"}},
        },
    ]
    api.create("jobs", name="taken", command="true", environment=IMAGE)
    for document in documents:
        validated = api.post("workspaces/default/jobs:validate", document=document)
        status, refused = api.refused("POST", "workspaces/default/jobs", json={"document": document})
        assert validated["result"] == "Failed", document
        said = [(problem["pointer"], problem["message"]) for problem in validated["errors"]]
        if status == 422:
            assert said == [(problem["pointer"], problem["message"]) for problem in refused["problems"]]
        else:
            assert [message for _, message in said] == [refused["message"]]
    assert [job["name"] for job in api.get("workspaces/default/jobs")] == ["taken"]
    ended(api, "taken")


@pytest.mark.parametrize(
    ("of", "output", "refused"),
    [
        ("done", "o", None),
        ("done", "artifacts", None),
        ("done", "nothing", "no output `nothing`"),
        ("failed", "o", "may be incomplete: `failed` is Failed"),
        ("failed", "artifacts", None),
        ("running", "o", "is not written yet"),
        ("p", "out", None),
        ("p", "o", "no output `o`"),
        ("nowhere", "o", "`nowhere`"),
    ],
)
def test_a_jobs_output_is_an_input_once_it_is_whole(
    api: Api, of: str, output: str, refused: str | None
) -> None:
    """Named by the pipeline's name for it, or by the job's own; never half-written."""
    writes = {
        "environment": IMAGE,
        "command": "echo x > ${{outputs.o}}/x",
        "outputs": {"o": {"type": "uri_folder"}},
    }
    match of:
        case "p":
            steps = {
                "a": {**writes, "outputs": {"o": "${{parent.outputs.out}}"}},
                "b": {"command": "false", "environment": IMAGE},
            }
            api.create("jobs", name="p", type="pipeline", outputs={"out": {"type": "uri_folder"}}, jobs=steps)
        case "failed":
            api.create("jobs", **{**writes, "name": of, "command": "exit 1 # ${{outputs.o}}"})
        case "running":
            api.create("jobs", **{**writes, "name": of, "command": "sleep 60 # ${{outputs.o}}"})
        case "done":
            api.create("jobs", **writes, name=of)
    if of in ("p", "failed", "done"):
        ended(api, of)
    source = {"type": "uri_folder", "path": f"azureml://jobs/{of}/outputs/{output}/paths/"}
    document = {
        "name": "reader",
        "command": "ls ${{inputs.i}}",
        "environment": IMAGE,
        "inputs": {"i": source},
    }

    answer = api.http.post("/api/v1/workspaces/default/jobs", json={"document": document})

    if refused is None:
        assert answer.status_code == 201, answer.text
        assert ended(api, "reader")["status"] == "Completed"
    else:
        assert answer.status_code == 422
        assert refused in answer.json()["problems"][0]["message"]
    if of == "running":
        api.post("workspaces/default/jobs/running/cancel")


def test_a_model_that_an_earlier_server_was_killed_over_goes(api: Api) -> None:
    """Its copy, told in bytes; what this server is about to take in stays. MLflow is not asked where it was not then."""
    incoming = api.platform.home.mlflow / "incoming"
    for name, began in (("earlier", api.platform.started_at - 60), ("now", api.platform.started_at + 60)):
        (incoming / name).mkdir(parents=True)
        (incoming / name / "weights.bin").write_bytes(b"x" * 5000)
        os.utime(incoming / name, (began, began))

    foreseen = collected(api, dry_run=True)
    removed = collected(api, dry_run=False)

    assert foreseen == removed
    assert [entry["name"] for entry in removed] == ["earlier"]
    assert removed[0]["bytes"] >= 5000
    assert [place.name for place in incoming.iterdir()] == ["now"]
    assert api.platform.mlflow.state == "stopped"


def collected(api: Api, what: str = "half-made model", *, dry_run: bool) -> list[Any]:
    everything = api.post("gc", dry_run=dry_run)["removed"]
    return [entry for entry in everything if entry["what"].startswith(what)]


def test_a_folder_whose_workspace_or_registry_is_gone_goes(api: Api) -> None:
    """As a server leaves it that is killed between the row and the files; those of present ones stay."""
    api.post("registries", document={"name": "shared"})
    home = api.platform.home
    folders = [
        home.workspace("default"),
        home.registry("shared"),
        home.workspace("gone"),
        home.registry("gone"),
    ]
    for folder in folders:
        (folder / "datastores").mkdir(parents=True, exist_ok=True)
        (folder / "datastores" / "a.csv").write_text("1,2\n")

    foreseen = collected(api, "left", dry_run=True)
    removed = collected(api, "left", dry_run=False)

    assert foreseen == removed
    assert [(entry["what"], entry["name"]) for entry in removed] == [
        ("left workspace", "gone"),
        ("left registry", "gone"),
    ]
    assert [folder.exists() for folder in folders] == [True, True, False, False]
    assert sorted(place.name for place in home.registry("shared").parent.iterdir()) == ["shared"]
    assert collected(api, "left", dry_run=False) == []
