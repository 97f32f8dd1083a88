"""A pipeline document as it stands, perhaps malformed: what its bindings lead to, without trusting any of its parts."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import ValidationError

from penstock.errors import Problem
from penstock.resources.expressions import Expression, whole
from penstock.resources.job_types import spelled_type, step_type
from penstock.resources.ports import PARAMETER_TYPES, InputPort
from penstock.resources.wording import pointer_of

# The default artifact folder of a job is an output that every step has; it only needs to be named.
DEFAULT_OUTPUTS = frozenset({"artifacts", "default"})

MOST_LEVELS = 10
"""How many pipelines may stand inside one another, the outermost included."""


@dataclass(frozen=True)
class Source:
    """Where an input's value comes from in the end.

    `unset` is an input that was left out; `unknown` one whose source is itself wrong (and reported there).
    """

    kind: Literal["literal", "data", "unset", "unknown"]
    value: object = None


LOCAL = ("local", "azureml:local")
UNSET, UNKNOWN, DATA = Source("unset"), Source("unknown"), Source("data")


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, otherwise an empty one: the schema says what is wrong with it."""
    return value if isinstance(value, Mapping) else {}


def binding_of(value: object) -> Expression | None:
    """The binding that an input or output is given as, by itself or as its `path` or `value`."""
    for text in (value, mapping(value).get("path"), mapping(value).get("value")):
        expression = whole(text) if isinstance(text, str) else None
        if expression is not None:
            return expression
    return None


def texts_of_input(pointer: str, value: object) -> Iterator[tuple[str, str]]:
    """The texts of an input that may hold bindings, each with its pointer."""
    if isinstance(value, str):
        yield pointer, value
    for key in ("path", "value"):
        text = mapping(value).get(key)
        if isinstance(text, str):
            yield f"{pointer}/{key}", text


def is_unset(value: object) -> bool:
    """Whether an input was declared and given no value."""
    given = mapping(value)
    return value is None or bool(given.get("optional") and not {"path", "value", "default"} & given.keys())


@dataclass(frozen=True)
class RawStep:
    """One step. `called` is its name in messages: a job that is made of a component counts as a step of its own."""

    key: str
    data: Mapping[str, Any]
    called: str = ""

    def __post_init__(self) -> None:
        if not self.called:
            object.__setattr__(self, "called", f"step `{self.key}`")

    @property
    def component(self) -> Mapping[str, Any] | None:
        component = self.data.get("component")
        return component if isinstance(component, Mapping) else None

    @cached_property
    def is_understood(self) -> bool:
        """Whether its ports can be known: not for step types and components that are refused."""
        kind = step_type(self.data)
        if self.component is None:
            return kind == "command" and not isinstance(self.data.get("component"), str)
        return kind in ("command", "pipeline") and spelled_type(self.component) == kind

    @cached_property
    def is_pipeline(self) -> bool:
        """Whether it holds steps of its own."""
        return self.is_understood and step_type(self.data) == "pipeline"

    @property
    def inputs(self) -> Mapping[str, Any]:
        return mapping(self.data.get("inputs"))

    @property
    def outputs(self) -> Mapping[str, Any]:
        return mapping(self.data.get("outputs"))

    @property
    def declared_inputs(self) -> Mapping[str, Any]:
        """The names that its command may use."""
        return self.inputs if self.component is None else mapping(self.component.get("inputs"))

    @property
    def declared_outputs(self) -> frozenset[str]:
        own = frozenset(map(str, self.outputs))
        if self.component is None:
            return own
        of_every_step = frozenset() if self.is_pipeline else own & DEFAULT_OUTPUTS
        return frozenset(map(str, mapping(self.component.get("outputs")))) | of_every_step

    @cached_property
    def ports(self) -> Mapping[str, InputPort]:
        """What the component declares about its inputs, as far as that can be read."""
        return _ports(self.declared_inputs) if self.component is not None else {}


class RawPipeline:
    """A pipeline: a job's, that of a component which a step uses (`around` is that step, and the pipeline it is in),
    or a component's on its own (`is_component`). `pointer` is where `data` stands in the document.
    """

    def __init__(
        self,
        data: Mapping[str, Any],
        *,
        pointer: str = "",
        around: "tuple[RawPipeline, RawStep] | None" = None,
        is_component: bool = False,
    ) -> None:
        self.data = data
        self.pointer = pointer
        self.around = around
        self.is_component = is_component
        self.inputs = mapping(data.get("inputs"))
        self.outputs = mapping(data.get("outputs"))
        self.of_component: RawPipeline | None = None
        """The pipeline of the component that a job names in place of `jobs`."""
        jobs = mapping(data.get("jobs"))
        if around is None and not is_component and isinstance(data.get("component"), Mapping):
            itself, jobs = RawStep("", {**data, "type": "pipeline"}, "the job"), {}
            if itself.is_pipeline:
                self.of_component = RawPipeline(
                    mapping(data["component"]), pointer="/component", around=(self, itself)
                )
        self.steps = {str(key): RawStep(str(key), mapping(step)) for key, step in jobs.items()}

    @cached_property
    def inner(self) -> "Mapping[str, RawPipeline]":
        """The pipelines that are its steps, by their keys."""
        return {
            key: RawPipeline(
                step.component or {},
                pointer=self.pointer + pointer_of(("jobs", key, "component")),
                around=(self, step),
            )
            for key, step in self.steps.items()
            if step.is_pipeline
        }

    @property
    def all_inner(self) -> "tuple[RawPipeline, ...]":
        """Every pipeline directly inside: its steps', and that of a job's component."""
        return (*((self.of_component,) if self.of_component else ()), *self.inner.values())

    @cached_property
    def _ports(self) -> Mapping[str, InputPort]:
        return _ports(self.inputs)

    @property
    def outermost(self) -> "RawPipeline":
        return self if self.around is None else self.around[0].outermost

    @property
    def default_compute(self) -> object:
        """That of the whole job: a pipeline inside has none of its own."""
        data = self.outermost.data
        return mapping(data.get("settings")).get("default_compute") or data.get("compute")

    @cached_property
    def names_any_compute(self) -> bool:
        """Whether a compute other than `local` is named, anywhere: only then is a step without one an oversight."""
        if self.around is not None:
            return self.outermost.names_any_compute
        return any(compute and compute not in LOCAL for compute in (self.default_compute, *self.computes()))

    def computes(self) -> Iterator[object]:
        """What the steps name, those of inner pipelines too."""
        yield from (step.data.get("compute") for step in self.steps.values() if not step.is_pipeline)
        for pipeline in self.all_inner:
            yield from pipeline.computes()

    def writes(self, output: str) -> bool:
        """Whether a step writes the pipeline's output."""
        for key, step in self.steps.items():
            for port, value in step.outputs.items():
                bound = binding_of(value)
                if bound and bound.scope in ("parent.outputs", "outputs") and ".".join(bound.path) == output:
                    return key not in self.inner or self.inner[key].writes(str(port))
        return False

    def source_of(self, value: object, seen: frozenset[tuple[str, str]] = frozenset()) -> Source:
        """What a step's input comes to. `seen` are step inputs already on the way: a chain may lead back to itself."""
        expression = binding_of(value)
        if expression is None:
            return _source_of_value(value)
        path = expression.path
        if expression.scope in ("parent.inputs", "inputs"):
            return self._source_of_own(".".join(path))
        if expression.scope != "parent.jobs" or path[0] not in self.steps:
            return UNKNOWN
        step, port = self.steps[path[0]], ".".join(path[2:])
        if path[1] == "outputs":
            return DATA if port in step.declared_outputs else UNKNOWN
        if (step.key, port) in seen:
            return UNKNOWN
        return self.source_of_input(step, port, seen | {(step.key, port)})

    def _source_of_own(self, name: str) -> Source:
        """What the pipeline's own input comes to: given by a job's file, or from around a component."""
        if name not in self.inputs:
            return UNKNOWN
        if self.around is None and not self.is_component:
            return _source_of_value(self.inputs[name])
        port = self._ports.get(name)
        if port is None:
            return UNKNOWN
        if self.around is None:  # whoever uses the component will say
            if port.is_data:
                return DATA
            return UNSET if port.optional and port.default is None else UNKNOWN
        outer, step = self.around
        source = outer.source_of_input(step, name)
        if source.kind == "literal":  # one that does not fit is told where it is given
            return UNKNOWN if port.misfit(source.value) else DATA if port.is_data else source
        if source.kind == "unset":
            return UNKNOWN if port.is_required else source
        return source if port.is_data else UNKNOWN

    def source_of_input(
        self, step: RawStep, name: str, seen: frozenset[tuple[str, str]] = frozenset()
    ) -> Source:
        """What the step's input comes to, its component's default included."""
        if name not in step.inputs and name not in step.declared_inputs:
            return UNKNOWN
        source = self.source_of(step.inputs.get(name), seen) if step.inputs.get(name) is not None else UNSET
        port = step.ports.get(name)
        if source is UNSET and port is not None and port.default is not None:
            return DATA if port.is_data else Source("literal", port.default)
        return source


def too_deep(data: Mapping[str, Any], *, is_component: bool = False) -> Problem | None:
    """Pipelines inside pipelines beyond what is looked into. Walks without recursion: the document may be anything."""
    waiting = [("", data, 1)]
    while waiting:
        pointer, body, level = waiting.pop()
        if level > MOST_LEVELS:
            message = f"pipelines stand inside one another more than {MOST_LEVELS} deep"
            return Problem(pointer, message, expected=f"at most {MOST_LEVELS} levels, the outermost included")
        inside = [(pointer_of(("jobs", str(key))), step) for key, step in mapping(body.get("jobs")).items()]
        if not pointer and not is_component:
            inside.append(("", body))
        for below, step in inside:
            component = mapping(step).get("component")
            if isinstance(component, Mapping):
                waiting.append((f"{pointer}{below}/component", component, level + bool(below)))
    return None


def _ports(declared: Mapping[str, Any]) -> dict[str, InputPort]:
    ports: dict[str, InputPort] = {}
    for name, value in declared.items():
        with suppress(ValidationError):  # the schema says what is wrong with it
            ports[str(name)] = InputPort.model_validate(value)
    return ports


def _source_of_value(value: object) -> Source:
    if value is None:
        return UNSET
    if isinstance(value, bool | int | float):
        return Source("literal", value)
    if isinstance(value, str):
        # Bindings inside a longer text: the text is known only when they are filled in.
        return UNKNOWN if "${{" in value else Source("literal", value)
    given = mapping(value)
    for key in ("value", "default"):
        if given.get(key) is not None:
            if given.get("type") in (*PARAMETER_TYPES, "float", None):
                return _source_of_value(given[key])
            return DATA
    return DATA if given.get("path") is not None else UNSET if given else UNKNOWN
