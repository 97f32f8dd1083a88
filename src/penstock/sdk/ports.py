"""What goes into a step and what comes out of it: values, data, and bindings between steps."""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike, fspath
from typing import Any

# Any in this module: a JSON value.

Literal = str | int | float | bool


@dataclass(frozen=True)
class Input:
    """Data for a job, or the port of a command that will be a step.

    `type` is `uri_file`, `uri_folder`, `mltable`, `custom_model` or `mlflow_model`; `path` a local path, an address, or a
    reference such as `azureml:rides@latest`; `mode` is `ro_mount`, `download`, `direct`, ….
    """

    type: str = "uri_folder"
    path: str | PathLike[str] | None = None
    mode: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As it stands in a YAML file."""
        path = None if self.path is None else fspath(self.path)
        return _without_none({"type": self.type, "path": path, "mode": self.mode})


@dataclass(frozen=True)
class Output:
    """Where a job writes. With `name` what it wrote is registered as an asset when it has completed."""

    type: str = "uri_folder"
    path: str | None = None
    mode: str | None = None
    name: str | None = None
    version: str | None = None

    def to_data(self) -> dict[str, Any]:
        """As it stands in a YAML file."""
        return _without_none(
            {
                "type": self.type,
                "path": self.path,
                "mode": self.mode,
                "name": self.name,
                "version": self.version,
            }
        )


@dataclass(frozen=True)
class Binding:
    """What a step gets from its pipeline or from another step: `${{parent.…}}`, with the type of its source."""

    expression: str
    type: str = "uri_folder"

    def __str__(self) -> str:
        return self.expression


Value = Literal | Input | Binding | None
"""What may be given for an input. None leaves an optional one out."""


def data_of(value: Value) -> Any:
    """A given value as it stands in a YAML file."""
    if isinstance(value, Input):
        return value.to_data()
    return str(value) if isinstance(value, Binding) else value


def output_data(output: Any) -> Any:
    """A given output as it stands in a YAML file, where it may also be written that way."""
    return output.to_data() if isinstance(output, Output) else output


def type_of(value: Value) -> str:
    """The type of a port that takes this value."""
    match value:
        case Input() | Binding():
            return value.type
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
    return "string"


def values_of(values: Mapping[str, Value]) -> dict[str, Any]:
    """Given values as they stand in a YAML file, without those that are left out."""
    return {name: data_of(value) for name, value in values.items() if value is not None}


def _without_none(data: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in data.items() if value is not None}
