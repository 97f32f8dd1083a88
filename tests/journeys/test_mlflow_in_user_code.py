"""A script logs to MLflow as it would in the cloud: no address, no token, no run id in its code."""

import json
import os
import signal
import textwrap

import pytest

from tests.journeys.person import Person

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mlflow-in-user-code")]

CONDA = """
dependencies:
  - pip
  - pip: [mlflow-skinny==3.17.2, scikit-learn, pandas, skops]
"""
PIPELINE = """
type: pipeline
experiment_name: rivers
jobs:
  train:
    code: src
    command: python train.py
    environment: {image: "python:3.11", conda_file: conda.yml}
  bad:
    command: python -c "import mlflow; mlflow.start_run(); mlflow.log_param('p', 1); raise SystemExit(2)"
    environment: {image: "python:3.11", conda_file: conda.yml}
"""
TRAIN = """
import json, os
import mlflow
from mlflow import MlflowClient
from sklearn.linear_model import LinearRegression

given = os.environ["MLFLOW_RUN_ID"]
with mlflow.start_run() as run:
    assert run.info.run_id == given
    mlflow.log_param("depth", 3)
    mlflow.log_metric("rmse", 1.5)
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    mlflow.sklearn.log_model(model, name="model", registered_model_name="rivers-model", pip_requirements=["scikit-learn"])
mlflow.end_run("FAILED")  # a script's own idea of its status does not end the job
found = MlflowClient().search_model_versions("name='rivers-model'")
json.dump([version.version for version in found], open("outputs/versions.json", "w"))
assert mlflow.pyfunc.load_model("models:/rivers-model/1").predict([[2.0]])[0] > 3.9
"""
ASK = """
import json, mlflow
from mlflow import MlflowClient
client = MlflowClient()
experiment = client.get_experiment_by_name("rivers")
runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time"])
print(json.dumps([dict(id=r.info.run_id, status=r.info.status, tags=r.data.tags, metrics=r.data.metrics) for r in runs]))
"""


@pytest.fixture(scope="module")
def job(person: Person) -> str:
    """The name of a pipeline's job that has ended: one step trained and registered, one failed."""
    (person.folder / "src").mkdir()
    (person.folder / "src" / "train.py").write_text(TRAIN)
    (person.folder / "conda.yml").write_text(CONDA)
    (person.folder / "pipeline.yml").write_text(PIPELINE)
    done = person.types("penstock", "job", "create", "-f", "pipeline.yml", "--stream", "-o", "none", expect=1)
    assert "step `bad` failed" in done.stderr
    return person.penstock("job", "list", "--query", "[0].name", "-o", "tsv")


def test_runs_are_nested_and_end_as_their_jobs_did(person: Person, job: str) -> None:
    """The pipeline has a run, its steps have runs under it; what the script said of itself does not count."""
    exports = person.record("env")
    python = "python"
    answer = person.types(
        python,
        "-c",
        textwrap.dedent(ASK),
        more=exports.get("environment", exports),
    )
    runs = {run["tags"]["penstock.job"]: run for run in json.loads(answer.stdout)}

    assert set(runs) == {job, f"{job}_train", f"{job}_bad"}
    assert runs[f"{job}_train"]["tags"]["mlflow.parentRunId"] == runs[job]["id"]
    assert runs[f"{job}_train"]["status"] == "FINISHED"
    assert runs[f"{job}_train"]["metrics"] == {"rmse": 1.5}
    assert runs[f"{job}_bad"]["status"] == "FAILED"
    assert runs[job]["status"] == "FAILED"


def test_a_model_registered_by_a_script_is_a_model_of_ours(person: Person, job: str) -> None:
    """`penstock model` and MLflow's registry name the same thing."""
    model = person.record("model", "show", "-n", "rivers-model", "--label", "latest")

    assert (model["version"], model["type"]) == ("1", "mlflow_model")
    assert "python_function" in model["flavors"]


def test_a_registered_model_is_an_input(person: Person, job: str) -> None:
    """`azureml:<model>@latest` arrives as a folder with an MLmodel file."""
    (person.folder / "score.yml").write_text(
        textwrap.dedent(
            """
            command: ls ${{inputs.model}} && test -f ${{inputs.model}}/MLmodel
            environment: {image: "python:3.11"}
            inputs: {model: {type: mlflow_model, path: "azureml:rivers-model@latest"}}
            """
        )
    )
    person.types("penstock", "job", "create", "-f", "score.yml", "--stream", "-o", "none")


@pytest.mark.parametrize(
    "path",
    [
        "azureml://jobs/{}/outputs/artifacts/paths/model/",
        "azureml://jobs/{}/outputs/artifacts/model",
        "runs:/{}/model",
    ],
)
def test_a_model_that_a_script_logged_is_found_by_its_jobs_name(person: Person, job: str, path: str) -> None:
    """In Azure ML a job's name is its run's id, and what it logs lies among its artifacts: CI registers models so."""
    made = person.record(
        "model", "create", "-n", "by-job", "--path", path.format(f"{job}_train"), "--type", "mlflow_model"
    )

    assert "python_function" in made["flavors"]
    assert made["job_name"] == f"{job}_train"


def test_the_files_of_a_failed_job_come_without_what_it_never_wrote(person: Person) -> None:
    """`job download --all` brings the log even where a promised output is missing."""
    (person.folder / "fails.yml").write_text(
        textwrap.dedent(
            """
            command: echo before && false && touch ${{outputs.report}}
            environment: {image: "python:3.11"}
            outputs: {report: {type: uri_file}}
            """
        )
    )
    name = person.penstock("job", "create", "-f", "fails.yml", "--query", "name", "-o", "tsv")
    person.penstock("job", "stream", "-n", name, expect=1)

    person.penstock("job", "download", "-n", name, "--all", "--download-path", "of-failed")

    log = person.folder / "of-failed" / "artifacts" / "user_logs" / "std_log.txt"
    assert "before" in log.read_text()


def test_a_jobs_output_becomes_a_model(person: Person, job: str) -> None:
    """`azureml://jobs/<job>/outputs/<output>` as a model's path; another content under its version is refused."""
    (person.folder / "make.yml").write_text(
        textwrap.dedent(
            """
            command: echo weights > ${{outputs.model}}/weights.bin
            environment: {image: "python:3.11"}
            outputs: {model: {type: custom_model}}
            """
        )
    )
    made = person.penstock("job", "create", "-f", "make.yml", "--stream", "--query", "name", "-o", "tsv")
    path = f"azureml://jobs/{made}/outputs/model/paths/"
    first = person.record(
        "model", "create", "-n", "made", "-v", "3", "--path", path, "--type", "custom_model"
    )
    again = person.record(
        "model", "create", "-n", "made", "-v", "3", "--path", path, "--type", "custom_model"
    )

    assert (first["version"], again["version"], first["job_name"]) == ("3", "3", made)
    (person.folder / "other.bin").write_text("other")
    refused = person.types(
        "penstock", "model", "create", "-n", "made", "-v", "3", "--path", "other.bin", expect=1
    )
    assert "other content" in refused.stderr


def test_reliability_18_a_killed_server_does_not_end_a_step_that_logs(person: Person, job: str) -> None:
    """The step logs to MLflow all the while; the server is killed; the next one has all of its metrics."""
    script = "import mlflow, time\nmlflow.start_run()\nfor i in range(40):\n    mlflow.log_metric('i', i, step=i); time.sleep(0.2)\n"
    (person.folder / "src" / "loop.py").write_text(script)
    (person.folder / "loop.yml").write_text(
        "code: src\ncommand: python loop.py\nenvironment: {image: 'python:3.11', conda_file: conda.yml}\n"
    )
    name = person.penstock("job", "create", "-f", "loop.yml", "--query", "name", "-o", "tsv")
    while person.penstock("job", "show", "-n", name, "--query", "status", "-o", "tsv") != "Running":
        pass
    os.kill(person.record("status")["pid"], signal.SIGKILL)

    person.penstock("job", "stream", "-n", name)

    shown = person.record("job", "show", "-n", name)
    assert shown["status"] == "Completed"
    run = shown["mlflow_run_id"]
    ask = f"from mlflow import MlflowClient; print(len(MlflowClient().get_metric_history('{run}', 'i')))"
    exports = person.record("env")
    assert person.types("python", "-c", ask, more=exports.get("environment", exports)).stdout.strip() == "40"
