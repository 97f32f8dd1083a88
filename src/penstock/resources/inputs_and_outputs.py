"""The values that jobs and steps give to inputs and outputs: literals, data, bindings."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag

from penstock.errors import Problem
from penstock.resources.expressions import whole
from penstock.resources.field_types import AlsoWritten, AssetName, Flag, GroupedPortName, PortName, Version
from penstock.resources.model_base import Part
from penstock.resources.ports import (
    MODEL_TYPES,
    OLD_TYPE_NAMES,
    PARAMETER_TYPES,
    InputMode,
    OutputMode,
    OutputType,
    Scalar,
    ScalarValue,
    ValueType,
    finite,
    misfit_of,
    mode_misfit,
    nothing_is_a_folder,
)
from penstock.resources.reference_fields import (
    OutputPath,
    place_remarks,
    reference_problem,
    snapshot_is_file,
    upload_misfit,
)
from penstock.resources.wording import BRANCH, describe, trouble


class InputValue(Part):
    """An input given as a mapping: data (`path`), or a literal (`value`) with its type."""

    noun = "an input"

    type: ValueType | None = Field(
        default=None, description="if absent: what was uploaded, what the asset says, else `uri_folder`"
    )
    path: str | None = Field(
        default=None, description="a local path, an asset, a place in a datastore, a job's output"
    )
    mode: InputMode | None = None
    value: ScalarValue | None = None
    optional: Flag = Field(default=False, description="a pipeline's input that may be left out")
    description: str | None = None

    @classmethod
    def rewritten(cls, data: dict[str, Any]) -> dict[str, Any]:
        # A pipeline's input may be written as a port is: its default is then its value.
        if "default" in data:
            default = data.pop("default")
            if "path" not in data and "value" not in data:
                is_data = data.get("type") not in (*PARAMETER_TYPES, "float", None)
                data["path" if is_data else "value"] = default
        # The upload knows what it is; an asset has to be asked.
        path = data.get("path")
        if "type" not in data and isinstance(path, str) and snapshot_is_file(path):
            data["type"] = "uri_file"
        return data

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        kind, path, value = data.get("type"), data.get("path"), data.get("value")
        kind = OLD_TYPE_NAMES.get(kind, kind) if isinstance(kind, str) else None
        is_literal = kind in PARAMETER_TYPES
        if isinstance(path, str) and value is None and whole(path) is not None:
            return  # a binding brings its source's type; the declared one counts for nothing
        yield from mode_misfit(kind, data.get("mode"))
        if path is not None and value is not None:
            yield Problem("/value", "an input has either `path` (data) or `value` (a literal), not both")
        elif path is None and value is None:
            if not data.get("optional"):
                missing = "value" if is_literal else "path"
                yield Problem(f"/{missing}", f"`{missing}` is missing", code="missing")
        elif path is not None and is_literal:
            hint = f"write `value:` instead of `path:` for an input of type `{kind}`"
            yield Problem("/path", f"an input of type `{kind}` has no `path`", hint=hint)
        elif value is not None and kind is not None and not is_literal:
            hint = f"write `path:` instead of `value:` for an input of type `{kind}`"
            yield Problem("/value", f"an input of type `{kind}` has no `value`", hint=hint)
        elif (
            value is not None
            and is_literal
            and isinstance(value, str | int | float)
            and "${{" not in str(value)
        ):
            why = misfit_of(str(kind), value)
            if why is not None:
                yield Problem("/value", f"`value` {why}")
        if isinstance(path, str) and "${{" not in path and not is_literal:
            yield from _path_problems(path, kind)
        misfit = upload_misfit(kind, path, "/path") if isinstance(path, str) else None
        if misfit is not None:
            yield misfit

    def remarks(self) -> Iterator[Problem]:
        kind = "model" if self.type in MODEL_TYPES else "data"
        yield from place_remarks(self.path, kind, "/path")


_NAMES_A_MODEL = re.compile(r"(?i)azureml:.*/(registries|workspaces)/[^/]+/models/")


def names_a_model(path: str) -> bool:
    """Whether a path says by itself that it is a model's: an input without a type takes the model's own then."""
    return _NAMES_A_MODEL.match(path) is not None


def _path_problems(path: str, kind: str | None) -> Iterator[Problem]:
    is_model = kind in MODEL_TYPES or (kind is None and names_a_model(path))
    problem = reference_problem(path, "model" if is_model else "data", "/path")
    if problem is not None:
        yield problem


class OutputValue(Part):
    """An output given as a mapping; `{}` and nothing at all are a folder in the default place."""

    noun = "an output"

    type: OutputType | None = Field(
        default=None, description="`uri_folder` if neither step, component nor the pipeline's output says"
    )
    mode: OutputMode | None = None
    path: OutputPath | None = Field(default=None, description="a place in a datastore")
    description: str | None = None
    name: AssetName | None = Field(
        default=None, description="what was written is registered under it when the step has completed"
    )
    version: Version | None = Field(default=None, description="the next whole number if absent")

    @classmethod
    def contradictions(cls, data: Mapping[str, Any]) -> Iterator[Problem]:
        if data.get("version") is not None and data.get("name") is None:
            yield Problem(
                "/name", "`version` is given, and no `name` to register the output under", code="missing"
            )

    def remarks(self) -> Iterator[Problem]:
        yield from place_remarks(self.path, "output", "/path")


def _scalar_branch(value: Any) -> str | None:
    if isinstance(value, bool | int | float | str):
        return BRANCH + "scalar"
    return BRANCH + "mapping" if isinstance(value, Mapping | InputValue) else None


def _literal_or_mapping(value: Any) -> Any:
    if _scalar_branch(value) is None:
        wanted = "text, a number, true or false, or a mapping with `type` and `path`"
        raise trouble(f"{{field}} must be {wanted}, got {describe(value)}", expected=wanted)
    return finite(value)


Input = Annotated[
    Annotated[Scalar, Tag(BRANCH + "scalar")] | Annotated[InputValue, Tag(BRANCH + "mapping")],
    Discriminator(_scalar_branch),
    BeforeValidator(_literal_or_mapping),
]
Output = Annotated[OutputValue, BeforeValidator(nothing_is_a_folder), AlsoWritten(("null",))]
Inputs = dict[GroupedPortName, Input | None]
Outputs = dict[PortName, Output]


def _binding_branch(value: Any) -> str | None:
    if isinstance(value, str):
        return BRANCH + "binding"
    return BRANCH + "mapping" if isinstance(value, Mapping | OutputValue | None) else None


StepOutput = Annotated[
    Annotated[str, Tag(BRANCH + "binding")]
    | Annotated[
        OutputValue, BeforeValidator(nothing_is_a_folder), AlsoWritten(("null",)), Tag(BRANCH + "mapping")
    ],
    Discriminator(_binding_branch),
]
StepOutputs = dict[PortName, StepOutput]
