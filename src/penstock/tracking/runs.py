"""Experiments and runs: what the job engine writes about a job, and reads back."""

import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, Literal

from penstock.errors import AlreadyExists, NotFound
from penstock.tracking.rest import MlflowRest

RunStatus = Literal["RUNNING", "SCHEDULED", "FINISHED", "FAILED", "KILLED"]

# MLflow's own limits for one log-batch call and for values.
_MOST_PARAMS, _MOST_TAGS, _MOST_METRICS = 100, 100, 1000
_LONGEST_PARAM, _LONGEST_TAG = 6000, 8000
_PARENT_TAG = "mlflow.parentRunId"
_NAME_TAG = "mlflow.runName"


class Runs:
    """Runs of every workspace. Safe to use from several threads. Times are epoch seconds."""

    def __init__(self, rest: MlflowRest) -> None:
        self._rest = rest

    def ensure_workspace(self, workspace: str) -> None:
        """See to it that MLflow has the workspace."""
        self._rest.ensure_workspace(workspace)

    def delete_workspace(self, workspace: str) -> None:
        """Delete what MLflow has of the workspace. An MLflow that never ran has nothing, and is not started for that."""
        if self._rest.server.has_state():
            self._rest.delete_workspace(workspace)

    def experiment_id(self, workspace: str, name: str) -> str:
        """The id of the experiment of this name, which comes to be if it is new; restored if it was deleted."""
        found = self._find_experiment(workspace, name)
        if found is None:
            try:
                return str(self._rest.post(workspace, "experiments/create", {"name": name})["experiment_id"])
            except AlreadyExists:  # somebody was faster
                found = self._find_experiment(workspace, name)
                if found is None:
                    raise
        identifier = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            self._rest.post(workspace, "experiments/restore", {"experiment_id": identifier})
        return identifier

    def start_run(
        self,
        workspace: str,
        experiment_id: str,
        name: str,
        tags: Mapping[str, str] | None = None,
        parent_run: str | None = None,
        start_time: float | None = None,
    ) -> str:
        """A new run with status RUNNING; answers its id. `parent_run` nests it under another run."""
        every = {_NAME_TAG: name, **(tags or {})}
        if parent_run is not None:
            every[_PARENT_TAG] = parent_run
        began = time.time() if start_time is None else start_time
        body = {
            "experiment_id": experiment_id,
            "run_name": name,
            "start_time": round(began * 1000),
            "tags": _pairs(every, _LONGEST_TAG),
        }
        return str(self._rest.post(workspace, "runs/create", body)["run"]["info"]["run_id"])

    def find_run(self, workspace: str, experiment_id: str, tag: str, value: str) -> str | None:
        """The newest run whose tag has this value: how a restarted engine finds what it had begun."""
        body = {
            "experiment_ids": [experiment_id],
            "filter": f"tags.`{tag}` = {quoted(value)}",
            "max_results": 1,
            "order_by": ["attributes.start_time DESC"],
        }
        runs = self._rest.post(workspace, "runs/search", body).get("runs") or []
        return str(runs[0]["info"]["run_id"]) if runs else None

    def end_run(self, workspace: str, run_id: str, status: RunStatus, end_time: float) -> None:
        """Write how and when the run ended."""
        body = {"run_id": run_id, "status": status, "end_time": round(end_time * 1000)}
        self._rest.post(workspace, "runs/update", body)

    def rename(self, workspace: str, run_id: str, name: str) -> None:
        """Call the run something else."""
        self._rest.post(workspace, "runs/update", {"run_id": run_id, "run_name": name})

    def status(self, workspace: str, run_id: str) -> RunStatus:
        """The run's status as MLflow has it; user code may have ended its run itself."""
        status: RunStatus = self._run(workspace, run_id)["info"]["status"]
        return status

    def log_params(self, workspace: str, run_id: str, params: Mapping[str, str]) -> None:
        """Write parameters, in as few calls as MLflow allows. A value is cut at MLflow's 6000 characters."""
        for part in _parts(_pairs(params, _LONGEST_PARAM), _MOST_PARAMS):
            self._rest.post(workspace, "runs/log-batch", {"run_id": run_id, "params": part})

    def set_tags(self, workspace: str, run_id: str, tags: Mapping[str, str]) -> None:
        """Write tags, in as few calls as MLflow allows."""
        for part in _parts(_pairs(tags, _LONGEST_TAG), _MOST_TAGS):
            self._rest.post(workspace, "runs/log-batch", {"run_id": run_id, "tags": part})

    def log_metrics(
        self, workspace: str, run_id: str, metrics: Mapping[str, float], at: float, step: int = 0
    ) -> None:
        """Write one value of each metric."""
        when = round(at * 1000)
        values: list[dict[str, Any]] = [
            {"key": key, "value": _number(value), "timestamp": when, "step": step}
            for key, value in metrics.items()
        ]
        for part in _parts(values, _MOST_METRICS):
            self._rest.post(workspace, "runs/log-batch", {"run_id": run_id, "metrics": part})

    def metrics(self, workspace: str, run_id: str) -> dict[str, float]:
        """The latest value of each metric; NaN and the infinities come as floats."""
        found = self._run(workspace, run_id)["data"].get("metrics") or ()
        return {entry["key"]: float(entry["value"]) for entry in found}

    def params(self, workspace: str, run_id: str) -> dict[str, str]:
        """The run's parameters."""
        return _mapping(self._run(workspace, run_id)["data"].get("params"))

    def tags(self, workspace: str, run_id: str) -> dict[str, str]:
        """The run's tags, MLflow's own among them."""
        return _mapping(self._run(workspace, run_id)["data"].get("tags"))

    def _run(self, workspace: str, run_id: str) -> dict[str, Any]:
        run: dict[str, Any] = self._rest.get(workspace, "runs/get", {"run_id": run_id})["run"]
        return run

    def _find_experiment(self, workspace: str, name: str) -> dict[str, Any] | None:
        try:
            answer = self._rest.get(workspace, "experiments/get-by-name", {"experiment_name": name})
        except NotFound:
            return None
        experiment: dict[str, Any] = answer["experiment"]
        return experiment


def _pairs(entries: Mapping[str, str], longest: int) -> list[dict[str, Any]]:
    return [{"key": key, "value": str(value)[:longest]} for key, value in entries.items()]


def quoted(value: str) -> str:
    """A text in MLflow's filter language, which knows both quotes and no escape."""
    for quote in "'", '"':
        if quote not in value:
            return f"{quote}{value}{quote}"
    raise ValueError(f"MLflow cannot search for a text with both kinds of quotes: {value}")


def _number(value: float) -> float | str:
    """A number as JSON takes it: MLflow spells the others as protobuf does."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _mapping(entries: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {entry["key"]: entry["value"] for entry in entries or ()}


def _parts(entries: list[dict[str, Any]], most: int) -> Iterable[list[dict[str, Any]]]:
    return (entries[start : start + most] for start in range(0, len(entries), most))
