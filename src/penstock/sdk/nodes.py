"""Commands and components: called inside a pipeline they are steps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock.errors import UsageError
from penstock.sdk.ports import Output, Value, values_of
from penstock.sdk.steps import Step, current

if TYPE_CHECKING:
    from penstock.resources.reading import Document

# Any in this module: a JSON value.

_SCRIPT = re.compile(r"([A-Za-z_]\w*)\.(?:py|sh|R)\b")
_ASSET = re.compile(r"azureml:([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Command:
    """A command with its code and environment: a job of its own, or, called inside a pipeline, a step."""

    fields: Mapping[str, Any]
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Output]

    def __call__(self, **inputs: Value) -> Step:
        """A step of the pipeline whose function is being run; `inputs` count before the command's own."""
        body = {
            **{name: value for name, value in self.fields.items() if name not in _OF_JOBS},
            "outputs": {name: output.to_data() for name, output in self.outputs.items()},
        }
        given = {**self.inputs, **inputs}
        declared = {name: output.type for name, output in self.outputs.items()}
        return current("a command").add(self.suggested_key(), body, given, declared)

    def suggested_key(self) -> str:
        """Its name; else that of the script which it runs."""
        found = _SCRIPT.search(str(self.fields["command"]))
        return str(self.fields.get("name") or (found[1] if found else "step"))

    def with_inputs(self, **inputs: Value) -> "Command":
        """The same command with other inputs, to be submitted as a job."""
        return replace(self, inputs={**self.inputs, **inputs})

    def document(self) -> "Document":
        """The command as a job's document."""
        from penstock.resources.reading import document_from_data

        data = {
            "type": "command",
            **self.fields,
            "inputs": values_of(self.inputs),
            "outputs": {name: output.to_data() for name, output in self.outputs.items()},
        }
        return document_from_data("job", data, base=Path.cwd())


# What a job has and a step does not.
_OF_JOBS = frozenset({"name", "experiment_name"})


@dataclass(frozen=True)
class Component:
    """A component, by its file or its reference: called inside a pipeline, it is a step.

    `outputs` are None where only the server knows them.
    """

    component: str
    name: str
    outputs: Mapping[str, str] | None

    def __call__(self, **inputs: Value) -> Step:
        """A step of the pipeline whose function is being run."""
        return current("a component").add(
            self.name, {"component": self.component}, dict(inputs), self.outputs
        )

    def document(self) -> "Document":
        """Its file, for `client.components.create`. UsageError where it is a reference: that one is registered."""
        from penstock.resources.reading import read_document

        if self.outputs is None:
            raise UsageError(
                f"`{self.component}` is registered already",
                hint="a new version is made from a file: load_component('train.yml')",
            )
        return read_document(Path(self.component), "component")


def command(
    command: str,
    *,
    environment: str | PathLike[str] | Mapping[str, Any],
    code: str | PathLike[str] | None = None,
    inputs: Mapping[str, Value] | None = None,
    outputs: Mapping[str, Output] | None = None,
    name: str | None = None,
    compute: str | None = None,
    environment_variables: Mapping[str, str] | None = None,
    **fields: Any,
) -> Command:
    """A command as `commandJob` files have it: `${{inputs.x}}` and `${{outputs.y}}` in the text are filled in.

    Relative paths start from the current folder. `fields` are further fields of the file: `display_name`, `limits`,
    `resources`, `distribution`, `tags`, `experiment_name` …; the server says which it does not know.
    """
    every = {
        "name": name,
        "command": command,
        "code": None if code is None else fspath(code),
        "environment": fspath(environment) if isinstance(environment, PathLike) else environment,
        "compute": compute,
        "environment_variables": environment_variables,
        **fields,
    }
    given = {key: value for key, value in every.items() if value is not None}
    return Command(given, dict(inputs or {}), dict(outputs or {}))


def load_component(source: str | PathLike[str]) -> Component:
    """A component from its YAML file, or a registered one by `azureml:name@latest`, for use in a pipeline."""
    text = fspath(source)
    if text.startswith("azureml:"):
        found = _ASSET.match(text)
        return Component(text, found[1] if found else "step", None)
    from penstock.resources.reading import read_document

    document = read_document(Path(text), "component")
    outputs = document.data.get("outputs")
    declared = {
        str(name): str(port.get("type", "uri_folder")) if isinstance(port, Mapping) else "uri_folder"
        for name, port in (outputs if isinstance(outputs, Mapping) else {}).items()
    }
    name = str(document.data.get("name") or Path(text).stem)
    return Component(str(Path(text).absolute()), name, declared)
