"""What `${{parent…}}` means to the steps of a pipeline, in the job itself and in pipelines inside it.

A step is named by its path from the job: `train`, or `train/fit` for the step `fit` of the pipeline that is step `train`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from penstock.jobs.plans import OutputOf, PlannedInput
from penstock.resources.expressions import Expression, whole
from penstock.resources.job import CommandStep, PipelineJob, PipelineStep
from penstock.resources.wording import pointer_of

AnyStep = CommandStep | PipelineStep
# An input's value as it stands in the document, its port, where it stands, and the scope that its bindings mean.
Resolve = Callable[[Any, Any, str, "Scope | None"], PlannedInput]


@dataclass(frozen=True)
class Placed:
    """A step and where it stands in the document."""

    step: AnyStep
    pointer: str


@dataclass(frozen=True)
class OutputWish:
    """What is said about a step's output, by itself and by all pipeline outputs that it is bound to."""

    type: str
    mode: str
    path: str | None
    name: str | None = None
    version: str | None = None


def steps_within(job: PipelineJob) -> dict[str, Placed]:
    """Every step of a job by its path, in the order of the file; a pipeline stands before its own steps."""
    start = "/component/jobs" if job.inner is not None else "/jobs"
    return dict(_walk(job.steps, "", start))


def _walk(steps: Mapping[str, AnyStep], above: str, pointer: str) -> Iterator[tuple[str, Placed]]:
    for key, step in steps.items():
        here = pointer + pointer_of((key,))
        yield above + key, Placed(step, here)
        if isinstance(step, PipelineStep):
            yield from _walk(step.inner.jobs, f"{above}{key}/", f"{here}/component/jobs")


class Scope:
    """One pipeline as its steps see it. `above` is the path that its steps' keys are put behind."""

    def __init__(
        self,
        job: PipelineJob,
        names: Mapping[str, str],
        resolve: Resolve,
        *,
        outer: "Scope | None" = None,
        key: str = "",
    ) -> None:
        self._job = job
        self._names = names
        self._resolve = resolve
        self._outer = outer
        self._key = key
        self._inputs: dict[str, PlannedInput] = {}
        if outer is None:
            self.above, self.steps = "", job.steps
            self.pointer = "/component/jobs" if job.inner is not None else "/jobs"
        else:
            step = outer.steps[key]
            assert isinstance(step, PipelineStep)
            self.above, self.steps = f"{outer.above}{key}/", step.inner.jobs
            self.pointer = f"{outer.pointer}/{key}/component/jobs"

    @property
    def outermost(self) -> "Scope":
        return self if self._outer is None else self._outer.outermost

    @cached_property
    def inner(self) -> "Mapping[str, Scope]":
        """The scopes of the steps that are pipelines."""
        return {
            key: Scope(self._job, self._names, self._resolve, outer=self, key=key)
            for key, step in self.steps.items()
            if isinstance(step, PipelineStep)
        }

    def input(self, name: str) -> PlannedInput:
        """The pipeline's own input: from the job, or from the step that the pipeline is."""
        if name not in self._inputs:
            self._inputs[name] = self._resolved(name)
        return self._inputs[name]

    def _resolved(self, name: str) -> PlannedInput:
        if self._outer is None:
            job = self._job
            return self._resolve(job.inputs.get(name), job.ports.get(name), f"/inputs/{name}", None)
        step = self._outer.steps[self._key]
        pointer = f"{self._outer.pointer}/{self._key}/inputs/{name}"
        return self._resolve(step.inputs.get(name), step.ports.get(name), pointer, self._outer)

    def binding(self, expression: Expression) -> PlannedInput:
        """What a step's input gets when it is bound to `expression`."""
        path = expression.path
        if expression.scope in ("parent.inputs", "inputs"):
            return self.input(".".join(path))
        key, kind, port = path[0], path[1], ".".join(path[2:])
        if kind == "inputs":
            if key in self.inner:
                return self.inner[key].input(port)
            step = self.steps[key]
            pointer = f"{self.pointer}/{key}/inputs/{port}"
            return self._resolve(step.inputs.get(port), step.ports.get(port), pointer, self)
        return self.output(key, port)

    def output(self, key: str, port: str) -> PlannedInput:
        """A step's output as an input of another; that of a pipeline is its writer's."""
        if key not in self.inner:
            return PlannedInput(
                source=OutputOf(self._names[self.above + key], port), type=self.wish(key, port).type
            )
        writer = self.inner[key].writer_of(port)
        return PlannedInput(type="uri_folder") if writer is None else self.inner[key].output(*writer)

    def writer_of(self, output: str) -> tuple[str, str] | None:
        """The step, and which of its outputs, that the pipeline's output is bound to."""
        for key, step in self.steps.items():
            for port, value in step.outputs.items():
                if bound_output(value) == output:
                    return key, port
        return None

    def written(self) -> dict[str, OutputOf]:
        """For each output of the pipeline that a step writes, which command's output it is in the end."""
        bound = {
            bound_output(value): (key, port)
            for key, step in self.steps.items()
            for port, value in step.outputs.items()
        }
        found = {name: self.output(*writer).source for name, writer in bound.items() if name is not None}
        return {name: source for name, source in found.items() if isinstance(source, OutputOf)}

    def wish(self, key: str, port: str) -> OutputWish:
        """The inner word counts for the type, the outer one for where it is written and how."""
        step = self.steps[key]
        own, declared = step.outputs.get(port), step.output_ports.get(port)
        around = list(self._said_around(bound_output(own)))
        outside_in = [*reversed(around), own, declared]
        kind = next((each.type for each in (own, declared, *around) if getattr(each, "type", None)), None)
        mode = next((each.mode for each in outside_in if getattr(each, "mode", None)), None)
        paths = (getattr(each, "path", None) for each in outside_in)
        path = next((path for path in paths if path is not None and bound_output(path) is None), None)
        named = next((each for each in outside_in if getattr(each, "name", None)), None)
        name, version = getattr(named, "name", None), getattr(named, "version", None)
        return OutputWish(str(kind or "uri_folder"), str(mode or "rw_mount"), path, name, version)

    def _said_around(self, output: str | None) -> Iterator[Any]:
        """What is said of a pipeline's output, from the inside out: by its component, its step, what that is bound to."""
        if output is None:
            return
        if self._outer is None:
            if self._job.inner is not None:
                yield self._job.inner.outputs.get(output)
            yield self._job.outputs.get(output)
            return
        step = self._outer.steps[self._key]
        yield step.output_ports.get(output)
        yield step.outputs.get(output)
        yield from self._outer._said_around(bound_output(step.outputs.get(output)))


def bound_output(value: Any) -> str | None:
    """The pipeline's output that a step's output is bound to."""
    text = value if isinstance(value, str) else getattr(value, "path", None)
    expression = whole(text) if isinstance(text, str) else None
    if expression is not None and expression.scope in ("parent.outputs", "outputs"):
        return ".".join(expression.path)
    return None
