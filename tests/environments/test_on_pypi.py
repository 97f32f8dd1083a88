"""Real environments from the real index: what a user's first hour needs."""

import os
import subprocess
from pathlib import Path

import pytest

from penstock.environments import curated
from penstock.environments.environments import EnvironmentRequest, Environments

pytestmark = pytest.mark.slow

# What a training script does. Run where no pin of MLflow was given.
_FOREST = """
import mlflow
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

features, kinds = load_iris(return_X_y=True)
with mlflow.start_run():
    model = RandomForestClassifier(n_estimators=3, random_state=0).fit(features, kinds)
    mlflow.log_metric("accuracy", model.score(features, kinds))
    logged = mlflow.sklearn.log_model(model, "model", registered_model_name="iris-forest")
    print("predicted", list(mlflow.sklearn.load_model(logged.model_uri).predict(features[:2])))
"""


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """The room with the user's own pip and uv settings."""
    return Environments(tmp_path_factory.mktemp("real") / "environments")


def test_a_small_environment_is_built_from_pypi(environments: Environments) -> None:
    """A conda name, a pip line, and pip itself."""
    conda = {"channels": ["conda-forge"], "dependencies": ["packaging", "pip", {"pip": ["six==1.16.0"]}]}

    ready = environments.ensure(EnvironmentRequest("small", "ubuntu:22.04", conda, ""), lambda _: None)

    answer = subprocess.run(
        [ready.python, "-c", "import packaging, pip, six; print(six.__version__)"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert answer.stdout == "1.16.0\n"
    assert "six==1.16.0" in ready.lock
    assert not ready.has_mlflow


def test_conflicting_pins_of_real_packages_are_shown(environments: Environments) -> None:
    """Both have wheels for this Python, and pandas 2.2.0 needs a numpy before 2."""
    conda = {"dependencies": ["python=3.11", "numpy=2.1.0", {"pip": ["pandas==2.2.0"]}]}

    with pytest.raises(Exception, match="cannot all be met") as refusal:
        environments.ensure(EnvironmentRequest("clash", None, conda, "/environment"), lambda _: None)

    details = "\n".join(getattr(refusal.value, "details", ()))
    assert "pandas==2.2.0 depends on numpy" in details
    assert "/environment/conda_file/dependencies/1  numpy==2.1.0.*" in details
    assert "/environment/conda_file/dependencies/2/pip/0  pandas==2.2.0" in details


def test_a_forest_can_be_logged_where_no_mlflow_is_pinned(environments: Environments, tmp_path: Path) -> None:
    """The issue's own words; azureml-mlflow beside it does no harm, inside a job's own layer."""
    conda = {"dependencies": ["scikit-learn", "pandas", {"pip": ["mlflow-skinny", "azureml-mlflow"]}]}
    heard: list[str] = []
    ready = environments.ensure(EnvironmentRequest("forest", None, conda, ""), heard.append)
    bin_folder = environments.overlay(ready, tmp_path / "overlay")
    (tmp_path / "train.py").write_text(_FOREST)

    answer = subprocess.run(
        ["python", "train.py"],
        executable=bin_folder / "python",
        cwd=tmp_path,
        env={
            **os.environ,
            "MLFLOW_TRACKING_URI": str(tmp_path / "mlruns"),
            "MLFLOW_ALLOW_FILE_STORE": "true",
            "AZUREML_RUN_ID": "some-job",
            "GIT_PYTHON_REFRESH": "quiet",
            "PATH": f"{bin_folder}{os.pathsep}{ready.prefix}/bin{os.pathsep}{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "predicted" in answer.stdout
    assert ready.has_mlflow
    assert any("no MLflow version is pinned" in warning for warning in ready.warnings)


# Code of the age of the curated environment: pandas 2 has neither of the two.
_OF_ITS_TIME = """
import joblib, matplotlib, numpy, pandas, scipy, sklearn
from sklearn.linear_model import LogisticRegression

rows = pandas.DataFrame({"a": [0.0], "b": [0]}).append({"a": 1.0, "b": 1}, ignore_index=True)
assert list(rows.iteritems())[0][0] == "a"
model = LogisticRegression().fit(rows[["a"]], rows["b"].astype(int))
print(sklearn.__version__.rsplit(".", 1)[0], pandas.__version__, numpy.__version__.rsplit(".", 1)[0], model.predict([[1.0]]))
"""


def test_the_curated_environment_sklearn_1_5_runs_code_of_its_time(environments: Environments) -> None:
    """It is really built; needs a Python 3.10 on this machine, since pandas 1.5 and numpy 1.22 have no later wheels."""
    curated_one = curated.find("sklearn-1.5", label="latest")
    request = EnvironmentRequest(
        "sklearn-1.5", curated_one.image, curated_one.conda, notes=curated_one.warnings
    )
    absent = environments.check(request)
    if absent:
        pytest.skip(absent[0].message)

    ready = environments.ensure(request, lambda _: None)

    answer = subprocess.run(
        [ready.python, "-W", "ignore", "-c", _OF_ITS_TIME], capture_output=True, text=True
    )
    assert answer.stdout == "1.5 1.5.3 1.22 [1]\n", answer.stderr
    assert any("azureml-defaults" in warning for warning in ready.warnings)
    assert ready.has_mlflow
