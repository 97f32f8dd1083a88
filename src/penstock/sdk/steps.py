"""The steps of a pipeline while its function is being run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import UsageError
from penstock.resources.nearest import did_you_mean
from penstock.sdk.ports import Binding, Value, output_data, values_of

# Any in this module: a JSON value.


@dataclass(frozen=True)
class Step:
    """A command or component in its place in a pipeline. `outputs` are bound to inputs of other steps.

    Its settings may be changed until the pipeline's function returns: `step.settings["compute"] = "azureml:big"`,
    `step.settings["outputs"] = {"clean": Output(name="rides")}`.
    """

    key: str
    body: Mapping[str, Any]
    inputs: dict[str, Value]
    declared: Mapping[str, str] | None
    settings: dict[str, Any] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)

    @property
    def outputs(self) -> "StepOutputs":
        """Its outputs by name: `step.outputs.model`."""
        return StepOutputs(self)

    def to_data(self) -> dict[str, Any]:
        """As it stands under `jobs` in a YAML file."""
        own = {name: output_data(each) for name, each in self.settings.get("outputs", {}).items()}
        more = {
            "inputs": {**values_of(self.inputs), **self.settings.get("inputs", {})},
            "outputs": {**self.body.get("outputs", {}), **own, **self.bound},
        }
        data = {**self.body, **self.settings, **more}
        return {name: value for name, value in data.items() if value not in ({}, None)}


class StepOutputs:
    """The outputs of one step. Asking for one that the step does not have says which there are."""

    def __init__(self, step: Step) -> None:
        self._step = step

    def __getattr__(self, name: str) -> Binding:
        if name.startswith("__"):
            raise AttributeError(name)
        return self[name]

    def __getitem__(self, name: str) -> Binding:
        declared = self._step.declared
        if declared is not None and name not in declared:
            known = ", ".join(f"`{each}`" for each in declared) or "none"
            near = did_you_mean(name, declared)
            message = f"step `{self._step.key}` has no output `{name}`; its outputs: {known}"
            raise AttributeError(f"{message}; {near}" if near else message)
        kind = "uri_folder" if declared is None else declared[name]
        return Binding(f"${{{{parent.jobs.{self._step.key}.outputs.{name}}}}}", kind)


@dataclass
class Draft:
    """A pipeline that is being drawn up: its steps in the order in which they were called."""

    steps: dict[str, Step] = field(default_factory=dict)

    def add(
        self, key: str, body: Mapping[str, Any], inputs: dict[str, Value], declared: Mapping[str, str] | None
    ) -> Step:
        """A new step; one whose key is taken gets a number: `prep`, `prep_2`."""
        wanted = "".join(sign if sign.isalnum() else "_" for sign in key.lower()).strip("_") or "step"
        wanted = f"step_{wanted}" if wanted[0].isdigit() else wanted
        free, number = wanted, 1
        while free in self.steps:
            number += 1
            free = f"{wanted}_{number}"
        step = Step(free, body, inputs, declared)
        self.steps[free] = step
        return step


_DRAFTS: ContextVar[tuple[Draft, ...]] = ContextVar("penstock_drafts", default=())


@contextmanager
def drawing_up() -> Iterator[Draft]:
    """A new draft, which what is called inside becomes a step of."""
    draft = Draft()
    token = _DRAFTS.set((*_DRAFTS.get(), draft))
    try:
        yield draft
    finally:
        _DRAFTS.reset(token)


def is_drawing_up() -> bool:
    """Whether a pipeline's function is being run."""
    return bool(_DRAFTS.get())


def current(what: str) -> Draft:
    """The innermost draft. UsageError outside of any, where `what` was called."""
    drafts = _DRAFTS.get()
    if not drafts:
        raise UsageError(
            f"{what} was called outside a pipeline: calling it makes a step",
            hint="call it in a function decorated with @pipeline; a command alone is submitted by client.jobs.create(command)",
        )
    return drafts[-1]
