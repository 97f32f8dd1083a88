"""Whether the steps of a pipeline are bound to things that are there, and whether these fit."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from penstock.errors import Problem
from penstock.resources.binding_graph import cycles_in, needs_of
from penstock.resources.command_text import (
    Declared,
    command_problems,
    expressions_out_of_place,
    output_path_problems,
    syntax_problem,
    undeclared,
)
from penstock.resources.expressions import BadExpression, Expression, expressions_in
from penstock.resources.local_paths import is_local
from penstock.resources.nearest import did_you_mean, nearest
from penstock.resources.ports import MODEL_TYPES, InputPort
from penstock.resources.raw_pipeline import (
    RawPipeline,
    RawStep,
    Source,
    binding_of,
    mapping,
    texts_of_input,
)
from penstock.resources.reference_fields import reference_problem, upload_misfit
from penstock.resources.wording import pointer_of, quoted

# Settings of a step that are numbers and may be bound to one.
_BOUND_NUMBERS = {
    "limits": ("timeout",),
    "resources": ("instance_count",),
    "distribution": ("process_count_per_instance", "worker_count", "parameter_server_count"),
}


def pipeline_problems(pipeline: RawPipeline) -> Iterator[Problem]:
    """Those of a job's pipeline, or of a component's that nobody uses yet, and of all pipelines inside."""
    if not pipeline.is_component:
        yield from expressions_out_of_place(pipeline.inputs, "a pipeline's inputs have nothing around them")
        yield from output_path_problems(pipeline.outputs, "/outputs", of_step=False)
        default = mapping(pipeline.data.get("settings")).get("default_compute")
        for pointer, compute in (
            ("/settings/default_compute", default),
            ("/compute", pipeline.data.get("compute")),
        ):
            yield from _setting_problems(pipeline, compute, pointer)
    if pipeline.of_component is not None and pipeline.of_component.around is not None:
        _, itself = pipeline.of_component.around
        yield from _step_input_problems(pipeline, itself, "")
        yield from _step_output_problems(pipeline, itself, "", {})
        yield from _problems_inside(pipeline.of_component)
    yield from _problems_of_steps(pipeline)


def _problems_inside(pipeline: RawPipeline) -> Iterator[Problem]:
    """The same for an inner pipeline, with pointers from the top of the document."""
    for problem in _problems_of_steps(pipeline):
        yield replace(problem, pointer=pipeline.pointer + problem.pointer)
    for inner in pipeline.inner.values():
        yield from _problems_inside(inner)


def _problems_of_steps(pipeline: RawPipeline) -> Iterator[Problem]:
    yield from _circles(pipeline)
    bound_by: dict[str, str] = {}
    for step in pipeline.steps.values():
        pointer = pointer_of(("jobs", step.key))
        yield from _step_input_problems(pipeline, step, pointer)
        yield from _step_output_problems(pipeline, step, pointer, bound_by)
        if step.is_pipeline:
            continue  # what is inside is looked at by itself
        yield from _step_command_problems(pipeline, step, pointer)
        yield from _setting_problems(pipeline, step.data.get("compute"), f"{pointer}/compute")
        for part, keys in _BOUND_NUMBERS.items():
            for key in keys:
                value = mapping(step.data.get(part)).get(key)
                yield from _setting_problems(pipeline, value, f"{pointer}/{part}/{key}")
    yield from _compute_problems(pipeline)
    if pipeline.around is None:
        for inner in pipeline.inner.values():
            yield from _problems_inside(inner)


def _circles(pipeline: RawPipeline) -> Iterator[Problem]:
    for circle in cycles_in(needs_of(pipeline)):
        first = circle[0]
        way = ", which reads from ".join(f"`{key}`" for key in (*circle[1:], first))
        message = f"step `{first}` waits for itself: it reads from {way}"
        yield Problem(pointer_of(("jobs", first)), message, hint="remove one of these bindings")


def _step_input_problems(pipeline: RawPipeline, step: RawStep, pointer: str) -> Iterator[Problem]:
    for name, value in step.inputs.items():
        where = pointer + pointer_of(("inputs", name))
        for text_pointer, text in texts_of_input(where, value):
            yield from _binding_problems(pipeline, text, text_pointer)
        if step.component is not None and step.is_understood:
            if name not in step.declared_inputs:
                continue  # left out, and warned of
            yield from _fit_problems(pipeline, step, str(name), where)
    if (
        step.component is not None
        and step.is_understood
        and isinstance(step.data.get("inputs"), Mapping | None)
    ):
        for name in step.declared_inputs:
            if name not in step.inputs:
                where = pointer + pointer_of(("inputs", str(name)))
                yield from _fit_problems(pipeline, step, str(name), where)


def _fit_problems(pipeline: RawPipeline, step: RawStep, name: str, where: str) -> Iterator[Problem]:
    """Whether what the input comes to in the end is what the component's port takes."""
    port, source = step.ports.get(name), pipeline.source_of_input(step, name)
    if port is None or source.kind == "unknown":
        return
    given = binding_of(step.inputs.get(name))
    by = f" (from `{given.text}`)" if given is not None else ""
    if source.kind == "literal" and name not in step.inputs:
        return  # the component's own default, which was checked with the component
    if source.kind == "unset":
        if port.is_required:
            message = f"required input `{name}` of {step.called} is not provided{by}"
            unknown = [str(given) for given in step.inputs if given not in step.declared_inputs]
            near = nearest(name, unknown)
            hint = f"give it under `inputs`, or declare a `default` for `{name}` in the component"
            hint = hint if near is None else f"`{near}` is given: did you mean `{name}`?"
            yield Problem(where, message, hint=hint, code="missing")
    elif source.kind == "data":
        if not port.is_data:
            message = f"input `{name}` takes a literal of type `{port.type}`, and is given data{by}"
            yield Problem(where, message, expected=f"a literal of type `{port.type}`")
    else:
        yield from _literal_problems(port, name, source.value, where, by)


def _literal_problems(port: InputPort, name: str, value: object, where: str, by: str) -> Iterator[Problem]:
    why = port.misfit(value)
    if why is not None:
        yield Problem(where, f"input `{name}` {why}{by}", expected=f"a value of type `{port.type}`")
    elif port.is_data and isinstance(value, str):
        # Data given by its path alone.
        problem = reference_problem(value, "model" if port.type in MODEL_TYPES else "data", where)
        if problem is not None and is_local(value):
            # The client cannot know the ports of a registered component: it uploads the path now, and sends again.
            hint = f"write `{name}: {{type: {port.type}, path: {value}}}`: paths are uploaded where they are said to be paths"
            problem = replace(problem, hint=hint, code="not_uploaded")
        problem = problem or upload_misfit(port.type, value, where)
        if problem is not None:
            yield problem


def _binding_problems(pipeline: RawPipeline, text: str, pointer: str) -> Iterator[Problem]:
    """Whether everything that a step's input names is there."""
    try:
        found = expressions_in(text)
    except BadExpression as error:
        yield syntax_problem(error, pointer)
        return
    for expression in found:
        problem = _missing_source(pipeline, expression, pointer)
        if problem is not None:
            yield problem
        elif expression.text != text.strip() and pipeline.source_of(expression.text).kind == "data":
            message = f"`{expression.text}` is data, and cannot be a part of a longer text"
            yield Problem(
                pointer, message, hint="bind the input to it alone, and build the text in the command"
            )


def _missing_source(pipeline: RawPipeline, expression: Expression, pointer: str) -> Problem | None:
    path = expression.path
    if expression.scope in ("parent.inputs", "inputs"):
        name = ".".join(path)
        if name not in pipeline.inputs:
            return undeclared(
                expression, "the pipeline", "input", name, [*map(str, pipeline.inputs)], pointer
            )
        return None
    if expression.scope != "parent.jobs":
        return Problem(
            pointer,
            f"`{expression.text}` cannot feed an input of a step",
            expected="`${{parent.inputs.<name>}}` or `${{parent.jobs.<step>.outputs.<name>}}`",
        )
    key, side, port = path[0], path[1], ".".join(path[2:])
    step = pipeline.steps.get(key)
    if step is None:
        return undeclared(expression, "the pipeline", "step", key, pipeline.steps, pointer)
    if not step.is_understood:
        return None
    known = (
        step.declared_outputs
        if side == "outputs"
        else frozenset(map(str, (*step.declared_inputs, *step.inputs)))
    )
    if port not in known:
        return undeclared(expression, f"step `{key}`", side.removesuffix("s"), port, known, pointer)
    if side == "outputs" and key in pipeline.inner and not pipeline.inner[key].writes(port):
        message = f"`{expression.text}`: no step inside `{key}` writes its output `{port}`"
        return Problem(
            pointer, message, hint=f"bind it in the component: `<output>: ${{{{parent.outputs.{port}}}}}`"
        )
    return None


def _step_output_problems(
    pipeline: RawPipeline, step: RawStep, pointer: str, bound_by: dict[str, str]
) -> Iterator[Problem]:
    yield from output_path_problems(step.outputs, f"{pointer}/outputs", of_step=True)
    for name, value in step.outputs.items():
        where = pointer + pointer_of(("outputs", name))
        if step.is_understood and name not in step.declared_outputs:
            known = sorted(step.declared_outputs)
            expected = f"one of {quoted(known)}" if known else "no output"
            message = f"the component of {step.called} has no output `{name}`"
            yield Problem(where, message, expected=expected, hint=did_you_mean(str(name), known))
        expression = binding_of(value)
        if expression is None:
            if isinstance(value, str):
                yield _not_an_output_binding(value, where)
            continue
        if expression.scope not in ("parent.outputs", "outputs"):
            if isinstance(value, str):
                yield _not_an_output_binding(value, where)
            continue
        bound = ".".join(expression.path)
        if bound not in pipeline.outputs:
            yield undeclared(
                expression, "the pipeline", "output", bound, [*map(str, pipeline.outputs)], where
            )
        elif bound in bound_by:
            yield Problem(where, f"output `{bound}` of the pipeline is written by {bound_by[bound]} already")
        else:
            bound_by[bound] = f"`{step.key}.outputs.{name}`"


def _not_an_output_binding(value: str, where: str) -> Problem:
    try:
        expressions_in(value)
    except BadExpression as error:
        return syntax_problem(error, where)
    expected = "`${{parent.outputs.<name>}}`, or a mapping with `type`, `mode` and `path`"
    return Problem(where, f"an output cannot be `{value}`", expected=expected)


def _step_command_problems(pipeline: RawPipeline, step: RawStep, pointer: str) -> Iterator[Problem]:
    if not step.is_understood:
        return
    declared = Declared.of(
        f"step `{step.key}`",
        step.declared_inputs,
        dict.fromkeys(step.declared_outputs),
        _maybe_unset(pipeline, step),
    )
    if step.component is not None:
        yield from command_problems(step.component.get("command"), f"{pointer}/component/command", declared)
    else:
        yield from command_problems(step.data.get("command"), f"{pointer}/command", declared)
    for name, value in mapping(step.data.get("environment_variables")).items():
        where = pointer + pointer_of(("environment_variables", name))
        if isinstance(value, str) and "${{" in value and _speaks_of_parent(value):
            yield from _setting_problems(pipeline, value, where)
        else:
            yield from command_problems(value, where, declared)


def _speaks_of_parent(text: str) -> bool:
    try:
        return any(each.scope.startswith("parent.") for each in expressions_in(text))
    except BadExpression:
        return False


def _maybe_unset(pipeline: RawPipeline, step: RawStep) -> dict[str, str]:
    """The inputs of a step that may have no value, and why. A component's own declaration counts, not its use here."""
    reasons: dict[str, str] = {}
    for name in map(str, step.declared_inputs):
        port = step.ports.get(name)
        if port is not None:
            if port.optional and port.default is None:
                reasons[name] = f"input `{name}` is optional and has no default"
        elif step.component is None and pipeline.source_of_input(step, name).kind == "unset":
            reasons[name] = f"input `{name}` has no value"
    return reasons


def _setting_problems(pipeline: RawPipeline, value: object, pointer: str) -> Iterator[Problem]:
    """Compute, limits and variables may be bound to literals of the pipeline."""
    if not isinstance(value, str) or "${{" not in value:
        return
    try:
        found = expressions_in(value)
    except BadExpression as error:
        yield syntax_problem(error, pointer)
        return
    for expression in found:
        problem = _missing_source(pipeline, expression, pointer)
        if problem is not None:
            yield problem
        elif (source := pipeline.source_of(expression.text)).kind in ("data", "unset"):
            yield Problem(
                pointer, f"`{expression.text}` {_why_no_literal(source)}", expected="an input with a literal"
            )


def _why_no_literal(source: Source) -> str:
    return "has no value" if source.kind == "unset" else "is data, and a literal is needed here"


def _compute_problems(pipeline: RawPipeline) -> Iterator[Problem]:
    """A step without compute is an oversight where others have one; where none has, all run on this machine."""
    if pipeline.outermost.is_component or pipeline.default_compute or not pipeline.names_any_compute:
        return
    for step in pipeline.steps.values():
        if not step.data.get("compute") and step.is_understood and not step.is_pipeline:
            message = f"compute not set: step `{step.key}` names none, and the pipeline has no default"
            hint = "write `compute:` in the step, or `settings: {default_compute: azureml:<name>}` in the pipeline"
            yield Problem(pointer_of(("jobs", step.key, "compute")), message, hint=hint, code="missing")
