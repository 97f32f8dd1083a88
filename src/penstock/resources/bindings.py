"""Whether everything that a job document binds together is there and fits. Works on the raw document.

It does not need a valid document: what the schema refuses is passed over here, so both kinds of problem are told at
once, and none twice. Pipelines are judged in `pipeline_bindings`, what deserves a word only in `binding_warnings`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.errors import Problem
from penstock.resources.binding_graph import needs_of
from penstock.resources.binding_warnings import pipeline_warnings
from penstock.resources.command_text import (
    Declared,
    command_problems,
    expressions_out_of_place,
    output_path_problems,
    variable_problems,
)
from penstock.resources.job_types import spelled_type
from penstock.resources.pipeline_bindings import pipeline_problems
from penstock.resources.raw_pipeline import RawPipeline, is_unset, mapping


def problems_in(data: Mapping[str, Any], *, is_component: bool = False) -> list[Problem]:
    """What is wrong with the bindings of a command or pipeline job, or inside a pipeline component."""
    kind = spelled_type(data)
    if kind == "pipeline":
        return list(pipeline_problems(RawPipeline(data, is_component=is_component)))
    return list(_command_job_problems(data)) if kind == "command" and not is_component else []


def warnings_in(data: Mapping[str, Any], *, is_component: bool = False) -> list[Problem]:
    """What works, but deserves a word."""
    if spelled_type(data) != "pipeline":
        return []
    return list(pipeline_warnings(RawPipeline(data, is_component=is_component)))


def dependencies(job: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """For each step of a pipeline document the steps that it reads from."""
    return needs_of(RawPipeline(job))


def _command_job_problems(job: Mapping[str, Any]) -> Iterator[Problem]:
    inputs = mapping(job.get("inputs"))
    unset = {name: "the input has no value" for name, value in inputs.items() if is_unset(value)}
    declared = Declared.of("the job", inputs, job.get("outputs"), unset)
    yield from command_problems(job.get("command"), "/command", declared)
    yield from variable_problems(job, "", declared)
    yield from expressions_out_of_place(inputs, "a command job has no pipeline around it")
    yield from output_path_problems(job.get("outputs"), "/outputs", of_step=False)
