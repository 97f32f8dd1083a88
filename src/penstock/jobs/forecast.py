"""What a job would do, told before it is created: the record that `job create --dry-run` prints."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.jobs.places import described
from penstock.jobs.planning import PlannedJob
from penstock.jobs.plans import OutputOf, PlannedEnvironment, PlannedInput, PlannedOutput, Source, StepPlan
from penstock.resources.expressions import Expression, parse_template, render
from penstock.resources.relaxed import Row, marked
from penstock.resources.snapshots import parse_snapshot_uri

# What stands in names and paths of a job whose name is made up only when it is created.
UNNAMED = "<name>"

_EVERY_STEP_RUNS = "results of earlier jobs are not reused yet"


@dataclass(frozen=True)
class Foreseen:
    """An environment's digest, None where it was never resolved, whether it is built, and what it has otherwise."""

    digest: str | None
    is_built: bool
    relaxed: Sequence[Row] = ()


Foresee = Callable[[PlannedEnvironment], Foreseen]


def forecast(
    planned: PlannedJob, facts: Mapping[str, Any], foresee: Foresee, versions: Mapping[Source, str]
) -> dict[str, Any]:
    """The plan as a record: `facts` about the job itself, then its steps in an order in which they may run.

    `versions` names the data assets behind sources (`azureml:wine:3`). Each step carries a `decision`, whose one key
    says what happens to it and whose value says why.
    """
    paths = {name: path for path, name in planned.names.items()}
    known = _once(foresee)
    return {
        **facts,
        "steps": [
            _step(path, planned.steps[path], planned, paths, known, versions)
            for path in in_order({path: plan.needs for path, plan in planned.steps.items()})
        ],
        "outputs": {name: _written(output, planned, paths) for name, output in planned.outputs.items()},
    }


def _once(foresee: Foresee) -> Foresee:
    """The same answers, asked for once per software: choosing a Python and resolving packages looks at the disk."""
    answers: dict[str, Foreseen] = {}

    def known(environment: PlannedEnvironment) -> Foreseen:
        made_of = (
            environment.image,
            environment.conda,
            environment.build,
            environment.in_container,
            environment.relax,
            environment.pinned,
            environment.conda_packages,
        )
        key = json.dumps(made_of, sort_keys=True, default=str)
        if key not in answers:
            answers[key] = foresee(environment)
        return answers[key]

    return known


def in_order(needs: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Every step after those that it waits for; otherwise as the file has them. There are no circles."""
    waiting, done = list(needs), set[str]()
    while waiting:
        ready = next(path for path in waiting if done.issuperset(needs[path]))
        waiting.remove(ready)
        done.add(ready)
        yield ready


def _step(
    path: str,
    plan: StepPlan,
    planned: PlannedJob,
    paths: Mapping[str, str],
    foresee: Foresee,
    versions: Mapping[Source, str],
) -> dict[str, Any]:
    return {
        "step": path,
        "job": planned.names[path],
        "waits_for": list(plan.needs),
        "decision": {"run": _EVERY_STEP_RUNS},
        "environment": _environment(plan.environment, foresee),
        "compute": f"azureml:{plan.compute}",
        "instance_count": plan.instance_count,
        "timeout": plan.timeout,
        "code": _code(plan.code),
        "inputs": {name: _input(value, paths, versions) for name, value in plan.inputs.items()},
        "outputs": {name: _output(value) for name, value in plan.outputs.items()},
        "environment_variables": dict(plan.environment_variables),
        "command": command_so_far(plan),
    }


def _environment(environment: PlannedEnvironment, foresee: Foresee) -> dict[str, Any]:
    """`relax` says that it may be relaxed; what it then has shows where it was resolved before.

    `conda_packages` says that it is built of real conda packages.
    """
    foreseen = foresee(environment)
    return {
        "name": environment.label,
        "image": environment.image,
        "digest": foreseen.digest,
        "state": "built" if foreseen.is_built else "to be built",
        **({"relax": True} if environment.relax else {}),
        **({"conda_packages": "conda"} if environment.conda_packages == "conda" else {}),
        **marked(foreseen.relaxed if foreseen.digest is not None else environment.relaxed),
    }


def _code(code: str | None) -> dict[str, Any] | None:
    snapshot = parse_snapshot_uri(code) if code is not None else None
    return None if snapshot is None else {"name": snapshot.name, "digest": snapshot.digest}


def _input(
    value: PlannedInput, paths: Mapping[str, str], versions: Mapping[Source, str]
) -> dict[str, Any] | None:
    """A literal's text, or where data comes from; None for an optional input that is left out."""
    if value.text is not None:
        return {"type": value.type, "value": value.text}
    source = value.source
    if source is None:
        return None
    told: dict[str, Any] = {"type": value.type, "mode": value.mode or "ro_mount", "path": described(source)}
    if isinstance(source, OutputOf) and source.job in paths:
        told |= {"from_step": paths[source.job], "from_output": source.output}
    if source in versions:
        told["asset"] = versions[source]
    return told


def _output(value: PlannedOutput) -> dict[str, Any]:
    place = f"azureml://datastores/{value.datastore}/paths/{value.path}"
    told = {"type": value.type, "mode": value.mode, "path": place}
    return told if value.name is None else {**told, "name": value.name, "version": value.version}


def _written(output: OutputOf, planned: PlannedJob, paths: Mapping[str, str]) -> dict[str, Any]:
    step = paths[output.job]
    return {"step": step, "output": output.output, **_output(planned.steps[step].outputs[output.output])}


def command_so_far(plan: StepPlan) -> str:
    """The command with its literals in place. Paths are known when the step starts: their expressions stay."""

    def text_of(expression: Expression) -> str | None:
        if expression.scope != "inputs":
            return expression.text
        value = plan.inputs.get(".".join(expression.path), PlannedInput())
        if value.text is not None:
            return value.text
        return expression.text if value.is_set else None

    return render(parse_template(plan.command), text_of)
