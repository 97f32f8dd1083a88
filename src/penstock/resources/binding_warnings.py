"""What works in a job's bindings, but deserves a word: old forms, things that Azure ML refuses, outputs nobody writes."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from penstock.errors import Problem
from penstock.resources.nearest import did_you_mean
from penstock.resources.raw_pipeline import LOCAL, RawPipeline, binding_of, mapping
from penstock.resources.wording import pointer_of, quoted

_DEFAULT = "/settings/default_compute"


def pipeline_warnings(pipeline: RawPipeline) -> Iterator[Problem]:
    """Those of the whole pipeline and of all that are inside it."""
    if not pipeline.is_component:
        if not pipeline.default_compute and not pipeline.names_any_compute:
            message = (
                "no compute is named: every step runs on this machine (Azure ML refuses such a pipeline)"
            )
            yield Problem(_DEFAULT, message, hint="write `settings: {default_compute: azureml:<name>}`")
        default = mapping(pipeline.data.get("settings")).get("default_compute")
        yield from _local_computes([(_DEFAULT, default), ("/compute", pipeline.data.get("compute"))])
    yield from _warnings_within(pipeline)


def _warnings_within(pipeline: RawPipeline) -> Iterator[Problem]:
    computes = [
        (pointer_of(("jobs", key, "compute")), step.data.get("compute"))
        for key, step in pipeline.steps.items()
        if not step.is_pipeline
    ]
    found = [*_local_computes(computes), *_legacy_bindings(pipeline), *_unknown_inputs(pipeline)]
    found += [] if pipeline.of_component is not None else _unwritten_outputs(pipeline)
    for problem in found:
        yield replace(problem, pointer=pipeline.pointer + problem.pointer)
    for inner in pipeline.all_inner:
        yield from _warnings_within(inner)


def _local_computes(named: Iterable[tuple[str, object]]) -> Iterator[Problem]:
    for pointer, compute in named:
        if isinstance(compute, str) and compute in LOCAL:
            yield Problem(pointer, "`compute: local` is this machine; Azure ML refuses it inside a pipeline")


def _legacy_bindings(pipeline: RawPipeline) -> Iterator[Problem]:
    for step in pipeline.steps.values():
        for side, values in (("inputs", step.inputs), ("outputs", step.outputs)):
            for name, value in values.items():
                expression = binding_of(value)
                if expression is None or "parent." in expression.text.replace(" ", ""):
                    continue
                if expression.scope in ("inputs", "outputs", "parent.jobs"):
                    path = ".".join((expression.scope.removeprefix("parent."), *expression.path))
                    message = f"`{expression.text}` is an old form of `${{{{parent.{path}}}}}`"
                    yield Problem(pointer_of(("jobs", step.key, side, name)), message)


def _unknown_inputs(pipeline: RawPipeline) -> Iterator[Problem]:
    """What is given and not asked for: Azure ML leaves it out without a word."""
    steps = {pointer_of(("jobs", key)): step for key, step in pipeline.steps.items()}
    if pipeline.of_component is not None and pipeline.of_component.around is not None:
        _, steps[""] = pipeline.of_component.around  # the job itself uses a component
    for pointer, step in steps.items():
        if step.component is None or not step.is_understood:
            continue
        known = [*map(str, step.declared_inputs)]
        for name in map(str, step.inputs):
            if name not in known:
                yield Problem(
                    pointer + pointer_of(("inputs", name)),
                    f"the component of {step.called} has no input `{name}`: it is left out",
                    expected=f"one of {quoted(known)}" if known else "no input",
                    hint=did_you_mean(name, known),
                )


def _unwritten_outputs(pipeline: RawPipeline) -> Iterator[Problem]:
    for name in pipeline.outputs:
        if not pipeline.writes(str(name)):
            hint = f"bind it in a step: `outputs: {{<name>: ${{{{parent.outputs.{name}}}}}}}`"
            yield Problem(
                pointer_of(("outputs", name)), f"no step writes output `{name}` of the pipeline", hint=hint
            )
