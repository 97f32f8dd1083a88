"""From a validated job document to plans: bindings followed, references resolved, defaults applied.

Planning decides nothing about time: it can be asked without running anything, and two calls with the same facts give
the same plans.
"""

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from penstock.errors import Problem
from penstock.jobs.findings import Findings
from penstock.jobs.input_planning import InputPlanner
from penstock.jobs.lookup import LOCAL_COMPUTE, Lookup
from penstock.jobs.output_places import datastore_name
from penstock.jobs.output_planning import OutputPlanner
from penstock.jobs.plans import OutputOf, PlannedEnvironment, PlannedInput, StepPlan
from penstock.jobs.process_planning import ProcessPlanner
from penstock.jobs.scopes import Scope
from penstock.resources import references as refs
from penstock.resources.expressions import Expression, parse_template, render
from penstock.resources.job import CommandJob, CommandStep, PipelineJob


@dataclass(frozen=True)
class PlannedJob:
    """A root job: itself a command, or a pipeline. Steps are named by their paths (`train`, `train/fit`), in file order.

    `names` gives every step, pipelines among them, the name of its job. `outputs` says, for each output of the job's
    pipeline that a step is bound to, which command's output it is; `pipelines` says the same of the pipelines inside.
    """

    steps: Mapping[str, StepPlan]
    names: Mapping[str, str]
    outputs: Mapping[str, OutputOf] = field(default_factory=dict)
    pipelines: Mapping[str, Mapping[str, OutputOf]] = field(default_factory=dict)


def plan_command(job: CommandJob, name: str, lookup: Lookup) -> PlannedJob:
    """The plan of a standalone command job. Its only step is the job itself, under its own name."""
    context = _Context(lookup, {name: name})
    plan = context.step(name, job, "", default_compute=None, parent=None)
    context.findings.raise_problems()
    return PlannedJob(steps={name: plan}, names={name: name})


def plan_pipeline(job: PipelineJob, names: Mapping[str, str], lookup: Lookup) -> PlannedJob:
    """The plans of a pipeline's steps. `names` gives each step (by its path) the name of its job."""
    datastore = datastore_name(job.settings.default_datastore)
    context = _Context(lookup, names, datastore)
    if datastore is not None:
        default = refs.DatastorePath(datastore, "")
        context.findings.guarded("/settings/default_datastore", lambda: lookup.place(default), None)
    scope = Scope(job, names, context.inputs.value)
    plans: dict[str, StepPlan] = {}
    pipelines: dict[str, Mapping[str, OutputOf]] = {}
    _plan_within(scope, job.default_compute, context, plans, pipelines)
    context.findings.raise_problems()
    return PlannedJob(steps=plans, names=names, outputs=scope.written(), pipelines=pipelines)


def _plan_within(
    scope: Scope,
    default_compute: str | None,
    context: "_Context",
    plans: dict[str, StepPlan],
    pipelines: dict[str, Mapping[str, OutputOf]],
) -> None:
    for key, step in scope.steps.items():
        path = scope.above + key
        if isinstance(step, CommandStep):
            plans[path] = context.step(
                path, step, f"{scope.pointer}/{key}", default_compute=default_compute, parent=scope
            )
        else:
            pipelines[path] = scope.inner[key].written()
            for port in step.ports:
                # Also one that no inner step reads: what is wrong with it is told.
                scope.inner[key].input(port)
            _plan_within(scope.inner[key], default_compute, context, plans, pipelines)


class _Context:
    """What planning the steps of one job needs: the workspace, the steps' names, and what was found so far."""

    def __init__(self, lookup: Lookup, names: Mapping[str, str], datastore: str | None = None) -> None:
        self.lookup = lookup
        self.findings = Findings()
        self.inputs = InputPlanner(lookup, self.findings)
        self._outputs = OutputPlanner(lookup, self.findings, names, datastore)
        self._path_of_job = {name: path for path, name in names.items()}

    def step(
        self,
        key: str,
        step: CommandJob | CommandStep,
        pointer: str,
        *,
        default_compute: str | None,
        parent: Scope | None,
    ) -> StepPlan:
        ports = step.ports
        inputs = {
            port: self.inputs.value(
                step.inputs.get(port), ports.get(port), f"{pointer}/inputs/{port}", parent
            )
            for port in step.input_names
        }
        for port, planned in inputs.items():
            self.findings.guarded(
                f"{pointer}/inputs/{port}", partial(self.inputs.check_access, planned), None
            )
        literal = self._literal_of(inputs, parent)
        compute = _filled(str(step.compute), literal) if step.compute else None
        if compute is None and default_compute is not None:  # its bindings mean the job's inputs
            compute = _filled(default_compute, self._literal_of({}, parent.outermost if parent else None))
        timeout = step.limits.timeout if step.limits else None
        target = _compute_name(compute or LOCAL_COMPUTE)
        planner = ProcessPlanner(pointer, lambda text: _filled(text, literal), self.findings.problems)
        instances = planner.instances(step.resources)
        if instances > 1:
            planner.fits(instances, target, self.lookup.max_instances(target))
        queue = step.queue_settings
        environment = self._environment(step.environment, f"{pointer}/environment", f"{key} (inline)")
        return StepPlan(
            command=step.command,
            code=step.code,
            environment=environment,
            environment_variables={
                **environment.variables,
                **{
                    variable: _filled(str(value), literal)
                    for variable, value in step.environment_variables.items()
                },
            },
            compute=target,
            timeout=self._timeout(timeout, literal, f"{pointer}/limits/timeout"),
            inputs=inputs,
            outputs=self._outputs.outputs(key, step, pointer, parent),
            needs=self._steps_behind(inputs),
            instance_count=instances,
            distribution=planner.distribution(step.distribution, instances),
            priority=(queue.priority if queue else None) or "medium",
            shm_size=step.resources.shm_size if step.resources else None,
            docker_args=_words_of(step.resources.docker_args if step.resources else None),
        )

    def _steps_behind(self, inputs: Mapping[str, PlannedInput]) -> tuple[str, ...]:
        """The steps of this job whose outputs are read, at whatever level they stand: what has to be waited for."""
        read = (value.source.job for value in inputs.values() if isinstance(value.source, OutputOf))
        return tuple(sorted({self._path_of_job[job] for job in read if job in self._path_of_job}))

    def _timeout(
        self, given: object, literal: Callable[[Expression], str | None], pointer: str
    ) -> float | None:
        """Seconds, also where they come from an input."""
        if given is None:
            return None
        text = _filled(str(given), literal)
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds < math.inf:
            self.findings.add(
                Problem(pointer, f"`{text}` is no number of seconds", "a number greater than 0")
            )
        return seconds

    def _literal_of(
        self, inputs: Mapping[str, PlannedInput], parent: Scope | None
    ) -> Callable[[Expression], str | None]:
        """Texts for the fields that may carry a binding besides inputs: variables, compute, limits."""

        def literal(expression: Expression) -> str | None:
            if expression.scope.startswith("parent.") and parent is not None:
                return parent.binding(expression).text
            found = inputs.get(".".join(expression.path)) if expression.scope == "inputs" else None
            if found is None or found.text is None:
                return expression.text  # data: filled in where the path is known
            return found.text

        return literal

    def _environment(self, value: Any, pointer: str, label: str) -> PlannedEnvironment:
        nothing = PlannedEnvironment(label, None, None)
        if isinstance(value, str):
            reference = self.findings.guarded(
                pointer, lambda: refs.parse_reference(value, "environment"), None
            )
            if not isinstance(reference, refs.AssetReference):
                if reference is not None:
                    self.findings.add(Problem(pointer, f"`{value}` is no environment"))
                return nothing
            return self.findings.guarded(pointer, lambda: self.lookup.environment(reference), nothing)
        if value.build is not None:
            build = value.build
            return self.findings.guarded(
                pointer, lambda: self.lookup.build(build, label, f"{pointer}/build"), nothing
            )
        return PlannedEnvironment(label, value.image, value.conda_file)


def _filled(text: str, literal: Callable[[Expression], str | None]) -> str:
    return render(parse_template(text), literal)


def _compute_name(text: str) -> str:
    reference = refs.parse_reference(text, "compute")
    name = reference.name if isinstance(reference, refs.AssetReference) else text
    return LOCAL_COMPUTE if name == "serverless" else name


def _words_of(docker_args: str | list[str] | None) -> tuple[str, ...]:
    """One text or several, as the arguments that they are."""
    texts = [docker_args] if isinstance(docker_args, str) else docker_args or []
    return tuple(word for text in texts for word in shlex.split(text))
