"""What real projects ask of their software, as they write it: curated names, pins of other years, images, pip in commands.

Each environment is really built, from the packages that the machine's index has.
"""

import os
import re
from pathlib import Path

import pytest

from penstock.environments.interpreters import Interpreters
from tests.journeys.mistakes import Project

pytestmark = [pytest.mark.slow]

_CURATED = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"

# Curated names are the commonest references of all: by registry, by the old prefix, with a label or a version.
_OF_ITS_TIME = """\
import pandas as pd
from sklearn.linear_model import LinearRegression

rows = pd.DataFrame({"hours": [1.0], "fare": [10.0]})
rows = rows.append({"hours": 2.0, "fare": 20.0}, ignore_index=True)
print("fitted", LinearRegression().fit(rows[["hours"]], rows["fare"]).predict([[3.0]]).round(), pd.__version__)
"""


def needs_python(tmp_path: Path, *wanted: str) -> str:
    """The first of these Pythons that the machine has; the test is skipped where there is none."""
    found = {"{}.{}".format(*one.minor) for one in Interpreters(tmp_path / "found.json", os.environ).found()}
    for minor in wanted:
        if minor in found:
            return minor
    pytest.skip(f"this machine has no Python {' or '.join(wanted)}")


def log_of(project: Project, job: str) -> str:
    """What a job's process wrote."""
    project.run("job", "download", "-n", job, "-p", job)
    return "\n".join(
        path.read_text(encoding="utf-8") for path in (project.folder / job).rglob("std_log*.txt")
    )


def test_a_curated_environment_runs_the_code_that_was_written_for_it(
    project: Project, tmp_path: Path
) -> None:
    """Projects name `sklearn-1.5/labels/latest`, and their scripts call `DataFrame.append`, which pandas 2 has not."""
    needs_python(tmp_path, "3.10")
    project.write(
        {
            "job.yml": f"command: python train.py\ncode: src\nenvironment: {_CURATED}\n",
            "src/train.py": _OF_ITS_TIME,
        }
    )

    made = project.run("job", "create", "-f", "job.yml", "-n", "curated", "--stream")

    assert "sklearn-1.5" in made.stderr  # what the name stands for is said
    assert "fitted [30.] 1.5.3" in log_of(project, "curated")


@pytest.mark.parametrize(
    ("reference", "nearest"),
    [
        ("azureml://registries/azureml/environments/sklearn-1.6/labels/latest", "sklearn-1.5"),
        (
            "azureml:AzureML-sklearn-0.23-ubuntu18.04-py37-cpu@latest",
            "sklearn-0.24-ubuntu18.04-py37-cpu",
        ),
        ("azureml:AzureML-lightgbm-3.4@latest", "AzureML-lightgbm-3"),
    ],
)
def test_an_unknown_curated_name_is_told_with_those_that_are_near(
    project: Project, reference: str, nearest: str
) -> None:
    """Before anything runs, at its line, with how to say what it stands for; and that works."""
    project.write({"job.yml": f"command: echo ran\nenvironment: {reference}\n"})

    said = project.refused("job", "create", "-f", "job.yml").said

    assert "job.yml:2" in said
    assert nearest in said
    assert "environment_map" in said or "environment create" in said
    name = re.search(r"(?:environments/|azureml:)([\w.-]+)[@/]", reference)
    assert name is not None
    project.run("environment", "create", "-n", "own", "-v", "1", "--image", "python:3.11")
    (project.folder / "names.yml").write_text(f"{name.group(1)}: azureml:own:1\n")
    mapped = {"PENSTOCK_ENVIRONMENT_MAP": str(project.folder / "names.yml")}
    project.run("job", "create", "-f", "job.yml", "--stream", more=mapped)


# More than half of the conda files name a Python and releases of years ago, and leave the neighbours open.
_OLD_PINS = """\
name: training
channels: [conda-forge]
dependencies:
  - python={python}
  - pip
  - pip:
      - scikit-learn=={sklearn}
      - scipy
      - pandas=={pandas}
      - numpy
"""
_IMPORTS = (
    "python -c 'import sys, numpy, pandas, sklearn.linear_model;"
    " print(sys.version_info[:2], sklearn.__version__, pandas.__version__, numpy.__version__)'"
)


@pytest.mark.parametrize(
    ("python", "sklearn", "pandas"),
    [("3.7", "0.24.1", "1.2.1"), ("3.8", "0.24.2", "1.3.5"), ("3.10", "1.1.3", "1.5.3")],
)
def test_old_pins_are_kept_and_their_open_neighbours_held_back(
    project: Project, tmp_path: Path, python: str, sklearn: str, pandas: str
) -> None:
    """`numpy` alone, under a scikit-learn that numpy 2 breaks: the imports succeed on the Python that the file names."""
    needs_python(tmp_path, python)
    project.write(
        {
            "conda.yml": _OLD_PINS.format(python=python, sklearn=sklearn, pandas=pandas),
            "job.yml": f"command: {_IMPORTS}\nenvironment: {{image: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu20.04, conda_file: conda.yml}}\n",
        }
    )
    job = f"old-{python.replace('.', '-')}"

    project.run("job", "create", "-f", "job.yml", "-n", job, "--stream")

    major, minor = python.split(".")
    assert f"({major}, {minor}) {sklearn} {pandas} 1." in log_of(project, job)


def test_an_old_mlflow_gets_the_sqlalchemy_that_it_knows(project: Project, tmp_path: Path) -> None:
    """`mlflow=2.9.2` with everything else open: SQLAlchemy 2.1 and what else came later would break its import."""
    python = needs_python(tmp_path, "3.10", "3.11")
    project.write(
        {
            "conda.yml": f"dependencies: [python={python}, {{pip: [mlflow==2.9.2, scikit-learn==1.2.2]}}]\n",
            "job.yml": "command: >-\n  python -c 'import mlflow.sklearn, mlflow.store.tracking.sqlalchemy_store, sqlalchemy, numpy;"
            ' print("found", mlflow.__version__, sqlalchemy.__version__, numpy.__version__)\'\n'
            "environment: {image: ubuntu, conda_file: conda.yml}\n",
        }
    )

    project.run("job", "create", "-f", "job.yml", "-n", "old-mlflow", "--stream")

    assert re.search(r"found 2\.9\.2 2\.0\.\d+ 1\.", log_of(project, "old-mlflow"))


@pytest.mark.parametrize(
    "image",
    [
        "python:3.10",
        "library/python:latest",
        "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py39-cpu-inference",
    ],
)
def test_an_image_without_conda_runs_bash_and_python(project: Project, image: str) -> None:
    """Many images have no conda at all, and the commands need none: a shell's features, python and pip are there."""
    project.write(
        {
            "job.yml": "command: |\n  set -o pipefail\n  parts=(a b)\n  [[ ${#parts[@]} == 2 ]] && python --version && python -m pip --version | head -1\n"
            f"environment: {{image: '{image}'}}\n"
        }
    )
    job = re.sub(r"\W+", "-", image)

    project.run("job", "create", "-f", "job.yml", "-n", job, "--stream")

    said = log_of(project, job)
    assert "Python 3." in said
    assert "pip " in said


def test_what_a_command_installs_is_that_jobs_alone(project: Project) -> None:
    """`pip install … && python …`: the environment's own pip, and a second job in the same environment has nothing of it."""
    environment = "environment: {image: 'python:3.10'}\n"
    look = 'python -c \'import importlib.util; print("has it:", importlib.util.find_spec("tinynetrc") is not None)\''
    project.write(
        {
            "first.yml": f"command: |\n  which pip python\n  pip install tinynetrc && {look}\n{environment}",
            "second.yml": f"command: |\n  {look}\n{environment}",
        }
    )

    project.run("job", "create", "-f", "first.yml", "-n", "installs", "--stream")
    project.run("job", "create", "-f", "second.yml", "-n", "looks", "--stream")

    first, second = log_of(project, "installs"), log_of(project, "looks")
    assert "has it: True" in first
    assert "has it: False" in second
    pip, python = first.splitlines()[:2]
    assert Path(pip).parent == Path(python).parent
    assert str(project.home.path) in pip
