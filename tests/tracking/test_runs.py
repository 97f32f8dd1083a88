"""Experiments and runs against a real MLflow server."""

import math
import threading

import pytest

from penstock.errors import NotFound
from penstock.tracking.rest import MlflowRest, mlflow_workspace
from penstock.tracking.runs import Runs

pytestmark = pytest.mark.slow


def test_a_run_keeps_what_was_written(runs: Runs, workspace: str) -> None:
    """Parameters, tags and metrics come back, also more of them than fit into one call."""
    experiment = runs.experiment_id(workspace, "taxi fare")
    run = runs.start_run(workspace, experiment, "train", {"penstock.job": "brave_tree"}, start_time=1000.5)
    params = {f"p{number}": str(number) for number in range(250)}

    runs.log_params(workspace, run, {**params, "long": "x" * 7000})
    runs.set_tags(workspace, run, {"colour": "green"})
    runs.log_metrics(workspace, run, {"mse": 3.0}, at=1.0)
    runs.log_metrics(workspace, run, {"mse": 2.0, "nan": math.nan, "infinite": math.inf}, at=2.0, step=1)

    assert runs.params(workspace, run) == {**params, "long": "x" * 6000}
    assert runs.tags(workspace, run).items() >= {"colour": "green", "penstock.job": "brave_tree"}.items()
    metrics = runs.metrics(workspace, run)
    assert metrics["mse"] == 2.0
    assert math.isnan(metrics["nan"])
    assert metrics["infinite"] > 1e300  # MLflow keeps infinity as the largest float


def test_a_run_ends_with_its_status(runs: Runs, workspace: str) -> None:
    """RUNNING until it is told otherwise."""
    run = runs.start_run(workspace, runs.experiment_id(workspace, "e"), "r")
    assert runs.status(workspace, run) == "RUNNING"

    runs.end_run(workspace, run, "KILLED", end_time=5.0)

    assert runs.status(workspace, run) == "KILLED"


def test_a_run_is_called_something_else(runs: Runs, rest: MlflowRest, workspace: str) -> None:
    """Wherever MLflow keeps the name; one that has ended too."""
    run = runs.start_run(workspace, runs.experiment_id(workspace, "e"), "r")
    runs.end_run(workspace, run, "FINISHED", 2000.0)

    runs.rename(workspace, run, "second try")

    assert runs.tags(workspace, run)["mlflow.runName"] == "second try"
    assert rest.get(workspace, "runs/get", {"run_id": run})["run"]["info"]["run_name"] == "second try"
    assert runs.status(workspace, run) == "FINISHED"


def test_a_child_run_names_its_parent(runs: Runs, workspace: str) -> None:
    """That is how MLflow nests."""
    experiment = runs.experiment_id(workspace, "e")
    parent = runs.start_run(workspace, experiment, "pipeline")

    child = runs.start_run(workspace, experiment, "step", parent_run=parent)

    assert runs.tags(workspace, child)["mlflow.parentRunId"] == parent


@pytest.mark.parametrize("name", ["plain", "it's", 'say "x"'])
def test_a_run_is_found_by_its_tag(runs: Runs, workspace: str, name: str) -> None:
    """A restarted engine finds the run that it had begun; quotes in the value do not matter."""
    experiment = runs.experiment_id(workspace, "e")
    run = runs.start_run(workspace, experiment, "r", {"penstock.job": name})

    assert runs.find_run(workspace, experiment, "penstock.job", name) == run
    assert runs.find_run(workspace, experiment, "penstock.job", "other") is None


def test_an_experiment_is_made_once_by_many(runs: Runs, workspace: str) -> None:
    """Eight threads ask at once, one experiment is there."""
    found: list[str] = []
    start = threading.Barrier(8)

    def ask() -> None:
        start.wait()
        found.append(runs.experiment_id(workspace, "same"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1


def test_a_deleted_experiment_is_used_again(runs: Runs, rest: MlflowRest, workspace: str) -> None:
    """MLflow would refuse the name otherwise."""
    experiment = runs.experiment_id(workspace, "e")
    rest.post(workspace, "experiments/delete", {"experiment_id": experiment})

    assert runs.experiment_id(workspace, "e") == experiment
    runs.start_run(workspace, experiment, "r")


def test_a_run_of_one_workspace_is_unknown_in_another(runs: Runs, workspace: str) -> None:
    """Even with its id."""
    run = runs.start_run(workspace, runs.experiment_id(workspace, "e"), "r")

    with pytest.raises(NotFound):
        runs.metrics("another", run)


def test_names_that_look_alike_are_different_workspaces(runs: Runs) -> None:
    """MLflow takes only small letters, we take more."""
    names = ["Team_A", "team-a", "team_a", "TEAM-A"]
    experiments = {name: runs.experiment_id(name, "e") for name in names}

    assert len({mlflow_workspace(name) for name in names}) == 4
    assert len(set(experiments.values())) == 4


def test_a_workspace_can_be_deleted_with_all_it_holds(runs: Runs, rest: MlflowRest, workspace: str) -> None:
    """And made again, empty."""
    run = runs.start_run(workspace, runs.experiment_id(workspace, "e"), "r")
    artifacts = rest.artifacts_of(workspace)
    (artifacts / "1" / run).mkdir(parents=True)

    rest.delete_workspace(workspace)

    assert not artifacts.exists()
    runs.experiment_id(workspace, "e")
    with pytest.raises(NotFound):
        runs.metrics(workspace, run)
