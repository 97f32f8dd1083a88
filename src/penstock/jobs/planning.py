"""From a validated job document to plans: bindings followed, references resolved, defaults applied.

Planning decides nothing about time: it can be asked without running anything, and two calls with the same facts give
the same plans.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, TypeVar

from penstock.datastores.folders import BLOB_STORE, Place
from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.jobs.output_places import OutputPlaces, datastore_name, output_place
from penstock.jobs.plans import (
    AtAddress,
    InDatastore,
    OutputOf,
    PlannedEnvironment,
    PlannedInput,
    PlannedOutput,
    RunArtifact,
    Source,
    StepPlan,
    Uploaded,
)
from penstock.jobs.process_planning import ProcessPlanner
from penstock.resources import references as refs
from penstock.resources.expressions import Expression, expressions_in, parse_template, render, whole
from penstock.resources.job import CommandJob, CommandStep, PipelineJob
from penstock.resources.ports import MODEL_TYPES, PARAMETER_TYPES, parameter_text

T = TypeVar("T")

LOCAL_COMPUTE = "local"


class Lookup(Protocol):
    """What planning asks of the workspace. Each method raises NotFound, saying where it looked."""

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment: ...

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        """The asset's type and where its bytes are."""
        ...

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]: ...

    def job_output(self, reference: refs.JobOutput) -> Source: ...

    def max_instances(self, compute: str) -> int | None:
        """How many instances the compute may have; None for this machine itself, which takes what it is given."""
        ...

    def place(self, reference: refs.DatastorePath) -> Place:
        """Where a path of a datastore lies."""
        ...


@dataclass(frozen=True)
class PlannedJob:
    """A root job: itself a command, or a pipeline of commands in the order of the file.

    `outputs` says, for each output of the pipeline that a step is bound to, which step's output it is.
    """

    steps: Mapping[str, StepPlan]
    names: Mapping[str, str]
    outputs: Mapping[str, OutputOf] = field(default_factory=dict)


def plan_command(job: CommandJob, name: str, lookup: Lookup) -> PlannedJob:
    """The plan of a standalone command job. Its only step is the job itself, under its own name."""
    context = _Context(lookup=lookup, names={name: name})
    plan = context.step(name, job, "", default_compute=None, parent=None)
    context.raise_problems()
    return PlannedJob(steps={name: plan}, names={name: name})


def plan_pipeline(job: PipelineJob, names: Mapping[str, str], lookup: Lookup) -> PlannedJob:
    """The plans of a pipeline's steps. `names` gives each step (by its key) the name of its job."""
    context = _Context(lookup=lookup, names=names)
    parent = _Parent(job, context)
    plans = {
        key: context.step(key, step, f"/jobs/{key}", default_compute=job.default_compute, parent=parent)
        for key, step in job.jobs.items()
    }
    context.raise_problems()
    return PlannedJob(steps=plans, names=names, outputs=parent.bound_outputs)


class _Parent:
    """The pipeline around a step: what `${{parent…}}` means there."""

    def __init__(self, job: PipelineJob, context: "_Context") -> None:
        self.job = job
        self._context = context
        self.datastore = datastore_name(job.settings.default_datastore)
        self.bound_outputs: dict[str, OutputOf] = {}
        if self.datastore is not None:
            default = refs.DatastorePath(self.datastore, "")
            context.guarded("/settings/default_datastore", lambda: context.lookup.place(default), None)

    def input(self, name: str) -> PlannedInput:
        value = self.job.inputs.get(name)
        return self._context.value(value, None, f"/inputs/{name}", parent=None)

    def binding(self, expression: Expression, needs: set[str]) -> PlannedInput:
        """What a step's input gets when it is bound to `expression`."""
        path = expression.path
        if expression.scope in ("parent.inputs", "inputs"):
            return self.input(".".join(path))
        key, kind, port = path[0], path[1], ".".join(path[2:])
        step = self.job.jobs[key]
        if kind == "inputs":
            value, declared = step.inputs.get(port), step.ports.get(port)
            return self._context.value(
                value, declared, f"/jobs/{key}/inputs/{port}", parent=self, needs=needs
            )
        needs.add(key)
        declared_type = self.output_type(step, port)
        return PlannedInput(source=OutputOf(self._context.names[key], port), type=declared_type)

    def output_type(self, step: CommandStep, port: str) -> str:
        """A step's output is what it says; else what its component says; else what the pipeline's output says."""
        bound = self._bound_pipeline_output(step.outputs.get(port))
        from_pipeline = self.job.outputs.get(bound) if bound else None
        for candidate in (step.outputs.get(port), step.output_ports.get(port), from_pipeline):
            declared = getattr(candidate, "type", None)
            if declared:
                return str(declared)
        return "uri_folder"

    def _bound_pipeline_output(self, value: Any) -> str | None:
        text = value if isinstance(value, str) else getattr(value, "path", None)
        expression = whole(text) if isinstance(text, str) else None
        if expression is not None and expression.scope in ("parent.outputs", "outputs"):
            return ".".join(expression.path)
        return None

    def output_settings(self, step_name: str, port: str, value: Any) -> Any:
        """The pipeline output's settings where the step's output is bound to one, else the step's own."""
        bound = self._bound_pipeline_output(value)
        if bound is None:
            return value
        self.bound_outputs[bound] = OutputOf(step_name, port)
        return self.job.outputs.get(bound)


class _Context:
    def __init__(self, lookup: Lookup, names: Mapping[str, str]) -> None:
        self.lookup = lookup
        self.names = names
        self.problems: list[Problem] = []
        self._places = OutputPlaces()

    def raise_problems(self) -> None:
        if self.problems:
            raise InvalidDocument(self.problems)

    def guarded(self, pointer: str, look: Callable[[], T], fallback: T) -> T:
        """What `look` finds; a failed look-up becomes a problem at `pointer`, so that all of them are told at once."""
        try:
            return look()
        except (PenstockError, refs.BadReference) as error:
            message = error.message
            details = "; ".join(getattr(error, "details", ()))
            hint = getattr(error, "hint", None)
            text = f"{message} ({details})" if details else message
            self.problems.append(Problem(pointer, text, hint=hint, code="not_found"))
            return fallback

    def step(
        self,
        key: str,
        step: CommandJob | CommandStep,
        pointer: str,
        *,
        default_compute: str | None,
        parent: _Parent | None,
    ) -> StepPlan:
        needs = set[str]()
        ports = step.ports
        inputs = {
            port: self.value(
                step.inputs.get(port), ports.get(port), f"{pointer}/inputs/{port}", parent=parent, needs=needs
            )
            for port in dict.fromkeys([*ports, *step.inputs])
        }
        literal = self._literal_of(inputs, parent)
        compute = step.compute or default_compute or LOCAL_COMPUTE
        timeout = step.limits.timeout if step.limits else None
        target = _compute_name(_filled(str(compute), literal))
        planner = ProcessPlanner(pointer, lambda text: _filled(text, literal), self.problems)
        instances = planner.instances(step.resources)
        if instances > 1:
            planner.fits(instances, target, self.lookup.max_instances(target))
        queue = step.queue_settings
        return StepPlan(
            command=step.command,
            code=step.code,
            environment=self._environment(step.environment, f"{pointer}/environment", f"{key} (inline)"),
            environment_variables={
                variable: _filled(str(value), literal)
                for variable, value in step.environment_variables.items()
            },
            compute=target,
            timeout=self._timeout(timeout, literal, f"{pointer}/limits/timeout"),
            inputs=inputs,
            outputs=self._outputs(key, step, pointer, parent),
            needs=tuple(sorted(needs)),
            instance_count=instances,
            distribution=planner.distribution(step.distribution, instances),
            priority=(queue.priority if queue else None) or "medium",
        )

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
            self.problems.append(
                Problem(pointer, f"`{text}` is no number of seconds", "a number greater than 0")
            )
        return seconds

    def _literal_of(
        self, inputs: Mapping[str, PlannedInput], parent: _Parent | None
    ) -> Callable[[Expression], str | None]:
        """Texts for the fields that may carry a binding besides inputs: variables, compute, limits."""

        def literal(expression: Expression) -> str | None:
            if expression.scope.startswith("parent.") and parent is not None:
                return parent.binding(expression, set()).text
            found = inputs.get(".".join(expression.path)) if expression.scope == "inputs" else None
            if found is None or found.text is None:
                return expression.text  # data: filled in where the path is known
            return found.text

        return literal

    def value(
        self, value: Any, port: Any, pointer: str, *, parent: _Parent | None, needs: set[str] | None = None
    ) -> PlannedInput:
        """One input's value: a literal, a binding, or data; a port's default where nothing was given."""
        needs = set() if needs is None else needs
        if value is None:
            default = getattr(port, "default", None)
            if default is None:
                return PlannedInput(type=_type_of(port, "string"))
            value = default
        if isinstance(value, bool | int | float | str):
            return self._scalar(value, port, pointer, parent, needs)
        if getattr(value, "value", None) is not None:
            return self._scalar(value.value, port, pointer, parent, needs)
        declared, mode = _type_of(value, _type_of(port, "uri_folder")), getattr(value, "mode", None)
        mode = mode or getattr(port, "mode", None)
        path = value.path
        expression = whole(path) if isinstance(path, str) else None
        if expression is not None and parent is not None:
            bound = parent.binding(expression, needs)
            return PlannedInput(
                text=bound.text, source=bound.source, type=bound.type, mode=mode or bound.mode
            )
        if path is None:
            return PlannedInput(type=declared)
        return self._data(
            str(path), declared, mode, pointer, explicit=getattr(value, "type", None) is not None
        )

    def _scalar(
        self,
        value: bool | int | float | str,
        port: Any,
        pointer: str,
        parent: _Parent | None,
        needs: set[str],
    ) -> PlannedInput:
        if not isinstance(value, str):
            declared = _type_of(port, _literal_type(value))
            return PlannedInput(text=parameter_text(declared, value), type=declared)
        if parent is not None:
            expression = whole(value)
            if expression is not None:
                bound = parent.binding(expression, needs)
                mode = getattr(port, "mode", None) or bound.mode
                default = getattr(port, "default", None)
                if not bound.is_set and default is not None:
                    return self._scalar(default, port, pointer, None, needs)
                declared = _type_of(port, bound.type)
                text = bound.text if bound.text is None else parameter_text(declared, bound.text)
                return PlannedInput(text, bound.source, declared, mode)
            if expressions_in(value):
                text = render(parse_template(value), lambda each: parent.binding(each, needs).text)
                return PlannedInput(text=text, type=_type_of(port, "string"))
        declared = _type_of(port, "string")
        if declared not in PARAMETER_TYPES:  # a data port given by its path alone
            return self._data(value, declared, getattr(port, "mode", None), pointer, explicit=True)
        return PlannedInput(text=parameter_text(declared, value), type=declared)

    def _data(
        self, path: str, declared: str, mode: str | None, pointer: str, *, explicit: bool
    ) -> PlannedInput:
        fallback: tuple[str, Source] = (declared, AtAddress(path))
        found, source = self.guarded(pointer, lambda: self._source(path, declared), fallback)
        kind = declared if explicit or found == "uri_folder" else found
        if explicit and found != declared and declared != "custom_model":  # as that, every model can be read
            self.problems.append(
                Problem(
                    pointer,
                    f"`{path}` is a {found}, and the input is declared {declared}",
                    hint=f"declare it `type: {found}`, or leave the type out",
                )
            )
        return PlannedInput(source=source, type=kind, mode=mode)

    def _source(self, path: str, declared: str) -> tuple[str, Source]:
        reference = refs.parse_reference(path, "model" if declared in MODEL_TYPES else "data")
        match reference:
            case refs.AssetReference():
                look = self.lookup.model if declared in MODEL_TYPES else self.lookup.data
                return look(reference)
            case refs.DatastorePath():
                self.lookup.place(reference)
                return declared, InDatastore(reference.datastore, reference.path)
            case refs.JobOutput():
                return declared, self.lookup.job_output(reference)
            case refs.RunArtifact():
                return declared, RunArtifact(reference.run, reference.path)
            case refs.WebAddress():
                return declared, AtAddress(reference.url)
            case _:
                return declared, Uploaded(path)

    def _environment(self, value: Any, pointer: str, label: str) -> PlannedEnvironment:
        nothing = PlannedEnvironment(label, None, None)
        if isinstance(value, str):
            reference = self.guarded(pointer, lambda: refs.parse_reference(value, "environment"), None)
            if not isinstance(reference, refs.AssetReference):
                if reference is not None:
                    self.problems.append(Problem(pointer, f"`{value}` is no environment"))
                return nothing
            return self.guarded(pointer, lambda: self.lookup.environment(reference), nothing)
        return PlannedEnvironment(label, value.image, value.conda_file)

    def _outputs(
        self, key: str, step: CommandJob | CommandStep, pointer: str, parent: _Parent | None
    ) -> dict[str, PlannedOutput]:
        name, outputs = self.names[key], dict[str, PlannedOutput]()
        for port in dict.fromkeys([*step.output_ports, *step.outputs]):
            value = step.outputs.get(port)
            kind = (
                parent.output_type(step, port)
                if parent is not None and isinstance(step, CommandStep)
                else _type_of(value, _type_of(step.output_ports.get(port), "uri_folder"))
            )
            settings = parent.output_settings(name, port, value) if parent is not None else value
            datastore, path = self.guarded(
                f"{pointer}/outputs/{port}",
                lambda port=port, kind=kind, settings=settings: output_place(  # type: ignore[misc]
                    name, port, kind, getattr(settings, "path", None), parent.datastore if parent else None
                ),
                (BLOB_STORE, ""),
            )
            mode = getattr(settings, "mode", None) or getattr(value, "mode", None) or "rw_mount"
            root, inside = self.guarded(
                f"{pointer}/outputs/{port}",
                partial(self._root_of, datastore, path),
                ("", ""),
            )
            outputs[port] = PlannedOutput(kind, str(mode), datastore, path, root, inside)
            taken = self._places.take(outputs[port], key if parent else None, port)
            if taken is not None:
                self.problems.append(Problem(f"{pointer}/outputs/{port}", *taken))
        return outputs

    def _root_of(self, datastore: str, path: str) -> tuple[str, str]:
        """The folder outside the workspace that an output is written to, and the path there; empty for one inside."""
        place = self.lookup.place(refs.DatastorePath(datastore, path))
        return (str(place.root), place.inside) if place.is_elsewhere else ("", "")


def _filled(text: str, literal: Callable[[Expression], str | None]) -> str:
    return render(parse_template(text), literal)


def _compute_name(text: str) -> str:
    reference = refs.parse_reference(text, "compute")
    name = reference.name if isinstance(reference, refs.AssetReference) else text
    return LOCAL_COMPUTE if name == "serverless" else name


def _type_of(value: Any, otherwise: str) -> str:
    declared = getattr(value, "type", None)
    if declared is None:
        return otherwise
    return "uri_folder" if declared == "path" else str(declared)


def _literal_type(value: bool | int | float) -> str:
    if isinstance(value, bool):
        return "boolean"
    return "integer" if isinstance(value, int) else "number"
