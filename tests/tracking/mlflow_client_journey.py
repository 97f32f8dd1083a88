"""What a user's script does with MLflow, in the words of every client from 1.30 on. Runs in the client's own environment.

Prints one JSON object with what it found again. Needs MLFLOW_TRACKING_URI and a token, nothing else.
"""

import json
import sys
import tempfile
from pathlib import Path

import mlflow
import mlflow.pyfunc
import mlflow.sklearn
from mlflow.tracking import MlflowClient
from sklearn.linear_model import LinearRegression


def log_model(model, name):
    """Log and register; the parameter was called artifact_path until 3."""
    major = int(mlflow.__version__.split(".")[0])
    place = {"name": "model"} if major >= 3 else {"artifact_path": "model"}
    return mlflow.sklearn.log_model(
        model, registered_model_name=name, pip_requirements=["scikit-learn"], **place
    )


def main(label):
    """Log parameters, metrics, artifacts and a model; register, search, load it again."""
    name = "model-of-" + label
    model = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0])
    mlflow.set_experiment("experiment of " + label)
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder, "big.bin")
        with big.open("wb") as file:
            for number in range(24):
                file.write(bytes([number]) * 1024 * 1024)
        with mlflow.start_run(run_name="run of " + label) as run:
            mlflow.log_param("alpha", 0.5)
            mlflow.log_params({"p" + str(number): number for number in range(20)})
            for step in range(3):
                mlflow.log_metric("mse", 3.0 - step, step=step)
            mlflow.set_tag("client", mlflow.__version__)
            mlflow.log_text("häh? 100%\n", "notes/ä 100%.txt")
            mlflow.log_artifact(str(big), "data")
            with mlflow.start_run(run_name="child", nested=True):
                mlflow.log_metric("child", 1)
            log_model(model, name)
        run_id = run.info.run_id
        client = MlflowClient()
        found = client.get_run(run_id)
        versions = client.search_model_versions("name='" + name + "'")
        listed = sorted(entry.path for entry in client.list_artifacts(run_id))
        destination = str(Path(folder, "down"))
        Path(destination).mkdir()
        download = getattr(client, "download_artifacts", None) or mlflow.artifacts.download_artifacts
        if getattr(client, "download_artifacts", None):
            data = download(run_id, "data", destination)
            notes = download(run_id, "notes", destination)
        else:
            data = download(run_id=run_id, artifact_path="data", dst_path=destination)
            notes = download(run_id=run_id, artifact_path="notes", dst_path=destination)
        note = Path(notes, "ä 100%.txt").read_text(encoding="utf-8")
        size = Path(data, "big.bin").stat().st_size
    runs = mlflow.search_runs([found.info.experiment_id], filter_string="metrics.mse < 2")
    client.set_model_version_tag(name, versions[0].version, "checked", "yes")
    client.update_model_version(name, versions[0].version, description="by " + label)
    if hasattr(client, "set_registered_model_alias"):
        client.set_registered_model_alias(name, "champion", versions[0].version)
        loaded = mlflow.pyfunc.load_model("models:/" + name + "@champion")
    else:
        client.transition_model_version_stage(name, versions[0].version, "Staging")
        loaded = mlflow.pyfunc.load_model("models:/" + name + "/Staging")
    again = mlflow.register_model("runs:/" + run_id + "/model", name)
    print(
        json.dumps(
            {
                "version": mlflow.__version__,
                "python": list(sys.version_info[:2]),
                "params": found.data.params,
                "metrics": found.data.metrics,
                "run_name": found.data.tags.get("mlflow.runName"),
                "history": [metric.value for metric in client.get_metric_history(run_id, "mse")],
                "artifacts": listed,
                "note": note,
                "size": size,
                "runs": len(runs),
                "model_versions": [str(version.version) for version in versions],
                "second": str(again.version),
                "latest": [str(version.version) for version in client.get_latest_versions(name)],
                "prediction": round(float(loaded.predict([[3.0]])[0]), 6),
            }
        )
    )


if __name__ == "__main__":
    main(sys.argv[1])
