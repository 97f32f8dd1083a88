"""Jobs from a notebook, on the real embedded server."""

import io
import json
import os
from pathlib import Path

import pytest

from penstock import Client, Data, Input, Output, command, load_component, load_job, pipeline
from penstock.errors import InvalidDocument, JobFailed, NotFound, PenstockError

# The plain environment has pip and setuptools from the network.
pytestmark = pytest.mark.slow

ENVIRONMENT = {"image": "python:3.11"}
PREP = {"code": "src", "environment": ENVIRONMENT, "outputs": {"done": Output()}}


def test_a_pipeline_is_submitted_followed_and_downloaded(client: Client, folder: Path) -> None:
    """From the function to the file that its step wrote."""
    prep = command("python prep.py ${{inputs.rate}} ${{outputs.done}}", inputs={"rate": 0.1}, **PREP)
    show = command(
        "cat ${{inputs.data}}/rate.txt", environment=ENVIRONMENT, inputs={"data": Input()}, name="show"
    )

    @pipeline
    def rates(rate: float) -> dict[str, object]:
        first = prep(rate=rate)
        show(data=first.outputs.done)
        return {"done": first.outputs.done}

    job = client.jobs.create(rates(0.7), experiment_name="rates")
    said = io.StringIO()
    job.stream(said)
    job.download(folder / "got", output_name="done")

    assert job.record["experiment_name"] == "rates"
    assert "step show: Completed" in said.getvalue()
    assert repr(job).splitlines()[0] == f"Job {job.name}: Completed"
    assert {key: step["status"] for key, step in job.steps.items()} == {
        "prep": "Completed",
        "show": "Completed",
    }
    assert (folder / "got" / "named-outputs" / "done" / "rate.txt").read_text(encoding="utf-8") == "0.7"


def test_a_job_shows_its_state_in_a_notebook(client: Client) -> None:
    """As text and as HTML, anew each time it is shown."""
    job = client.jobs.create(command("sleep 60", environment=ENVIRONMENT, name="b_long"))

    assert any(word in repr(job) for word in ("NotStarted", "Preparing", "Queued", "Starting", "Running"))
    with pytest.raises(PenstockError, match="not ended after 0 seconds"):
        job.wait(timeout=0)
    job.cancel().wait()

    assert repr(job).startswith(f"Job {job.name}: Canceled")
    assert "<b>Canceled</b>" in job._repr_html_()


def test_a_failed_job_raises_with_the_reason(client: Client) -> None:
    """From `stream` and from `wait` alike; the record says it too."""
    job = client.jobs.create(command("echo to the log; exit 3", environment=ENVIRONMENT))

    with pytest.raises(JobFailed, match="exited with code 3"):
        job.stream(io.StringIO())
    with pytest.raises(JobFailed):
        client.jobs.show(job.name).wait()
    assert "exited with code 3" in repr(job)


def test_every_problem_is_in_the_traceback(client: Client, folder: Path) -> None:
    """A notebook shows the notes of an exception: there they are, file and line too where there is a file."""
    with pytest.raises(InvalidDocument) as refused:
        client.jobs.create(command("echo ${{inputs.no}}", environment="azureml:nowhere@latest"))
    (folder / "job.yml").write_text("command: ls\nenvironment: azureml:e:1\ncolour: red\n", encoding="utf-8")
    with pytest.raises(InvalidDocument) as from_file:
        client.jobs.create(load_job("job.yml"))

    notes = "\n".join(refused.value.__notes__)
    assert "/command" in notes
    assert "`nowhere` was not found" in notes
    assert "job.yml:3" in "\n".join(from_file.value.__notes__)


def test_data_is_registered_and_used(client: Client, folder: Path) -> None:
    """What `Data` describes is an asset like one from a file."""
    (folder / "rides.csv").write_text("fare\n1\n", encoding="utf-8")
    made = client.data.create(Data(name="rides", type="uri_file", path="rides.csv"))
    read = command(
        "cat ${{inputs.rides}}",
        environment=ENVIRONMENT,
        inputs={"rides": Input(type="uri_file", path="azureml:rides@latest")},
    )

    assert made.record["version"] == "1"
    assert client.jobs.create(read).wait().status == "Completed"
    assert [row["name"] for row in client.data.list()] == ["rides"]


def test_jobs_are_listed_and_shown_as_jobs(client: Client) -> None:
    """The newest first; a name that is not there is NotFound."""
    job = client.jobs.create(command("true", environment=ENVIRONMENT))

    assert client.jobs.list(max_results=1)[0].name == job.name
    assert client.jobs.show(job.name).wait().has_ended
    assert json.loads(json.dumps(job.record))["name"] == job.name
    with pytest.raises(NotFound, match="nobody"):
        client.jobs.show("nobody")


def test_mlflow_is_reached_without_another_command(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variables of `penstock env` are set in this process, for MLflow to read."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN"):
        monkeypatch.setenv(name, "")

    uri = client.use_mlflow(hours=1)

    assert os.environ["MLFLOW_TRACKING_URI"] == uri
    assert os.environ["MLFLOW_TRACKING_TOKEN"]


def test_components_are_registered_from_their_files(client: Client, folder: Path) -> None:
    """And used by reference; data for their ports may be given by its path alone."""
    (folder / "rides.csv").write_text("fare\n1\n", encoding="utf-8")
    (folder / "count.yml").write_text(
        "type: command\nname: count\ncommand: wc -l ${{inputs.rides}} > ${{outputs.lines}}/n $[[${{inputs.more}}]]\n"
        "environment: {image: 'python:3.11'}\noutputs: {lines: {type: uri_folder}}\n"
        "inputs: {rides: {type: uri_file}, more: {type: string, optional: true}}\n",
        encoding="utf-8",
    )
    made = client.components.create(load_component("count.yml"))
    count = load_component("azureml:count@latest")

    @pipeline
    def counting(more: str | None = None) -> dict[str, object]:
        return {"lines": count(rides="rides.csv", more=more).outputs.lines}

    job = client.jobs.create(counting().with_outputs(lines=Output(name="lines"))).wait()

    assert made.record["version"] == "1"
    assert job.record["jobs"]["count"]["component"] == "azureml:count:1"
    assert [row["name"] for row in client.data.list("lines")] == ["lines"]


def test_a_job_is_planned_without_being_created(client: Client) -> None:
    """The record of `job create --dry-run`."""
    plan = client.jobs.plan(command("true", environment=ENVIRONMENT, name="only_a_plan"))

    assert [step["command"] for step in plan["steps"]] == ["true"]
    with pytest.raises(NotFound):
        client.jobs.show("only_a_plan")


def test_a_job_is_described_otherwise_hidden_and_shown_again(client: Client) -> None:
    """`update`, `archive` and `restore`, as on the command line."""
    job = client.jobs.create(command("true", environment=ENVIRONMENT)).wait()

    changed = client.jobs.update(job.name, {"set": {"display_name": "Kept", "tags.kept": "yes"}})
    client.jobs.archive(job.name)
    hidden = [each.name for each in client.jobs.list(archived_only=True)]
    client.jobs.restore(job.name)

    assert (changed.record["display_name"], changed.record["tags"]) == ("Kept", {"kept": "yes"})
    assert hidden == [job.name]
    assert job.name in [each.name for each in client.jobs.list()]


def test_a_doubled_dollar_is_mended_and_told(client: Client) -> None:
    """`$${{…}}` from a template: the field is named, and what is kept says the meant form."""
    job = client.jobs.create(
        command("echo got $${{inputs.word}}", inputs={"word": "it"}, environment=ENVIRONMENT)
    )
    said = io.StringIO()
    job.stream(said)

    (told,) = [each for each in job.warnings if "too many" in each.message]
    assert told.pointer == "/command"
    assert job.record["command"] == "echo got ${{inputs.word}}"
    assert "got it" in said.getvalue()
