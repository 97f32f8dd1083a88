"""The tables of curated environments, and how a name is found in them."""

import re

import pytest
from packaging.requirements import Requirement

from penstock.environments import curated
from penstock.environments.conda_file import read_conda_file
from penstock.errors import EnvironmentCannotBeBuilt, NotFound

# What public projects name most.
OFTEN_NAMED = (
    "sklearn-1.5",
    "AzureML-sklearn-1.5",
    "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu",
    "AzureML-sklearn-1.0-ubuntu20.04-py38-cpu",
    "sklearn-1.1",
    "AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu",
    "AzureML-lightgbm-3.3",
    "lightgbm-3.3",
    "AzureML-tensorflow-2.4-ubuntu18.04-py37-cuda11-gpu",
    "AzureML-tensorflow-2.12-cuda11",
    "tensorflow-2.16-cuda12",
    "AzureML-pytorch-1.10-ubuntu18.04-py38-cuda11-gpu",
    "AzureML-ACPT-pytorch-1.13-py38-cuda11.7-gpu",
    "acpt-pytorch-2.2-cuda12.1",
    "AzureML-minimal-ubuntu18.04-py37-cpu-inference",
    "minimal-py311-inference",
    "mlflow-py312-inference",
    "python-sdk-v2",
    "responsibleai-tabular",
    "automl-gpu",
)


def pip_lines(environment: curated.CuratedEnvironment) -> list[str]:
    """The packages under `pip:`."""
    lines: list[str] = environment.conda["dependencies"][-1]["pip"]
    return lines


@pytest.mark.parametrize("name", OFTEN_NAMED)
def test_the_names_of_real_projects_are_known(name: str) -> None:
    """With and without the prefix."""
    assert curated.get(name).conda["dependencies"]


def test_sklearn_1_5_has_the_pins_of_its_image() -> None:
    """Code written for it calls `DataFrame.append`, which pandas 2 has not."""
    environment = curated.find("sklearn-1.5", label="latest")

    assert "python=3.10" in environment.conda["dependencies"]
    pins = {"scikit-learn~=1.5.0", "pandas~=1.5.3", "numpy~=1.22.0", "scipy~=1.10.0", "matplotlib~=3.5.0"}
    assert pins | {"joblib~=1.2.0", "azureml-mlflow", "ipykernel~=6.0"} <= set(pip_lines(environment))


@pytest.mark.parametrize("environment", curated.catalogue(), ids=lambda one: one.name)
def test_every_row_is_a_conda_file_without_a_problem(environment: curated.CuratedEnvironment) -> None:
    """Every row says where its pins stand, and pip understands each of them."""
    assert environment.source
    assert environment.description
    assert re.fullmatch(r"\d+", environment.version)
    if environment.refused is not None:
        return
    conda = read_conda_file(environment.conda, "")
    assert conda.problems == ()
    assert conda.warnings == ()
    assert re.fullmatch(r"==3\.\d+\.\*", conda.python or "")
    names = [Requirement(line).name.lower() for line in pip_lines(environment)]
    assert len(names) == len(set(names))


def test_a_row_stands_for_every_version_and_says_so() -> None:
    """An explicit version keeps its number, and a warning names the version whose pins are taken."""
    newest = curated.find("sklearn-1.5")

    older = curated.find("sklearn-1.5", version="12")

    assert (older.version, older.conda) == ("12", newest.conda)
    assert f"taken from the pins of version {newest.version}" in older.warnings[0]
    assert curated.find("sklearn-1.5", version=newest.version) == newest


def test_what_is_left_out_is_named() -> None:
    """A package of the image that is not installed here stands in a warning, with the reason."""
    said = "\n".join(curated.find("tensorflow-2.12-cuda11").warnings)

    assert "made for GPUs" in said
    assert "azureml-defaults, azureml-telemetry (they serve the cloud's own service)" in said
    assert "horovod[tensorflow] (they are compiled against CUDA or MPI)" in said


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("sklearn-1.4", "sklearn-1.5"),
        ("AzureML-sklearn-1.2-ubuntu20.04-py38-cpu", "sklearn-1.1-ubuntu20.04-py38-cpu"),
        ("AzureML-pytorch-1.13", "acpt-pytorch-1.13-cuda11.7"),
        ("xgboost", "xgboost-0.9-ubuntu18.04-py37-cpu-inference"),
    ],
)
def test_an_unknown_name_is_refused_with_those_that_are_near(name: str, expected: str) -> None:
    """The error lists the near ones and says how to map the name."""
    assert expected in curated.near(name)

    with pytest.raises(NotFound, match=name) as refusal:
        curated.find(name)

    assert expected in refusal.value.details[0]
    assert "PENSTOCK_ENVIRONMENT_MAP" in (refusal.value.hint or "")


def test_what_needs_its_image_is_refused_with_the_reason() -> None:
    """Triton is a program; it can be seen, and not used."""
    assert curated.find("AzureML-Triton").refused

    with pytest.raises(EnvironmentCannotBeBuilt, match="Triton server"):
        curated.get("AzureML-Triton")


def test_the_only_label_is_latest() -> None:
    """Any other names nothing."""
    with pytest.raises(NotFound, match="no label `stable`"):
        curated.find("sklearn-1.5", label="stable")
