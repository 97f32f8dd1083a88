"""Environments of years ago, relaxed, from the real index: they are built, import what they ask for, and train."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.environments.environments import EnvironmentRequest, Environments, ReadyEnvironment
from penstock.environments.interpreters import Interpreter

pytestmark = pytest.mark.slow

# Public projects that were written for the cloud ask for sets like these: an old Python with pins of its day and two
# addresses; neighbours without any pin; pins of the next year, some with a package that holds others back.
_OLD_PINS = {
    "channels": ["defaults", "anaconda", "conda-forge"],
    "dependencies": [
        "python=3.7.5",
        "pip",
        {
            "pip": [
                "azureml-mlflow==1.38.0",
                "azureml-sdk==1.38.0",
                "scikit-learn==0.24.1",
                "pandas==1.2.1",
                "joblib==1.0.0",
                "matplotlib==3.3.3",
                "git+https://git.invalid/team/observability#subdirectory=obs-client",
                "git+https://git.invalid/team/observability#subdirectory=obs-collector",
            ]
        },
    ],
}
_NO_PINS = {
    "name": "bp",
    "dependencies": [
        "python=3.8", "scikit-learn", "ipykernel", "matplotlib", "pandas", "numpy", "seaborn", "pip",
        {"pip": ["azureml-defaults", "pyarrow", "imbalanced-learn", "mlflow", "azureml-sdk", "azureml-mlflow", "azureml-fsspec"]},
    ],
}  # fmt: skip
_LATER_PINS = {
    "name": "credit",
    "channels": ["conda-forge"],
    "dependencies": [
        "python=3.8", "pip=21.2.4", "numpy=1.21.2", "scikit-learn=1.0.1", "scipy=1.7.1", "pandas=1.1.5",
        {"pip": ["inference-schema[numpy-support]==1.3.0", "xlrd==2.0.1", "mlflow==2.10.0", "azureml-mlflow==1.48.0", "seaborn==0.12.2"]},
    ],
}  # fmt: skip
_TRAIN = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import numpy, pandas, sklearn
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

rows = pandas.DataFrame({"a": numpy.arange(20.0), "b": numpy.arange(20) % 2})
left, right, up, down = train_test_split(rows[["a"]], rows["b"], random_state=0)
LogisticRegression().fit(left, up).predict(right)
RandomForestRegressor(n_estimators=2).fit(left, up).predict(right)
print(sklearn.__version__)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all, so that what two of them need is downloaded once."""
    return tmp_path_factory.mktemp("real") / "environments"


@pytest.fixture(params=["every Python", "only 3.11"])
def environments(
    request: pytest.FixtureRequest, folder: Path, present: tuple[Interpreter, ...]
) -> Environments:
    """The room with the user's own settings, and the Pythons that the machine has or one of them."""
    only = [one for one in present if one.minor == (3, 11)]
    if request.param == "every Python":
        return Environments(folder)
    if not only:
        pytest.skip("this machine has no Python 3.11")
    return Environments(folder, environ={**os.environ, "PENSTOCK_PYTHONS": str(only[-1].path)})


def built(environments: Environments, conda: Mapping[str, object], *modules: str) -> ReadyEnvironment:
    """The relaxed environment, after it imported these modules and trained a model."""
    heard: list[str] = []
    ready = environments.ensure(EnvironmentRequest("old", None, conda, "", relax=True), heard.append)
    answer = subprocess.run(
        [ready.python, "-W", "ignore", "-c", _TRAIN, *modules], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, f"{answer.stderr[-3000:]}\n{ready.relaxations}\n{ready.lock}"
    return ready


def taken(ready: ReadyEnvironment) -> dict[str, str | None]:
    """What stands for what."""
    return {row.what: row.taken for row in ready.relaxations}


def test_an_environment_of_python_3_7_with_pins_of_its_day(environments: Environments) -> None:
    """On its own Python all pins stay; on a later one each moves to the first release that has a wheel for it."""
    ready = built(environments, _OLD_PINS, "matplotlib", "joblib", "mlflow", "azureml.mlflow")

    rows = taken(ready)
    assert rows["obs-client"] is None
    assert rows["obs-collector"] is None
    if ready.python_version.startswith("3.7."):
        assert set(rows) == {"python", "obs-client", "obs-collector"}
        assert "scikit-learn==0.24.1" in ready.lock
        assert "azureml-sdk==1.38.0" in ready.lock
    elif ready.python_version.startswith("3.11."):
        assert rows["scikit-learn"] == "1.1.3"
        assert rows["pandas"] == "1.5.0"
        assert rows["azureml-sdk"] is None
        assert rows["numpy"] == "<2"
        assert "joblib==1.0.0" in ready.lock
    assert ready.has_mlflow


def test_an_environment_whose_neighbours_moved_on(environments: Environments) -> None:
    """Where its Python is absent, packages of Azure's own go rather than hold everything else back."""
    ready = built(
        environments, _NO_PINS, "imblearn", "seaborn", "pyarrow", "ipykernel", "mlflow", "azureml.mlflow"
    )

    rows = taken(ready)
    if ready.python_version.startswith("3.8."):
        assert rows == {}
    else:
        assert rows["azureml-sdk"] is None
        assert "azureml-mlflow" not in rows
    assert ready.has_mlflow


def test_an_environment_of_python_3_8_with_pins_of_its_day(environments: Environments) -> None:
    """A package that holds another one back which this Python does not run moves on as well."""
    ready = built(
        environments, _LATER_PINS, "inference_schema", "xlrd", "seaborn", "scipy", "mlflow", "azureml.mlflow"
    )

    rows = taken(ready)
    assert "mlflow==2.10.0" in ready.lock
    if ready.python_version.startswith("3.8."):
        assert rows == {}
    elif ready.python_version.startswith("3.11."):
        assert rows["scikit-learn"] == "1.1.3"
        assert rows["pandas"] == "1.5.0"
        assert rows["numpy"] == "1.23.2"
        assert rows["inference-schema"] is not None
        assert rows["sqlalchemy"] == "<2.1"
