"""`@pipeline`: a function whose calls of commands and components are the steps of a pipeline."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from penstock.errors import UsageError
from penstock.resources.nearest import did_you_mean
from penstock.sdk.ports import Binding, Input, Output, Value, type_of, values_of
from penstock.sdk.steps import Step, current, drawing_up, is_drawing_up

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any in this module: a JSON value.

# An input that may be left out, and is. Its type is that of whatever it is bound to.
_LEFT_OUT: Mapping[str, Any] = {"optional": True}

Function = Callable[..., Mapping[str, Binding] | None]


@dataclass(frozen=True)
class Pipeline:
    """A pipeline that can be submitted: its data are what a `pipelineJob` file would hold."""

    data: Mapping[str, Any]

    def with_outputs(self, **outputs: Output) -> "Pipeline":
        """The same pipeline with more said about its outputs: a `path`, a `mode`, a `name` to be registered under.

        An output keeps the type of the step's output that it is, unless another than `uri_folder` is given.
        """
        declared = self.data["outputs"]
        strange = next((name for name in outputs if name not in declared), None)
        if strange is not None:
            known = ", ".join(f"`{name}`" for name in declared) or "none"
            message = f"the pipeline has no output `{strange}`; its outputs: {known}"
            raise UsageError(message, hint=did_you_mean(strange, declared))
        said = {
            name: {**output.to_data(), **(declared[name] if output.type == Output().type else {})}
            for name, output in outputs.items()
        }
        return Pipeline({**self.data, "outputs": {**declared, **said}})

    def document(self) -> "Document":
        """The pipeline as a job's document. Relative paths in it start from the current folder."""
        from penstock.resources.reading import document_from_data

        return document_from_data("job", dict(self.data), base=Path.cwd())


@dataclass(frozen=True)
class PipelineFunction:
    """A decorated function. Called, it gives a pipeline; called inside another pipeline, a step that is a pipeline."""

    function: Function
    fields: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The function's name, which is also the pipeline's."""
        return self.function.__name__

    def __call__(self, *args: Value, **kwargs: Value) -> Any:
        """`Pipeline`, or `Step` inside another pipeline's function."""
        values = self._bound(args, kwargs)
        body, outputs = self._body(values)
        if is_drawing_up():
            return self._as_step(values, body, outputs)
        return Pipeline(
            {
                "type": "pipeline",
                "display_name": self.name,
                **_job_fields(self.fields),
                "inputs": {**dict.fromkeys(values, _LEFT_OUT), **values_of(values)},
                "outputs": {name: {"type": binding.type} for name, binding in outputs.items()},
                **body,
            }
        )

    def _as_step(
        self, values: Mapping[str, Value], body: Mapping[str, Any], outputs: Mapping[str, Binding]
    ) -> Step:
        component = {
            "type": "pipeline",
            "inputs": {name: _port_of(value) for name, value in values.items()},
            "outputs": {name: {"type": binding.type} for name, binding in outputs.items()},
            **body,
        }
        declared = {name: binding.type for name, binding in outputs.items()}
        return current("a pipeline").add(
            self.name, {"type": "pipeline", "component": component}, dict(values), declared
        )

    def _bound(self, args: tuple[Value, ...], kwargs: Mapping[str, Value]) -> dict[str, Value]:
        signature = inspect.signature(self.function)
        strange = next((name for name in kwargs if name not in signature.parameters), None)
        if strange is not None:
            known = ", ".join(f"`{name}`" for name in signature.parameters) or "none"
            raise UsageError(
                f"pipeline `{self.name}` has no input `{strange}`; its inputs: {known}",
                hint=did_you_mean(strange, signature.parameters),
            )
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise UsageError(f"pipeline `{self.name}`: {error}") from error
        bound.apply_defaults()
        return dict(bound.arguments)

    def _body(self, values: Mapping[str, Value]) -> tuple[dict[str, Any], dict[str, Binding]]:
        """The steps under `jobs`, and what the function returned: its outputs by name."""
        with drawing_up() as draft:
            given = {
                name: Binding(f"${{{{parent.inputs.{name}}}}}", type_of(value))
                for name, value in values.items()
            }
            returned = self.function(**given)
        outputs = dict(returned or {})
        for name, binding in outputs.items():
            self._bind(name, binding, draft.steps)
        return {"jobs": {key: step.to_data() for key, step in draft.steps.items()}}, outputs

    def _bind(self, name: str, binding: Binding, steps: Mapping[str, Step]) -> None:
        for step in steps.values():
            start = f"${{{{parent.jobs.{step.key}.outputs."
            if isinstance(binding, Binding) and binding.expression.startswith(start):
                port = binding.expression.removeprefix(start).removesuffix("}}")
                step.bound[port] = f"${{{{parent.outputs.{name}}}}}"
                return
        raise UsageError(
            f"pipeline `{self.name}` returns `{name}`, which is no output of one of its steps",
            hint='return a mapping such as {"model": train.outputs.model}',
        )


@overload
def pipeline(function: Function, /) -> PipelineFunction: ...


@overload
def pipeline(
    *,
    default_compute: str | None = None,
    default_datastore: str | None = None,
    continue_on_step_failure: bool | None = None,
    force_rerun: bool | None = None,
    **fields: Any,
) -> Callable[[Function], PipelineFunction]: ...


def pipeline(
    function: Function | None = None,
    /,
    *,
    default_compute: str | None = None,
    default_datastore: str | None = None,
    continue_on_step_failure: bool | None = None,
    force_rerun: bool | None = None,
    **fields: Any,
) -> PipelineFunction | Callable[[Function], PipelineFunction]:
    """Make a function a pipeline: its parameters are the inputs, the mapping that it returns the outputs.

    `fields` are further fields of a `pipelineJob` file: `name`, `display_name`, `experiment_name`, `description`, `tags` ….
    """
    settings = {
        "default_compute": _reference(default_compute),
        "default_datastore": _reference(default_datastore),
        "continue_on_step_failure": continue_on_step_failure,
        "force_rerun": force_rerun,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    every = {**fields, "settings": given} if given else fields

    def decorate(decorated: Function) -> PipelineFunction:
        return PipelineFunction(decorated, every)

    return decorate if function is None else decorate(function)


def _reference(name: str | None) -> str | None:
    return name if name is None or name.startswith("azureml:") else f"azureml:{name}"


def _job_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _port_of(value: Value) -> dict[str, Any]:
    """The port of a pipeline component that takes this value."""
    if value is None:
        return {"type": "string", "optional": True}
    port: dict[str, Any] = {"type": type_of(value)}
    if not isinstance(value, Input | Binding):
        port["default"] = value
    return port
