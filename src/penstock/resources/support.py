"""The support table: every field of every file, taken from the models. Prints `docs/reference/support.md`.

python -m penstock.resources.support > docs/reference/support.md
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from penstock.resources import component, compute, job_base, step, workspace
from penstock.resources.component import CommandComponent
from penstock.resources.compute import Compute, NetworkSettings, SshSettings
from penstock.resources.data import Data
from penstock.resources.datastore import BY_TYPE, OneLake, OneLakeArtifact
from penstock.resources.distribution import Distribution
from penstock.resources.environment import BuildContext, Environment, InferenceConfig, Route
from penstock.resources.expectations import (
    Among,
    ColumnExpectations,
    CompoundKey,
    Expectations,
    Extent,
    Freshness,
    Limit,
    Matches,
    Nulls,
    Order,
    RowRule,
    Span,
    Switch,
)
from penstock.resources.field_types import Choice, NameRule
from penstock.resources.inputs_and_outputs import InputValue, OutputValue
from penstock.resources.job import CommandJob, CommandStep, PipelineJob, PipelineSettings
from penstock.resources.mltable_file import (
    InferColumnTypes,
    MLTableFile,
    PathItem,
    ReadDelimited,
    ReadDeltaLake,
    ReadJsonLines,
    ReadParquet,
    Traits,
    Transformation,
)
from penstock.resources.model import Model
from penstock.resources.model_base import Part, note_of, status_of
from penstock.resources.pipeline_component import PipelineComponent, PipelineStep
from penstock.resources.ports import InputPort, OutputPort
from penstock.resources.registry import Registry
from penstock.resources.run_settings import ComputeIdentity, JobIdentity, Limits, QueueSettings, Resources
from penstock.resources.services import Service
from penstock.resources.wording import quoted
from penstock.resources.workspace import Workspace
from penstock.resources.workspace_settings import EnvironmentSettings, WorkspaceSettings

SECTIONS: Final[tuple[tuple[str, str, tuple[tuple[str, type[Part]], ...]], ...]] = (
    (
        "Workspace",
        "",
        (("", Workspace), ("settings.", WorkspaceSettings), ("settings.environments.", EnvironmentSettings)),
    ),
    ("Registry", "", (("", Registry),)),
    (
        "Environment",
        "Inline in a job the same fields, without need of a `name`.",
        (
            ("", Environment),
            ("build.", BuildContext),
            ("inference_config.", InferenceConfig),
            ("inference_config.liveness_route.", Route),
        ),
    ),
    ("Data", "", (("", Data),)),
    *(
        (f"Datastore of type {kind}", "", (("", model),))
        if model is not OneLake
        else (f"Datastore of type {kind}", "", (("", model), ("artifact.", OneLakeArtifact)))
        for kind, model in BY_TYPE.items()
    ),
    (
        "File `MLTable`",
        "In a folder of data of type `mltable`; what each key does is told [on a page of its own](mltable.md).",
        (
            ("", MLTableFile),
            ("paths[].", PathItem),
            ("traits.", Traits),
            ("transformations[].", Transformation),
            ("transformations[].read_delimited.", ReadDelimited),
            ("transformations[].read_delimited.infer_column_types.", InferColumnTypes),
            ("transformations[].read_parquet.", ReadParquet),
            ("transformations[].read_json_lines.", ReadJsonLines),
            ("transformations[].read_delta_lake.", ReadDeltaLake),
        ),
    ),
    (
        "Expectations",
        "Any rule may also be a mapping with its `value` (of `allowed`: `values`), its own `severity` and, where it looks at single "
        "rows, `mostly` and `where`.",
        (
            ("", Expectations),
            ("freshness.", Freshness),
            ("columns.<name>.", ColumnExpectations),
            ("columns.<name>.nulls.", Nulls),
            ("columns.<name>.max.", Limit),
            ("columns.<name>.allowed.", Among),
            ("columns.<name>.matches.", Matches),
            ("columns.<name>.length.", Extent),
            ("columns.<name>.unique.", Switch),
            ("columns.<name>.increasing.", Order),
            ("columns.<name>.mean.", Span),
            ("unique[].", CompoundKey),
            ("rules[].", RowRule),
        ),
    ),
    ("Model", "", (("", Model),)),
    (
        "Compute",
        "",
        (
            ("", Compute),
            ("identity.", ComputeIdentity),
            ("network_settings.", NetworkSettings),
            ("ssh_settings.", SshSettings),
        ),
    ),
    (
        "Job of type command",
        "",
        (
            ("", CommandJob),
            ("limits.", Limits),
            ("resources.", Resources),
            ("distribution.", Distribution),
            ("identity.", JobIdentity),
            ("queue_settings.", QueueSettings),
            ("services.<name>.", Service),
        ),
    ),
    (
        "Job of type pipeline",
        "Unknown keys of `settings` are let pass with a warning.",
        (("", PipelineJob), ("settings.", PipelineSettings)),
    ),
    (
        "Step of a pipeline (`jobs.<step>`)",
        "`limits`, `resources`, `distribution`, `identity`, `queue_settings` and `services` hold what they hold in a command job. Unknown keys are "
        "let pass with a warning.",
        (("", CommandStep),),
    ),
    (
        "Step of a pipeline that is a pipeline itself",
        "`type: pipeline`, or no type and a `component` that is a pipeline. At most 10 pipelines stand inside one another. "
        "Unknown keys are let pass with a warning.",
        (("", PipelineStep),),
    ),
    (
        "Component of type command",
        "Unknown keys at the top are let pass with a warning, and are not kept.",
        (("", CommandComponent), ("inputs.<name>.", InputPort), ("outputs.<name>.", OutputPort)),
    ),
    (
        "Component of type pipeline",
        "Its steps are those of a pipeline. Unknown keys at the top are let pass with a warning, and are not kept.",
        (("", PipelineComponent),),
    ),
    (
        "Inputs and outputs of jobs and steps",
        "An input is a literal, a binding, or a mapping with these keys; an output is nothing, a binding, or a mapping.",
        (("inputs.<name>.", InputValue), ("outputs.<name>.", OutputValue)),
    ),
)

UNSUPPORTED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "files",
        (
            "online-endpoint", "online-deployment", "batch-endpoint", "batch-deployment", "schedule",
            "connection", "feature-store", "feature-set", "feature-store-entity", "index", "data import",
            "model-package", "serverless-endpoint",
        ),
    ),
    ("types of a job", job_base.LATER_TYPES),
    ("types of a step", step.LATER_STEP_TYPES),
    ("types of a component", component.LATER_TYPES),
    ("types of a compute", compute.LATER_TYPES),
    ("kinds of a workspace", workspace.LATER_KINDS),
    (
        "references",
        ("`git+…` code",),
    ),
)  # fmt: skip

STATUS_WORDS: Final[dict[str, str]] = {
    "supported": "yes",
    "warned": "recorded, with a warning",
    "forgotten": "accepted and not kept, with a warning",
    "refused": "not yet",
}


def table() -> str:
    """The whole page."""
    lines = [
        "# What is supported",
        "",
        "Every field of the files that Penstock reads. **yes**: it means here what it means in Azure ML. **recorded, with a",
        "warning**: it is kept with the thing and has no effect on this machine. **not yet**: it is refused, by name. What is",
        "in no table is a mistake in the file, and is refused as well; in a pipeline's steps, its `settings` and `resources`, where",
        "Azure ML lets unknown fields pass, a warning names it.",
        "",
        "Every noun has [a page of its own](README.md), which tells types, defaults, what is allowed, and commands.",
        "",
        "This page is generated from the models: `python -m penstock.resources.support > docs/reference/support.md`.",
    ]
    for title, about, parts in SECTIONS:
        lines += ["", f"## {title}", *(["", about] if about else [])]
        lines += ["", "| field | supported | note |", "|---|---|---|"]
        for prefix, model in parts:
            around = parts[0][1].known_fields().get(prefix.split(".")[0])
            is_recorded = around is not None and status_of(around) == "warned"
            lines += [_row(prefix, key, info, is_recorded) for key, info in model.known_fields().items()]
    lines += ["", "## Not yet", "", "| what | |", "|---|---|"]
    lines += [f"| {what} | {', '.join(names)} |" for what, names in UNSUPPORTED]
    lines += [
        "",
        "What Penstock does where Azure ML's documents disagree or are silent stands among the [decisions](decisions.md).",
    ]
    return "\n".join(lines) + "\n"


def _row(prefix: str, key: str, info: FieldInfo, is_recorded: bool) -> str:
    """`is_recorded`: the mapping around the field has no effect, so the field has none."""
    required = "required" if info.is_required() else ""
    notes = [note for note in (required, *_choice_notes(info), note_of(info)) if note]
    text = "; ".join(notes).replace("|", "\\|")
    supported = "recorded" if is_recorded else STATUS_WORDS[status_of(info)]
    return f"| `{prefix}{key}` | {supported} | {text} |"


def _choice_notes(info: FieldInfo) -> Iterator[str]:
    for offered, choice in _choices([*info.metadata], info.annotation):
        yield quoted(offered) + (f"; not yet: {quoted(choice.not_yet)}" if choice.not_yet else "")


def allowed_of(info: FieldInfo) -> str:
    """Which values a field takes, beyond its type: choices, and the rule of a name. What is refused by name is left out."""
    choices = [quoted(offered) for offered, _ in _choices([*info.metadata], info.annotation)]
    return "; ".join([*choices, *_name_rules([*info.metadata], info.annotation)])


def _name_rules(metadata: list[Any], annotation: Any, what: str = "") -> Iterator[str]:
    marks = [*metadata, *getattr(annotation, "__metadata__", ())]
    yield from (what + mark.rule for mark in marks if isinstance(mark, NameRule))
    inner = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation
    arguments = get_args(inner)
    if get_origin(inner) is dict:
        yield from _name_rules([], arguments[0], "keys: ")
    elif get_origin(inner) is not Literal:
        for argument in arguments:
            yield from _name_rules([], argument, what)


def _choices(metadata: list[Any], annotation: Any) -> Iterator[tuple[tuple[str, ...], Choice]]:
    """The choices of a type, wherever in it they stand."""
    marks = [*metadata, *getattr(annotation, "__metadata__", ())]
    inner = annotation.__origin__ if hasattr(annotation, "__metadata__") else annotation
    if get_origin(inner) is Literal:
        yield from ((get_args(inner), mark) for mark in marks if isinstance(mark, Choice))
    else:
        for argument in get_args(inner):
            yield from _choices([], argument)


if __name__ == "__main__":
    print(table(), end="")
