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
    mlflow.log_text("by hand", "notes/first.txt")
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
        "azureml://jobs/{}/outputs/artifacts/paths/model/MLmodel",
        "runs:/{}/model",
    ],
)
def test_a_model_that_a_script_logged_is_found_by_its_jobs_name(person: Person, job: str, path: str) -> None:
    """In Azure ML a job's name is its run's id, and what it logs lies among its artifacts: CI registers models so."""
    kind = "custom_model" if path.endswith("MLmodel") else "mlflow_model"
    made = person.record(
        "model", "create", "-n", "by-job", "--path", path.format(f"{job}_train"), "--type", kind
    )

    assert kind == "custom_model" or "python_function" in made["flavors"]
    assert made["job_name"] == f"{job}_train"


def test_a_model_that_a_step_logged_is_found_by_its_pipelines_name(person: Person, job: str) -> None:
    """Under the path that a download has; without a step it is refused, naming the steps."""
    artifacts = f"azureml://jobs/{job}/outputs/artifacts/paths"
    made = person.record(
        "model",
        "create",
        "-n",
        "by-pipeline",
        "--path",
        f"{artifacts}/steps/train/model",
        "-t",
        "mlflow_model",
    )
    refused = person.types("penstock", "model", "create", "-n", "x", "--path", f"{artifacts}/model", expect=3)

    assert "python_function" in made["flavors"]
    assert made["job_name"] == job
    assert "its steps: `train`, `bad`" in refused.stderr
    assert "steps/<step>" in refused.stderr


def test_what_a_script_logged_is_downloaded_with_its_job(person: Person, job: str) -> None:
    """Files and models: in Azure ML a run has one store for what it logs and what it leaves in `outputs`."""
    person.penstock("job", "download", "-n", job, "-p", "of-pipeline")

    train = person.folder / "of-pipeline" / "artifacts" / "steps" / "train"
    assert (train / "notes" / "first.txt").read_text() == "by hand"
    assert (train / "model" / "MLmodel").is_file()
    assert (train / "outputs" / "versions.json").read_text() == '["1"]'
    assert (train / "user_logs" / "std_log.txt").is_file()


def test_a_model_is_downloaded_whole(person: Person, job: str) -> None:
    """Into a folder of its name, also what MLflow registered itself; what is damaged is refused and nothing is left."""
    (person.folder / "weights.bin").write_text("weights")
    person.penstock("model", "create", "-n", "own", "--path", "weights.bin")

    person.penstock("model", "download", "-n", "rivers-model", "-v", "1", "--download-path", "models")
    said = person.types("penstock", "model", "download", "-n", "own", "-l", "latest")

    assert "python_function" in (person.folder / "models" / "rivers-model" / "model" / "MLmodel").read_text()
    assert (person.folder / "own" / "weights.bin").read_text() == "weights"
    assert (said.stdout, "downloaded 1 file of model `own`" in said.stderr) == ("", True)
    kept = next(
        path for path in (person.home / "mlflow").rglob("weights.bin") if path.read_text() == "weights"
    )
    kept.chmod(0o644)
    kept.write_text("other")
    damaged = person.types("penstock", "model", "download", "-n", "own", "-v", "1", "-p", "again", expect=1)
    assert "weights.bin has the digest" in damaged.stderr
    assert not (person.folder / "again").exists()
    person.penstock("model", "download", "-n", "own", "-v", "9", expect=3)


def test_an_archived_model_is_hidden_from_lists_and_not_from_jobs(person: Person, job: str) -> None:
    """Its versions stay usable by name, `@latest` passes them over; what describes a version may change."""
    for text in ("one", "two"):
        (person.folder / f"{text}.bin").write_text(text)
        person.penstock("model", "create", "-n", "rivers-two", "--path", f"{text}.bin")

    person.penstock("model", "archive", "-n", "rivers-two", "-v", "2")
    latest = person.record("model", "show", "-n", "rivers-two", "-l", "latest")
    changed = person.record(
        "model",
        "update",
        "-n",
        "rivers-two",
        "-v",
        "2",
        "--set",
        "stage=Old",
        "tags.checked=no",
        "--add",
        "tags",
        "a=b",
    )
    person.penstock("model", "archive", "-n", "rivers-two")
    listed = person.record("model", "list", "--query", "[].name")
    archived = person.record("model", "list", "--archived-only", "--query", "[].[name,latest_version]")
    refused = person.types("penstock", "model", "restore", "-n", "rivers-two", "-v", "1", expect=1)
    fixed = person.types(
        "penstock", "model", "update", "-n", "rivers-two", "-v", "1", "--set", "path=x", expect=1
    )
    person.penstock("model", "restore", "-n", "rivers-two")

    assert latest["version"] == "1"
    assert (changed["stage"], changed["tags"], changed["archived"]) == (
        "Old",
        {"checked": "no", "a": "b"},
        True,
    )
    assert "rivers-two" not in listed
    assert archived == [["rivers-two", "2"]]
    assert "cannot be restored alone" in refused.stderr
    assert "`path` of model `rivers-two:1` cannot be changed" in fixed.stderr
    assert "can be changed: description, tags, properties, stage" in fixed.stderr
    assert person.record("model", "list", "-n", "rivers-two", "--query", "[].version") == ["2", "1"]


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
