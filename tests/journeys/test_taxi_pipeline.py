"""The taxi project: registered environment and data, a pipeline of four steps, and a second run that is not better."""

from pathlib import Path

import httpx
import pytest

from tests.journeys.person import EXAMPLES, Person

pytestmark = pytest.mark.slow

EXAMPLE = "taxi-fare"


def test_the_sample_is_what_its_script_makes(person: Person, elsewhere: Path) -> None:
    """The checked-in rides can be made anew, byte for byte."""
    person.types("python", "make_sample.py", "--to", elsewhere / "sample.csv")

    made = (elsewhere / "sample.csv").read_bytes()
    assert made == (EXAMPLES / EXAMPLE / "data" / "taxi-sample.csv").read_bytes()


def test_what_ci_does_ends_with_a_registered_model(person: Person) -> None:
    """run.sh, as it stands: environment, data, compute, pipeline, wait, download, list."""
    shown = person.types("bash", "run.sh").stdout

    assert "Completed" in shown
    assert "register it" in shown
    assert "taxi-fare-model" in shown.splitlines()[-1]
    assert (
        person.penstock(
            "model", "show", "-n", "taxi-fare-model", "-l", "latest", "--query", "version", "-o", "tsv"
        )
        == "1"
    )


def test_a_second_run_registers_nothing(person: Person) -> None:
    """The same data and seed give the same model: evaluate compares with the registered one and keeps that."""
    shown = person.types("bash", "run.sh").stdout

    assert "keep what is registered" in shown
    assert person.record("model", "list", "-n", "taxi-fare-model", "--query", "[].version") == ["1"]


def test_every_step_has_a_run_nested_under_the_pipelines(person: Person) -> None:
    """MLflow shows the pipeline's run and, under it, one per step with the metrics that the scripts logged."""
    (pipeline, *_) = person.record("job", "list")
    steps = person.record("job", "list", "--parent-job-name", pipeline["name"])
    environment = person.record("env")

    with httpx.Client(headers={"Authorization": f"Bearer {environment['MLFLOW_TRACKING_TOKEN']}"}) as mlflow:
        address = environment["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/runs/get"
        answers = {
            step["step"]: mlflow.get(address, params={"run_id": step["mlflow_run_id"]}) for step in steps
        }
    runs = {step: answer.raise_for_status().json()["run"] for step, answer in answers.items()}

    assert set(runs) == {"prep", "train", "evaluate", "register"}
    parents = {
        tag["value"]
        for run in runs.values()
        for tag in run["data"]["tags"]
        if tag["key"] == "mlflow.parentRunId"
    }
    assert parents == {pipeline["mlflow_run_id"]}
    metrics = {metric["key"] for metric in runs["evaluate"]["data"]["metrics"]}
    assert {"test_mae", "test_rmse", "test_r2", "deploy_flag"} <= metrics
    params = {param["key"]: param["value"] for param in runs["train"]["data"]["params"]}
    assert params["trees"] == "60"
    assert {run["info"]["status"] for run in runs.values()} == {"FINISHED"}


def test_inputs_change_without_touching_the_file(person: Person) -> None:
    """--set counts before the file; the job that is not wanted after all is canceled and stays canceled."""
    words = ("--set", "inputs.trees=5", "inputs.run_label=small", "--query", "name", "-o", "tsv")
    job = person.penstock("job", "create", "-f", "pipeline.yml", *words)

    person.penstock("job", "cancel", "-n", job)
    person.penstock("job", "stream", "-n", job)

    record = person.record("job", "show", "-n", job)
    assert str(record["inputs"]["trees"]) == "5"
    assert record["inputs"]["run_label"] == "small"
    assert record["status"] == "Canceled"


def test_real_rides_run_through_the_same_files(person: Person, test_data: Path) -> None:
    """The public records, as the next version of the data asset."""
    shown = person.types("bash", "run.sh", test_data / "taxi" / "taxi-data.csv").stdout

    assert "Completed" in shown
    assert person.record("data", "list", "-n", "taxi-fare-rides", "--query", "[].version") == ["2", "1"]


def test_nothing_of_the_run_is_left_in_the_project(person: Person) -> None:
    """`code:` is copied: scripts write to their own working folder, not into the project."""
    before = {
        path.relative_to(EXAMPLES / EXAMPLE) for path in (EXAMPLES / EXAMPLE).rglob("*") if path.is_file()
    }
    after = {path.relative_to(person.folder) for path in person.folder.rglob("*") if path.is_file()}
    new = {
        path for path in after - before if path.parts[0] != "downloaded" and "__pycache__" not in path.parts
    }

    assert new == set()
