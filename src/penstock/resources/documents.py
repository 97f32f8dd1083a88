"""From the data of a document to a typed resource, or to everything that is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from pydantic import ValidationError
from pydantic.json_schema import models_json_schema

from penstock.errors import InvalidDocument, Problem
from penstock.resources import bindings
from penstock.resources.component import CommandComponent
from penstock.resources.compute import Compute
from penstock.resources.data import Data
from penstock.resources.datastore import BY_TYPE, Datastore
from penstock.resources.doubled import mended
from penstock.resources.environment import Environment
from penstock.resources.expectations import Expectations
from penstock.resources.job import CommandJob, PipelineJob
from penstock.resources.job_types import spelled_type
from penstock.resources.mltable_file import MLTableFile
from penstock.resources.model import Model
from penstock.resources.model_base import warnings_within
from penstock.resources.nearest import did_you_mean
from penstock.resources.pipeline_component import PipelineComponent
from penstock.resources.raw_pipeline import too_deep
from penstock.resources.registry import Registry
from penstock.resources.wording import location_of, problem_from
from penstock.resources.workspace import Workspace

Resource = (
    MLTableFile
    | Workspace
    | Registry
    | Environment
    | Data
    | Expectations
    | Datastore
    | Model
    | Compute
    | CommandComponent
    | PipelineComponent
    | CommandJob
    | PipelineJob
)

MODELS: Final[Mapping[str, tuple[type[Resource], ...]]] = {
    "workspace": (Workspace,),
    "registry": (Registry,),
    "environment": (Environment,),
    "data": (Data,),
    "expectations": (Expectations,),
    "datastore": tuple(BY_TYPE.values()),
    "mltable": (MLTableFile,),
    "model": (Model,),
    "compute": (Compute,),
    "component": (CommandComponent, PipelineComponent),
    "job": (CommandJob, PipelineJob),
}
"""The models of each kind of document; the `type` chooses where there are several."""


@dataclass(frozen=True)
class Parsed:
    """A document that may be acted on, and what its author should know about it."""

    resource: Resource
    warnings: tuple[Problem, ...]


def parse(kind: str, data: Mapping[str, Any]) -> Parsed:
    """The resource that `data` describes. Raises InvalidDocument with every problem of the document."""
    if kind not in MODELS:
        hint = did_you_mean(kind, MODELS)
        message = f"documents of kind `{kind}` are not supported yet"
        raise InvalidDocument([Problem("", message, hint=hint, code="unsupported")])
    problems: list[Problem] = []
    resource: Resource | None = None
    has_bindings = kind in ("job", "component") and isinstance(data, Mapping)
    if has_bindings and (depth := too_deep(data, is_component=kind == "component")) is not None:
        raise InvalidDocument([depth])
    doubled: list[Problem] = []
    if has_bindings:
        data, doubled = mended(data)
    try:
        resource = _model_for(kind, data).model_validate(data)
    except ValidationError as error:
        problems = [problem_from(found) for found in error.errors(include_url=False)]
    if has_bindings:
        problems += bindings.problems_in(data, is_component=kind == "component")
    if resource is None or problems:
        raise InvalidDocument(_in_order(problems, data))
    warnings = list(warnings_within(resource))
    if has_bindings:
        warnings += bindings.warnings_in(data, is_component=kind == "component")
    # A slip is told at each place where it was made: every one is to be mended.
    return Parsed(resource, (*_said_once(warnings), *doubled))


def json_schema(kind: str) -> dict[str, Any]:
    """The JSON Schema of a kind's files, for editors. It describes a file as written: paths are not read yet."""
    models = MODELS[kind]
    _, made = models_json_schema([(model, "validation") for model in models], by_alias=True)
    schema = _limits_spelled_out(made)
    definitions: dict[str, Any] = schema["$defs"]
    for name, definition in definitions.items():
        if "properties" in definition and name in {model.__name__ for model in models}:
            definition["properties"] = {"$schema": {"type": "string"}, **definition["properties"]}
    choices = [{"$ref": f"#/$defs/{model.__name__}"} for model in models]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": kind,
        **({"anyOf": choices} if len(choices) > 1 else choices[0]),
        "$defs": definitions,
    }


# A limit of a number that may also be text: pydantic leaves its own word for it in the schema, which no editor knows.
_LIMITS: Final = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}


def _limits_spelled_out(value: Any) -> Any:  # Any: a part of a JSON Schema
    if isinstance(value, dict):
        return {
            _LIMITS.get(key, key) if isinstance(item, int | float) else key: _limits_spelled_out(item)
            for key, item in value.items()
        }
    return [_limits_spelled_out(item) for item in value] if isinstance(value, list) else value


def _model_for(kind: str, data: Mapping[str, Any]) -> type[Resource]:
    models = MODELS[kind]
    if kind == "datastore":
        return BY_TYPE.get(_spelled(data), Datastore)
    if len(models) > 1 and isinstance(data, Mapping) and spelled_type(data) == "pipeline":
        return models[1]
    return models[0]


def _spelled(data: object) -> str:
    """The type of a datastore as the models spell it: `AzureBlob` is `azure_blob`."""
    given = data.get("type") if isinstance(data, Mapping) else None
    plain = str(given).strip().replace("_", "").replace("-", "").lower()
    return next((kind for kind in BY_TYPE if kind.replace("_", "") == plain), "")


def _in_order(problems: Iterable[Problem], data: object) -> list[Problem]:
    """The problems from the document's first line to its last, each message once per place."""
    once = {(problem.pointer, problem.message): problem for problem in problems}.values()
    return sorted(once, key=lambda problem: _place(data, location_of(problem.pointer)))


def _place(data: object, location: tuple[str, ...]) -> tuple[int, ...]:
    """Where in the document, as positions among siblings; what is missing stands behind what is there."""
    place: list[int] = []
    for part in location:
        if isinstance(data, Mapping):
            keys = [str(key) for key in data]
            place.append(keys.index(part) if part in keys else len(keys))
            data = data.get(part)
        elif isinstance(data, list) and part.isdigit() and int(part) < len(data):
            place.append(int(part))
            data = data[int(part)]
    return tuple(place)


def _said_once(warnings: Iterable[Problem]) -> list[Problem]:
    """One warning per message: a pipeline of ten steps is not told ten times that images are recorded."""
    places: dict[tuple[str, str | None], list[Problem]] = {}
    for warning in warnings:
        places.setdefault((warning.message, warning.hint), []).append(warning)
    return [
        first[0]
        if len(first) == 1
        else replace(first[0], message=f"{first[0].message} ({len(first)} places)")
        for first in places.values()
    ]
