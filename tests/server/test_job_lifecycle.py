"""Jobs after they were made: described otherwise, archived, restored, listed."""

import pytest

from penstock.errors import NotFound
from penstock.jobs.plans import OutputOf
from penstock.resources.references import parse_reference
from penstock.server.verbs.lookup import WorkspaceLookup
from penstock.testing.records import a_job
from tests.server.conftest import Api

JOBS = "workspaces/default/jobs"


@pytest.fixture
def jobs(api: Api) -> Api:
    """Two pipelines, one of which has ended with its step."""
    with api.platform.database.transaction() as tx:
        made = (
            a_job(
                "done",
                workspace="default",
                type="pipeline",
                status="Completed",
                created_at=1.0,
                properties={"origin": "ci"},
            ),
            a_job(
                "done_train",
                workspace="default",
                parent="done",
                root="done",
                step="train",
                status="Completed",
                created_at=1.0,
            ),
            a_job("queued", workspace="default", type="pipeline", status="Paused", created_at=2.0),
        )
        for job in made:
            tx.jobs.insert(job)
    return api


def names(api: Api, **query: object) -> list[str]:
    return [job["name"] for job in api.get(JOBS, **query)]


def tell(api: Api, name: str, verb: str) -> None:
    answer = api.http.post(f"/api/v1/{JOBS}/{name}/{verb}")
    assert answer.status_code == 204, answer.text


def test_an_archived_job_is_hidden_and_can_be_used(jobs: Api) -> None:
    """It is shown by its name, with its steps; archiving it twice is once."""
    tell(jobs, "done", "archive")
    tell(jobs, "done", "archive")

    assert names(jobs) == ["queued"]
    assert names(jobs, archived_only=True) == ["done"]
    assert names(jobs, include_archived=True) == ["queued", "done"]
    assert names(jobs, parent_job_name="done") == ["done_train"]
    assert jobs.get(f"{JOBS}/done")["archived"] is True
    status, _ = jobs.refused("GET", f"{JOBS}?include_archived=true&archived_only=true")
    assert status == 400
    tell(jobs, "done", "restore")
    tell(jobs, "done", "restore")
    assert names(jobs) == ["queued", "done"]
    with jobs.platform.database.reading() as tx:
        events = tx.events.after("default", 0, limit=100)
    assert [event.body["change"] for event in events if event.type == "job.updated"] == [
        "archived",
        "restored",
    ]


def test_a_step_is_archived_and_changed_with_its_pipeline_only(jobs: Api) -> None:
    """The error names the pipeline."""
    for method, path in (("POST", "/archive"), ("POST", "/restore"), ("PATCH", "")):
        status, record = jobs.refused(
            method, f"{JOBS}/done_train{path}", json={"set": {"tags.a": "b"}} if method == "PATCH" else None
        )

        assert (status, record["code"]) == (409, "Conflict")
        assert "is a step of job `done`" in record["message"]
        assert record["hint"] == "name the whole job: -n done"


def test_a_job_that_has_not_ended_cannot_be_archived(api: Api) -> None:
    """It says what to do."""
    with api.platform.database.transaction() as tx:
        tx.jobs.insert(a_job("running", workspace="default", status="Running"))

    status, record = api.refused("POST", f"{JOBS}/running/archive")

    assert (status, record["code"]) == (409, "Conflict")
    assert "only a job that has ended can be archived" in record["message"]
    assert "penstock job cancel -n running" in record["hint"]


def test_what_describes_a_job_changes_and_nothing_else(jobs: Api) -> None:
    """Names to show, tags (empty ones too) and more properties."""
    body = {
        "set": {
            "display_name": "second try",
            "tags.team": "fares",
            "tags.nothing": None,
            "properties.run": "7",
        },
        "add": [{"path": "tags", "value": {"a": "b"}}],
        "remove": ["tags.a"],
    }

    changed = jobs._answer(jobs.http.patch(f"/api/v1/{JOBS}/done", json=body))

    assert changed == jobs.get(f"{JOBS}/done")
    assert changed["display_name"] == "second try"
    assert changed["tags"] == {"team": "fares", "nothing": None}
    assert changed["properties"] == {"origin": "ci", "run": "7"}
    assert names(jobs, tag="team=fares") == ["done"]
    for path in ("experiment_name", "compute", "status", "properties.origin"):
        status, record = jobs.refused("PATCH", f"{JOBS}/done", json={"set": {path: "x"}})
        assert (status, "cannot be changed" in record["message"]) == (400, True)
    assert record["details"] == []
    _, record = jobs.refused("PATCH", f"{JOBS}/done", json={"set": {"compute": "x"}})
    assert record["details"] == ["can be changed: display_name, description, tags, properties"]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("steps/train/outputs/m.bin", OutputOf("done_train", "artifacts", "outputs/m.bin")),
        ("steps/train/", OutputOf("done_train", "artifacts", "")),
        ("steps/outer/inner/x", OutputOf("done_outer_inner", "artifacts", "x")),
    ],
)
def test_a_pipelines_artifacts_are_those_of_its_steps(api: Api, path: str, source: OutputOf) -> None:
    """Under the paths that a download has; what names no step is refused with the steps that there are."""
    with api.platform.database.transaction() as tx:
        for name, step, parent, kind in (
            ("done", None, None, "pipeline"),
            ("done_train", "train", "done", "command"),
            ("done_outer", "outer", "done", "pipeline"),
            ("done_outer_inner", "inner", "done_outer", "command"),
        ):
            ended = {"status": "Completed", "spec": {"plan": {"outputs": {}}}, "root": "done"}
            tx.jobs.insert(a_job(name, workspace="default", type=kind, step=step, parent=parent, **ended))

    def found(inside: str) -> object:
        text = f"azureml://jobs/done/outputs/artifacts/paths/{inside}"
        with api.platform.database.reading() as tx:
            return WorkspaceLookup(api.platform, tx, "default").job_output(parse_reference(text, "data"))  # type: ignore[arg-type]

    assert found(path) == source
    for wrong in ("model", "steps/evaluate/x", "steps"):
        with pytest.raises(NotFound, match="are those of its steps") as caught:
            found(wrong)
        assert caught.value.details == ("its steps: `outer`, `train`",)


@pytest.mark.slow
def test_a_jobs_run_is_called_as_the_job(api: Api) -> None:
    """Said again it is said to MLflow again, which may have been out of reach."""
    runs = api.platform.runs
    run = runs.start_run("default", runs.experiment_id("default", "taxi"), "first")
    with api.platform.database.transaction() as tx:
        tx.jobs.insert(a_job("done", workspace="default", status="Completed", mlflow_run=run))

    for before in ("first", "by hand"):
        runs.rename("default", run, before)
        api._answer(api.http.patch(f"/api/v1/{JOBS}/done", json={"set": {"display_name": "second try"}}))

        assert runs.tags("default", run)["mlflow.runName"] == "second try"
