"""From a validated job document to plans: bindings followed, references resolved, defaults applied.

Planning decides nothing about time: it can be asked without running anything, and two calls with the same facts give
the same plans.
"""

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol, TypeVar

from penstock.datastores.folders import BLOB_STORE, Place
from penstock.errors import InvalidDocument, PenstockError, Problem
from penstock.jobs.output_places import OutputPlaces, datastore_name, output_place
from penstock.jobs.places import UPLOADS
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
from penstock.jobs.scopes import OutputWish, Scope
from penstock.resources import references as refs
from penstock.resources.environment import BuildContext
from penstock.resources.expressions import Expression, expressions_in, parse_template, render, whole
from penstock.resources.inputs_and_outputs import names_a_model
from penstock.resources.job import CommandJob, CommandStep, PipelineJob
from penstock.resources.ports import MODEL_TYPES, PARAMETER_TYPES, parameter_text

T = TypeVar("T")

LOCAL_COMPUTE = "local"


class Lookup(Protocol):
    """What planning asks of the workspace. Each method raises NotFound, saying where it looked."""

    def environment(self, reference: refs.AssetReference) -> PlannedEnvironment: ...

    def build(self, build: BuildContext, label: str, pointer: str) -> PlannedEnvironment:
        """What a build context stands for; InvalidDocument with the lines of it that cannot be followed."""
        ...

    def data(self, reference: refs.AssetReference) -> tuple[str, Source]:
        """The asset's type and where its bytes are."""
        ...

    def model(self, reference: refs.AssetReference) -> tuple[str, Source]: ...

    def job_output(self, reference: refs.JobOutput) -> Source: ...

    def max_instances(self, compute: str) -> int | None:
        """How many instances the compute may have; None for this machine itself, which takes what it is given."""
        ...

    def address(self, url: str, kind: str) -> None:
        """Return if the data at an address can be had as a `kind`; PenstockError, with the remedy, if not."""
        ...

    def table(self, path: str) -> None:
        """Return if an uploaded folder can be read as a table; InvalidDocument with what is wrong with its file, if not."""
        ...

    def place(self, reference: refs.DatastorePath) -> Place:
        """Where a path of a datastore lies."""
        ...

    def has_version(self, kind: str, name: str, version: str) -> bool:
        """Whether there is such a version of `data` or `model`, archived or not."""
        ...


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
    context = _Context(lookup=lookup, names={name: name})
    plan = context.step(name, job, "", default_compute=None, parent=None)
    context.raise_problems()
    return PlannedJob(steps={name: plan}, names={name: name})


def plan_pipeline(job: PipelineJob, names: Mapping[str, str], lookup: Lookup) -> PlannedJob:
    """The plans of a pipeline's steps. `names` gives each step (by its path) the name of its job."""
    context = _Context(lookup, names, datastore_name(job.settings.default_datastore))
    if context.datastore is not None:
        default = refs.DatastorePath(context.datastore, "")
        context.guarded("/settings/default_datastore", lambda: context.lookup.place(default), None)
    scope = Scope(job, names, context.value)
    plans: dict[str, StepPlan] = {}
    pipelines: dict[str, Mapping[str, OutputOf]] = {}
    _plan_within(scope, job.default_compute, context, plans, pipelines)
    context.raise_problems()
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
    def __init__(self, lookup: Lookup, names: Mapping[str, str], datastore: str | None = None) -> None:
        self.lookup = lookup
        self.names = names
        self.datastore = datastore
        self.problems: list[Problem] = []
        self._places = OutputPlaces()
        self._path_of_job = {name: path for path, name in names.items()}

    def raise_problems(self) -> None:
        if self.problems:
            raise InvalidDocument(self.problems)

    def guarded(self, pointer: str, look: Callable[[], T], fallback: T) -> T:
        """What `look` finds; a failed look-up becomes a problem at `pointer`, so that all of them are told at once."""
        try:
            return look()
        except InvalidDocument as error:
            at = [replace(each, pointer=each.pointer or pointer) for each in error.problems]
            self.problems += at
            return fallback
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
        parent: Scope | None,
    ) -> StepPlan:
        ports = step.ports
        inputs = {
            port: self.value(step.inputs.get(port), ports.get(port), f"{pointer}/inputs/{port}", parent)
            for port in step.input_names
        }
        for port, planned in inputs.items():
            self.guarded(f"{pointer}/inputs/{port}", partial(self._check_access, planned), None)
        literal = self._literal_of(inputs, parent)
        compute = _filled(str(step.compute), literal) if step.compute else None
        if compute is None and default_compute is not None:  # its bindings mean the job's inputs
            compute = _filled(default_compute, self._literal_of({}, parent.outermost if parent else None))
        timeout = step.limits.timeout if step.limits else None
        target = _compute_name(compute or LOCAL_COMPUTE)
        planner = ProcessPlanner(pointer, lambda text: _filled(text, literal), self.problems)
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
            outputs=self._outputs(key, step, pointer, parent),
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
            self.problems.append(
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

    def value(self, value: Any, port: Any, pointer: str, parent: Scope | None) -> PlannedInput:
        """One input's value: a literal, a binding, or data; a port's default where nothing was given."""
        if value is None:
            default = getattr(port, "default", None)
            if default is None:
                return PlannedInput(type=_type_of(port, "string"))
            value = default
        if isinstance(value, bool | int | float | str):
            return self._scalar(value, port, pointer, parent)
        if getattr(value, "value", None) is not None:
            return self._scalar(value.value, port, pointer, parent)
        path = value.path
        untyped = "custom_model" if isinstance(path, str) and names_a_model(path) else "uri_folder"
        declared, mode = _type_of(value, _type_of(port, untyped)), getattr(value, "mode", None)
        mode = mode or getattr(port, "mode", None)
        expression = whole(path) if isinstance(path, str) else None
        if expression is not None and parent is not None:
            bound = parent.binding(expression)
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
        parent: Scope | None,
    ) -> PlannedInput:
        if not isinstance(value, str):
            declared = _type_of(port, _literal_type(value))
            return PlannedInput(text=parameter_text(declared, value), type=declared)
        if parent is not None:
            expression = whole(value)
            if expression is not None:
                bound = parent.binding(expression)
                mode = getattr(port, "mode", None) or bound.mode
                default = getattr(port, "default", None)
                if not bound.is_set and default is not None:
                    return self._scalar(default, port, pointer, None)
                declared = _type_of(port, bound.type)
                text = bound.text if bound.text is None else parameter_text(declared, bound.text)
                return PlannedInput(text, bound.source, declared, mode)
            if expressions_in(value):
                text = render(parse_template(value), lambda each: parent.binding(each).text)
                return PlannedInput(text=text, type=_type_of(port, "string"))
        declared = _type_of(port, "string")
        if declared not in PARAMETER_TYPES:  # a data port given by its path alone
            return self._data(value, declared, getattr(port, "mode", None), pointer, explicit=True)
        return PlannedInput(text=parameter_text(declared, value), type=declared)

    def _data(
        self, path: str, declared: str, mode: str | None, pointer: str, *, explicit: bool
    ) -> PlannedInput:
        fallback: tuple[str, Source] = (declared, Uploaded(path))
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
                if declared == "mltable":
                    self.lookup.table(path)
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
        if value.build is not None:
            build = value.build
            return self.guarded(pointer, lambda: self.lookup.build(build, label, f"{pointer}/build"), nothing)
        return PlannedEnvironment(label, value.image, value.conda_file)

    def _outputs(
        self, key: str, step: CommandJob | CommandStep, pointer: str, parent: Scope | None
    ) -> dict[str, PlannedOutput]:
        name, outputs = self.names[key], dict[str, PlannedOutput]()
        for port in dict.fromkeys([*step.output_ports, *step.outputs]):
            wish = (
                parent.wish(key.rpartition("/")[2], port)
                if parent is not None
                else _wish_of(step.outputs.get(port))
            )
            datastore, path = self.guarded(
                f"{pointer}/outputs/{port}",
                lambda port=port, wish=wish: output_place(  # type: ignore[misc]
                    name, port, wish.type, wish.path, self.datastore
                ),
                (BLOB_STORE, ""),
            )
            root, inside = self.guarded(
                f"{pointer}/outputs/{port}",
                partial(self._root_of, datastore, path),
                ("", ""),
            )
            outputs[port] = PlannedOutput(
                wish.type, wish.mode, datastore, path, root, inside, wish.name, wish.version
            )
            self._must_be_free(wish, f"{pointer}/outputs/{port}")
            taken = self._places.take(outputs[port], key if parent else None, port)
            if taken is not None:
                self.problems.append(Problem(f"{pointer}/outputs/{port}", *taken))
        return outputs

    def _check_access(self, planned: PlannedInput) -> None:
        """Whether the input's data can be had in its mode."""
        source = planned.source
        if isinstance(source, AtAddress) and planned.mode != "direct":
            self.lookup.address(source.url, planned.type)
        is_own = isinstance(source, InDatastore) and not source.path.startswith(f"{UPLOADS}/")
        if planned.mode == "rw_mount" and source is not None and not is_own:
            raise PenstockError(
                "an input of mode rw_mount is written to where it lies, and this one must not change",
                hint="use `mode: download` for a private copy, or give a place in a datastore",
            )

    def _must_be_free(self, wish: OutputWish, pointer: str) -> None:
        """A version that exists already cannot be registered: better told now than after the training."""
        kind = "model" if wish.type in MODEL_TYPES else "data"
        if wish.name and wish.version and self.lookup.has_version(kind, wish.name, wish.version):
            self.problems.append(
                Problem(
                    pointer,
                    f"the output is to be registered as {kind} `{wish.name}:{wish.version}`, which exists already",
                    hint="leave `version` out to get the next one, or name a new one",
                    code="taken",
                )
            )

    def _root_of(self, datastore: str, path: str) -> tuple[str, str]:
        """The folder outside the workspace that an output is written to, and the path there; empty for one inside."""
        place = self.lookup.place(refs.DatastorePath(datastore, path))
        return (str(place.root), place.inside) if place.is_elsewhere else ("", "")


def _wish_of(value: Any) -> OutputWish:
    mode, path = getattr(value, "mode", None), getattr(value, "path", None)
    name, version = getattr(value, "name", None), getattr(value, "version", None)
    return OutputWish(_type_of(value, "uri_folder"), str(mode or "rw_mount"), path, name, version)


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


def _words_of(docker_args: str | list[str] | None) -> tuple[str, ...]:
    """One text or several, as the arguments that they are."""
    texts = [docker_args] if isinstance(docker_args, str) else docker_args or []
    return tuple(word for text in texts for word in shlex.split(text))
