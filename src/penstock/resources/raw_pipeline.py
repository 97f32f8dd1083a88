"""A pipeline document as it stands, perhaps malformed: what its bindings lead to, without trusting any of its parts."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import ValidationError

from penstock.resources.expressions import Expression, whole
from penstock.resources.ports import PARAMETER_TYPES, InputPort

# The default artifact folder of a job is an output that every step has; it only needs to be named.
DEFAULT_OUTPUTS = frozenset({"artifacts", "default"})


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
    """One step."""

    key: str
    data: Mapping[str, Any]

    @property
    def component(self) -> Mapping[str, Any] | None:
        component = self.data.get("component")
        return component if isinstance(component, Mapping) else None

    @property
    def is_understood(self) -> bool:
        """Whether its ports can be known: not for step types and components that are refused."""
        kinds = {str((part or {}).get("type") or "command").lower() for part in (self.data, self.component)}
        return kinds == {"command"} and not isinstance(self.data.get("component"), str)

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
        return frozenset(map(str, mapping(self.component.get("outputs")))) | (own & DEFAULT_OUTPUTS)

    @cached_property
    def ports(self) -> Mapping[str, InputPort]:
        """What the component declares about its inputs, as far as that can be read."""
        ports: dict[str, InputPort] = {}
        for name, declared in self.declared_inputs.items() if self.component is not None else ():
            with suppress(ValidationError):  # the schema says what is wrong with it
                ports[str(name)] = InputPort.model_validate(declared)
        return ports


class RawPipeline:
    """The whole pipeline."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data
        self.inputs = mapping(data.get("inputs"))
        self.outputs = mapping(data.get("outputs"))
        self.steps = {
            str(key): RawStep(str(key), mapping(step)) for key, step in mapping(data.get("jobs")).items()
        }

    @property
    def default_compute(self) -> object:
        return mapping(self.data.get("settings")).get("default_compute") or self.data.get("compute")

    @property
    def names_any_compute(self) -> bool:
        """Whether a compute other than `local` is named: only then is a step without one an oversight."""
        named = (self.default_compute, *(step.data.get("compute") for step in self.steps.values()))
        return any(compute and compute not in LOCAL for compute in named)

    def source_of(self, value: object, seen: frozenset[tuple[str, str]] = frozenset()) -> Source:
        """What a step's input comes to. `seen` are step inputs already on the way: a chain may lead back to itself."""
        expression = binding_of(value)
        if expression is None:
            return _source_of_value(value)
        path = expression.path
        if expression.scope in ("parent.inputs", "inputs"):
            name = ".".join(path)
            return _source_of_value(self.inputs[name]) if name in self.inputs else UNKNOWN
        if expression.scope != "parent.jobs" or path[0] not in self.steps:
            return UNKNOWN
        step, port = self.steps[path[0]], ".".join(path[2:])
        if path[1] == "outputs":
            return DATA if port in step.declared_outputs else UNKNOWN
        if (step.key, port) in seen:
            return UNKNOWN
        return self.source_of_input(step, port, seen | {(step.key, port)})

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
