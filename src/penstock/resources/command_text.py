"""Whether the `${{…}}` in a command (or another text of a step) can be filled in, judged by what the step declares."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.errors import Problem
from penstock.resources.expressions import (
    BadExpression,
    Expression,
    Optional_,
    expressions_in,
    parse_template,
)
from penstock.resources.nearest import did_you_mean
from penstock.resources.raw_pipeline import texts_of_input
from penstock.resources.wording import pointer_of, quoted

_ONLY_IN_OUTPUT_PATHS = ("name", "output_name", "default_datastore")


@dataclass(frozen=True)
class Declared:
    """The names that a step's texts may use.

    `maybe_unset` are inputs that may have no value, with the reason; they may only stand inside `$[[ ]]`.
    """

    owner: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    maybe_unset: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls, owner: str, inputs: object, outputs: object, maybe_unset: Mapping[str, str] | None = None
    ) -> "Declared":
        """From the mappings of a document, which may be anything yet. `owner` is how messages call the step."""
        return cls(
            owner,
            frozenset(map(str, inputs)) if isinstance(inputs, Mapping) else frozenset(),
            frozenset(map(str, outputs)) if isinstance(outputs, Mapping) else frozenset(),
            dict(maybe_unset or {}),
        )


def command_problems(text: object, pointer: str, declared: Declared) -> Iterator[Problem]:
    """What is wrong with the bindings of a command, or of an environment variable's value."""
    if not isinstance(text, str):
        return
    try:
        template = parse_template(text)
    except BadExpression as error:
        yield syntax_problem(error, pointer)
        return
    for part in template:
        if isinstance(part, Expression):
            yield from _expression_problems(part, pointer, declared, is_optional=False)
        elif isinstance(part, Optional_):
            for inner in part.parts:
                if isinstance(inner, Expression):
                    yield from _expression_problems(inner, pointer, declared, is_optional=True)


def syntax_problem(error: BadExpression, pointer: str) -> Problem:
    """A text that is no template, as a problem."""
    return Problem(pointer, error.message, expected=error.expected, code="syntax")


def undeclared(
    expression: Expression, owner: str, what: str, name: str, known: Collection[str], pointer: str
) -> Problem:
    """The problem of an expression that names something which its owner (`the step`, `the pipeline`) does not have."""
    offered = f"one of {quoted(sorted(known))}" if known else f"{owner} has no {what}s"
    message = f"`{expression.text}`: {owner} has no {what} `{name}`"
    return Problem(pointer, message, expected=offered, hint=did_you_mean(name, sorted(known)))


def _expression_problems(
    expression: Expression, pointer: str, declared: Declared, *, is_optional: bool
) -> Iterator[Problem]:
    name = ".".join(expression.path)
    match expression.scope:
        case "inputs":
            if name not in declared.inputs:
                yield undeclared(expression, declared.owner, "input", name, declared.inputs, pointer)
            elif name in declared.maybe_unset and not is_optional:
                yield Problem(
                    pointer,
                    f"`{expression.text}` stands bare, but {declared.maybe_unset[name]}",
                    hint=f"enclose the argument: `$[[--{name} {expression.text}]]`",
                )
        case "outputs":
            if name not in declared.outputs:
                yield undeclared(expression, declared.owner, "output", name, declared.outputs, pointer)
        case scope if scope.startswith("parent."):
            yield Problem(
                pointer,
                f"`{expression.text}`: a command does not see its pipeline",
                expected="`${{inputs.<name>}}` or `${{outputs.<name>}}`",
                hint="bind it to an input of the step, and use that input in the command",
            )
        case "search_space":
            message = f"`{expression.text}` belongs to the trial of a sweep, which is not supported yet"
            yield Problem(pointer, message, code="unsupported")
        case scope if scope in _ONLY_IN_OUTPUT_PATHS:
            yield Problem(pointer, f"`{expression.text}` may only stand in the `path` of an output")
        case _:
            yield Problem(pointer, f"`{expression.text}` has no meaning in a command")


def variable_problems(owner: Mapping[str, Any], pointer: str, declared: Declared) -> Iterator[Problem]:
    """The same for the values of `environment_variables`."""
    variables = owner.get("environment_variables")
    for name, value in variables.items() if isinstance(variables, Mapping) else ():
        yield from command_problems(value, pointer + pointer_of(("environment_variables", name)), declared)


def expressions_out_of_place(inputs: Mapping[str, Any], because: str) -> Iterator[Problem]:
    """Inputs of a whole job hold no expressions, for nothing is around them."""
    for name, value in inputs.items():
        for pointer, text in texts_of_input(pointer_of(("inputs", name)), value):
            try:
                found = expressions_in(text)
            except BadExpression as error:
                yield syntax_problem(error, pointer)
            else:
                yield from (
                    Problem(pointer, f"`{each.text}` cannot be filled in: {because}") for each in found
                )


def output_path_problems(outputs: object, pointer: str, *, of_step: bool) -> Iterator[Problem]:
    """Output paths may use the job's name, the output's name and the default datastore; in a step also a binding."""
    for name, value in outputs.items() if isinstance(outputs, Mapping) else ():
        path = value.get("path") if isinstance(value, Mapping) else None
        if not isinstance(path, str):
            continue
        where = f"{pointer}/{name}/path"
        try:
            template = parse_template(path)
        except BadExpression as error:
            yield syntax_problem(error, where)
            continue
        allowed = (*_ONLY_IN_OUTPUT_PATHS, *(("parent.outputs", "outputs") if of_step else ()))
        for part in template:
            if isinstance(part, Optional_):
                yield Problem(where, "`$[[ ]]` may only stand in a command")
            elif isinstance(part, Expression) and part.scope not in allowed:
                expected = "`${{name}}`, `${{output_name}}` or `${{default_datastore}}`"
                yield Problem(
                    where, f"`{part.text}` may not stand in the `path` of an output", expected=expected
                )
