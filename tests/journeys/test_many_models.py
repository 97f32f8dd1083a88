"""Three models in one repository, each with its own code, environment and pipeline, on one server: nothing mixes.

The layout is that of templates: `data-science/models/<model>/{code,environment}`, `mlops/azureml/train/<model>-pipeline.yml`.
Script names, module names, input names and asset names are the same in all of them.
"""

import json
import subprocess
import textwrap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.person import Person

# Environments from the network, and MLflow.
pytestmark = pytest.mark.slow

# Which workspace a model lives in, and its pin of a package that all of them use.
MODELS = {"taxi": ("fares", "1.14.0"), "iris": ("fares", "1.15.0"), "churn": ("customers", "1.16.0")}

# Any in this module: a JSON value.

_PIPELINE = """\
$schema: https://azuremlschemas.azureedge.net/latest/pipelineJob.schema.json
type: pipeline
experiment_name: {model}-training
display_name: train {model}
tags: {{model: {model}}}
settings: {{default_compute: azureml:cpu}}
inputs:
  training_data: {{type: uri_folder, path: azureml:training-data@latest}}
outputs:
  model: {{type: custom_model, name: scorer-{model}}}
jobs:
  prep:
    command: python prep.py ${{{{inputs.training_data}}}} ${{{{outputs.prepared}}}} ${{{{outputs.place}}}}
    code: ../../../data-science/models/{model}/code
    environment: file:../../../data-science/models/{model}/environment/environment.yml
    inputs: {{training_data: "${{{{parent.inputs.training_data}}}}"}}
    outputs:
      prepared: {{type: uri_folder}}
      place: {{type: uri_folder, path: azureml://datastores/workspaceblobstore/paths/everybodys/}}
  train:
    command: python train.py ${{{{inputs.prepared}}}} ${{{{outputs.model}}}}
    code: ../../../data-science/models/{model}/code
    environment: file:../../../data-science/models/{model}/environment/environment.yml
    inputs: {{prepared: "${{{{parent.jobs.prep.outputs.prepared}}}}"}}
    outputs: {{model: "${{{{parent.outputs.model}}}}"}}
"""
_ENVIRONMENT = (
    "name: training\nimage: mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04\nconda_file: conda.yml\n"
)
_CONDA = "dependencies: [pip, {{pip: [six=={pin}, mlflow-skinny, azureml-mlflow]}}]\n"
_UTIL = "MODEL = '{model}'\n"
_COMMON = "def lines(folder):\n    return sorted(path.read_text() for path in folder.glob('*.csv'))\n"
_PREP = """\
import os, pathlib, sys, common, util
source, prepared, place = map(pathlib.Path, sys.argv[1:])
print("files", sorted(os.listdir()))
(prepared / "rows.txt").write_text(util.MODEL + " of " + "".join(common.lines(source)))
(place / (util.MODEL + ".txt")).write_text(util.MODEL)
"""
_TRAIN = """\
import pathlib, sys, mlflow, six, util
rows = (pathlib.Path(sys.argv[1]) / "rows.txt").read_text()
mlflow.log_metric(util.MODEL, len(rows))
(pathlib.Path(sys.argv[2]) / "weights.txt").write_text(rows)
print("trained", util.MODEL, "with", six.__version__, "on", rows)
"""


def lay_out(root: Path) -> None:
    """The repository, committed."""
    files = {"README.md": "# Models\n", ".gitignore": "*.tmp\n"}
    for model, (workspace, pin) in MODELS.items():
        own = f"data-science/models/{model}"
        files |= {
            f"mlops/azureml/train/{model}-pipeline.yml": _PIPELINE.format(model=model),
            f"{own}/environment/environment.yml": _ENVIRONMENT,
            f"{own}/environment/conda.yml": _CONDA.format(pin=pin),
            f"{own}/code/prep.py": _PREP,
            f"{own}/code/train.py": _TRAIN,
            f"{own}/code/util.py": _UTIL.format(model=model),
            f"{own}/code/common.py": _COMMON,
            f"{own}/code/notes/look.txt": "notes",
            f"data/{workspace}/rows.csv": workspace,
        }
    files["data-science/models/taxi/code/.amlignore"] = "notes/\n"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    git = ["git", "-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "three models"]):
        subprocess.run([*git, *words], cwd=root, check=True, capture_output=True)


def pipeline_of(model: str) -> str:
    return f"mlops/azureml/train/{model}-pipeline.yml"


@dataclass
class Shop:
    """Whoever works in the repository, and the jobs of the first round by model."""

    person: Person
    jobs: dict[str, str]
    said: dict[str, str]

    def record(self, model: str, *words: str) -> Any:
        return self.person.record(*words, "-w", MODELS[model][0])

    def step(self, model: str, step: str) -> Any:
        return self.record(model, "job", "show", "-n", f"{self.jobs[model]}_{step}")

    def log(self, model: str, step: str) -> str:
        name = f"{self.jobs[model]}_{step}"
        folder = self.person.folder / "downloaded" / name
        self.person.penstock("job", "download", "-n", name, "-p", folder, "-w", MODELS[model][0])
        return next(folder.rglob("std_log.txt")).read_text(encoding="utf-8")


def all_at_once(people: dict[str, Person], suffix: str) -> dict[str, str]:
    """Submit and follow each of the pipelines, each from a process of its own; by key, what it said on stderr."""
    said: dict[str, str] = {}
    failed: dict[str, BaseException] = {}

    def run(key: str) -> None:
        model = key.partition(" ")[0]
        words = ("job", "create", "-f", pipeline_of(model), "-n", f"{key}-{suffix}".replace(" ", "-"))
        try:
            done = people[key].types("penstock", *words, "-w", MODELS[model][0], "--stream", within=540)
            said[key] = done.stderr
        except BaseException as error:
            failed[key] = error

    threads = [threading.Thread(target=run, args=(key,)) for key in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in failed.values():
        raise error
    return said


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Two workspaces with data of the same name, and the three pipelines, submitted at once and ended."""
    root = tmp_path_factory.mktemp("repository") / "models"
    lay_out(root)
    person = Person(folder=root, home=tmp_path_factory.mktemp("home") / "penstock")
    try:
        for workspace in ("fares", "customers"):
            person.penstock("workspace", "create", "-n", workspace)
            person.penstock("compute", "create", "-n", "cpu", "--type", "amlcompute", "--max-instances", "4", "-w", workspace)  # fmt: skip
            words = ("--name", "training-data", "--type", "uri_folder", "--path", f"data/{workspace}")
            person.penstock("data", "create", *words, "-w", workspace)
        said = all_at_once(dict.fromkeys(MODELS, person), "first")
        yield Shop(person, {model: f"{model}-first" for model in MODELS}, said)
    finally:
        person.leave()


def test_each_model_has_run_its_own_code_with_its_own_packages_on_its_own_data(shop: Shop) -> None:
    """`util` is each folder's own, `six` each conda file's, `training-data` each workspace's."""
    for model, (workspace, pin) in MODELS.items():
        assert f"trained {model} with {pin} on {model} of {workspace}\n" in shop.log(model, "train")


def test_an_ignore_file_counts_for_its_own_folder(shop: Shop) -> None:
    """The taxi's notes stay at home, the others' travel."""
    assert {model: "'notes'" in shop.log(model, "prep") for model in MODELS} == {
        "taxi": False,
        "iris": True,
        "churn": True,
    }


def test_environments_are_the_models_own_and_their_steps_share_one(shop: Shop) -> None:
    """Named by what is in them: three environments, though all files call theirs `training`."""
    digests = {
        model: {shop.step(model, step)["properties"]["penstock.environment"] for step in ("prep", "train")}
        for model in MODELS
    }

    assert [len(each) for each in digests.values()] == [1, 1, 1]
    assert len(set.union(*digests.values())) == 3


def test_runs_experiments_and_models_lie_apart(shop: Shop) -> None:
    """Each run in its own experiment of its own workspace, with its own metric; each model with the job that made it."""
    for model, (workspace, _) in MODELS.items():
        environment = shop.record(model, "env")
        with httpx.Client(
            headers={"Authorization": f"Bearer {environment['MLFLOW_TRACKING_TOKEN']}"}
        ) as mlflow:
            address = environment["MLFLOW_TRACKING_URI"] + "/api/2.0/mlflow/"
            run_id = shop.step(model, "train")["mlflow_run_id"]
            run = mlflow.get(address + "runs/get", params={"run_id": run_id}).raise_for_status().json()["run"]
            experiment = mlflow.get(
                address + "experiments/get", params={"experiment_id": run["info"]["experiment_id"]}
            ).raise_for_status().json()["experiment"]  # fmt: skip
        assert experiment["name"] == f"{model}-training"
        assert [metric["key"] for metric in run["data"]["metrics"]] == [model]
        models = {row["name"] for row in shop.record(model, "model", "list")}
        assert models == {f"scorer-{other}" for other, (place, _) in MODELS.items() if place == workspace}
        made = shop.record(model, "model", "show", "-n", f"scorer-{model}", "-l", "latest")
        assert made["job_name"] == f"{shop.jobs[model]}_train"
        shop.person.penstock(
            "model", "download", "-n", f"scorer-{model}", "-v", "1", "-p", "got", "-w", workspace
        )
        (weights,) = (shop.person.folder / "got" / f"scorer-{model}").rglob("weights.txt")
        assert weights.read_text() == f"{model} of {workspace}"


def test_jobs_are_found_by_experiment_and_by_tag(shop: Shop) -> None:
    """`--query` and `--tag`, within a workspace."""
    query = "[?experiment_name=='iris-training'].name"

    assert shop.record("iris", "job", "list", "--query", query) == ["iris-first"]
    assert [row["name"] for row in shop.record("taxi", "job", "list", "--tag", "model=taxi")] == [
        "taxi-first"
    ]
    assert shop.record("churn", "job", "list", "--query", query) == []


def test_a_place_that_several_models_name_holds_what_each_of_them_wrote(shop: Shop) -> None:
    """`azureml://datastores/…/paths/everybodys/` is one folder for each workspace: nobody's files are removed."""
    found = {
        workspace: sorted(
            path.name for path in shop.person.home.rglob("everybodys/*.txt") if workspace in path.parts
        )
        for workspace in ("fares", "customers")
    }

    assert found == {"fares": ["iris.txt", "taxi.txt"], "customers": ["churn.txt"]}


def test_what_is_the_same_is_stored_once(shop: Shop) -> None:
    """`common.py` of three folders: one file by its digest, whoever sent it first."""
    kept = [
        path
        for path in (shop.person.home / "artifacts").rglob("*")
        if path.is_file() and path.read_bytes() == _COMMON.encode()
    ]

    assert len(kept) == 1


def test_only_what_changed_is_sent_again(shop: Shop) -> None:
    """A line of one model's `util.py`: one file travels for that pipeline, nothing for the others."""
    util = shop.person.folder / "data-science/models/iris/code/util.py"
    util.write_text(_UTIL.format(model="iris") + "CHANGED = True\n")

    said = all_at_once(dict.fromkeys(MODELS, shop.person), "second")

    sent = {
        model: [line for line in text.splitlines() if "uploading" in line] for model, text in said.items()
    }
    assert (sent["taxi"], sent["churn"]) == ([], [])
    assert len(sent["iris"]) == 1
    assert "1 file," in sent["iris"][0]
    differs = shop.record("iris", "job", "show-diff", "iris-first", "iris-second")
    assert "util.py" in json.dumps(differs["steps"]["train"])
    assert shop.record("taxi", "job", "show-diff", "taxi-first", "taxi-second")["equal"]


@pytest.mark.parametrize("place", [".", "mlops/azureml/train", "data-science/models/churn/code", "/"])
def test_the_folder_that_a_command_is_typed_in_decides_nothing(shop: Shop, place: str) -> None:
    """Paths of a file start from that file: the plan is the same from everywhere."""
    file = shop.person.folder / pipeline_of("churn")
    words = ("job", "create", "-f", str(file), "--dry-run", "-o", "json", "-w", "customers")
    elsewhere = Person(folder=shop.person.folder / place, home=shop.person.home)

    assert json.loads(elsewhere.penstock(*words)) == json.loads(shop.person.penstock(*words))


def test_the_ci_block_of_the_page_runs_as_it_stands_there(shop: Shop) -> None:
    """On a workspace that is not there yet."""
    page = (Path(__file__).parents[2] / "docs" / "many-models.md").read_text(encoding="utf-8")
    block = page.partition("- run: |\n")[2].partition("```")[0].replace("${{ matrix.model }}", "churn")
    data = shop.person.folder / "data" / "churn"
    data.mkdir()
    (data / "rows.csv").write_text("customers of ci")

    shop.person.types("bash", "-eo", "pipefail", "-c", textwrap.dedent(block), within=540)

    (name,) = shop.person.record("job", "list", "--query", "[?status=='Completed'].name", "-w", "churn-dev")
    shop.person.penstock("job", "download", "-n", f"{name}_train", "-p", "ci", "-w", "churn-dev")
    log = next((shop.person.folder / "ci").rglob("std_log.txt")).read_text()
    assert "on churn of customers of ci" in log


def test_a_pipeline_may_not_reach_out_of_what_is_named_as_the_project(shop: Shop) -> None:
    """The repository is the project; whoever names a part of it is told which path leads out, and to where it may."""
    words = ("job", "create", "-f", pipeline_of("taxi"), "--dry-run", "-w", "fares")
    root = shop.person.folder

    refused = shop.person.types(
        "penstock", *words, expect=1, more={"PENSTOCK_PROJECT_ROOT": str(root / "mlops")}
    )
    shop.person.types("penstock", *words, more={"PENSTOCK_PROJECT_ROOT": str(root)})

    assert "taxi-pipeline.yml" in refused.stderr
    assert "leaves the project" in refused.stderr
    assert "PENSTOCK_PROJECT_ROOT" in refused.stderr


def test_two_clones_of_the_repository_work_side_by_side(shop: Shop, tmp_path: Path) -> None:
    """Each sends and runs its own files, at the same time, with names of their own; what both have is sent by one."""
    clone = tmp_path / "clone of models"
    subprocess.run(
        ["git", "clone", "-q", str(shop.person.folder), str(clone)], check=True, capture_output=True
    )
    other = Person(folder=clone, home=shop.person.home)
    (clone / "data-science/models/taxi/code/util.py").write_text(_UTIL.format(model="taxi-of-the-clone"))

    said = all_at_once({"taxi": shop.person, "taxi clone": other}, "beside")

    assert "uploading" not in said["taxi"]
    for name, own in (("taxi-beside", "taxi"), ("taxi-clone-beside", "taxi-of-the-clone")):
        folder = tmp_path / name
        words = ("job", "download", "-n", f"{name}_train", "-p", folder, "-w", MODELS["taxi"][0])
        shop.person.penstock(*words)
        assert f"trained {own} with {MODELS['taxi'][1]}" in next(folder.rglob("std_log.txt")).read_text()
